"""A provider's manifest, read from CSV or JSON Lines: every row right or named with what is wrong; and its canonical form."""

import csv
import hashlib
import io
import re
import unicodedata
from dataclasses import dataclass

import orjson
from django.utils.translation import gettext as _

LIMIT = 32 * 2**20  # bytes
ITEMS = 200_000
ERRORS = 50
FIELDS = ("path", "size", "sha256")
SHA256 = re.compile(r"[0-9a-f]{64}")
CONTROL = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
MOST = 2**53 - 1


@dataclass(frozen=True)
class Item:
    path: str
    size: int
    sha256: str
    label: str = ""  # optional: class or stratum

    def row(self) -> dict:
        return {"path": self.path, "size": self.size, "sha256": self.sha256} | ({"label": self.label} if self.label else {})


def read(content: bytes) -> tuple[list[Item], list[dict]]:
    """(items, errors [{"line", "field", "message"}], at most ERRORS of them); what is wrong as a whole has line 0."""
    if len(content) > LIMIT:
        return [], [_error(0, "", _("清单超过 %(limit)d MiB。") % {"limit": LIMIT // 2**20})]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [], [_error(line, "", _("不是 UTF-8 编码。"))]
    rows = _json_lines(text) if text.lstrip().startswith("{") else _csv(text)
    items, errors, seen = [], [], {}
    for line, value in rows:
        if isinstance(value, str):
            errors.append(_error(line, "", value))
        else:
            _take(line, value, items, errors, seen)
        if len(errors) >= ERRORS or len(items) > ITEMS:
            break
    if len(items) > ITEMS:
        errors.append(_error(0, "", _("清单超过 %(limit)d 条。") % {"limit": ITEMS}))
    if not items and not errors:
        errors.append(_error(0, "", _("清单里没有条目。")))
    return items, errors[:ERRORS]


def _take(line: int, value: dict, items: list, errors: list, seen: dict) -> None:
    item, wrong = _item(value)
    if item and item.path in seen:
        wrong = [("path", _("与第 %(line)d 行的路径相同。") % {"line": seen[item.path]})]
    if wrong:
        errors += [_error(line, field, message) for field, message in wrong]
    else:
        seen[item.path] = line
        items.append(item)


def _error(line: int, field: str, message: str) -> dict:
    return {"line": line, "field": field, "message": message}


def _csv(text: str):
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if missing := [name for name in FIELDS if name not in header]:
            yield 1, _("表头缺少列：%(names)s。") % {"names": ", ".join(missing)}
            return
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                yield reader.line_num, _("有 %(found)d 列，表头有 %(wanted)d 列。") % {"found": len(row), "wanted": len(header)}
            else:
                yield reader.line_num, dict(zip(header, row, strict=True))
    except csv.Error:
        yield reader.line_num, _("不是合格的 CSV。")


def _json_lines(text: str):
    for line, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            continue
        try:
            value = orjson.loads(row)
        except orjson.JSONDecodeError:
            yield line, _("不是合格的 JSON。")
            continue
        yield line, value if isinstance(value, dict) else _("不是 JSON 对象。")


def _item(value: dict) -> tuple[Item | None, list[tuple[str, str]]]:
    wrong = []
    path, size, digest, label = (value.get(name, "") for name in (*FIELDS, "label"))
    path = unicodedata.normalize("NFC", path).strip() if isinstance(path, str) else ""
    if not path or len(path) > 500 or CONTROL.search(path):
        wrong.append(("path", _("路径要有 1 到 500 个字符，不含控制字符。")))
    elif path.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", path) or ".." in re.split(r"[/\\]", path):
        wrong.append(("path", _("路径要是相对路径，不含 “..”。")))
    size = int(size) if isinstance(size, str) and re.fullmatch(r"[0-9]{1,16}", size.strip()) else size
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= MOST:
        wrong.append(("size", _("字节数要是非负整数。")))
    digest = digest.strip().lower() if isinstance(digest, str) else ""
    if not SHA256.fullmatch(digest):
        wrong.append(("sha256", _("要有 64 位十六进制的 SHA-256。")))
    if not isinstance(label, str) or len(label) > 100 or CONTROL.search(label):
        wrong.append(("label", _("类别最多 100 个字符，不含控制字符。")))
    return (None, wrong) if wrong else (Item(path, size, digest, label.strip()), [])


def canonical(items: list[Item]) -> bytes:
    """JSON Lines in the order of the paths, keys sorted: the bytes that are hashed and kept."""
    ordered = sorted(items, key=lambda item: item.path)
    return b"".join(orjson.dumps(item.row(), option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE) for item in ordered)


def load(content: bytes) -> list[Item]:
    """What `canonical` wrote."""
    return [Item(**orjson.loads(row)) for row in content.splitlines()]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
