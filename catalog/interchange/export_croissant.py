"""Croissant 1.1 of one dataset: files with their hashes, and record sets where the columns of a file are known."""

import re

import orjson

from catalog.interchange.export_dcat import is_address, namespace
from catalog.interchange.published import Entry

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
CONTEXT = {
    "@language": "zh",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
DATA_TYPES = {  # words providers use for column types
    "int": "sc:Integer",
    "float": "sc:Float",
    "double": "sc:Float",
    "decimal": "sc:Float",
    "number": "sc:Float",
    "bool": "sc:Boolean",
    "date": "sc:Date",
    "time": "sc:DateTime",
    "整数": "sc:Integer",
    "数值": "sc:Float",
    "日期": "sc:Date",
    "布尔": "sc:Boolean",
}
MEDIA_TYPES = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "jsonl": "application/jsonlines",
    "parquet": "application/x-parquet",
    "zip": "application/zip",
    "xml": "application/xml",
    "pdf": "application/pdf",
}


def dataset_croissant(entry: Entry) -> bytes:
    document = entry.document
    names = Names()
    files = [file_object(item, names) for item in document.get("resources", []) if address(item)]
    pairs = [(item, node) for item, node in zip([item for item in document.get("resources", []) if address(item)], files, strict=True)]
    node = {
        "@context": CONTEXT | {"jimu": namespace()},
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": document["title"],
        "description": document.get("description") or document.get("summary") or document["title"],
        "identifier": entry.identifier,
        "url": entry.url,
        "license": license_of(document),
        "creator": {"@type": "Organization", "name": document["organization"]["name"]},
        "publisher": {"@type": "Organization", "name": document["organization"]["name"]},
        "version": f"{entry.version or 1}.0.0",
    }
    node |= {key: value for key, value in optional(entry) if value}
    if any("sha256" not in file for file in files):
        node["isLiveDataset"] = True  # Croissant asks for a hash of every file that does not change under its address
    node["distribution"] = files
    if record_sets := [record_set(item, file, names) for item, file in pairs if item.get("columns")]:
        node["recordSet"] = record_sets
    return orjson.dumps(node, option=orjson.OPT_INDENT_2)


def optional(entry: Entry):
    document = entry.document
    yield "alternateName", document.get("title_en")
    yield "keywords", document.get("keywords")
    yield "datePublished", document.get("issued") or (entry.listed_at and entry.listed_at.date().isoformat())
    yield "dateModified", document.get("modified")
    yield "inLanguage", document.get("languages")
    yield "citeAs", document.get("citation")
    yield "sameAs", document.get("landing_page") if is_address(document.get("landing_page")) else None
    yield "rai:dataCollection", document.get("collection_channel")
    for key in ("sectors", "modalities", "model_stages", "knowledge_tier", "cognition_layer", "region", "security_level", "openness"):
        yield f"jimu:{key}", document.get(key)
    yield "jimu:grade", entry.grade
    yield "jimu:source_identifier", document.get("source_identifier")


def license_of(document) -> str:
    if is_address(document.get("license_url")):
        return document["license_url"]
    return document.get("license") or document.get("license_type") or "未说明"


def address(item) -> str:
    return next((item[key] for key in ("download_url", "access_url") if is_address(item.get(key))), "")


class Names:
    """Ids within one document: readable, of the characters Croissant's reader takes, each once."""

    def __init__(self):
        self.taken = set()

    def unique(self, wanted: str, prefix: str = "") -> str:
        base = prefix + (re.sub(r"[^\w.-]+", "_", wanted).strip("_") or "item")
        name, number = base, 1
        while name in self.taken:
            number += 1
            name = f"{base}_{number}"
        self.taken.add(name)
        return name


def file_object(item: dict, names: Names) -> dict:
    node = {
        "@type": "cr:FileObject",
        "@id": names.unique(item["name"]),
        "name": item["name"],
        "contentUrl": address(item),
        "encodingFormat": item.get("media_type") or MEDIA_TYPES.get(item.get("format", "").lower(), "application/octet-stream"),
    }
    if item.get("description"):
        node["description"] = item["description"]
    if item.get("byte_size"):
        node["contentSize"] = f"{item['byte_size']} B"
    if re.fullmatch(r"[0-9a-fA-F]{64}", item.get("sha256", "")):
        node["sha256"] = item["sha256"].lower()
    return node


def record_set(item: dict, file: dict, names: Names) -> dict:
    identifier = names.unique(item["name"], "records_")
    fields = [field(column, identifier, file, names) for column in item["columns"] if isinstance(column, dict) and column.get("name")]
    return {"@type": "cr:RecordSet", "@id": identifier, "name": item["name"], "field": fields}


def field(column: dict, record_set_id: str, file: dict, names: Names) -> dict:
    name = str(column["name"])
    kind = str(column.get("type", "")).lower()
    node = {
        "@type": "cr:Field",
        "@id": names.unique(name, f"{record_set_id}/"),
        "name": name,
        "dataType": next((value for word, value in DATA_TYPES.items() if word in kind), "sc:Text"),
        "source": {"fileObject": {"@id": file["@id"]}, "extract": {"column": name}},
    }
    if column.get("description"):
        node["description"] = str(column["description"])
    return node
