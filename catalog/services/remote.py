"""Listings of other portals in bulk: what services.datasets.upsert_remote_dataset does for one, in few statements for a page."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog import rows
from catalog.exceptions import NotAllowed
from catalog.ids import parse_urn
from catalog.listing import FIELDS, RESOURCE_FIELDS, SAMPLE_FIELDS
from catalog.models import Dataset, Organization, Resource, Sample
from catalog.services.datasets import GRADE_FIELDS, fill_remote, remote_organization

SET_HERE = ["organization", "rev", "status", "admission", "status_reason", "document_hash", "synced_at", "listed_at", "updated_at"]
WRITTEN = [*FIELDS, *SET_HERE, *GRADE_FIELDS]  # what fill_remote sets of a listing that is known


@dataclass(frozen=True)
class RemoteListing:
    """One verified listing; identifiers are unique within a call."""

    identifier: str
    document: dict
    rev: int
    status: str
    admission: str
    quality: dict | None = None


@transaction.atomic
def upsert_remote_datasets(listings: Sequence[RemoteListing]) -> list[Dataset]:
    """The datasets in the order given; the caller announces them. NotAllowed for an identifier of this portal (I3)."""
    found = {row.identifier: row for row in Dataset.objects.select_for_update().filter(identifier__in=[item.identifier for item in listings])}
    organizations: dict[tuple, Organization] = {}
    fresh, known = [], []
    for item in listings:
        portal_id, uid = parse_urn(item.identifier)
        if portal_id == settings.PORTAL_ID:
            raise NotAllowed(f"{item.identifier} is this portal's own")
        dataset = found.get(item.identifier)
        (fresh if dataset is None else known).append(item)
        dataset = dataset or Dataset(uid=uid, identifier=item.identifier, home_portal=portal_id)
        described = item.document["organization"]
        key = (portal_id, *sorted((name, str(value)) for name, value in described.items()))
        if key not in organizations:
            organizations[key] = remote_organization(described, portal_id)
        dataset.organization = organizations[key]
        fill_remote(dataset, item.document, rev=item.rev, status=item.status, admission=item.admission, quality=item.quality)
        found[item.identifier] = dataset
    rows.insert(Dataset, [found[item.identifier] for item in fresh])
    now = timezone.now()
    for item in known:
        found[item.identifier].updated_at = now
    rows.overwrite(Dataset, [found[item.identifier] for item in known], WRITTEN)
    _write_files([(found[item.identifier], item.document) for item in listings], [found[item.identifier].pk for item in known])
    return [found[item.identifier] for item in listings]


def _write_files(pairs: list[tuple[Dataset, dict]], known: list[int]) -> None:
    """Bring resources and sample manifests in line with the documents, keeping rows whose uid stays; `known` datasets may have some."""
    _replace_all(Resource, [(dataset, document.get("resources") or []) for dataset, document in pairs], known, RESOURCE_FIELDS, {})
    _replace_all(
        Sample, [(dataset, document.get("samples") or []) for dataset, document in pairs], known, SAMPLE_FIELDS, {"state": Sample.State.READY}
    )


def _replace_all(model, pairs, known, names, fixed) -> None:
    existing = {(row.dataset_id, str(row.uid)): row for row in model.objects.filter(dataset__in=known)} if known else {}
    defaults = {name: model._meta.get_field(name).get_default for name in names}
    kept, fresh = [], []
    for dataset, items in pairs:
        for position, item in enumerate(items):
            row = existing.pop((dataset.pk, item.get("uid", "")), None)
            (kept if row else fresh).append(row := row or _new(model, dataset, item))
            for name in names:
                setattr(row, name, item[name] if item.get(name) is not None else defaults[name]())
            for name, value in fixed.items():
                setattr(row, name, value)
            row.position = position
    model.objects.filter(pk__in=[row.pk for row in existing.values()]).delete()
    rows.overwrite(model, kept, [*names, *fixed, "position"])
    rows.insert(model, fresh)


def _new(model, dataset, item):
    return model(dataset=dataset, uid=uuid.UUID(item["uid"])) if item.get("uid") else model(dataset=dataset)
