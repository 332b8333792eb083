"""CSV and TSV by the csv module, which is exact about quotes; every record is counted, none is guessed away."""

import csv
import re
from itertools import islice

from django.utils.translation import gettext_noop as _

from catalog.encoding import Encoding
from quality.profiling import limits
from quality.profiling.columns import MARKERS
from quality.profiling.table import Refused, Table

DELIMITERS = [",", "\t", ";", "|"]
CHUNK = 20_000  # records
NEWLINE = re.compile(r"\r\n|\r|\n")
QUOTE_SPAN = 200  # physical lines in one record: more than that is an unclosed quote


def lines(stream):
    """Lines no longer than the bound; the csv module must never be handed a file that is one line."""
    number = 0
    while line := stream.readline(limits.LINE_CHARS):
        number += 1
        if len(line) >= limits.LINE_CHARS and line[-1] not in "\r\n":
            raise Refused(f"第 {number} 行超过 {limits.LINE_CHARS} 个字符。")
        yield line


def sniff(path, encoding: str, preferred: str = ",") -> str:
    """The delimiter that gives most of the first rows the header's width."""
    with open(path, encoding=encoding, errors="replace", newline="") as stream:
        head = [line for line, _number in zip(lines(stream), range(60), strict=False)]
    best, best_score = preferred, (0.0, 0)
    for delimiter in sorted(DELIMITERS, key=lambda item: item != preferred):
        widths = [len(row) for row in csv.reader(head[:-1] or head, delimiter=delimiter) if row]
        if not widths or max(widths) < 2:
            continue
        width = widths[0] if widths[0] > 1 else max(set(widths), key=widths.count)
        agreeing = sum(item == width for item in widths) / len(widths)
        score = (agreeing * (1 if widths[0] > 1 else 0.5), width)
        if score > best_score and width > 1:
            best, best_score = delimiter, score
    return best


def profile(path, encoding: Encoding, *, preferred: str = ",") -> dict:
    csv.field_size_limit(limits.CELL_CHARS)
    delimiter = sniff(path, encoding.name, preferred)
    with open(path, encoding=encoding.name, errors="replace", newline="") as stream:
        reader = csv.reader(lines(stream), delimiter=delimiter)
        try:
            header = next(reader, None)
            if header is None:
                return {"rows": 0, "columns": [], "ragged_rows": 0, "duplicate_rows": 0, "missing_cells": 0, "findings": []}
            table = Table(header)
            table.longest = max(map(len, header), default=0)
            _header_findings(table, header)
            swallowed = _read(reader, table, len(header))
        except csv.Error as error:
            raise Refused(f"第 {reader.line_num} 行读不出：{error}。") from error
    return table.result() | {"delimiter": delimiter, "swallowed_lines": swallowed, "physical_lines": reader.line_num}


def _read(reader, table: Table, width: int) -> int:
    """Feed all records; the number of lines that an unclosed quote swallowed."""
    swallowed, ragged_places = 0, []
    size = max(1, min(CHUNK, limits.BATCH_CELLS // max(1, width)))
    start = reader.line_num + 1
    while rows := list(islice(reader, size)):
        if reader.line_num - start + 1 == len(rows) and all(len(row) == width for row in rows) and _all_filled(rows):
            table.add_many(rows, range(start, start + len(rows)))
        else:
            swallowed += _read_slowly(rows, table, width, start, ragged_places)
        start = reader.line_num + 1
    if table.blank:
        table.note("0201", "blank_rows", "warning", "", f"有 {table.blank} 个空行。")
    if table.ragged:
        places = "、".join(ragged_places[:5])
        table.note("0201", "ragged_rows", "error", f"第 {places} 行" if places else "", f"{table.ragged} 行的列数与表头不同（表头 {width} 列）。")
    return swallowed


def _all_filled(rows: list[list[str]]) -> bool:
    return all(row and (row[0].strip() or any(map(str.strip, row))) for row in rows)


def _read_slowly(rows: list[list[str]], table: Table, width: int, line: int, ragged_places: list[str]) -> int:
    swallowed = 0
    for row in rows:
        span = 1 + sum(len(NEWLINE.findall(cell)) for cell in row)
        if span > QUOTE_SPAN:
            swallowed += span - 1
            table.note("0201", "unclosed_quote", "error", f"第 {line} 行", f"这一行的引号没有闭合，吞掉了后面 {span - 1} 行。")
        if not row or not any(map(str.strip, row)):
            table.rows += 1
            table.blank += 1
            table.ragged += len(row) > 1 and len(row) != width
        elif len(row) != width:
            _ragged(table, row, width, line, ragged_places)
        else:
            table.add(row, line)
        line += span
    return swallowed


def _ragged(table: Table, row: list, width: int, line: int, places: list) -> None:
    """A row of another width: counted, kept out of the column statistics, its empty cells and markers counted as missing."""
    table.rows += 1
    table.ragged += 1
    table.see(hash(tuple(row)))
    table.longest = max(table.longest, *map(len, row))
    table.extra_empty += sum(not cell.strip() for cell in row)
    table.extra_empty += sum(cell.strip() in MARKER_SET for cell in row[:width])
    if len(places) < 20:
        places.append(str(line))


MARKER_SET = frozenset(MARKERS)


def _header_findings(table: Table, header: list[str]) -> None:
    stripped = [name.strip() for name in header]
    if stripped and stripped[0].startswith("#"):
        table.note("0201", "comment_line", "warning", "第 1 行", _("表头前有注释行，按表头读入会错位。"))
    if blanks := sum(not name for name in stripped):
        table.note("0201", "blank_header", "warning", "表头", f"{blanks} 个列没有名称。")
    doubles = sorted({name for name in stripped if name and stripped.count(name) > 1}) if len(stripped) <= 2000 else []
    if len(stripped) > 2000 and len(set(stripped)) < len(stripped):
        doubles = ["…"]
    if doubles:
        table.note("0201", "duplicate_header", "warning", "表头", f"列名重复：{'、'.join(doubles[:5])}。")
