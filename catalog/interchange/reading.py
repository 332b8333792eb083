"""read_catalog: bytes or a file of any known format to a stream of parsed records. No database, no network."""

import codecs
import io
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

import ijson
import orjson
from django.utils.translation import gettext as _

from catalog.interchange import detect, encodings
from catalog.interchange.ckan import from_ckan
from catalog.interchange.croissant import from_croissant, types
from catalog.interchange.datajson import entries, from_datajson
from catalog.interchange.datapackage import from_datapackage
from catalog.interchange.dcat import from_dcat
from catalog.interchange.draft import names_of
from catalog.interchange.parsed import Parsed, RecordError, Unreadable
from catalog.interchange.tabular import from_table, read_csv

STREAM_ABOVE = 24 * 1024 * 1024  # JSON files larger than this are streamed
RECORD_MAX = 4 * 1024 * 1024  # bytes of one line of NDJSON
DEPTH_MAX = 200
ENDINGS = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".jsonld", ".rdf", ".xml", ".owl", ".ttl", ".n3", ".nt"}
TURTLE = ("@prefix", "@base", "PREFIX ", "BASE ", "prefix ", "# ")


def read_catalog(
    source: bytes | Path | str, format: str = "auto", mapping: dict | None = None, *, on_detected: Callable = lambda *_a: None
) -> Iterator[Parsed]:
    """Parsed records in file order. Unreadable when nothing can be read; a bad record comes with its `error`.

    `mapping` is {column: field} of tabular.read_mapping. `on_detected(format, encoding)` is told before the first record.
    """
    path = None if isinstance(source, bytes) else Path(source)
    encoding = encodings.detect(path or source)
    head = _head(path, source, encoding)
    if not head.strip():
        raise Unreadable(_("文件是空的。"))
    kind = format if format != "auto" else _kind(head, path)
    if kind in ("json", "croissant", "datapackage", "datajson", "ckan") or (kind == "dcat" and head.lstrip()[:1] in "{["):
        if kind == "json" and format == "auto" and _is_ndjson(head):
            kind = "ndjson"
        else:
            yield from _json(path, source, encoding, "auto" if format in ("auto", "json") else kind, mapping, on_detected)
            return
    if kind == "dcat":
        form = _rdf_form(head)
        on_detected("dcat", encoding)
        yield from from_dcat(_bytes(path, source, encoding), form)
        return
    on_detected(kind, encoding)
    with _text(path, source, encoding) as stream:
        yield from _ndjson(stream, mapping) if kind == "ndjson" else read_csv(stream, mapping)


def _text(path, source, encoding):
    raw: BinaryIO = open(path, "rb") if path else io.BytesIO(source)
    return io.TextIOWrapper(raw, encoding=encoding, newline="", errors="strict")


def _head(path, source, encoding):
    with _text(path, source, encoding) as stream:
        return stream.read(20_000).lstrip("\ufeff")


def _bytes(path, source, encoding) -> bytes:
    data = path.read_bytes() if path else source
    return data if encoding == "utf-8" else data.decode(encoding).encode()


def _kind(head, path):
    start = head.lstrip()
    ending = path.suffix.lower() if path else ""
    if start[0] in "{[":
        return "json"
    if start.startswith("<") and not start.startswith("<http"):
        if start[:200].lower().startswith(("<!doctype html", "<html")):
            raise Unreadable(_("这是一个网页（HTML），不是目录文件。"))
        return "dcat"
    if ending in (".ttl", ".n3", ".nt") or start.startswith(TURTLE[:-1]) or (start.startswith("# ") and "@prefix" in head):
        return "dcat"
    return "csv"


def _rdf_form(head):
    return "xml" if head.lstrip().startswith("<") and not head.lstrip().startswith("<http") else "turtle"


def _is_ndjson(head):
    """More than one JSON value, one a line."""
    lines = head.lstrip().split("\n")
    if not lines[0].startswith("{") or len(lines) < 2:
        return len(head) >= 19_000 and len(lines) == 1 and _starts_with_whole_object(head)
    try:
        orjson.loads(lines[0].strip())
    except orjson.JSONDecodeError:
        return False
    return lines[1].lstrip().startswith("{") or len(lines[0]) > 15_000


def _starts_with_whole_object(head):
    try:
        _value, end = json.JSONDecoder().raw_decode(head.lstrip())
    except (ValueError, RecursionError):
        return False
    return head.lstrip()[end : end + 1] in ("\n", "\r")


# --- JSON
def loads(data: bytes | str, where: str = "") -> Any:
    """JSON as found in the wild: NaN is null. Unreadable names line and column."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        try:
            return json.loads(text, parse_constant=lambda _word: None)
        except json.JSONDecodeError:
            words = {"where": where, "line": error.lineno, "column": error.colno, "error": error.msg}
            raise Unreadable(_("%(where)sJSON 有误：第 %(line)d 行第 %(column)d 列：%(error)s。") % words) from None
        except RecursionError:
            raise Unreadable(_("%(where)sJSON 嵌套太深。") % {"where": where}) from None


def too_deep(value: Any, limit: int = DEPTH_MAX) -> bool:
    level, layer = -1, [[value]]
    while layer and level <= limit:
        layer = [item for node in layer for item in (node.values() if isinstance(node, dict) else node) if isinstance(item, dict | list)]
        level += 1
        if not layer:
            return False
    return level > limit


def _json(path, source, encoding, kind, mapping, on_detected):
    if path and path.stat().st_size > STREAM_ABOVE:
        yield from _streamed(path, encoding, kind, mapping, on_detected)
        return
    payload = loads(_bytes(path, source, encoding).lstrip(codecs.BOM_UTF8))
    if too_deep(payload):
        raise Unreadable(_("JSON 嵌套超过 %(limit)d 层。") % {"limit": DEPTH_MAX})
    yield from _of_payload(payload, encoding, kind, mapping, on_detected)


def _of_payload(payload, encoding, kind, mapping, on_detected):
    around: dict = {}
    if isinstance(payload, dict):
        payload = detect.unwrapped(payload)
        found = detect.of_record(payload) if kind == "auto" else kind
        if found == "dcat":
            on_detected("dcat", encoding)
            yield from from_dcat(orjson.dumps(payload), "json-ld")
            return
        if found in ("datajson", "json") and "dataset" in payload and not isinstance(payload.get("title"), dict) and _is_catalog(payload, found):
            on_detected("datajson", encoding)
            try:
                records = entries(payload)
            except RecordError as error:
                yield Parsed(1, error=error)
                return
            if not records:
                raise Unreadable(_("目录是空的，没有记录。"))
            yield from _each(records, "datajson", mapping, payload)
            return
        if found in ("json", "datajson") and ({"themeTaxonomy", "superThemeTaxonomy"} & payload.keys() or "Catalog" in types(payload)):
            raise Unreadable(_("这是目录本身的描述，里面没有 dataset 列表；见到的属性：%(names)s。") % {"names": names_of(payload)})
        inside = detect.list_inside(payload) if found in ("json", "ckan") else None
        if found == "ckan" and ({"title", "notes", "resources"} & payload.keys()):
            inside = None
        records, around = inside if inside else ([payload], {})
        if not inside and isinstance(payload.get("result"), dict):
            records = [payload["result"]]
    elif isinstance(payload, list):
        records = payload
    else:
        raise Unreadable(_("JSON 里既不是对象也不是列表。"))
    if not records:
        raise Unreadable(_("列表是空的，没有记录。"))
    if kind == "auto" and isinstance(records[0], dict) and _is_expanded(records):
        on_detected("dcat", encoding)
        yield from from_dcat(orjson.dumps(records), "json-ld")
        return
    form = kind if kind not in ("auto", "dcat") else _common_form(records)
    on_detected(form, encoding)
    yield from _each(records, form, mapping, around)


def _is_catalog(payload, found):
    dataset = payload["dataset"]
    if isinstance(dataset, list):
        return found == "datajson" or not dataset or not isinstance(dataset[0], dict) or detect.of_record(dataset[0]) in ("datajson", "json")
    return found == "datajson" or bool({"publisher", "title", "themeTaxonomy", "superThemeTaxonomy", "language"} & payload.keys())


def _is_expanded(records):
    return all(isinstance(item, dict) and "@id" in item and any(str(key).startswith("http") for key in item) for item in records[:5])


def _common_form(records):
    return next((detect.of_record(detect.unwrapped(item)) for item in records if isinstance(item, dict) and item), "json")


def _each(records: Iterable, form: str, mapping, around: dict) -> Iterator[Parsed]:
    catalog = {name: around[name] for name in ("publisher", "license") if around.get(name)} if isinstance(around, dict) else {}
    for record, payload in enumerate(records, 1):
        yield of_record(payload, record, form=form, mapping=mapping, catalog=catalog)


def of_record(payload: Any, record: int, *, form: str = "auto", mapping: dict | None = None, catalog: dict | None = None) -> Parsed:
    """One JSON value as a record of this form; a record that cannot be read comes with its error."""
    try:
        payload = detect.unwrapped(payload)
        if too_deep(payload):
            raise RecordError("too_deep", _("记录嵌套超过 %(limit)d 层。") % {"limit": DEPTH_MAX})
        if form == "auto":
            form = detect.of_record(payload)
        if mapping and form not in ("croissant", "datapackage"):
            form = "json"
        if form == "datajson":
            return from_datajson(payload, record, catalog=catalog)
        if form == "dcat":
            return _one_dcat(payload, record)
        if form == "json" or form == "ndjson":
            return from_table(payload, record, mapping=mapping)
        return {"ckan": from_ckan, "croissant": from_croissant, "datapackage": from_datapackage}[form](payload, record)
    except RecordError as error:
        return Parsed(record, error=error)
    except Unreadable as error:
        return Parsed(record, error=RecordError("unreadable", str(error)))
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, RecursionError, OverflowError) as error:
        # A shape no mapper foresaw rejects its record, never the whole file.
        said = _("记录的结构不符合 %(form)s：%(error)s；见到的属性：%(names)s。") % {
            "form": form,
            "error": str(error)[:120],
            "names": names_of(payload),
        }
        return Parsed(record, error=RecordError("malformed", said))


def _one_dcat(payload, record):
    found = from_dcat(orjson.dumps(payload), "json-ld")
    if not found:
        raise RecordError("not_a_dataset", _("里面没有 dcat:Dataset；见到的属性：%(names)s。") % {"names": names_of(payload)})
    found[0].record = record
    return found[0]


def _ndjson(stream, mapping):
    record = 0
    for number, line in enumerate(stream, 1):
        line = line.strip("\ufeff \t\r\n")
        if not line:
            continue
        record += 1
        if len(line) > RECORD_MAX:
            yield Parsed(record, error=RecordError("too_large", _("第 %(line)d 行超过 4 MiB。") % {"line": number}))
            continue
        try:
            payload = loads(line)
        except Unreadable as error:
            yield Parsed(record, error=RecordError("broken_json", _("第 %(line)d 行：%(error)s") % {"line": number, "error": error}))
            continue
        yield of_record(payload, record, mapping=mapping)


# --- large JSON
class _Utf8:
    """The file re-encoded to UTF-8 in pieces, as ijson wants it."""

    def __init__(self, stream):
        self.stream = stream

    def read(self, size=-1):
        if size == 0:  # ijson asks so whether text or bytes come
            return b""
        return self.stream.read(max(size, 65536)).lstrip("\ufeff").encode()


def _streamed(path, encoding, kind, mapping, on_detected):
    try:
        with _text(path, b"", encoding) as stream:
            prefix = _list_prefix(ijson.parse(_Utf8(stream), use_float=True))
        with _text(path, b"", encoding) as stream:
            items = ijson.items(_Utf8(stream), prefix, use_float=True)
            first = list(islice(items, 20))
            form = _common_form(first) if kind == "auto" else kind
            on_detected(form, encoding)
            yield from _each(chain(first, items), form, mapping, {})
    except ijson.JSONError as error:
        raise Unreadable(_("JSON 有误：%(error)s") % {"error": str(error)[:200].replace("\n", " ")}) from None


def _list_prefix(events) -> str:
    """Where the first list of objects stands: "item", "dataset.item", "result.results.item"."""
    for (prefix, event, _value), _number in zip(events, range(100_000), strict=False):
        if event == "start_map" and (prefix == "item" or (prefix.endswith(".item") and prefix.split(".")[0] in detect.WRAPPERS)):
            return prefix
    raise Unreadable(_("这个大 JSON 文件里没有找到记录的列表。"))
