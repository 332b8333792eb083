"""Statistics of one column, gathered batch by batch in bounded memory, independent of the order of rows."""

from collections import Counter

from quality.profiling import limits, privacy

MARKERS = [
    "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "Null", "None", "none", "NONE", "nil", "?", "-", "--", "---", "——", "—",
    "无", "空", "缺失", "未知", "不详", "暂无", "未填",
]  # fmt: skip
SENTINELS = {"999", "9999", "99999", "-999", "-9999", "-99", "-1.0e+30"}
DATE = r"^[0-9]{4}([-/.年][0-9]{1,2}([-/.月][0-9]{1,2}日?)?月?|[0-9]{4})?([T ][0-9]{1,2}:[0-9]{2}.*)?$"
STRICT_DATE = r"^[0-9]{4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}日?([T ][0-9]{1,2}:[0-9]{2}.*)?$"
INTEGER = r"^[+-]?[0-9]{1,18}$"
LEADING_ZERO = r"^[+-]?0[0-9]"
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
DIRTY = (
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x{FFFD}]|锟斤拷|烫烫烫|屯屯屯"
    r"|</?(p|br|div|span|td|tr|li|font|script|style|img|a)(\s[^>]{0,200})?/?>|&(nbsp|lt|gt|amp|quot);"
)
KEPT_HASHES = 65_536
KEPT_VALUES = 2_000
KEPT_NUMBERS = 100_000


class Column:
    def __init__(self, name: str, detailed: bool = True):
        self.name, self.detailed = name, detailed
        self.filled = self.empty = self.marked = self.cells = 0
        self.kinds = Counter()
        self.dirty = 0
        self.dirty_examples: list[dict] = []
        self.tallies: dict[str, privacy.Tally] = {}
        self.hashes = None
        self.values: Counter = Counter()
        self.values_complete = True
        self.low = self.high = None
        self.total = 0.0
        self.numbers: list = []
        self.stride = 1
        self.length_low = self.length_high = None
        self.length_total = 0
        self.declared_type = ""

    @property
    def missing(self) -> int:
        return self.empty + self.marked

    def add(self, values: list, places) -> None:
        """`values`: text, None for a null; `places`: the line or record number of each."""
        import polars as pl

        self.cells += len(values)
        if not self.detailed:
            self._count_only(values)
            return
        series = pl.Series(values, dtype=pl.String, strict=False)
        frame = pl.DataFrame({"v": series, "i": pl.int_range(len(values), eager=True)})
        stripped = pl.col("v").str.strip_chars()
        void = frame.select(n=pl.col("v").is_null() | (stripped == ""), m=stripped.is_in(MARKERS).fill_null(False))
        self.empty += int(void["n"].sum())
        self.marked += int((void["m"] & ~void["n"]).sum())
        good = frame.filter(~(void["n"] | void["m"]))
        self.filled += good.height
        if good.height:
            self._texts(good["v"])
            self._kinds(good["v"].str.strip_chars())
            self._dirty(good, places)
            self._personal(good, places)

    def _count_only(self, values) -> None:
        markers = set(MARKERS)
        for value in values:
            text = (value or "").strip()
            if not text:
                self.empty += 1
            elif text in markers:
                self.marked += 1
            else:
                self.filled += 1

    def _texts(self, good) -> None:
        import numpy as np

        lengths = good.str.len_chars()
        low, high = int(lengths.min()), int(lengths.max())
        self.length_low = low if self.length_low is None else min(self.length_low, low)
        self.length_high = high if self.length_high is None else max(self.length_high, high)
        self.length_total += int(lengths.sum())
        hashes = good.hash(seed=20261118).to_numpy().copy()
        if self.hashes is not None:
            if len(self.hashes) > KEPT_HASHES:  # only smaller ones can still enter the sketch
                hashes = hashes[hashes < self.hashes[-1]]
            hashes = np.concatenate([self.hashes, hashes])
        hashes.sort()
        first = np.ones(len(hashes), dtype=bool)
        first[1:] = hashes[1:] != hashes[:-1]
        self.hashes = hashes[first][: KEPT_HASHES + 1]
        if self.values_complete:
            self._count_values(good)

    def _count_values(self, good) -> None:
        counts = good.value_counts(sort=False)
        if counts.height > KEPT_VALUES * 10:  # an id or free text: only what repeats can matter
            self.values_complete = False
            counts = counts.filter(counts["count"] > 1).sort(["count", "v"], descending=[True, False]).head(KEPT_VALUES)
        for value, count in counts.iter_rows():
            self.values[value[:200]] += count
        if len(self.values) > KEPT_VALUES * 10:
            self.values_complete = False
            self.values = Counter(dict(sorted(self.values.items(), key=lambda item: (-item[1], item[0]))[:KEPT_VALUES]))

    def _kinds(self, good) -> None:
        import polars as pl

        if self.kinds["text"] > 50_000 and self.kinds["text"] > 0.9 * self.kinds.total():
            self.kinds["text"] += len(good)
            return
        frame = pl.DataFrame({"v": good})
        col = pl.col("v")
        flags = frame.select(
            whole=col.str.contains(INTEGER), zero=col.str.contains(LEADING_ZERO), number=col.str.contains(NUMBER), date=col.str.contains(STRICT_DATE),
            flag=col.str.to_lowercase().is_in(["true", "false", "yes", "no", "是", "否"]),
        )  # fmt: skip
        zero = int((flags["zero"] & flags["whole"] & (good.str.len_chars() > 1)).sum())
        whole, number = int(flags["whole"].sum()), int(flags["number"].sum())
        self.kinds["code"] += zero
        self.kinds["integer"] += whole - zero
        self.kinds["number"] += number - whole
        self.kinds["date"] += int(flags["date"].sum())
        self.kinds["boolean"] += int(flags["flag"].sum())
        self.kinds["text"] += len(good) - number - int(flags["date"].sum()) - int(flags["flag"].sum())
        if number:
            self._numbers(good.filter(flags["number"]).cast(pl.Float64, strict=False).drop_nulls())

    def _numbers(self, numbers) -> None:
        numbers = numbers.filter(numbers.is_finite())
        if not len(numbers):
            return
        self.low = numbers.min() if self.low is None else min(self.low, numbers.min())
        self.high = numbers.max() if self.high is None else max(self.high, numbers.max())
        self.total += numbers.sum()
        self.numbers.extend(numbers.gather_every(self.stride).to_list())
        while len(self.numbers) > KEPT_NUMBERS:
            self.numbers, self.stride = self.numbers[::2], self.stride * 2

    def _dirty(self, good, places) -> None:
        hits = good.filter(good["v"].str.contains(DIRTY))
        self.dirty += hits.height
        for value, position in hits.head(3).iter_rows():
            if len(self.dirty_examples) < limits.EXAMPLES:
                self.dirty_examples.append({"place": places[position], "text": privacy.masked(shown(value)[:80])})

    def _personal(self, good, places) -> None:
        hits = good.filter(good["v"].str.contains(privacy.PREFILTER))
        hits = hits.filter(~hits["v"].str.contains(privacy.DECIMAL))
        for value, position in hits.iter_rows():
            for kind, text, verified in privacy.find(value[: limits.SCAN_CHARS]):
                self.tallies.setdefault(kind, privacy.Tally()).add(text, verified, f"{self.name} @{places[position]}")

    @property
    def type(self) -> str:
        if self.declared_type:
            return self.declared_type
        if not self.kinds.total():
            return "empty"
        if self.kinds["code"]:
            numeric = self.kinds["code"] + self.kinds["integer"]
            return "text" if numeric >= 0.95 * self.kinds.total() or self.kinds["text"] else "text"
        kinds = self.kinds.copy()
        if kinds["number"] and kinds["integer"]:
            kinds["number"] += kinds.pop("integer")
        best, count = max(kinds.items(), key=lambda item: (item[1], item[0]))
        return best if count >= 0.95 * self.kinds.total() else "text"

    @property
    def misfits(self) -> int:
        """Cells that do not fit the column's type."""
        if self.declared_type or self.type in ("text", "empty"):
            return 0
        fitting = self.kinds[self.type] + (self.kinds["integer"] if self.type == "number" else 0)
        return self.kinds.total() - fitting

    def distinct(self) -> tuple[int, bool]:
        """(count, is it exact)."""
        if self.hashes is None:
            return 0, True
        if len(self.hashes) <= KEPT_HASHES:
            return len(self.hashes), True
        return min(self.filled, round((KEPT_HASHES - 1) / (float(self.hashes[KEPT_HASHES - 1]) / 2**64))), False

    def summary(self) -> dict:
        out = {"name": self.name[:200], "missing": self.missing, "filled": self.filled}
        if not self.detailed:
            return out
        distinct, exact = self.distinct()
        out |= {"type": self.type, "empty": self.empty, "markers": self.marked, "distinct": distinct, "distinct_exact": exact}
        out |= {"misfits": self.misfits, "dirty": self.dirty}
        if self.length_low is not None:
            out |= {"length_min": self.length_low, "length_max": self.length_high, "length_mean": round(self.length_total / max(1, self.filled), 2)}
        if self.type in ("integer", "number") and self.low is not None:
            count = self.kinds["integer"] + self.kinds["number"]
            out |= {"min": tidy(self.low), "max": tidy(self.high), "mean": tidy(self.total / count), "histogram": self.histogram()}
        if not self._is_personal():
            out["top"] = [{"value": privacy.masked(shown(value)[:80]), "count": count} for value, count in self._top()]
            out["labels"] = self._is_label(distinct)
        return out

    def _top(self):
        ranked = sorted(self.values.items(), key=lambda item: (-item[1], item[0]))
        return ranked[:10] if ranked and ranked[0][1] > 1 else []

    def _is_personal(self) -> bool:
        return any(tally.is_real for kind, tally in self.tallies.items() if kind != "credit_code")

    def _is_label(self, distinct: int) -> bool:
        return self.values_complete and 1 < distinct <= 100 and distinct * 5 <= self.filled and self.type in ("text", "boolean", "integer")

    def histogram(self, bins: int = 12) -> list[dict]:
        low, high = self.low, self.high
        if low == high:
            return [{"from": tidy(low), "to": tidy(high), "count": len(self.numbers) * self.stride}]
        width = (high - low) / bins
        counts = [0] * bins
        for value in self.numbers:
            counts[min(bins - 1, int((value - low) / width))] += 1
        return [{"from": tidy(low + width * n), "to": tidy(low + width * (n + 1)), "count": count * self.stride} for n, count in enumerate(counts)]


def tidy(value: float):
    """An integer where it is one, else at most six significant digits."""
    return int(value) if abs(value) < 2**53 and value == int(value) else float(f"{value:.6g}")


def shown(text: str) -> str:
    """Text without what a screen would not show or obey."""
    return "".join(char if char.isprintable() or char == " " else "\u00b7" for char in text)
