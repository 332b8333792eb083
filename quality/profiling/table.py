"""Rows of any tabular format become one profile: the columns, whole-row duplicates, the preview, the findings.

Rows arrive as frames of text. A row's key is the hash of its text, so that duplicates, and the rows kept for closer looks
(the 20,000 smallest keys), do not depend on the order of rows.
"""

from django.utils.translation import gettext_noop as _

from quality.profiling import limits, privacy
from quality.profiling.columns import SENTINELS, Column, shown

SEED = 20261118
JOINT = "\x1f"


class Refused(Exception):
    """The file cannot be read as what it is; the text tells why and where."""


def finding(indicator: str, code: str, severity: str, place: str, message: str, **more) -> dict:
    return {"indicator": indicator, "code": code, "severity": severity, "place": place, "message": message} | more


class Table:
    def __init__(self, names: list[str]):
        if len(names) > limits.COLUMNS:
            raise Refused(f"有 {len(names)} 列，超过 {limits.COLUMNS} 列的上限。")
        self.columns = [Column(name, position < limits.DETAILED_COLUMNS) for position, name in enumerate(names)]
        self.rows = self.ragged = self.blank = 0
        self.extra_empty = 0  # empty cells past the last column
        self.statistic_rows = 0
        self.longest = 0
        self.keys: list = []
        self.key_count = 0
        self.odd_keys: list[int] = []  # of rows that are no row of the frame
        self.preview: list[list[str]] = []
        self.findings: list[dict] = []
        self.batch: list[list] = []
        self.places: list = []
        self.batch_rows = max(1, min(50_000, limits.BATCH_CELLS // max(1, len(names))))
        self.kept: list = []
        self.kept_rows = 0
        self.kept_below = None

    def grow(self, name: str) -> int:
        """A column that turned up later (JSON Lines); earlier rows miss it."""
        if len(self.columns) >= limits.COLUMNS:
            raise Refused(f"超过 {limits.COLUMNS} 列的上限。")
        self.flush()
        column = Column(name, len(self.columns) < limits.DETAILED_COLUMNS)
        column.count_blank(self.statistic_rows)
        self.columns.append(column)
        return len(self.columns) - 1

    def add(self, row: list, place) -> None:
        """One row that is not blank, as wide as the table."""
        self.batch.append(row)
        self.places.append(place)
        if len(self.batch) >= self.batch_rows:
            self.flush()

    def flush(self) -> None:
        if not self.batch:
            return
        import polars as pl

        series = [pl.Series(str(position), values, dtype=pl.String, strict=False) for position, values in enumerate(zip(*self.batch, strict=True))]
        places, self.batch = self.places, []
        self.places = []
        self.add_frame(pl.DataFrame(series), places)

    def add_frame(self, frame, places, keys=None, *, statistics: bool = True) -> None:
        """Rows as wide as the table, none blank. `keys` where the caller has them cheaper; else the hash of the joined cells."""
        if not frame.height:
            return
        self.rows += frame.height
        keys = row_keys(frame) if keys is None else keys
        self.see(keys)
        for row in frame.head(limits.PREVIEW_ROWS - len(self.preview)).iter_rows() if len(self.preview) < limits.PREVIEW_ROWS else ():
            self.preview.append([preview(value) for value in row[: limits.PREVIEW_COLUMNS]])
        room = limits.STATISTIC_ROWS - self.statistic_rows
        if not statistics or room <= 0:
            return
        if frame.height > room:
            frame, keys = frame.head(room), keys.head(room)
        for column, values in zip(self.columns, frame.get_columns(), strict=True):
            column.add(values, places)
        self.statistic_rows += frame.height
        self._keep(frame, keys, places)

    def see(self, keys) -> None:
        if self.key_count < limits.ROW_HASHES:
            self.keys.append(keys.to_numpy())
            self.key_count += len(keys)

    def _keep(self, frame, keys, places) -> None:
        """The rows with the smallest keys, for what looks at whole rows (near duplicates, conflicts, the trial model)."""
        import polars as pl

        columns = frame.get_columns()[: limits.KEPT_COLUMNS]
        low = pl.DataFrame([pl.Series("key", keys), pl.Series("row", pl.int_range(frame.height, eager=True))])
        if self.kept_below is not None:
            low = low.filter(pl.col("key") < self.kept_below)
        if not low.height:
            return
        rows = low["row"]
        chosen = [series.gather(rows).str.slice(0, limits.KEPT_CHARS).alias(f"c{position}") for position, series in enumerate(columns)]
        where = pl.Series("place", [str(places[row]) for row in rows], dtype=pl.String)
        self.kept.append(pl.DataFrame([low["key"].alias("key"), where, *chosen]))
        self.kept_rows += low.height
        if self.kept_rows > 3 * limits.KEPT_ROWS:
            self._squeeze()

    def _squeeze(self):
        import polars as pl

        frame = pl.concat(self.kept, how="diagonal").sort("key", "place").head(limits.KEPT_ROWS)
        self.kept, self.kept_rows = [frame], frame.height
        if frame.height >= limits.KEPT_ROWS:
            self.kept_below = frame["key"][-1]
        return frame

    def kept_frame(self):
        """ "key", "place" and c0, c1, … of at most KEPT_ROWS rows, by key."""
        return self._squeeze() if self.kept else None

    def duplicates(self) -> int:
        import numpy as np

        odd = len(self.odd_keys) - len(set(self.odd_keys))
        if not self.keys:
            return odd
        keys = np.concatenate(self.keys)
        keys.sort()
        return odd + int((keys[1:] == keys[:-1]).sum())

    def result(self) -> dict:
        self.flush()
        duplicates = self.duplicates()
        for column in self.columns:
            self._column_findings(column)
        names = [column.name for column in self.columns]
        if duplicates:
            self.note("0208", "duplicate_rows", "warning", "", f"有 {duplicates} 行与前面的行完全相同。")
        counted = self.statistic_rows + self.blank + self.ragged
        return {
            "rows": self.rows,
            "columns": [column.summary() for column in self.columns],
            "header": names[: limits.PREVIEW_COLUMNS],
            "ragged_rows": self.ragged,
            "blank_rows": self.blank,
            "duplicate_rows": duplicates,
            "missing_cells": sum(column.missing for column in self.columns) + self.extra_empty,
            "cells": sum(column.cells for column in self.columns),
            "longest_cell": max([self.longest, *(column.length_high or 0 for column in self.columns)]),
            "partial": counted < self.rows,
            "statistic_rows": self.statistic_rows,
            "preview": self.preview,
            "personal_information": self._personal(),
            "word_hits": [hit for column in self.columns for hit in column.words.summary(column.name)][:60],
            "findings": self.findings,
        }

    def note(self, *parts, **more) -> None:
        if len(self.findings) < limits.FINDINGS:
            self.findings.append(finding(*parts, **more))

    def _column_findings(self, column: Column) -> None:
        place = f"列 {column.name[:60] or '（空）'}"
        total = max(1, column.filled + column.missing)
        if not column.filled and column.cells:
            self.note("0204", "empty_column", "warning", place, _("整列没有值。"))
        elif column.missing > 0.05 * total:
            self.note("0204", "missing", "warning", place, f"缺失 {column.missing} 个，占 {column.missing / total:.1%}。")
        if column.marked:
            self.note("0204", "disguised_null", "info", place, f"有 {column.marked} 个用 NA、无、- 等记号代替的空值。")
        if sentinels := sum(column.values[value] for value in SENTINELS if value in column.values) if column.type in ("integer", "number") else 0:
            if sentinels >= 3 and sentinels >= 0.02 * column.filled:
                self.note("0204", "sentinel", "info", place, f"有 {sentinels} 个 999 之类的数，可能是代替的空值。")
        if column.misfits:
            self.note("0201", "type_misfit", "warning", place, f"{column.misfits} 个值不合该列的类型 {column.type}。")
        if column.dirty:
            message = f"{column.dirty} 个单元格含乱码、控制字符或 HTML 残留。"
            self.note("0208", "dirty_text", "warning", place, message, examples=column.dirty_examples[:5])
        if column.formulas:
            message = f"{column.formulas} 个单元格以公式开头，表格软件打开时可能执行。"
            self.note("0202", "formula", "warning", place, message, examples=column.formula_examples[:5])
        self._mixtures(column, place)
        for kind, tally in column.tallies.items():
            if tally.is_real and kind != "credit_code":
                severity = "error" if tally.is_high_risk(kind) else "warning"
                share = tally.verified / tally.candidates
                message = f"{privacy.TITLES[kind]} {tally.verified} 处（{len(tally.distinct)} 个不同），候选中 {share:.0%} 通过校验。"
                self.note("0202", kind, severity, place, message, examples=tally.examples[:5])
        for hit in column.words.summary(column.name):
            message = f"{hit['label']}：{hit['cells']} 个单元格命中词表。命中≠违规，待人工确认。"
            code, severity = ("secret", "error") if hit["category"] == "secret" else ("word_hit", "warning")
            self.note("0202", code, severity, place, message, examples=hit["examples"])

    def _mixtures(self, column: Column, place: str) -> None:
        dates = column.dates.total()
        if len(column.dates) > 1 and dates >= 0.5 * column.filled and column.dates.most_common(1)[0][1] < dates:
            self.note("0206", "mixed_dates", "warning", place, f"日期写法不一：{_counted(column.dates)}。")
        if len(column.units) > 1 and column.units.total() >= 0.5 * column.filled:
            self.note("0206", "mixed_units", "warning", place, f"单位不一：{_counted(column.units)}。")

    def _personal(self) -> list[dict]:
        return [
            {
                "column": column.name[:200],
                "kind": kind,
                "candidates": tally.candidates,
                "verified": tally.verified,
                "distinct": len(tally.distinct),
                "real": tally.is_real,
                "high_risk": tally.is_high_risk(kind),
                "examples": tally.examples[:5] if tally.is_real else [],
            }
            for column in self.columns
            for kind, tally in sorted(column.tallies.items())
            if tally.verified
        ]


def row_keys(frame):
    import polars as pl

    columns = [pl.col(name).fill_null("") for name in frame.columns]
    return frame.select(pl.concat_str(columns, separator=JOINT)).to_series().hash(seed=SEED)


def _counted(counter) -> str:
    return "、".join(f"{name} {count}" for name, count in sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:6])


def preview(value) -> str:
    if value is None:
        return ""
    text = shown(privacy.masked(str(value)[: limits.PREVIEW_CHARS * 2]))
    return text if len(text) <= limits.PREVIEW_CHARS else text[: limits.PREVIEW_CHARS] + "…"
