"""What a source says again of a listing: which values win, and which resource continues which."""

import uuid

from catalog.ids import new_uid
from catalog.listing import FIELDS, RESOURCE_FIELDS
from catalog.models import Dataset, Resource

OWN_EXTRAS = {"source_format", "unmapped"}
EMPTY = {name: Resource._meta.get_field(name).get_default for name in RESOURCE_FIELDS}


def merged(current: dict, incoming: dict, before: set[str]) -> dict:
    """What the source says wins; what it said before and says no more goes; what was only written here stays."""
    result = {name: value for name, value in current.items() if name not in before or name in incoming or name == "extras"}
    result |= {name: value for name, value in incoming.items() if name in FIELDS and name != "extras" and value not in ("", None, [], {}, False)}
    extras = {name: value for name, value in current.get("extras", {}).items() if name not in OWN_EXTRAS} | incoming.get("extras", {})
    if extras:
        result["extras"] = extras
    rows = resource_items(current.get("resources", []), incoming["resources"])
    return result | {"resources": rows}


def resource_items(current: list[dict], incoming: list[dict]) -> list[dict]:
    """The incoming resources, each with the uid of the one it continues: same address and name, same address, same name."""
    left = list(current)
    items: list[dict | None] = [None] * len(incoming)
    for same in (lambda a, b: _address(a) == _address(b) and a.get("name") == b.get("name"), lambda a, b: _address(a) and _address(a) == _address(b)):
        for place, item in enumerate(incoming):
            if items[place] is None and (match := next((row for row in left if same(row, item)), None)):
                left.remove(match)
                items[place] = {"uid": match["uid"]} | item
    for place, item in enumerate(incoming):
        if items[place] is None:
            match = next((row for row in left if row.get("name") == item.get("name")), None)
            if match:
                left.remove(match)
            items[place] = ({"uid": match["uid"]} if match else {"uid": str(new_uid())}) | item
    return [_with_kind(item) for item in items]


def _with_kind(item):
    return item | {"kind": item.get("kind") or Resource.Kind.FILE}


def _address(item: dict) -> str:
    return item.get("download_url") or item.get("access_url") or ""


def resource_rows(dataset: Dataset, items: list[dict], existing: list[Resource]) -> list[Resource]:
    """Unsaved or existing Resource objects that equal these items, in their order."""
    by_uid = {str(row.uid): row for row in existing}
    rows = []
    for position, item in enumerate(items):
        row = by_uid.get(item.get("uid", "")) or Resource(dataset=dataset)
        if item.get("uid"):
            row.uid = uuid.UUID(item["uid"])
        for name in RESOURCE_FIELDS:
            setattr(row, name, item[name] if item.get(name) is not None else EMPTY[name]())
        row.position = position
        rows.append(row)
    return rows
