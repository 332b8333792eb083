"""Data Package descriptors (Frictionless, version 1 and 2)."""

from typing import Any

from django.utils.translation import gettext as _

from catalog.interchange import values
from catalog.interchange.draft import Draft, names_of
from catalog.interchange.parsed import Parsed, RecordError


def from_datapackage(payload: Any, record: int = 0) -> Parsed:
    if not isinstance(payload, dict) or not payload:
        raise RecordError("not_an_object", _("数据包描述不是对象。"))
    draft = Draft(payload, "datapackage")
    draft.take("profile", "$schema")
    name = draft.take("name")
    draft.put("source_identifier", draft.take("id") or name)
    if not values.text(payload.get("title")) and name:
        draft.put("title", name)
        draft.gap("/title", "name_as_title", values.text(name))
    draft.put("title", draft.take("title"))
    draft.put("description", draft.take("description"))
    draft.put("keywords", draft.take("keywords"))
    draft.address("landing_page", draft.take("homepage"))
    draft.put("issued", draft.take("created"))
    draft.put("modified", draft.take("last_updated", "updated", "modified"))
    draft.license(draft.take("licenses", "license"))
    draft.put("record_count", draft.take("count_of_rows"))
    draft.put("byte_size", draft.take("bytes"))
    _people(draft)
    resources = draft.take("resources")
    if not isinstance(resources, list):
        resources = []
        draft.gap("/resources", "missing")
    for item in resources:
        _resource(draft, item)
    if not draft.document.get("title"):
        raise RecordError("no_title", _("数据包没有 title，也没有 name；见到的属性：%(names)s。") % {"names": names_of(payload)}, "/title")
    return draft.finish(record)


def _people(draft):
    people = draft.take("contributors", "author", "maintainers", "publisher")
    people = people if isinstance(people, list) else [people] if people else []
    people = [{"title": person} if isinstance(person, str) else person for person in people if isinstance(person, dict | str)]

    def rank(person):
        roles = [values.text(person.get("role")).lower(), *map(str.lower, values.texts(person.get("roles")))]
        return min(
            ["publisher", "author", "maintainer", "contributor", ""].index(role) if role in ("publisher", "author", "maintainer") else 4
            for role in roles
        )

    ordered = sorted(people, key=rank)
    if ordered:
        draft.publisher(values.text(ordered[0].get("organization")) or ordered[0], email=ordered[0].get("email"), url=ordered[0].get("path"))
        draft.put("contact_name", ordered[0].get("title") or ordered[0].get("name"))
        draft.email(next((person["email"] for person in ordered if person.get("email")), None))
        draft.keep("contributors", people)
    sources = draft.take("sources")
    if not draft.organization and isinstance(sources, list) and sources:
        draft.publisher(sources[0] if isinstance(sources[0], dict | str) else None)
    draft.keep("sources", sources)


def _resource(draft, item):
    if not isinstance(item, dict):
        draft.keep("resources", item)
        return
    part = Draft(item, "")
    path = part.take("path", "url")
    schema = item.get("schema")
    columns = part.take("schema").get("fields") if isinstance(schema, dict) else None
    part.take("profile")
    checksum = values.text(item.get("hash"))
    if checksum.startswith("sha256:"):
        part.take("hash")
    address = values.text(path)
    draft.resource(
        name=part.take("title") or item.get("name") or address,
        description=part.take("description"),
        format=part.take("format") or (address.rsplit(".", 1)[-1] if "." in address[-6:] else None),
        media_type=part.take("mediatype"),
        encoding=part.take("encoding"),
        byte_size=part.take("bytes"),
        sha256=checksum if checksum.startswith("sha256:") else None,
        download_url=address,
        columns=columns if isinstance(columns, list) else None,
        unmapped={name: value for name, value in part.left.items() if name != "data"},
    )
