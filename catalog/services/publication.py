"""The one door through which a changed dataset reaches the index and the other apps."""

from collections.abc import Mapping, Sequence

from django.db import models
from django.utils import timezone

from catalog import rows
from catalog.listing import digest, to_document
from catalog.models import Dataset
from catalog.search import index_datasets
from catalog.signals import datasets_changed


def announce(datasets: Sequence[Dataset], *, bump: bool = True, documents: Mapping[int, dict] | None = None) -> None:
    """Inside the transaction that changed them: count the change, update the search index, tell receivers.

    `bump` raises the owner's rev where the listing document or its status changed; a change that only this portal
    made (a decision, a counter) leaves rev alone. `documents`: see tell().
    """
    now, known = timezone.now(), documents or {}
    for dataset in datasets:
        dataset.serial += 1
        dataset.updated_at = now
        if bump and not dataset.is_remote:
            dataset.rev += 1
            dataset.document_hash = digest(known.get(dataset.pk) or to_document(dataset))
    rows.overwrite(Dataset, datasets, ["serial", "rev", "document_hash", "updated_at"])
    tell(datasets, documents)


def count_change(dataset: Dataset, document: dict | None = None) -> None:
    """What announce counts, on the object alone: for batches that write serial, rev and document_hash with the other columns."""
    dataset.serial += 1
    dataset.rev += 1
    dataset.document_hash = digest(document or to_document(dataset))


def tell(datasets: Sequence[Dataset], documents: Mapping[int, dict] | None = None) -> None:
    """Index and signal for datasets whose change was counted (count_change) and saved, in the same transaction.

    `documents` are the listing documents by primary key, of datasets that were made or locked and read in this transaction:
    receivers then need not read them again.
    """
    index_datasets(datasets)
    datasets_changed.send(sender=Dataset, datasets=list(datasets), documents=documents or {})


def touch_counter(dataset_pk: int, name: str, by: int = 1) -> None:
    """Add to a usage counter without a new revision."""
    Dataset.objects.filter(pk=dataset_pk).update(**{name: models.F(name) + by})
