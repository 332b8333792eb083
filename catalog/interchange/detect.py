"""Which format a source is in, from its content; names of files only break ties."""

from typing import Any

from catalog.interchange import values
from catalog.interchange.croissant import types
from catalog.listing import SCHEMA

FORMATS = ("auto", "croissant", "datapackage", "dcat", "datajson", "ckan", "csv", "json", "ndjson")
# Keys under which services wrap their lists, outermost first.
WRAPPERS = (
    "datasets",
    "dataset",
    "results",
    "result",
    "records",
    "data",
    "items",
    "rows",
    "list",
    "packages",
    "content",
    "value",
    "数据",
    "数据集",
    "資料",
)
CKAN = {"owner_org", "notes", "license_id", "metadata_created", "metadata_modified", "num_resources", "tags_translated", "maintainer_email"}
UDATA = {"temporal_coverage", "last_modified", "organization", "resources", "slug", "frequency"}
DCAT_JSON = {"accessLevel", "distribution", "landingPage", "contactPoint", "accrualPeriodicity", "superTheme", "bureauCode"}
SINGLE = ("record", "dataset", "metadata", "package", "data")


def of_record(payload: Any) -> str:
    """croissant, datapackage, dcat, datajson, ckan or json, of one parsed object."""
    if not isinstance(payload, dict) or payload.get("schema") == SCHEMA:
        return "json"
    keys = payload.keys()
    if "@context" in keys or "@graph" in keys or "@id" in keys:
        return _of_linked(payload)
    if "@type" in keys and DCAT_JSON & keys:
        return "datajson"
    if len(CKAN & keys) >= 1 and ("name" in keys or "title" in keys) or {"resource_type", "url_type"} <= keys:
        return "ckan"
    if len(UDATA & keys) >= 4:
        return "ckan"
    if _is_datapackage(payload):
        return "datapackage"
    if len(DCAT_JSON & keys) >= 1 and ({"title", "identifier"} & keys):
        return "datajson"
    if {"title", "resources"} <= keys and isinstance(payload["resources"], list) and ("name" in keys or "tags" in keys):
        return "ckan"
    return "json"


def _of_linked(payload):
    said = str(payload.get("conformsTo") or payload.get("dct:conformsTo") or "")
    context = payload.get("@context")
    text = str(context)[:4000]
    if "croissant" in said or "recordSet" in payload or "mlcommons.org" in text:
        return "croissant"
    if "project-open-data" in text or "project-open-data" in said or (isinstance(payload.get("dataset"), list) and isinstance(context, str)):
        return "datajson"
    if "@graph" not in payload and "schema.org" in text and "dcat" not in text:
        return "croissant"
    if "@graph" not in payload and context is None:
        return "croissant" if "Dataset" in types(payload) and not DCAT_JSON & payload.keys() else "datajson"
    return "dcat"


def _is_datapackage(payload):
    resources = payload.get("resources")
    if payload.get("profile") in ("data-package", "tabular-data-package", "fiscal-data-package") or "datapackage" in str(payload.get("$schema")):
        return True
    if not isinstance(resources, list) or not resources or not all(isinstance(item, dict) for item in resources):
        return False
    keys = set().union(*(item.keys() for item in resources))
    return bool(keys & {"path", "data"}) and bool(keys & {"schema", "path", "profile", "mediatype", "dialect"})


def unwrapped(payload: Any) -> Any:
    """{"source_path": …, "record": {…}}: the one object inside, with its companions kept beside its own keys."""
    if isinstance(payload, dict) and isinstance(inner := payload.get("dataset"), dict) and "title" in inner and "organization" in payload:  # udata
        return inner | {key: value for key, value in payload.items() if key in ("organization", "resources", "reuses", "community_resources")}
    if isinstance(payload, dict) and "datasetVersion" in payload and isinstance(payload["datasetVersion"], dict):
        return of_dataverse(payload)
    if isinstance(payload, dict) and 1 <= len(payload) <= 4:
        inner = [key for key in SINGLE if isinstance(payload.get(key), dict)]
        others = [value for key, value in payload.items() if key not in inner]
        if len(inner) == 1 and not any(isinstance(value, dict | list) for value in others) and len(payload[inner[0]]) > 2:
            return payload[inner[0]] | {key: value for key, value in payload.items() if key != inner[0] and key not in payload[inner[0]]}
    return payload


def of_dataverse(payload: dict) -> dict:
    """Dataverse's own JSON as a CKAN-like dict: the citation block's fields flattened."""
    version = payload["datasetVersion"]
    blocks = version.get("metadataBlocks")
    fields: dict[str, Any] = {}
    for block in blocks.values() if isinstance(blocks, dict) else []:
        for item in block.get("fields", []):
            fields[item.get("typeName", "")] = _dataverse_value(item.get("value"))
    files = [item.get("dataFile", {}) | {"name": item.get("label")} for item in version.get("files", []) if isinstance(item, dict)]
    license = version.get("license") if isinstance(version.get("license"), dict) else {"name": version.get("license")}
    said = {
        "identifier": payload.get("persistentUrl") or version.get("datasetPersistentId") or payload.get("identifier"),
        "title": fields.pop("title", None),
        "notes": fields.pop("dsDescription", None),
        "tags": values.texts(fields.pop("keyword", None)),
        "contact": [{"name": name} for name in values.texts(fields.get("datasetContact"))[:1]],
        "organization": next(iter(values.texts(fields.pop("author", None))), None),
        "license_title": license.get("name"),
        "license_url": license.get("uri"),
        "url": payload.get("persistentUrl"),
        "issued": version.get("publicationDate") or payload.get("publicationDate"),
        "modified": version.get("lastUpdateTime"),
        "resources": [_dataverse_file(item) for item in files],
    }
    return said | {"citation_block": fields}


def _dataverse_value(value):
    if isinstance(value, list):
        return [_dataverse_value(item) for item in value]
    if isinstance(value, dict):
        return next((_dataverse_value(item.get("value")) for item in value.values() if isinstance(item, dict)), None)
    return value


def _dataverse_file(item):
    names = {"name": "name", "description": "description", "mimetype": "contentType", "filesize": "filesize", "hash": "md5"}
    return {name: item.get(key) for name, key in names.items()}


def list_inside(payload: Any, depth: int = 0) -> tuple[list, dict] | None:
    """(records, the object around them) where a JSON answer wraps a list of objects: result.results, data.list, …"""
    if not isinstance(payload, dict) or depth > 3:
        return None
    for key in WRAPPERS:
        inner = payload.get(key)
        if isinstance(inner, list) and (not inner or isinstance(inner[0], dict | str)):
            if inner and isinstance(inner[0], str):
                continue
            return inner, payload
        if isinstance(inner, dict) and (found := list_inside(inner, depth + 1)):
            return found
    if depth == 0 and not values.is_empty(payload) and not any(key in payload for key in ("title", "name", "title_translated")):
        lists = [value for value in payload.values() if isinstance(value, list) and value and all(isinstance(item, dict) for item in value)]
        if len(lists) == 1 and len(lists[0]) > 1:
            return lists[0], payload
    return None
