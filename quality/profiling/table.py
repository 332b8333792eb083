"""Rows of any tabular format become one profile: the columns, whole-row duplicates, the preview, the findings."""

from django.utils.translation import gettext_noop as _

from quality.profiling import limits, privacy
from quality.profiling.columns import SENTINELS, Column, shown

TITLES = {"id_card": "身份证号码", "bank_card": "银行卡号", "mobile": "手机号码", "email": "电子邮箱", "credit_code": "统一社会信用代码"}


class Refused(Exception):
    """The file cannot be read as what it is; the text tells why and where."""


def finding(indicator: str, code: str, severity: str, place: str, message: str, **more) -> dict:
    return {"indicator": indicator, "code": code, "severity": severity, "place": place, "message": message} | more


class Table:
    def __init__(self, names: list[str]):
        if len(names) > limits.COLUMNS:
            raise Refused(f"有 {len(names)} 列，超过 {limits.COLUMNS} 列的上限。")
        self.columns = [Column(name, position < limits.DETAILED_COLUMNS) for position, name in enumerate(names)]
        self.rows = self.ragged = self.blank = self.duplicates = 0
        self.extra_empty = 0  # empty cells past the last column
        self.statistic_rows = 0
        self.longest = 0
        self.seen: set[int] = set()
        self.preview: list[list[str]] = []
        self.findings: list[dict] = []
        self.batch: list[list] = []
        self.places: list = []
        self.batch_rows = max(1, min(50_000, limits.BATCH_CELLS // max(1, len(names))))

    def grow(self, name: str) -> int:
        """A column that turned up later (JSON Lines); earlier rows miss it."""
        if len(self.columns) >= limits.COLUMNS:
            raise Refused(f"超过 {limits.COLUMNS} 列的上限。")
        self.flush()
        column = Column(name, len(self.columns) < limits.DETAILED_COLUMNS)
        column.empty = column.cells = self.statistic_rows
        self.columns.append(column)
        return len(self.columns) - 1

    def add(self, row: list, place) -> None:
        """One row that is not blank, as wide as the table."""
        self.rows += 1
        self.see(hash(tuple(row)))
        if len(self.preview) < limits.PREVIEW_ROWS:
            self.preview.append([preview(value) for value in row[: limits.PREVIEW_COLUMNS]])
        if self.statistic_rows + len(self.batch) < limits.STATISTIC_ROWS:
            self.batch.append(row)
            self.places.append(place)
            if len(self.batch) >= self.batch_rows:
                self.flush()

    def add_many(self, rows: list[list], places) -> None:
        """Like add for each row; for long runs of faultless rows."""
        for row in rows[: max(0, limits.PREVIEW_ROWS - len(self.preview))]:
            self.preview.append([preview(value) for value in row[: limits.PREVIEW_COLUMNS]])
        self.rows += len(rows)
        before = len(self.seen)
        if before < limits.ROW_HASHES:
            self.seen.update(map(hash, map(tuple, rows)))
            self.duplicates += len(rows) - (len(self.seen) - before)
        room = limits.STATISTIC_ROWS - self.statistic_rows - len(self.batch)
        self.batch += rows[: max(0, room)]
        self.places += list(places)[: max(0, room)]
        if len(self.batch) >= self.batch_rows:
            self.flush()

    def see(self, key: int) -> None:
        if key in self.seen:
            self.duplicates += 1
        elif len(self.seen) < limits.ROW_HASHES:
            self.seen.add(key)

    def flush(self) -> None:
        if not self.batch:
            return
        for column, values in zip(self.columns, zip(*self.batch, strict=True), strict=True):
            column.add(list(values), self.places)
        self.statistic_rows += len(self.batch)
        self.batch, self.places = [], []

    def result(self) -> dict:
        self.flush()
        for column in self.columns:
            self._column_findings(column)
        names = [column.name for column in self.columns]
        if self.duplicates:
            self.note("0208", "duplicate_rows", "warning", "", f"有 {self.duplicates} 行与前面的行完全相同。")
        return {
            "rows": self.rows,
            "columns": [column.summary() for column in self.columns],
            "header": names[: limits.PREVIEW_COLUMNS],
            "ragged_rows": self.ragged,
            "blank_rows": self.blank,
            "duplicate_rows": self.duplicates,
            "missing_cells": sum(column.missing for column in self.columns) + self.extra_empty,
            "cells": sum(column.cells for column in self.columns),
            "longest_cell": max([self.longest, *(column.length_high or 0 for column in self.columns)]),
            "partial": self.statistic_rows + self.blank + self.ragged < self.rows and self.rows > limits.STATISTIC_ROWS,
            "preview": self.preview,
            "personal_information": self._personal(),
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
            self.note(
                "0208", "dirty_text", "warning", place, f"{column.dirty} 个单元格含乱码、控制字符或 HTML 残留。", examples=column.dirty_examples[:5]
            )
        for kind, tally in column.tallies.items():
            if tally.is_real and kind != "credit_code":
                severity = "error" if tally.is_high_risk(kind) else "warning"
                message = (
                    f"{TITLES[kind]} {tally.verified} 处（{len(tally.distinct)} 个不同），候选中 {tally.verified / tally.candidates:.0%} 通过校验。"
                )
                self.note("0202", kind, severity, place, message, examples=tally.examples[:5])

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


def preview(value) -> str:
    if value is None:
        return ""
    text = shown(privacy.masked(str(value)[: limits.PREVIEW_CHARS * 2]))
    return text if len(text) <= limits.PREVIEW_CHARS else text[: limits.PREVIEW_CHARS] + "…"
