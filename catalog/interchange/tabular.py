"""Tables of any column names: CSV and TSV rows, JSON and NDJSON objects. aliases.csv says which name means which field."""

import csv
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
from django.utils.translation import gettext as _

from catalog.interchange import codes, values
from catalog.interchange.draft import Draft, names_of
from catalog.interchange.parsed import Gap, Parsed, RecordError, Unreadable
from catalog.listing import FIELDS, SCHEMA

ALIASES = Path(__file__).resolve().parent / "aliases.csv"
# What a mapping may name besides the fields of a listing.
MORE = {
    "publisher", "parent_organization", "credit_code", "identifier", "row_number", "category", "download_url", "format", "encoding", "columns",
    "temporal", "spatial", "language", "modality", "resources", "ignore",
}  # fmt: skip
SPECIFIC = re.compile(r"资料|数据|目录|资源|dataset|catalog|titulo|titre|titel")
MORE_THAN_A_NAME = {"publisher", "description", "summary", "keywords", "resources", "download_url", "landing_page", "license", "update_frequency"}
MORE_THAN_A_NAME |= {"issued", "modified", "category", "columns", "record_count", "format", "openness", "modality", "spatial"}
csv.field_size_limit(4 * 1024 * 1024)


@cache
def aliases() -> dict[str, str]:
    """{folded column name: field}; the fields' own names are among them."""
    table = {codes.fold(name): name for name in [*FIELDS, *sorted(MORE - {"ignore"})]}
    with open(ALIASES, encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            table.setdefault(codes.fold(row["alias"]), row["field"])
    return table | {"no": "row_number", "id": "identifier"}


@lru_cache(maxsize=10_000)
def field_of(column: str) -> str:
    """The field a column means, or ""; what stands in brackets is left aside on a second try, and a trailing _0."""
    known = aliases()
    for said in (column, re.sub(r"[（(\[【].*?[)）\]】]", "", column), re.sub(r"[_\s]?0$", "", column), column.split("/")[-1]):
        if found := known.get(codes.fold(said)):
            return found
    return ""


def read_mapping(data: bytes) -> dict[str, str]:
    """{column: field} of a --map file: a JSON object, or CSV rows `column,field`. Either side may come first."""
    try:
        pairs = list(orjson.loads(data).items())
    except (orjson.JSONDecodeError, AttributeError):
        rows = [row for row in csv.reader(data.decode("utf-8-sig", "replace").splitlines()) if any(cell.strip() for cell in row)]
        pairs = [(row[0].strip(), row[1].strip()) for row in rows if len(row) >= 2 and row[1].strip() not in ("field", "字段")]
    fields, mapping = set(FIELDS) | MORE, {}
    for left, right in pairs:
        column, field = (left, right) if right in fields else (right, left)
        if field not in fields or not isinstance(column, str):
            raise Unreadable(
                _("对应表里的“%(left)s → %(right)s”没有指向登记项；可用：%(fields)s。")
                % {"left": left, "right": right, "fields": "、".join(sorted(fields))}
            )
        mapping[column] = field
    if not mapping:
        raise Unreadable(_("对应表是空的。"))
    return mapping


class Columns:
    """How one set of column names is read; computed once per shape of record."""

    def __init__(self, names: Iterable[str], mapping: dict[str, str] | None):
        self.fields: dict[str, list[str]] = {}
        mapped = mapping or {}
        folded = {codes.fold(name): field for name, field in mapped.items()}
        for name in names:
            field = mapped.get(name) or folded.get(codes.fold(name)) or field_of(name)
            if field:
                self.fields.setdefault(field, []).append(name)
        self._prefer_specific()

    def _prefer_specific(self):
        """資料名稱 before name: the more telling column first; a mapping decides by being asked first."""
        for names in self.fields.values():
            names.sort(key=lambda name: not SPECIFIC.search(codes.fold(name)))


def from_table(payload: Any, record: int = 0, *, columns: Columns | None = None, mapping: dict | None = None, form: str = "json") -> Parsed:
    """One row or object as a listing; RecordError names the columns that were seen when no title is among them."""
    if not isinstance(payload, dict):
        raise RecordError("not_an_object", _("记录不是对象，而是 %(value)s。") % {"value": repr(payload)[:80]})
    if not any(not values.is_empty(value) for value in payload.values()):
        raise RecordError("empty", _("空记录，没有任何值。"))
    if payload.get("schema") == SCHEMA:
        return from_listing(payload, record)
    columns = columns or Columns((str(name) for name in payload), mapping)
    fields = columns.fields
    titles = [payload.get(name) for name in fields.get("title", ())]
    if not titles or all(isinstance(value, list) or (isinstance(value, dict) and not _is_language_map(value)) for value in titles):
        raise RecordError(
            "no_title",
            _("没有能认作名称的列，不像数据集的登记；见到的列：%(names)s。可用 --map 指定对应关系。") % {"names": names_of(payload)},
            "/title",
        )
    generic = not any(SPECIFIC.search(codes.fold(name)) for name in fields["title"]) and not mapping
    if generic and not MORE_THAN_A_NAME & fields.keys():
        raise RecordError("not_a_dataset", _("只有名称，没有别的数据集登记项，不像数据集；见到的列：%(names)s。") % {"names": names_of(payload)})
    draft = Draft(payload, form)
    take = {field: draft.take(*names) for field, names in fields.items()}
    _fill(draft, take)
    if not draft.document.get("title"):
        raise RecordError("no_title", _("名称是空的；见到的列：%(names)s。") % {"names": names_of(payload)}, "/title")
    return draft.finish(record)


def _is_language_map(value: dict) -> bool:
    return all(re.fullmatch(r"[A-Za-z]{2,3}([-_]\w+)?|@value|@language", str(key)) for key in value)


def _fill(draft, take):
    title = take.pop("title", None)
    draft.put("title", title)
    draft.put("source_identifier", take.pop("source_identifier", None) or take.get("identifier"))
    take.pop("identifier", None)
    _provider(draft, take)
    draft.put("modalities", take.pop("modality", None), key="modality")
    for field, read in (("temporal", draft.temporal), ("spatial", draft.spatial), ("contact_email", draft.email)):
        read(take.pop(field, None))
    draft.themes(take.pop("category", None), "category")
    language = values.texts(take.pop("language", None))
    draft.put("languages", [codes.code("languages", word) or word for word in language])
    draft.license(take.pop("license", None))
    draft.address("landing_page", take.pop("landing_page", None))
    row = take.pop("row_number", None)
    draft.keep("row_number", row)
    _resources(draft, take)
    draft.mark = "|".join(word for word in (values.text(row), draft.document.get("landing_page", "")) if word)
    _contact(draft, take.pop("contact_name", None))
    take.pop("ignore", None)
    for field, value in take.items():
        if field == "extras" and isinstance(value, dict):
            draft.document["extras"] = value
        elif field in FIELDS:
            draft.put(field, value, key=field)
        else:
            draft.keep(field, value)


def _provider(draft, take):
    publisher, parent = take.pop("publisher", None), take.pop("parent_organization", None)
    said, above = (values.text(publisher), values.text(parent)) if not isinstance(publisher, dict | list) else ("", "")
    if said and above and not said.startswith("/") and above not in said and len(said) <= 8 and not re.search(r"[省市县縣州区區]", said):
        draft.keep("publisher", said)
        publisher = above + said  # 衛生局 alone would be one body for every county
    draft.publisher(publisher or parent)
    draft.keep("parent_organization", parent)
    if code := values.text(take.pop("credit_code", None)):
        draft.keep("credit_code", code) if len(code) != 18 else draft.organization.update(credit_code=code)


def _contact(draft, said):
    """陳翼正 先生 (02-37073100): name and telephone in one."""
    if isinstance(said, str) and (match := re.fullmatch(r"(.*?)\s*[（(]\s*([0-9+\-#轉转分機机 ~、,()（）]{6,40})\s*[)）]\s*", said.strip())):
        draft.put("contact_name", match[1])
        draft.put("contact_phone", match[2])
    else:
        draft.put("contact_name", said)


def _resources(draft, take):
    nested, columns = take.pop("resources", None), take.pop("columns", None)
    address, said, encoding = take.pop("download_url", None), take.pop("format", None), take.pop("encoding", None)
    if isinstance(nested, dict):
        nested = list(nested.values()) if all(isinstance(item, dict) for item in nested.values()) else [nested]
    if isinstance(nested, list) and nested and isinstance(nested[0], dict):
        for item in nested:
            _nested(draft, item, columns)
    elif nested is not None:
        draft.keep("resources", nested)
    if address or (not draft.resources and (said or columns)):
        link = values.web_address(address) or values.text(address)
        formats = values.texts(said)
        if values.web_address(address) and not draft.resources and not draft.document.get("landing_page") and not _is_file(link, formats):
            draft.put("landing_page", link)
        draft.resource(
            name=draft.document.get("title"), format=formats[0] if formats else None, download_url=link, encoding=encoding, columns=columns
        )
        for other in formats[1:20]:
            draft.resource(name=f"{draft.document.get('title', '')} ({other})", format=other, encoding=encoding)
    elif encoding:
        draft.keep("encoding", encoding)


def _is_file(link, formats):
    return bool(formats) or bool(re.search(r"\.[a-z0-9]{2,5}($|\?)", link.rsplit("/", 1)[-1], re.I))


NESTED = {
    "name": ("资源描述", "资源名称", "name", "title", "res_desc", "文件名", "名称"),
    "description": ("description", "说明", "描述"),
    "format": ("format", "档案格式", "文件格式", "格式", "res_filetype", "filetype", "file_type"),
    "encoding": ("encoding", "编码", "res_encode", "编码格式"),
    "download_url": ("资源网址", "res_url", "download_url", "downloadurl", "url", "下载地址", "链接", "path", "download"),
    "access_url": ("access_url", "accessurl"),
    "media_type": ("media_type", "mediatype", "mimetype"),
    "byte_size": ("byte_size", "bytesize", "size", "文件大小", "bytes"),
    "sha256": ("sha256",),
    "kind": ("kind",),
    "columns": ("schema", "主要栏位说明", "columns", "fields", "field", "字段"),
}


def _nested(draft, item, columns):
    if not isinstance(item, dict):
        draft.keep("resources", item)
        return
    part = Draft({codes.fold(str(name)): value for name, value in item.items()}, "")
    found = {field: part.take(*(codes.fold(name) for name in names)) for field, names in NESTED.items()}
    if values.is_empty(values.text(found["name"])):
        found["name"] = draft.document.get("title")
    found["columns"] = found["columns"] or columns
    draft.resource(**found, unmapped=part.left)


def from_listing(payload: dict, record: int = 0) -> Parsed:
    """A listing document as this software exports it."""
    draft = Draft({}, payload.get("extras", {}).get("source_format", "listing") if isinstance(payload.get("extras"), dict) else "listing")
    for name in FIELDS:
        draft.put(name, payload.get(name))
    draft.put("source_identifier", payload.get("identifier") or payload.get("uid"))
    draft.publisher(payload.get("organization"))
    if isinstance(payload.get("organization"), dict):
        for name in ("kind", "credit_code", "region", "short_name"):
            if values.text(payload["organization"].get(name)):
                draft.organization[name] = values.text(payload["organization"][name])
    for item in payload.get("resources") or []:
        if isinstance(item, dict):
            draft.resource(**{name: item.get(name) for name in NESTED})
    return draft.finish(record)


# --- delimited text
def read_csv(lines: Iterable[str], mapping: dict[str, str] | None = None) -> Iterator[Parsed]:
    """Rows of CSV, TSV, or text split by ; or |. The header may stand below title rows. Blank rows are passed over."""
    lines = iter(lines)
    head = [line for _number, line in zip(range(30), lines, strict=False)]
    if head and head[0].lower().startswith("sep="):
        head = head[1:]
    if not any(line.strip() for line in head):
        raise Unreadable(_("文件是空的。"))
    delimiter = max(",\t;|，", key=lambda mark: _outside_quotes(head, mark))
    rows = csv.reader(_chained(head, lines), delimiter=delimiter, skipinitialspace=True)
    try:
        header = _header(rows, mapping)
        columns = Columns(header, mapping)
        yield from _rows(rows, header, columns, mapping)
    except csv.Error as error:
        raise Unreadable(_("第 %(line)d 行读不出：%(error)s。") % {"line": rows.line_num, "error": error}) from None


def _chained(head, lines):
    for line in chain(head, lines):
        yield line.replace("\0", "")


def _outside_quotes(head, mark):
    """How often the mark stands in the line of the first ten that has most of it: the header, or the rows below a title."""
    return max(re.sub(r'"[^"]*"', "", line).count(mark) for line in head[:10])


def _header(rows, mapping) -> list[str]:
    """The first of ten rows with a title column; Unreadable tells what the first row holds."""
    seen: list[list[str]] = []
    for row in rows:
        names = [values.clean(cell.lstrip("\ufeff")) for cell in row]
        if not any(names):
            continue
        if "title" in Columns(names, mapping).fields and (len(seen) == 0 or len([name for name in names if name]) > 1):
            return _unique(names)
        seen.append(names)
        if len(seen) == 10:
            break
    names = "、".join(name for name in (max(seen[:3], key=len) if seen else []) if name)[:400]
    raise Unreadable(_("没有能认作名称的列，不像数据集的登记；见到的列：%(names)s。可用 --map 指定对应关系。") % {"names": names or "—"})


def _unique(names):
    seen: dict[str, int] = {}
    result = []
    for position, name in enumerate(names, 1):
        name = name or f"column {position}"
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return result


def _rows(rows, header, columns, mapping):
    record = 0
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        record += 1
        payload = dict(zip(header, row, strict=False))
        try:
            parsed = from_table(payload, record, columns=columns, mapping=mapping, form="csv")
            if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
                parsed.gaps.append(Gap("", "ragged", str(len(row) - len(header))))
            yield parsed
        except RecordError as error:
            yield Parsed(record, error=error)
