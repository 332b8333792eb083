"""Croissant 0.8, 1.0 and 1.1, with the ways of Hugging Face, Kaggle and Dataverse; schema.org Dataset as well."""

from typing import Any

from django.utils.translation import gettext as _

from catalog.interchange import codes, values
from catalog.interchange.draft import Draft, names_of
from catalog.interchange.parsed import Parsed, RecordError

PREFIXES = ("sc:", "schema:", "cr:", "ml:", "croissant:", "dct:", "https://schema.org/", "http://schema.org/", "http://mlcommons.org/croissant/")
NOT_MAPPED = {"@context", "@language", "conformsTo", "@graph"}
PLAIN = {
    "title": ("name", "headline", "alternateName"),
    "description": ("description", "abstract"),
    "keywords": ("keywords",),
    "issued": ("datePublished", "dateCreated"),
    "modified": ("dateModified",),
    "citation": ("citeAs", "citation"),
    "collection_channel": (),
    "standards": (),
}


def bare(name: str) -> str:
    """A term without its prefix or namespace."""
    return next((name[len(prefix) :] for prefix in PREFIXES if name.startswith(prefix)), name)


def types(payload: dict) -> set[str]:
    found = payload.get("@type") or payload.get("type")
    return {bare(str(item)) for item in (found if isinstance(found, list) else [found]) if item}


def from_croissant(payload: Any, record: int = 0) -> Parsed:
    if not isinstance(payload, dict):
        raise RecordError("not_an_object", _("记录不是对象，而是 %(value)s。") % {"value": repr(payload)[:80]})
    if "Dataset" not in types(payload):
        said = "、".join(sorted(types(payload))) or "—"
        message = _("@type 是 %(type)s，不是 Dataset；见到的属性：%(names)s。") % {"type": said[:80], "names": names_of(payload)}
        raise RecordError("not_a_dataset", message, "/@type")
    draft = Draft({bare(name): value for name, value in payload.items() if name not in NOT_MAPPED}, "croissant")
    draft.left.pop("@type", None)
    for name, keys in PLAIN.items():
        if keys:
            draft.put(name, draft.take(*keys), key=keys[0])
    address = draft.take("url")
    identifier = draft.take("identifier", "@id")
    draft.put("source_identifier", identifier or address)
    if isinstance(identifier, list | dict) and len(identifier) > 1:
        draft.keep("identifier", identifier)
    draft.address("landing_page", address)
    draft.put("languages", [codes.code("languages", word) or word for word in values.texts(draft.take("inLanguage"))])
    draft.license(draft.take("license"))
    _people(draft)
    draft.temporal(draft.take("temporalCoverage"))
    draft.spatial(draft.take("spatialCoverage"))
    free = draft.take("isAccessibleForFree")
    if free is True or values.text(free).lower() == "true":
        draft.document.setdefault("openness", "open")
    _files(draft)
    return draft.finish(record)


def _people(draft):
    creator, publisher = draft.take("creator", "author"), draft.take("publisher")
    # Kaggle and Hugging Face name themselves as publisher or catalogue; who made the data is the creator.
    first = creator if _names(creator) else publisher
    draft.publisher(first)
    if first is creator:
        draft.keep("publisher", publisher)
    if isinstance(creator, list) and len(creator) > 1:
        draft.put("rights_holder", "、".join(_names(creator))[:200])
    for person in creator if isinstance(creator, list) else [creator]:
        if isinstance(person, dict) and values.email(person.get("email")):
            draft.email(person["email"])
            break


def _names(value) -> list[str]:
    found = value if isinstance(value, list) else [value]
    return [name for item in found if (name := values.text(item.get("name") if isinstance(item, dict) else item))]


def _files(draft):
    """FileObjects and FileSets become resources; each record set gives its columns to the file its fields come from."""
    files = draft.take("distribution")
    files = [item for item in (files if isinstance(files, list) else [files]) if isinstance(item, dict)]
    sets = draft.take("recordSet")
    sets = [item for item in (sets if isinstance(sets, list) else [sets]) if isinstance(item, dict)]
    columns = _columns(sets)
    kinds: set[str] = set()
    for item in files:
        part = Draft({bare(name): value for name, value in item.items()}, "")
        key = values.text(item.get("@id") or item.get("name"))
        name = part.take("name") or part.left.get("@id")
        part.left.pop("@id", None)
        kind = types(item)
        part.take("@type")
        draft.resource(
            name=name,
            description=part.take("description"),
            format=part.take("encodingFormat", "encodingFormats"),
            byte_size=part.take("contentSize", "fileSize"),
            sha256=part.take("sha256"),
            download_url=part.take("contentUrl", "url") if not _is_repository(item) else None,
            access_url=part.take("contentUrl", "url") if _is_repository(item) else None,
            columns=columns.pop(key, None),
            unmapped=part.left | ({"@type": sorted(kind)} if kind - {"FileObject", "DataDownload"} else {}),
        )
    for item in sets:
        for field in _fields(item):
            kinds |= {
                found for word in values.texts(field.get("dataType") or field.get("cr:dataType")) if (found := codes.code("modalities", bare(word)))
            }
    if kinds and not draft.document.get("modalities"):
        draft.document["modalities"] = sorted(kinds)
    if columns:
        draft.keep("recordSet", [{"name": name, "columns": found} for name, found in columns.items()])


def _is_repository(item) -> bool:
    return "git" in values.text(item.get("encodingFormat"))


def _fields(record_set) -> list[dict]:
    found = record_set.get("field") or record_set.get("cr:field") or record_set.get("ml:field") or []
    return [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, dict)]


def _columns(sets) -> dict[str, list]:
    columns: dict[str, list] = {}
    for item in sets:
        fallback = values.text(item.get("@id") or item.get("name"))
        for field in _fields(item):
            source = field.get("source") or field.get("ml:source")
            target = _target(source) or fallback
            columns.setdefault(target, []).append({**field, "name": values.text(field.get("name") or field.get("@id"))})
    return columns


def _target(source) -> str:
    """The file a field comes from: {"fileObject": {"@id": …}} since 1.0, "#{file/column}" before."""
    if isinstance(source, str):
        return source.strip("#{}").split("/")[0]
    if isinstance(source, dict):
        for key in ("fileObject", "fileSet", "distribution", "cr:fileObject", "cr:fileSet"):
            if found := source.get(key):
                return values.text(found.get("@id") if isinstance(found, dict) else found).strip("#{}").split("/")[0]
        return values.text(source.get("data") if isinstance(source.get("data"), str) else "").strip("#{}").split("/")[0]
    return ""
