"""JSON arrays of objects and JSON Lines."""

import json
import os

import orjson
from django.utils.translation import gettext_noop as _

from catalog.encoding import Encoding
from quality.profiling import limits, tc609
from quality.profiling.delimited import lines
from quality.profiling.table import Refused, Table, finding

MISSING = object()


def text_of(value):
    """A cell as text; null and a missing key are None, nested values their JSON."""
    if value is None or value is MISSING:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def profile_lines(path, encoding: Encoding, progress=None) -> dict:
    """One JSON value a line. A broken line is counted, named and skipped."""
    shaper, size = Shaper(), os.stat(path).st_size
    with open(path, encoding=encoding.name, errors="replace", newline="") as stream:
        for number, line in enumerate(lines(stream), 1):
            if not line.strip():
                continue
            try:
                shaper.add(_loads(line), number)
            except ValueError as error:
                shaper.broken(number, error)
            if progress and number % 20_000 == 0:
                progress(min(size, stream.buffer.tell()), size)
    return shaper.result()


def _loads(text: str):
    try:
        return orjson.loads(text.strip().lstrip("\ufeff"))
    except ValueError:
        return json.loads(text)  # integers past 64 bits, NaN; its error names line and column


def profile_document(path, encoding: Encoding, size: int) -> dict:
    """One JSON document; an array of objects is a table."""
    if size > limits.JSON_BYTES:
        raise Refused(f"JSON 文件超过 {limits.JSON_BYTES // 1024**2} MiB，请改用 JSON Lines。")
    with open(path, encoding=encoding.name, errors="replace", newline="") as stream:
        text = stream.read()
    try:
        value = json.loads(text.lstrip("\ufeff")) if len(text) < 1000 else _loads(text)
    except RecursionError as error:
        raise Refused(_("JSON 嵌套太深。")) from error
    except json.JSONDecodeError as error:
        raise Refused(f"不是合格的 JSON：第 {error.lineno} 行第 {error.colno} 列，{error.msg}。") from error
    del text
    if isinstance(value, list):
        shaper = Shaper()
        for number, item in enumerate(value, 1):
            shaper.add(item, number)
        return shaper.result()
    return _object(value)


def _object(value) -> dict:
    count = len(value) if isinstance(value, dict) else 1
    table = Table(["键", "值"] if isinstance(value, dict) else ["值"])
    for key, item in list(value.items()) if isinstance(value, dict) else [("", value)]:
        text = text_of(item)
        table.add([key, text] if isinstance(value, dict) else [text], f"/{key}")
    result = table.result()
    message = _("顶层是一个对象，不是对象的数组；按顶层的键计行。")
    result["findings"].insert(0, finding("0201", "not_a_table", "info", "", message))
    return result | {"rows": count, "table": table}


class Shaper:
    """Objects of any keys to rows of one width."""

    def __init__(self):
        self.table: Table | None = None
        self.index: dict[str, int] = {}
        self.bad = 0
        self.bad_places: list[str] = []
        self.other = 0
        self.records = tc609.Records()

    def add(self, item, number: int) -> None:
        self.records.add(item, number)
        if not isinstance(item, dict):
            self.other += 1
            item = {"值": item}
        elif "data_content" in item:
            item = item | tc609.flattened(item)
        if self.table is None:
            self.table = Table([str(key) for key in item])
            self.index = {key: position for position, key in enumerate(item)}
        for key in item.keys() - self.index.keys():
            self.index[key] = self.table.grow(str(key))
        row = [None] * len(self.index)
        for key, value in item.items():
            row[self.index[key]] = text_of(value)
        if any(value is not None for value in row) or not row:
            self.table.add(row, number)
        else:
            self.table.rows += 1
            self.table.blank += 1

    def broken(self, number: int, error: ValueError) -> None:
        self.bad += 1
        if len(self.bad_places) < 20:
            column = getattr(error, "colno", 0)
            self.bad_places.append(f"第 {number} 行第 {column} 列（{getattr(error, 'msg', error)}）")

    def result(self) -> dict:
        if self.table:
            self.table.flush()
        if self.bad and (self.table is None or self.bad > self.table.rows):
            raise Refused(f"不是合格的 JSON：{self.bad_places[0]}。")
        table = self.table or Table([])
        table.ragged += self.bad
        table.rows += self.bad
        if self.bad:
            table.note("0201", "broken_json", "error", "；".join(self.bad_places[:5]), f"{self.bad} 行不是合格的 JSON。")
        if self.other:
            table.note("0201", "not_object", "warning", "", f"{self.other} 条记录不是对象。")
        if not self.records.holds:
            return table.result() | {"table": table}
        result = table.result()
        return result | {"table": table, "records": self.records.result(), "findings": result["findings"] + self.records.findings()}
