"""A listing document in the making: takes values out of a source record, reads them, notes gaps, keeps the rest as extras."""

import re
from functools import cache
from typing import Any

import orjson
from django.utils.translation import gettext as _

from catalog.interchange import codes, values
from catalog.interchange.parsed import Gap, Parsed, RecordError
from catalog.listing import DATES, FLAGS, LIMITS, LISTS, NUMBERS, OBJECTS, RESOURCE_FIELDS, TEXT, VOCABULARIES
from catalog.models.dataset import Dataset
from catalog.models.resources import Resource

RECOMMENDED = "description license keywords contact_email update_frequency modified".split()
ROOM = LIMITS["document"] - 4096  # leaves space for identifiers that storing adds
DEEP = 12
YES = {"true", "yes", "y", "1", "是", "有", "含"}


@cache
def max_length(model, name: str) -> int | None:
    return model._meta.get_field(name).max_length


class Draft:
    """`take` removes a property from what is left; whatever is left at the end goes into extras."""

    def __init__(self, source: dict, form: str):
        self.left = dict(source)
        self.names = names_of(source)
        self.form = form
        self.document: dict[str, Any] = {}
        self.resources: list[dict] = []
        self.organization: dict[str, str] = {}
        self.gaps: list[Gap] = []
        self.kept: list[dict] = []
        self.mark = ""

    def take(self, *names: str) -> Any:
        """The first of these properties that is not empty."""
        for name in names:
            if not values.is_empty(self.left.get(name)):
                return self.left.pop(name)
        return None

    def keep(self, name: str, value: Any) -> None:
        if not values.is_empty(value):
            self.kept.append({"name": str(name), "value": value})

    def gap(self, pointer: str, code: str, detail: Any = "") -> None:
        self.gaps.append(Gap(pointer, code, str(detail)[:80]))

    # --- typed fields
    def put(self, name: str, value: Any, *, key: str = "") -> None:
        """Set a listing field from a raw value of any shape, unless it already has one; `key` names it in the source."""
        if values.is_empty(value):
            return
        if self.document.get(name):
            self.keep(key or name, value)
        elif name in VOCABULARIES:
            self._coded(name, value, key or name)
        elif name in DATES:
            self._date(name, value, key or name)
        elif name in NUMBERS:
            self._number(name, value, key or name)
        elif name in LISTS:
            self._list(name, values.texts(value))
        elif name in FLAGS:
            self.document[name] = values.text(value).lower() in YES if not isinstance(value, bool) else value
        elif name in TEXT:
            self._text(name, value)
        elif name in OBJECTS or name == "lineage":
            self.document[name] = plain(value)

    def _text(self, name, value):
        said = values.text(value)
        if isinstance(value, dict | list) and len(value) > 1:
            self.keep(name, value)  # other languages
        limit = max_length(Dataset, name)
        if limit and len(said) > limit:
            self.keep(name, said)
            self.gap(f"/{name}", "trimmed")
            said = said[: limit - 1].rstrip() + "…"
        if said:
            self.document[name] = said

    def _date(self, name, value, key):
        found = values.day(value, end=name == "temporal_end")
        if found:
            self.document[name] = found
        else:
            self.keep(key, value)
            self.gap(f"/{name}", "not_a_date", values.text(value))

    def _number(self, name, value, key):
        found = values.size(value) if name == "byte_size" else values.number(value)
        if found is None:
            self.keep(key, value)
            self.gap(f"/{name}", "not_a_number", values.text(value))
        else:
            self.document[name] = found

    def _list(self, name, items):
        present = self.document.get(name, [])
        items = [item for item in items if item not in present]
        fitting = [item for item in items if len(item) <= 200][: 100 - len(present)]
        if len(fitting) < len(items):
            self.keep(name, [item for item in items if item not in fitting])
            self.gap(f"/{name}", "trimmed")
        if present or fitting:
            self.document[name] = [*present, *fitting]

    def _coded(self, name, value, key):
        said = values.texts(value) if name in LISTS else [values.text(value)]
        found = {word: codes.code(name, word) for word in said}
        if unknown := [word for word, code in found.items() if not code and word]:
            self.keep(key, unknown if name in LISTS else unknown[0])
            self.gap(f"/{name}", "unknown_code", unknown[0])
        known = list(dict.fromkeys(code for code in found.values() if code))
        if known:
            self.document[name] = known if name in LISTS else known[0]

    # --- fields that several source properties share
    def address(self, name: str, value: Any) -> None:
        if values.is_empty(value):
            return
        if found := values.web_address(value):
            self.put(name, found)
        else:
            self.keep(name, value)
            self.gap(f"/{name}", "not_an_address", values.text(value))

    def email(self, value: Any) -> None:
        if values.is_empty(value):
            return
        if found := values.email(value):
            self.put("contact_email", found)
        else:
            self.keep("contact_email", value)
            self.gap("/contact_email", "not_an_address", values.text(value))

    def temporal(self, value: Any) -> None:
        if values.is_empty(value):
            return
        start, end = values.interval(value)
        if not (start or end):
            self.gap("/temporal_start", "not_a_date", values.text(value))
        self.keep("temporal", value)
        self.put("temporal_start", start)
        self.put("temporal_end", end)

    def spatial(self, value: Any) -> None:
        """A region where it is a province for sure; the words are always kept."""
        if values.is_empty(value):
            return
        if isinstance(value, str | list) and len(said := values.text(value)) < 80 and (found := codes.code("region", said)):
            self.document.setdefault("region", found)
        self.keep("spatial", value)

    def license(self, *parts: Any) -> None:
        """Name, identifier and address of a licence in any order; the type where it is sure."""
        said = []
        for part in parts:
            for item in part if isinstance(part, list) else [part]:
                if isinstance(item, dict):
                    said += [values.text(item.get(key)) for key in ("title", "name", "path", "url", "@id", "type", "identifier")]
                else:
                    said.append(values.text(item))
        said = [word for word in dict.fromkeys(said) if word]
        names = [word for word in said if not values.web_address(word)]
        links = [word for word in said if values.web_address(word)]
        self.put("license", (names or links or [None])[0])
        self.put("license_url", (links or [None])[0])
        for word in names[1:] + links[1:]:
            self.keep("license", word)
        if found := next((code for word in said if (code := codes.code("license_type", word))), ""):
            self.document.setdefault("license_type", found)

    def themes(self, value: Any, name: str = "theme") -> None:
        """Themes: a sector where sure, and always kept in words."""
        said = values.texts(value)
        found = list(dict.fromkeys(code for word in said if (code := codes.code("sectors", word))))
        self._list("sectors", found)
        self.keep(name, value)

    def publisher(self, value: Any, *, email: Any = None, url: Any = None) -> None:
        """The organisation from a name or an object; nested parents are kept."""
        if values.is_empty(value) or self.organization.get("name"):
            return
        fields = next((item for item in value if isinstance(item, dict)), value[0]) if isinstance(value, list) else value
        if isinstance(fields, dict):
            name = next((values.text(fields[key]) for key in ("title", "name", "fn", "foaf:name", "@id") if values.text(fields.get(key))), "")
            email = email or fields.get("mbox") or fields.get("email") or fields.get("hasEmail")
            url = url or fields.get("url") or fields.get("homepage") or fields.get("page")
            if len(fields) > 1:
                self.keep("publisher", value)
            code = values.text(fields.get("credit_code"))
        else:
            name, code = values.text(fields), ""
        name = re.sub(r"\s+", " ", name.strip("/ "))[:200]
        if name:
            self.organization = {"name": name, "kind": codes.organization_kind(name)}
            self.organization |= {
                key: found for key, found in (("contact_email", values.email(email)), ("website", values.web_address(url))) if found
            }
            if code:
                self.organization["credit_code"] = code
            if region := codes.region_of(name):
                self.organization["region"] = region

    # --- resources
    def resource(self, *, columns: Any = None, unmapped: dict | None = None, **fields: Any) -> None:
        """Add a resource; fields of RESOURCE_FIELDS in any shape."""
        item = {name: values.text(fields.get(name)) for name in ("name", "description", "kind", "encoding")}
        for name in ("access_url", "download_url"):
            item[name] = values.web_address(fields.get(name))
            if fields.get(name) and not item[name] and values.text(fields[name]) not in item["description"]:
                item["description"] = f"{item['description']}\n{values.text(fields[name])}".strip()
        media = values.text(fields.get("media_type"))
        media = media.rsplit("/media-types/", 1)[-1]
        said = values.text(fields.get("format"))
        item["media_type"] = media if re.fullmatch(r"[\w.+-]+/[\w.+-]+", media) else ""
        if not item["media_type"] and re.fullmatch(r"[a-z]+/[\w.+-]+", said):
            item["media_type"] = said
        item["format"] = codes.file_format(said or media, item["download_url"] or item["access_url"])
        item["byte_size"] = values.size(fields.get("byte_size"))
        digest = values.text(fields.get("sha256")).lower().removeprefix("sha256:")
        item["sha256"] = digest if re.fullmatch(r"[0-9a-f]{64}", digest) else ""
        item["kind"] = item["kind"] or ("service" if item["format"] in ("API", "WMS", "WFS", "WMTS") else "file")
        item["name"] = item["name"] or values.text(fields.get("title")) or _resource_name(item)
        item["columns"] = columns_of(columns)
        for name in RESOURCE_FIELDS:
            limit = None if name == "columns" else max_length(Resource, name)
            if limit and isinstance(item.get(name), str) and len(item[name]) > limit:
                self.keep(f"resources/{len(self.resources)}/{name}", item[name])
                item[name] = "" if name.endswith("url") else item[name][: limit - 1] + "…"
                self.gap(f"/resources/{len(self.resources)}/{name}", "trimmed")
        if unmapped := {name: value for name, value in (unmapped or {}).items() if not values.is_empty(value)}:
            self.keep(f"resources/{len(self.resources)}", unmapped)
        self.resources.append({name: value for name, value in item.items() if value not in ("", None, [])})

    # --- the end
    def finish(self, record: int = 0) -> Parsed:
        """The parsed record; RecordError without a title."""
        document = self.document
        if not document.get("title"):
            raise RecordError("no_title", _("没有名称；见到的属性：%(names)s。") % {"names": self.names}, "/title")
        if document.get("temporal_start", "") > document.get("temporal_end", "9999"):
            self.keep("temporal_end", document.pop("temporal_end"))
            self.gap("/temporal_end", "order")
        self._derive()
        for name in RECOMMENDED:
            if not document.get(name) and not (name == "description" and document.get("summary")):
                self.gap(f"/{name}", "missing")
        if not self.organization.get("name"):
            self.gap("/organization", "missing")
        if not self.resources:
            self.gap("/resources", "missing")
        document["resources"] = self.resources
        document["extras"] = {"source_format": self.form} | document.get("extras", {})
        unmapped = self.kept + [{"name": str(name), "value": value} for name, value in self.left.items() if not values.is_empty(value)]
        if unmapped:
            document["extras"]["unmapped"] = plain(unmapped)
        self._fit(document)
        return Parsed(record, document, self.organization, self.gaps, mark=self.mark)

    def _derive(self):
        document = self.document
        if not document.get("summary") and (description := document.get("description")):
            first = re.sub(r"\s+", " ", description)
            document["summary"] = first if len(first) <= 200 else first[:199].rstrip() + "…"
        elif not document.get("description") and document.get("summary"):
            document["description"] = document["summary"]
        if document.get("license_type") == "open_source" and not document.get("openness"):
            document["openness"] = "open"
        if document.get("openness") == "open":
            document.setdefault("access_method", "open")
        if not document.get("modalities"):
            found = {codes.code("modalities", item.get("format", "")) for item in self.resources} - {"", "text"}
            if found:
                document["modalities"] = sorted(found)

    def _fit(self, document):
        """Below 256 KiB: the largest unmapped values go first, then columns, then resources from the end."""
        size = len(orjson.dumps(document))
        unmapped = document["extras"].get("unmapped", [])
        while size > ROOM and unmapped:
            largest = max(unmapped, key=lambda item: len(orjson.dumps(item)))
            unmapped.remove(largest)
            self.gap("/extras", "left_out", largest["name"])
            size = len(orjson.dumps(document))
        if size > ROOM:
            for item in document["resources"]:
                item.pop("columns", None)
            self.gap("/resources", "left_out", "columns")
        while (size := len(orjson.dumps(document))) > ROOM and document["resources"]:
            document["resources"] = document["resources"][: len(document["resources"]) * 3 // 4]
            self.gap("/resources", "left_out", "resources")
        if size > ROOM:
            raise RecordError("too_large", _("整条记录超过 256 KiB。"))


def _resource_name(item) -> str:
    address = item["download_url"] or item["access_url"]
    tail = address.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    return (tail if "." in tail else "") or item["format"] or address[:200] or item["description"][:80] or "resource"


def columns_of(value: Any) -> list[dict]:
    """[{"name", "type", "description"}] from a list of objects or names, or from one text such as 「序號」、「名稱」."""
    if values.is_empty(value):
        return []
    if isinstance(value, str):
        parts = re.split(r"[,，、;；\n|]+", value.replace("「", "").replace("」", ""))
        pairs = [re.split(r"[:：]", part, maxsplit=1) for part in parts]
        found = [{"name": values.clean(pair[0])[:200], "description": values.clean(pair[1])[:500] if len(pair) > 1 else ""} for pair in pairs]
    elif isinstance(value, list):
        found = [_column(item) for item in value]
    else:
        return []
    return [{key: said for key, said in item.items() if said} for item in found if item["name"]][:500]


def _column(item):
    if not isinstance(item, dict):
        return {"name": values.text(item)[:200]}
    name = next((values.text(item[key]) for key in ("name", "title", "id", "@id", "fieldName", "column") if values.text(item.get(key))), "")
    kind = item.get("type") or item.get("dataType") or item.get("datatype") or ""
    kind = "、".join(values.texts(kind)) if isinstance(kind, list) else values.text(kind)
    return {"name": name[:200], "type": kind[:80], "description": values.text(item.get("description"))[:500]}


def names_of(record: Any, limit: int = 20) -> str:
    names = [str(name) for name in record][:limit] if isinstance(record, dict) else []
    return values.clean("、".join(names))[:400] + ("…" if isinstance(record, dict) and len(record) > limit else "") or "—"


def plain(value: Any, depth: int = 0) -> Any:
    """As a listing document may hold it: no floats, no huge integers, ASCII keys (else name/value pairs), bounded depth."""
    if isinstance(value, str):
        return values.UNPRINTABLE.sub("", value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= 2**53 else str(value)
    if depth > DEEP:
        return _as_text(value)
    if isinstance(value, dict):
        if all(isinstance(key, str) and key.isascii() and key.isprintable() for key in value):
            return {key: plain(item, depth + 1) for key, item in value.items()}
        return [{"name": values.clean(str(key)), "value": plain(item, depth + 2)} for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    return str(value)


def _as_text(value):
    try:
        return values.UNPRINTABLE.sub("", orjson.dumps(value, default=str).decode())
    except (TypeError, ValueError, RecursionError):
        return values.UNPRINTABLE.sub("", repr(value))[:10_000]
