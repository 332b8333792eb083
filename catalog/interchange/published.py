"""Published datasets as plain values, for every export: read in batches by key, so that a slow reader holds no transaction.

An Entry is the listing document, as far as it is disclosed, with what the portal keeps beside it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings
from django.db.models import JSONField, TextField
from django.db.models.functions import Cast

from catalog.interchange.disclosure import disclosed
from catalog.listing import FIELDS, RESOURCE_FIELDS, SAMPLE_FIELDS, SCHEMA
from catalog.models import Dataset, Resource, Sample

BATCH = 1000
EMPTY = frozenset(("[]", "{}", "", "null", None, False))
META = ["pk", "uid", "identifier", "home_portal", "grade", "score", "assurance", "listed_at", "updated_at", "current_version__number"]
ORGANIZATION = ["uid", "name", "kind", "credit_code", "region", "short_name"]
_json = {name for name in FIELDS if isinstance(Dataset._meta.get_field(name), JSONField)}
PLAIN = [name for name in FIELDS if name not in _json]
JSON = [name for name in FIELDS if name in _json]


@dataclass(slots=True)
class Entry:
    uid: str
    identifier: str
    portal: str
    grade: str
    score: Decimal | None
    assurance: str
    listed_at: datetime | None
    updated_at: datetime
    version: int | None
    document: dict[str, Any]

    @property
    def url(self) -> str:
        return f"{base_url()}/datasets/{self.uid}/"


def base_url() -> str:
    return settings.PORTAL_BASE_URL.rstrip("/")


def published_rows():
    return Dataset.objects.published()


def entries(rows=None, *, with_files: bool = True) -> Iterator[Entry]:
    """Every published dataset in the order of its key; or those of `rows`."""
    rows = published_rows() if rows is None else rows
    raw = {f"raw_{name}": Cast(name, TextField()) for name in JSON}  # decoded here, and only where there is something
    names = [*META, *(f"organization__{name}" for name in ORGANIZATION), *PLAIN, *raw]
    rows = rows.annotate(**raw).order_by("pk").values_list(*names)
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        files = _files(batch[0][0], batch[-1][0]) if with_files else None
        for row in batch:
            yield _entry(row, files)
        last = batch[-1][0]


def _entry(row, files) -> Entry:
    meta, rest = row[: len(META)], row[len(META) :]
    organization = {name: value for name, value in zip(ORGANIZATION, rest, strict=False) if value}
    organization["uid"] = str(organization["uid"])
    rest = rest[len(ORGANIZATION) :]
    document = {"schema": SCHEMA, "organization": organization}
    for name, value in zip(PLAIN, rest, strict=False):
        if value is not None and value != "" and value is not False:
            document[name] = value.isoformat() if hasattr(value, "isoformat") else value
    for name, text in zip(JSON, rest[len(PLAIN) :], strict=True):
        if text not in EMPTY:
            document[name] = orjson.loads(text)
    if files is not None:
        document["resources"], document["samples"] = files["resources"][meta[0]], files["samples"][meta[0]]
    document = disclosed(document, document.get("security_level", "general"))
    return Entry(str(meta[1]), *meta[2:], document=document)


def _files(first, last):
    span = {"dataset_id__gte": first, "dataset_id__lte": last}
    ready = Sample.objects.filter(state=Sample.State.READY, **span)
    return {"resources": _grouped(Resource.objects.filter(**span), RESOURCE_FIELDS), "samples": _grouped(ready, SAMPLE_FIELDS)}


def _grouped(rows, names):
    groups, decoded = defaultdict(list), [name for name in names if name in ("columns", "profile")]
    plain = [name for name in names if name not in decoded]
    rows = rows.annotate(**{f"raw_{name}": Cast(name, TextField()) for name in decoded}).order_by("dataset_id", "position", "id")
    for dataset, uid, *values in rows.values_list("dataset_id", "uid", *plain, *(f"raw_{name}" for name in decoded)):
        filled = {name: value for name, value in zip(plain, values, strict=False) if value}
        filled |= {name: orjson.loads(text) for name, text in zip(decoded, values[len(plain) :], strict=True) if text not in EMPTY}
        groups[dataset].append({"uid": str(uid)} | filled)
    return groups
