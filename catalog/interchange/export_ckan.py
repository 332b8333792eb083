"""A published dataset as a CKAN package dict, for clients and harvesters that read CKAN's action API."""

from datetime import UTC

import orjson

from catalog.interchange.export_dcat import is_address
from catalog.interchange.published import Entry
from catalog.labels import term_label
from catalog.listing import FIELDS

# Listing fields that a key of CKAN's own carries; the rest goes into extras under its own name.
CARRIED = set("title description summary keywords contact_name contact_email landing_page license license_type license_url sectors".split())


def package(entry: Entry) -> dict:
    document, organization = entry.document, entry.document["organization"]
    words = [str(word) for word in document.get("keywords", [])]
    resources = [_resource(entry, item, at) for at, item in enumerate(document.get("resources", []))]
    created = (entry.listed_at or entry.updated_at).astimezone(UTC)
    return {
        "id": entry.uid,
        "name": entry.uid,
        "title": document["title"],
        "notes": document.get("description") or document.get("summary") or "",
        "url": document["landing_page"] if is_address(document.get("landing_page")) else entry.url,
        "type": "dataset",
        "state": "active",
        "private": False,
        "isopen": document.get("openness") == "open",
        "version": str(entry.version or ""),
        "metadata_created": created.strftime("%Y-%m-%dT%H:%M:%S.%f"),
        "metadata_modified": entry.updated_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f"),
        "license_id": document.get("license_type", ""),
        "license_title": document.get("license", ""),
        "license_url": document.get("license_url", ""),
        "maintainer": document.get("contact_name", ""),
        "maintainer_email": document.get("contact_email", ""),
        "owner_org": organization["uid"],
        "organization": organization_dict(organization["uid"], organization["name"]),
        "groups": [_group(code) for code in document.get("sectors", [])],
        "tags": [{"name": word, "display_name": word, "state": "active"} for word in words],
        "num_tags": len(words),
        "resources": resources,
        "num_resources": len(resources),
        "extras": _extras(entry),
    }


def organization_dict(uid: str, name: str) -> dict:
    return {"id": uid, "name": uid, "title": name, "display_name": name, "type": "organization", "is_organization": True, "state": "active"}


def _group(code: str) -> dict:
    label = term_label("sector", code)
    return {"id": code, "name": code, "title": label, "display_name": label}


def _resource(entry: Entry, item: dict, position: int) -> dict:
    address = next((item[key] for key in ("download_url", "access_url") if is_address(item.get(key))), entry.url)
    return {
        "id": item["uid"],
        "package_id": entry.uid,
        "position": position,
        "name": item["name"],
        "description": item.get("description", ""),
        "format": item.get("format", ""),
        "mimetype": item.get("media_type") or None,
        "size": item.get("byte_size") or None,
        "hash": item.get("sha256", ""),
        "url": address,
        "state": "active",
    }


def _extras(entry: Entry) -> list[dict]:
    """CKAN's extras are texts; lists and objects go in as JSON, as CKAN's own harvesters write them."""
    own = {"identifier": entry.identifier, "home_portal": entry.portal, "grade": entry.grade, "assurance": entry.assurance}
    own["score"] = None if entry.score is None else str(entry.score)
    rest = {name: entry.document.get(name) for name in FIELDS if name not in CARRIED}
    filled = {name: value for name, value in (own | rest).items() if value not in (None, "", [], {})}
    return [{"key": name, "value": value if isinstance(value, str) else orjson.dumps(value).decode()} for name, value in filled.items()]
