"""Versions: immutable snapshots with change note, responsible person and time (R74, R75, R87)."""

from collections.abc import Sequence

from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone

from catalog import rows
from catalog.listing import digest, to_document
from catalog.models import Dataset, User, Version


def record_version(dataset: Dataset, *, change_note: str, user: User | None, responsible: str = "", label: str = "") -> Version:
    """Snapshot the dataset as it stands. An unchanged document gives the current version again, not a twin."""
    document = to_document(dataset)
    sha256 = digest(document)
    current = dataset.current_version
    if current and current.sha256 == sha256:
        return current
    number = (dataset.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = Version.objects.create(
        dataset=dataset,
        number=number,
        label=label,
        change_note=change_note,
        responsible=responsible or (str(user) if user else "system"),
        responsible_user=user,
        recorded_at=timezone.now(),
        document=document,
        sha256=sha256,
    )
    dataset.current_version = version
    dataset.save(update_fields=["current_version"])
    return version


def record_versions(datasets: Sequence[Dataset], documents: Sequence[dict], *, change_note: str, user: User | None, responsible: str = "") -> None:
    """One new version each, for datasets known to have changed; `documents` are their listing documents in the same order,
    and their document_hash is counted already."""
    last = dict(Version.objects.filter(dataset__in=datasets).values_list("dataset").annotate(last=Max("number")).order_by())
    now, responsible = timezone.now(), responsible or (str(user) if user else "system")
    found = []
    for dataset, document in zip(datasets, documents, strict=True):
        row = Version(dataset=dataset, number=last.get(dataset.pk, 0) + 1, change_note=change_note, responsible=responsible)
        row.responsible_user, row.recorded_at, row.document, row.sha256 = user, now, document, dataset.document_hash
        found.append(row)
    rows.insert(Version, found)
    newest = Version.objects.filter(dataset=OuterRef("pk")).order_by("-number").values("pk")[:1]
    Dataset.objects.filter(pk__in=[dataset.pk for dataset in datasets]).update(current_version=Subquery(newest))
    for row in found:
        row.dataset.current_version = row


def compare_documents(old: dict, new: dict) -> list[dict]:
    """Differences field by field: [{"field", "old", "new"}] in the order of the document's keys."""
    names = list(dict.fromkeys([*old, *new]))
    return [{"field": name, "old": old.get(name), "new": new.get(name)} for name in names if old.get(name) != new.get(name)]
