"""Versions: immutable snapshots with change note, responsible person and time (R74, R75, R87)."""

from django.db.models import Max
from django.utils import timezone

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


def compare_documents(old: dict, new: dict) -> list[dict]:
    """Differences field by field: [{"field", "old", "new"}] in the order of the document's keys."""
    names = list(dict.fromkeys([*old, *new]))
    return [{"field": name, "old": old.get(name), "new": new.get(name)} for name in names if old.get(name) != new.get(name)]
