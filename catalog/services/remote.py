"""Listings of other portals in bulk: what services.datasets.upsert_remote_dataset does for one, in few statements for a page."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from catalog.exceptions import NotAllowed
from catalog.ids import parse_urn
from catalog.listing import RESOURCE_FIELDS, SAMPLE_FIELDS
from catalog.models import Dataset, Organization, Resource, Sample
from catalog.services.datasets import fill_remote, remote_organization, replace_files


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
    Dataset.objects.bulk_create([found[item.identifier] for item in fresh], batch_size=100)
    _create_files([(found[item.identifier], item.document) for item in fresh])
    for item in known:
        found[item.identifier].save()
        replace_files(found[item.identifier], item.document)
    return [found[item.identifier] for item in listings]


def _create_files(pairs) -> None:
    resources = [_row(Resource, RESOURCE_FIELDS, *entry) for dataset, document in pairs for entry in _entries(dataset, document.get("resources"))]
    samples = [_row(Sample, SAMPLE_FIELDS, *entry) for dataset, document in pairs for entry in _entries(dataset, document.get("samples"))]
    for sample in samples:
        sample.state = Sample.State.READY
    Resource.objects.bulk_create(resources, batch_size=200)
    Sample.objects.bulk_create(samples, batch_size=200)


def _entries(dataset, items):
    return [(dataset, position, item) for position, item in enumerate(items or [])]


def _row(model, names, dataset, position, item):
    values = {name: item[name] for name in names if item.get(name) is not None}
    if item.get("uid"):
        values["uid"] = uuid.UUID(item["uid"])
    return model(dataset=dataset, position=position, **values)
