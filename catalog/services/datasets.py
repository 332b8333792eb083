"""What other apps do to a dataset: publish a grade, store a remote listing, project a national decision, erase."""

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog import rows
from catalog.exceptions import NotAllowed
from catalog.ids import parse_urn
from catalog.listing import RESOURCE_FIELDS, SAMPLE_FIELDS, assign, digest, to_document
from catalog.models import Dataset, Organization, Resource, Sample
from catalog.services import audit
from catalog.services.publication import announce
from catalog.signals import dataset_purged

GRADE_FIELDS = ["grade", "score", "assurance", "graded_at", "grade_source", "documentation_score"]


class Grade(NamedTuple):
    """What is published of an evaluation. `score` is 0–100 with two decimals; grade "" = not evaluated."""

    grade: str
    score: Decimal | None
    assurance: str
    documentation_score: int
    source: str = Dataset.GradeSource.OWN


@transaction.atomic
def publish_grade(
    dataset: Dataset, *, grade: str, score: Decimal | None, assurance: str, documentation_score: int, source: str = Dataset.GradeSource.OWN
) -> Dataset:
    """Make a grade visible, searchable and federated; the object given takes over what was written."""
    (row,) = publish_grades({dataset.pk: Grade(grade, score, assurance, documentation_score, source)})
    for name in (*GRADE_FIELDS, "serial", "rev", "document_hash", "updated_at"):
        setattr(dataset, name, getattr(row, name))
    return dataset


@transaction.atomic
def publish_grades(grades: Mapping[int, Grade]) -> list[Dataset]:
    """Grades by primary key. The rows are locked and read again: what changed while an evaluation ran is not written back."""
    found = Dataset.objects.select_for_update(of=("self",)).filter(pk__in=grades).select_related("organization")
    datasets, entries, now = list(found.prefetch_related("resources", "samples")), [], timezone.now()
    for dataset in datasets:
        before = _shown_grade(dataset)
        given = grades[dataset.pk]
        dataset.grade, dataset.score, dataset.assurance = given.grade, given.score, given.assurance
        dataset.documentation_score, dataset.grade_source = given.documentation_score, given.source if given.grade else ""
        dataset.graded_at = now
        if before != _shown_grade(dataset):
            entries.append(("dataset.graded", dataset, {"before": before, "after": _shown_grade(dataset)}))
    rows.overwrite(Dataset, datasets, GRADE_FIELDS)
    if entries:
        changed = [dataset for _action, dataset, _data in entries]
        audit.append_many(entries, label="quality")
        announce(changed, documents={dataset.pk: to_document(dataset) for dataset in changed})
    return datasets


def _shown_grade(dataset: Dataset) -> list[str]:
    return [dataset.grade, str(dataset.score), dataset.assurance, dataset.grade_source]


def remote_organization(fields: dict, portal_id: str) -> Organization:
    """The provider of a remote listing, kept under its portal; an organisation here is never overwritten by one there."""
    values = {name: fields.get(name, "") for name in ("name", "kind", "region", "short_name", "credit_code")}
    values["kind"] = values["kind"] or Organization.Kind.ENTERPRISE
    organization = Organization.objects.filter(home_portal=portal_id, uid=fields["uid"]).first()
    if organization is None:
        organization = Organization.objects.filter(home_portal=portal_id, name=values["name"]).first()
    if organization is None:
        return Organization.objects.create(home_portal=portal_id, uid=fields["uid"], **values)
    changed = [name for name, value in values.items() if getattr(organization, name) != value]
    if changed:
        for name in changed:
            setattr(organization, name, values[name])
        organization.save(update_fields=changed)
    return organization


def upsert_remote_dataset(document: dict, *, identifier: str, rev: int, status: str, admission: str, quality: dict | None = None) -> Dataset:
    """Store what a portal says of its own dataset; the caller holds the transaction and has checked the signature.

    `status` is the owner's (listed, suspended, delisted); `admission` what this portal decided. NotAllowed when the
    identifier is one of our own: only the owner changes a record (I3).
    """
    portal_id, uid = parse_urn(identifier)
    if portal_id == settings.PORTAL_ID:
        raise NotAllowed(f"{identifier} is this portal's own")
    dataset = Dataset.objects.select_for_update().filter(identifier=identifier).first()
    dataset = dataset or Dataset(uid=uid, identifier=identifier, home_portal=portal_id)
    dataset.organization = remote_organization(document["organization"], portal_id)
    fill_remote(dataset, document, rev=rev, status=status, admission=admission, quality=quality)
    dataset.save()
    replace_files(dataset, document)
    return dataset


def fill_remote(dataset: Dataset, document: dict, *, rev: int, status: str, admission: str, quality: dict | None) -> None:
    """Set what a remote listing brings; saves nothing. A national grade is not overwritten by the home portal's."""
    assign(dataset, document)
    dataset.rev, dataset.status, dataset.admission, dataset.status_reason = rev, status, admission, ""
    dataset.document_hash, dataset.synced_at = digest(document), timezone.now()
    if status == Dataset.Status.LISTED and dataset.listed_at is None:
        dataset.listed_at = timezone.now()
    if quality and dataset.grade_source != Dataset.GradeSource.NATIONAL:
        dataset.grade, dataset.assurance = quality.get("grade", ""), quality.get("assurance", "")
        dataset.score = Decimal(quality["score"]) if quality.get("score") else None
        dataset.documentation_score = quality.get("documentation_score", 0)
        dataset.grade_source = Dataset.GradeSource.HOME if dataset.grade else Dataset.GradeSource.NONE


def replace_files(dataset: Dataset, document: dict) -> None:
    """Bring resources and sample manifests in line with the document, keeping rows whose uid stays."""
    _replace(dataset, Resource, document.get("resources", []), RESOURCE_FIELDS, {})
    if dataset.is_remote:
        _replace(dataset, Sample, document.get("samples", []), SAMPLE_FIELDS, {"state": Sample.State.READY})


def _replace(dataset, model, items, names, fixed):
    existing = {str(row.uid): row for row in model.objects.filter(dataset=dataset)}
    for position, item in enumerate(items):
        row = existing.pop(item.get("uid", ""), None) or model(dataset=dataset, uid=uuid.UUID(item["uid"]) if item.get("uid") else None)
        row.uid = row.uid or model._meta.get_field("uid").get_default()
        for name in names:
            setattr(row, name, item[name] if item.get(name) is not None else model._meta.get_field(name).get_default())
        for name, value in fixed.items():
            setattr(row, name, value)
        row.position = position
        row.save()
    model.objects.filter(pk__in=[row.pk for row in existing.values()]).delete()


@transaction.atomic
def project_admission(dataset: Dataset, *, admission: str, reason: str = "", label: str = "cn") -> Dataset:
    """Show the national portal's latest decision on a dataset, here or at its home. The listing itself stays untouched."""
    before = dataset.admission
    dataset.admission, dataset.admission_reason = admission, reason
    dataset.save(update_fields=["admission", "admission_reason"])
    audit.append("dataset.admission", dataset, label=label, before=before, after=admission, reason=reason)
    announce([dataset], bump=False)
    return dataset


@transaction.atomic
def purge_dataset(dataset: Dataset, *, actor, legal_basis: str) -> None:
    """Legal erasure: every copy, sample, index row and version goes; the audit keeps the identifier and the basis."""
    audit.append("dataset.purged", dataset, actor=actor, legal_basis=legal_basis)
    for sample in dataset.samples.all():
        if sample.file:
            storage, name = sample.file.storage, sample.file.name
            transaction.on_commit(lambda storage=storage, name=name: storage.delete(name))
    dataset_purged.send(sender=Dataset, dataset=dataset)
    dataset.status = Dataset.Status.DELISTED
    announce([dataset], bump=False)
    Dataset.objects.filter(pk=dataset.pk).update(current_version=None)
    dataset.delete()
