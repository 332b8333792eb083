"""CKAN package dicts (package_show, package_search, lists, HDX and DCAT extensions) and the udata export."""

from typing import Any

import orjson
from django.utils.translation import gettext as _

from catalog.interchange import codes, values
from catalog.interchange.draft import Draft
from catalog.interchange.parsed import Parsed, RecordError

# Extras and flat fields of ckanext-dcat and friends to listing fields.
PLAIN = {
    "title": ("title_translated", "title"),
    "description": ("notes_translated", "notes", "description"),
    "contact_name": ("contact_name", "maintainer", "author"),
    "contact_phone": ("contact_phone", "maintainer_phone"),
    "update_frequency": (
        "data_update_frequency",
        "frequency",
        "accrual_periodicity",
        "accrualPeriodicity",
        "update_frequency",
        "frequency-of-update",
    ),
    "issued": ("issued", "metadata_created", "created_at", "created", "date_released", "dcat_issued"),
    "modified": ("modified", "last_modified", "metadata_modified", "last_update", "date_updated", "dcat_modified"),
    "openness": ("access_level", "accessLevel", "access_rights"),
    "standards": ("conforms_to",),
}
NOT_MAPPED = (
    "state",
    "num_tags",
    "num_resources",
    "revision_id",
    "relationships_as_object",
    "relationships_as_subject",
    "metrics",
    "quality",
    "badges",
)


def from_ckan(payload: Any, record: int = 0, *, form: str = "ckan") -> Parsed:
    if not isinstance(payload, dict):
        raise RecordError("not_an_object", _("记录不是对象，而是 %(value)s。") % {"value": repr(payload)[:80]})
    if not payload:
        raise RecordError("empty", _("空记录，没有任何属性。"))
    if {"resource_type", "url_type"} & payload.keys() and not {"notes", "owner_org", "resources", "title"} & payload.keys():
        raise RecordError("not_a_dataset", _("这是资源（文件）的记录，不是数据集。"))
    draft = Draft({name: value for name, value in payload.items() if name not in NOT_MAPPED}, form)
    _flatten_extras(draft)
    _identity(draft, payload)
    for name, keys in PLAIN.items():
        draft.put(name, draft.take(*keys), key=keys[0])
    draft.email(draft.take("contact_email", "maintainer_email", "author_email"))
    _lists(draft)
    _publisher(draft)
    if values.web_address(page := draft.take("url", "landing_page", "page", "uri")):
        draft.address("landing_page", page)
    else:
        draft.keep("url", page)
    draft.license(draft.take("license_title"), draft.take("license_id"), draft.take("license_url"), draft.take("license"))
    if draft.left.get("private") is True:
        raise RecordError("private", _("源门户把它标为私有（private），不导入。"), "/private")
    draft.left.pop("private", None)
    _time(draft)
    for item in draft.take("resources") or []:
        _resource(draft, item)
    return draft.finish(record)


def _flatten_extras(draft):
    extras = draft.left.get("extras")
    if isinstance(extras, list):
        draft.left.pop("extras")
        pairs = [(values.text(item.get("key")), item.get("value")) for item in extras if isinstance(item, dict)]
    elif isinstance(extras, dict):
        draft.left.pop("extras")
        pairs = list(extras.items())
    else:
        return
    for name, value in pairs:
        if name and name not in draft.left:
            draft.left[name] = _json_list(value)
        else:
            draft.keep(name, value)


def _json_list(value):
    """CKAN keeps lists in extras as JSON text."""
    if isinstance(value, str) and value[:1] == "[" and value[-1:] == "]":
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _identity(draft, payload):
    identifier = draft.take("identifier", "guid", "id", "name", "slug")
    draft.put("source_identifier", identifier)
    if not values.text(payload.get("title")) and not payload.get("title_translated") and values.text(payload.get("name")):
        draft.put("title", payload["name"])
        draft.gap("/title", "name_as_title", values.text(payload["name"]))


def _lists(draft):
    tags = draft.take("tags_translated", "tags", "keywords", "keyword", "tag_string")
    if isinstance(tags, list):
        tags = [tag.get("display_name") or tag.get("name") if isinstance(tag, dict) else tag for tag in tags]
    draft.put("keywords", tags)
    draft.put("languages", [codes.code("languages", word) or word for word in values.texts(draft.take("language", "languages"))])
    for name in ("theme", "groups", "category", "topic"):
        value = draft.take(name)
        if isinstance(value, list):
            words = [item.get("title") or item.get("display_name") or item.get("name") if isinstance(item, dict) else item for item in value]
            draft.themes(words, name)
        else:
            draft.themes(value, name)
    for name in ("spatial", "spatial_text", "spatial_coverage"):
        draft.spatial(draft.take(name))


def _publisher(draft):
    email, url = draft.take("publisher_email"), draft.take("publisher_url")
    for value in (
        draft.take("publisher"),
        draft.take("publisher_name"),
        draft.take("organization"),
        draft.take("dataset_source"),
        draft.take("owner"),
    ):
        if isinstance(value, dict) and "first_name" in value:  # udata: a person
            value = " ".join(values.text(value.get(key)) for key in ("first_name", "last_name")).strip()
        if draft.organization and value:
            draft.keep("organization", value)
        draft.publisher(value, email=email, url=url)
    if not draft.organization:
        draft.publisher(draft.document.get("contact_name"))
    contact = draft.take("contact", "contact_points")
    for item in contact if isinstance(contact, list) else [contact] if contact else []:
        if isinstance(item, dict):
            draft.put("contact_name", item.get("name"))
            draft.email(item.get("email"))
        else:
            draft.keep("contact", item)


def _time(draft):
    draft.temporal(draft.take("dataset_date", "temporal_coverage", "temporal"))
    draft.put("temporal_start", draft.take("temporal_start", "temporal_coverage_from"), key="temporal_start")
    draft.put("temporal_end", draft.take("temporal_end", "temporal_coverage_to"), key="temporal_end")


def _resource(draft, item):
    if not isinstance(item, dict):
        draft.keep("resources", item)
        return
    part = Draft(item, "")
    checksum = part.take("checksum", "hash")
    digest = checksum.get("value") if isinstance(checksum, dict) else checksum
    address = part.take("download_url", "url")
    if checksum and len(values.text(digest)) != 64:
        part.left["checksum"] = checksum
    draft.resource(
        name=part.take("name_translated", "name", "title"),
        description=part.take("description_translated", "description"),
        format=part.take("format"),
        media_type=part.take("mimetype", "mime"),
        byte_size=part.take("filesize", "size"),
        sha256=digest,
        access_url=part.take("access_url", "latest"),
        download_url=address,
        columns=part.take("schema", "fields") if isinstance(item.get("schema") or item.get("fields"), list) else None,
        unmapped=part.left,
    )
