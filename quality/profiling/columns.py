"""Statistics of one column, gathered batch by batch in bounded memory, independent of the order of rows."""

from collections import Counter

from quality.profiling import limits, privacy, wordlists

MARKERS = [
    "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "Null", "None", "none", "NONE", "nil", "?", "-", "--", "---", "——", "—",
    "无", "空", "缺失", "未知", "不详", "暂无", "未填",
]  # fmt: skip
SENTINELS = {"999", "9999", "99999", "-999", "-9999", "-99", "-1.0e+30"}
STRICT_DATE = r"^[0-9]{4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}日?([T ][0-9]{1,2}:[0-9]{2}.*)?$"
DATE_SHAPES = {
    "YYYY-MM-DD": r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
    "YYYY/MM/DD": r"^[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}",
    "YYYY.MM.DD": r"^[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,2}",
    "YYYY年MM月DD日": r"^[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}",
    "DD/MM/YYYY": r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$",
}
INTEGER = r"^[+-]?[0-9]{1,18}$"
LEADING_ZERO = r"^[+-]?0[0-9]"
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
STARTS_AS_NUMBER = r"^[+-]?[.0-9]"
DIRTY = (
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x{FFFD}]|锟斤拷|烫烫烫|屯屯屯"
    r"|</?(p|br|div|span|td|tr|li|font|script|style|img|a)(\s[^>]{0,200})?/?>|&(nbsp|lt|gt|amp|quot);"
)
UNIT = r"^[+-]?[0-9]+(?:\.[0-9]+)?\s*([a-zA-Z%℃°μΩ]{1,6}|公里|千米|米|厘米|毫米|千克|公斤|克|吨|斤|元|万元|亿元|小时|分钟|秒)$"
FORMULA = r"^[=@][A-Za-z(+\-]|^[+\-][A-Za-z]+[!|(]"
KEPT_HASHES = 65_536
KEPT_VALUES = 2_000
KEPT_NUMBERS = 100_000
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


class Column:
    def __init__(self, name: str, detailed: bool = True):
        self.name, self.detailed = name, detailed
        self.filled = self.empty = self.marked = self.cells = 0
        self.kinds = Counter()
        self.dirty = self.formulas = 0
        self.dirty_examples: list[dict] = []
        self.formula_examples: list[dict] = []
        self.tallies: dict[str, privacy.Tally] = {}
        self.scanned = 0  # candidate cells looked at one by one
        self.words = wordlists.Hits()
        self.units: Counter = Counter()
        self.dates: Counter = Counter()
        self.newest = ""
        self.hashes = None
        self.values: Counter = Counter()
        self.values_complete = True
        self.foldable = True  # while values repeat, work is done once a value
        self.low = self.high = None
        self.total = self.squares = 0.0
        self.numbers: list = []
        self.number_count = 0
        self.stride = 1
        self.length_low = self.length_high = None
        self.length_total = 0
        self.declared_type = ""

    @property
    def missing(self) -> int:
        return self.empty + self.marked

    def count_blank(self, number: int) -> None:
        self.empty += number
        self.cells += number

    def add(self, values, places) -> None:
        """`values`: a series of text, null where there is none; `places`: the line or record number of each."""
        import polars as pl

        self.cells += len(values)
        if not self.detailed:
            self._count_only(values)
            return
        frame = pl.DataFrame({"v": values, "i": pl.int_range(len(values), eager=True)})
        if self.foldable:
            folded = frame.group_by("v", maintain_order=True).agg(pl.len().alias("n"), pl.col("i").min())
            self.foldable = len(values) < 1000 or folded.height < 0.9 * len(values)
            frame = folded
        else:
            frame = frame.with_columns(n=pl.lit(1, dtype=pl.UInt32))
        frame = frame.with_columns(s=pl.col("v").str.strip_chars())
        frame = frame.with_columns(void=pl.col("v").is_null() | (pl.col("s") == ""), mark=pl.col("s").is_in(MARKERS).fill_null(False))
        self.empty += int(frame.filter(pl.col("void"))["n"].sum())
        self.marked += int(frame.filter(pl.col("mark") & ~pl.col("void"))["n"].sum())
        good = frame.filter(~(pl.col("void") | pl.col("mark"))).select("v", "i", "n", "s")
        if not good.height:
            return
        self.filled += int(good["n"].sum())
        self._texts(good)
        self._kinds(good)
        self._signs(good, places)

    def _count_only(self, values) -> None:
        stripped = values.str.strip_chars()
        void = int((values.is_null() | (stripped == "").fill_null(True)).sum())
        marked = int(stripped.is_in(MARKERS).fill_null(False).sum())
        self.empty, self.marked, self.filled = self.empty + void, self.marked + marked, self.filled + len(values) - void - marked

    def _texts(self, good) -> None:
        import numpy as np

        lengths = good["v"].str.len_chars()
        low, high = int(lengths.min()), int(lengths.max())
        self.length_low = low if self.length_low is None else min(self.length_low, low)
        self.length_high = high if self.length_high is None else max(self.length_high, high)
        self.length_total += int((lengths * good["n"]).sum())
        hashes = good["v"].hash(seed=20261118).to_numpy().copy()
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
        counts = good.select("v", "n")
        if counts.height > KEPT_VALUES * 10:  # an id or free text: only what repeats can matter
            self.values_complete = False
            counts = counts.filter(counts["n"] > 1).sort(["n", "v"], descending=[True, False]).head(KEPT_VALUES)
        for value, count in counts.iter_rows():
            self.values[value[:200]] += count
        if len(self.values) > KEPT_VALUES * 10:
            self.values_complete = False
            self.values = Counter(dict(sorted(self.values.items(), key=lambda item: (-item[1], item[0]))[:KEPT_VALUES]))

    def _kinds(self, good) -> None:
        import polars as pl

        s = pl.col("s")
        flags = good.with_columns(start=s.str.contains(STARTS_AS_NUMBER), short=s.str.len_bytes() <= 5)
        total, known = int(good["n"].sum()), 0
        maybe = flags.filter("start").select("s", "n")
        if maybe.height:
            maybe = maybe.with_columns(
                whole=s.str.contains(INTEGER), zero=s.str.contains(LEADING_ZERO), number=s.str.contains(NUMBER), date=s.str.contains(STRICT_DATE)
            )

            def count(mask):
                return int(maybe.filter(mask)["n"].sum())

            zero, whole = count(pl.col("zero") & pl.col("whole")), count(pl.col("whole"))
            number, dates = count(pl.col("number")), maybe.filter("date")
            self.kinds["code"] += zero
            self.kinds["integer"] += whole - zero
            self.kinds["number"] += number - whole
            self.kinds["date"] += int(dates["n"].sum())
            known = number + int(dates["n"].sum())
            if number:
                self._numbers(maybe.filter("number"))
            if number < total:
                self._shapes(maybe.filter(~pl.col("number")), dates)
        flags = flags.filter("short").filter(s.str.to_lowercase().is_in(["true", "false", "yes", "no", "是", "否"]))
        self.kinds["boolean"] += int(flags["n"].sum())
        self.kinds["text"] += total - known - int(flags["n"].sum())

    def _shapes(self, odd, dates) -> None:
        """Formats of dates and units of quantities, where a column mixes them the reader must know."""
        import polars as pl

        for name, pattern in DATE_SHAPES.items():
            if number := int(odd.filter(pl.col("s").str.contains(pattern))["n"].sum()):
                self.dates[name] += number
        if dates.height:
            folded = dates.select(pl.col("s").str.slice(0, 10).str.replace_all(r"[/.年月]", "-").str.strip_chars("日- T").alias("d"))
            plain = folded.filter(pl.col("d").str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))["d"].max() or ""
            self.newest = max(self.newest, plain)
        units = odd.with_columns(u=pl.col("s").str.extract(UNIT, 1)).drop_nulls("u").group_by("u").agg(pl.col("n").sum())
        for unit, number in units.iter_rows():
            if unit in self.units or len(self.units) < 50:
                self.units[unit] += number

    def _numbers(self, frame) -> None:
        import numpy as np
        import polars as pl

        frame = frame.select(x=pl.col("s").cast(pl.Float64, strict=False), n="n").filter(pl.col("x").is_finite())
        if not frame.height:
            return
        low, high = frame["x"].min(), frame["x"].max()
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)
        self.number_count += int(frame["n"].sum())
        self.total += float((frame["x"] * frame["n"]).sum())
        self.squares += float((frame["x"] * frame["x"] * frame["n"]).sum())
        spread = frame["x"].repeat_by(frame["n"]).explode() if frame.height < self.number_count and frame["n"].max() > 1 else frame["x"]
        self.numbers.append(spread.gather_every(self.stride).to_numpy())
        while sum(map(len, self.numbers)) > KEPT_NUMBERS:
            self.numbers, self.stride = [np.concatenate(self.numbers)[::2]], self.stride * 2

    def _signs(self, good, places) -> None:
        """What single cells show: dirt, formulas, words of the lists, personal information."""
        import polars as pl

        v = pl.col("v")
        texts = good.filter(~pl.col("s").str.contains(r"^[+\-.0-9eE]{1,10}$"))
        if not texts.height:
            return
        found = texts.with_columns(
            dirt=v.str.contains(DIRTY), formula=v.str.contains(FORMULA), word=v.str.contains_any(wordlists.anchors(), ascii_case_insensitive=True)
        )
        self._examples(found.filter("dirt"), "dirty", self.dirty_examples, places)
        self._examples(found.filter("formula"), "formulas", self.formula_examples, places)
        for value, position, number in found.filter("word").select("v", "i", "n").sort("i").head(limits.SCANNED_CELLS).iter_rows():
            self.words.scan(value[: limits.SCAN_CHARS], number, self.name, places[position])
        self._personal(texts, places)

    def _examples(self, hits, name: str, kept: list[dict], places) -> None:
        if not hits.height:
            return
        setattr(self, name, getattr(self, name) + int(hits["n"].sum()))
        for value, position in hits.sort("i").head(3).select("v", "i").iter_rows():
            if len(kept) < limits.EXAMPLES:
                kept.append({"place": places[position], "text": privacy.masked(shown(value)[:80])})

    def _personal(self, texts, places) -> None:
        import polars as pl

        hits = texts.filter(pl.col("v").str.contains(privacy.PREFILTER) & ~pl.col("s").str.contains(privacy.DECIMAL))
        for value, position, number in hits.select("v", "i", "n").sort("i").head(max(0, limits.SCANNED_CELLS - self.scanned)).iter_rows():
            self.scanned += 1
            for kind, text, verified in privacy.find(value[: limits.SCAN_CHARS], self.name):
                self.tallies.setdefault(kind, privacy.Tally()).add(text, verified, f"{self.name} @{places[position]}", number)

    @property
    def type(self) -> str:
        if self.declared_type:
            return self.declared_type
        if not self.kinds.total():
            return "empty"
        if self.kinds["code"]:
            return "text"
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
            out |= self._numeric()
        if self.newest and self.type == "date":
            out["newest"] = self.newest
        if len(self.dates) > 1 or self.dates.keys() == {"DD/MM/YYYY"}:
            out["date_shapes"] = dict(self.dates.most_common(5))
        if self.units and self.units.total() >= 0.5 * self.filled:
            out["units"] = dict(sorted(self.units.items(), key=lambda item: (-item[1], item[0]))[:8])
        if not self._is_personal():
            out["top"] = [{"value": privacy.masked(shown(value)[:80]), "count": count} for value, count in self._top()]
            out["labels"] = self._is_label(distinct)
            if out["labels"]:
                out["shares"] = [[shown(value)[:60], count] for value, count in self._ranked()[: limits.LABELS]]
        return out

    def _numeric(self) -> dict:
        mean = self.total / self.number_count
        spread = max(0.0, self.squares / self.number_count - mean * mean) ** 0.5
        import numpy as np

        ordered = np.sort(np.concatenate(self.numbers))
        quantiles = [tidy(float(ordered[min(len(ordered) - 1, int(share * len(ordered)))])) for share in QUANTILES]
        out = {"min": tidy(self.low), "max": tidy(self.high), "mean": tidy(mean), "std": tidy(spread), "histogram": self.histogram(ordered)}
        return out | {"quantiles": quantiles, "outliers": self.outliers(ordered)}

    def outliers(self, ordered) -> int:
        """Numbers whose robust z is above 6, in the share that was kept; heavy tails of all-positive amounts are judged by their logarithm."""
        import numpy as np

        if len(ordered) < 30:
            return 0
        if ordered[0] > 0 and ordered[-1] > 100 * ordered[0]:
            ordered = np.log(ordered)
        distance = np.abs(ordered - ordered[len(ordered) // 2])
        deviation = float(np.median(distance)) * 1.4826
        return int((distance > 6 * deviation).sum()) * self.stride if deviation else 0

    def _ranked(self):
        return sorted(self.values.items(), key=lambda item: (-item[1], item[0]))

    def _top(self):
        ranked = self._ranked()
        return ranked[:10] if ranked and ranked[0][1] > 1 else []

    def _is_personal(self) -> bool:
        return any(tally.is_real for kind, tally in self.tallies.items() if kind != "credit_code")

    def _is_label(self, distinct: int) -> bool:
        return self.values_complete and 1 < distinct <= 100 and distinct * 5 <= self.filled and self.type in ("text", "boolean", "integer")

    def histogram(self, ordered, bins: int = 12) -> list[dict]:
        import numpy as np

        low, high = self.low, self.high
        if low == high:
            return [{"from": tidy(low), "to": tidy(high), "count": len(ordered) * self.stride}]
        width = (high - low) / bins
        counts = np.bincount(np.minimum(bins - 1, ((ordered - low) / width).astype(int)), minlength=bins)
        return [
            {"from": tidy(low + width * n), "to": tidy(low + width * (n + 1)), "count": int(count) * self.stride} for n, count in enumerate(counts)
        ]


def tidy(value: float):
    """An integer where it is one, else at most six significant digits."""
    return int(value) if abs(value) < 2**53 and value == int(value) else float(f"{value:.6g}")


def shown(text: str) -> str:
    """Text without what a screen would not show or obey."""
    return "".join(char if char.isprintable() or char == " " else "\u00b7" for char in text)
