"""profile_file: what a data file holds and what is wrong with it. Reads hostile files: bounded, decoding nothing it does
not need, never unpickling, never extracting; every problem is an answer, not an exception."""

import gzip
import os
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path

import orjson
from django.utils.translation import gettext_noop as _

from catalog.encoding import Encoding, detect
from quality.profiling import archive, audio, content, delimited, formats, images, limits, parquet, records, spreadsheet, text
from quality.profiling.table import Refused, finding

EMPTY = {
    "readable": False,
    "reason": "",
    "format": "",
    "encoding": "",
    "rows": None,
    "columns": [],
    "ragged_rows": 0,
    "duplicate_rows": 0,
    "missing_cells": 0,
    "findings": [],
}
TABULAR = {"CSV", "TSV", "JSON", "JSONL", "TEXT", "Parquet"}
NOT_ANALYSED = _("本版本不分析此格式，只核对了文件头。")


def profile_file(path, *, name: str = "", progress=None) -> dict:
    """The profile of one file. `name` is the provider's file name where the path is not telling; `progress(done, total)` is
    called now and then."""
    found = _analysed(Path(path), name or Path(path).name, progress=progress)
    found.pop("table", None)
    return found


def _analysed(path: Path, name: str, *, progress=None, nested: bool = False) -> dict:
    """The profile with its "table"; what goes wrong is the reason."""
    base = EMPTY | {"name": name, "findings": [], "columns": []}
    try:
        size = os.stat(path).st_size
        with _plain(path, size) as (plain, compressed):
            return base | _profile(plain, name, compressed, progress, nested) | {"byte_size": size}
    except Refused as refusal:
        reason = str(refusal)
    except (OSError, EOFError, zlib.error) as error:
        reason = f"文件读不出：{getattr(error, 'strerror', None) or error}。"
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        reason = f"文件读不出：{type(error).__name__}。"
    return base | {"reason": reason, "format": _format_of(path, name), "findings": [finding("0201", "unreadable", "error", "", reason)]}


def _format_of(path, name: str) -> str:
    try:
        with open(path, "rb") as stream:
            kind = formats.sniff(stream.read(4096), name)
    except OSError:
        return ""
    return formats.NAMES.get(formats.extension(name), "gzip") if kind == "gzip" else kind


def _profile(path, name: str, compressed: bool, progress, nested: bool) -> dict:
    size = os.stat(path).st_size
    suffix = {"compression": "gzip"} if compressed else {}
    if size == 0:
        kind = formats.NAMES.get(formats.extension(name), "")
        note = finding("0201", "empty_file", "error", "", _("文件是空的（0 字节）。"))
        return {"readable": True, "format": kind, "encoding": "utf-8", "rows": 0, "findings": [note]} | suffix
    with open(path, "rb") as stream:
        head = stream.read(64 * 1024)
    kind = formats.sniff(head, name)
    if kind == "ZIP":
        kind = formats.zip_kind(path)
    if kind == "Parquet" or formats.extension(name) == "parquet":
        return {"readable": True, "format": "Parquet"} | _looked(parquet.profile(path, progress), name) | suffix
    if kind in TABULAR:
        encoding = detect(path)
        result = _looked(_textual(path, kind, encoding, size, name, progress), name)
        notes = _encoding_findings(encoding) + result["findings"]
        return {"readable": True, "encoding": encoding.name} | result | {"findings": notes} | suffix
    if reason := formats.incomplete(path, "ZIP" if kind in ("XLSX", "DOCX") else kind, size):
        raise Refused(reason)
    return {"readable": True, "format": kind} | _other(path, kind, name, progress, nested) | suffix


def _other(path, kind: str, name: str, progress, nested: bool) -> dict:
    if kind == "XLSX":
        return _looked(spreadsheet.profile(path), name)
    if kind == "ZIP" and not nested:
        return archive.profile(path, name, lambda inner, title: _analysed(Path(inner), title, nested=True), progress)
    if kind in images.KINDS:
        return images.profile(path, name)
    if kind in audio.KINDS:
        return audio.profile(path, name)
    return {"reason": NOT_ANALYSED}


def _looked(result: dict, name: str) -> dict:
    """With the closer looks at the rows that were kept."""
    table = result.get("table")
    if table is None:
        return result
    seen, findings = content.look(table, name)
    return result | {"content": seen, "findings": result["findings"] + findings}


def _textual(path, kind: str, encoding: Encoding, size: int, name: str, progress=None) -> dict:
    bad = {"format": kind, "bad_bytes": encoding.bad_bytes}
    if kind in ("CSV", "TSV"):
        return bad | delimited.profile(path, encoding, preferred="\t" if kind == "TSV" else ",", progress=progress)
    if kind == "TEXT":
        return bad | text.profile(path, encoding)
    if kind == "JSONL":
        return bad | records.profile_lines(path, encoding, progress)
    try:
        return bad | records.profile_document(path, encoding, size)
    except Refused as refusal:
        try:
            result = records.profile_lines(path, encoding, progress)
        except Refused:
            raise refusal from None
        if result["ragged_rows"] or result["rows"] < 2:
            raise refusal from None
        note = finding("0201", "extension_mismatch", "warning", "", _("名为 JSON，内容是 JSON Lines（每行一条）。"))
        return {"format": "JSONL"} | result | {"findings": [note, *result["findings"]]}


def _encoding_findings(encoding: Encoding) -> list[dict]:
    out = []
    if encoding.name == "utf-8-sig":
        out.append(finding("0201", "byte_order_mark", "info", "文件头", _("文件以 BOM 开头，部分程序会把它读进第一个列名。")))
    elif encoding.name != "utf-8":
        out.append(finding("0201", "encoding", "warning", "", f"编码是 {encoding.name}，不是 UTF-8；请声明编码或转换。"))
    if encoding.bad_bytes:
        message = f"{encoding.bad_bytes} 个字节不合编码 {encoding.name}。"
        out.append(finding("0201", "bad_bytes", "error", f"第 {encoding.first_bad_line} 行", message))
    return out


@contextmanager
def _plain(path, size: int):
    """(path of the uncompressed file, was it compressed). Gzip goes to a temporary file, bounded in size and ratio."""
    with open(path, "rb") as stream:
        if stream.read(2) != b"\x1f\x8b":
            yield path, False
            return
    with tempfile.NamedTemporaryFile(prefix="jimu-profile-") as target:
        written = 0
        with gzip.open(path, "rb") as source:
            while block := source.read(1024 * 1024):
                written += len(block)
                if written > limits.DECOMPRESSED_BYTES or (written > 16 * 1024**2 and written > size * limits.GZIP_RATIO):
                    raise Refused(_("压缩比异常或解压后过大，按压缩炸弹拒绝。"))
                target.write(block)
        target.flush()
        yield Path(target.name), True


def storable(profile: dict) -> dict:
    """The form kept in a listing document: no floats, ASCII keys (the profile has them), within STORED_BYTES."""
    plain = _without_floats(profile)
    for columns, rows, chars in ((200, 20, 500), (100, 20, 160), (60, 10, 80), (30, 5, 40), (20, 0, 0)):
        cut = plain | {
            "column_count": len(plain["columns"]),
            "columns": plain["columns"][:columns],
            "header": plain.get("header", [])[:columns],
            "preview": [[cell[:chars] for cell in row[:columns]] for row in plain.get("preview", [])[:rows]],
            "personal_information": plain.get("personal_information", [])[:40],
        }
        for name, most in (("members", 40), ("word_hits", 20), ("parts", 10), ("joins", 10)):
            if name in cut:
                cut[name] = cut[name][: most if chars else 3]
        if len(orjson.dumps(cut)) <= limits.STORED_BYTES:
            return cut
    return cut | {"columns": [{key: item[key] for key in ("name", "missing", "filled")} for item in cut["columns"]], "findings": cut["findings"][:10]}


def _without_floats(value):
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _without_floats(item) for key, item in value.items()}
    return [_without_floats(item) for item in value] if isinstance(value, (list, tuple)) else value
