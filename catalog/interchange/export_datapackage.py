"""Data Package (Frictionless v2) of one dataset."""

import re

import orjson

from catalog.interchange.export_croissant import Names, address
from catalog.interchange.export_dcat import is_address
from catalog.interchange.published import Entry

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
TYPES = {  # words providers use, to field types of Table Schema
    "int": "integer",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "number": "number",
    "bool": "boolean",
    "datetime": "datetime",
    "timestamp": "datetime",
    "date": "date",
    "整数": "integer",
    "数值": "number",
    "日期": "date",
    "布尔": "boolean",
}


def dataset_datapackage(entry: Entry) -> bytes:
    document = entry.document
    package = {
        "$schema": PROFILE,
        "name": f"dataset-{entry.uid}",
        "id": entry.identifier,
        "title": document["title"],
        "homepage": entry.url,
        "version": f"{entry.version or 1}.0.0",
        "contributors": [{"title": document["organization"]["name"], "roles": ["publisher"]}],
    }
    package |= {key: value for key, value in optional(entry) if value}
    package["resources"] = resources(entry)
    return orjson.dumps(package, option=orjson.OPT_INDENT_2)


def optional(entry: Entry):
    document = entry.document
    yield "description", document.get("description") or document.get("summary")
    yield "keywords", document.get("keywords")
    yield "created", entry.listed_at and entry.listed_at.isoformat()
    yield "licenses", licenses(document)
    yield "sources", [{"title": document["citation"]}] if document.get("citation") else None
    for key in ("source_identifier", "title_en", "sectors", "modalities", "model_stages", "region", "openness", "issued", "modified"):
        yield f"jimu:{key}", document.get(key)
    yield "jimu:grade", entry.grade


def licenses(document) -> list[dict]:
    known = {"title": document.get("license") or document.get("license_type")}
    if is_address(document.get("license_url")):
        known["path"] = document["license_url"]
    known = {key: value for key, value in known.items() if value}
    return [known | {"name": re.sub(r"[^A-Za-z0-9._-]+", "-", known.get("title", "")).strip("-") or "license"}] if known else []


def resources(entry: Entry) -> list[dict]:
    names = Names()
    found = [resource(item, names) for item in entry.document.get("resources", []) if address(item)]
    # A package needs a resource; where only metadata are public, the listing itself is what there is.
    return found or [{"name": "listing", "path": f"{entry.url.rstrip('/')}.json", "format": "json", "mediatype": "application/json"}]


def resource(item: dict, names: Names) -> dict:
    node = {"name": names.unique(item["name"]), "title": item["name"], "path": address(item)}
    for key, target in (("description", "description"), ("media_type", "mediatype"), ("byte_size", "bytes"), ("encoding", "encoding")):
        if item.get(key):
            node[target] = item[key]
    if item.get("format"):
        node["format"] = item["format"].lower()
    if item.get("sha256"):
        node["hash"] = f"sha256:{item['sha256'].lower()}"
    fields = [field(column) for column in item.get("columns", []) if isinstance(column, dict) and column.get("name")]
    return node | ({"schema": {"fields": fields}} if fields else {})


def field(column: dict) -> dict:
    kind = str(column.get("type", "")).lower()
    node = {"name": str(column["name"]), "type": next((value for word, value in TYPES.items() if word in kind), "string")}
    return node | ({"description": str(column["description"])} if column.get("description") else {})
