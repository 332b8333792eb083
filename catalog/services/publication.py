"""The one door through which a changed dataset reaches the index and the other apps."""

from collections.abc import Sequence

from django.db import models

from catalog.listing import digest, to_document
from catalog.models import Dataset
from catalog.search import index_datasets
from catalog.signals import datasets_changed


def announce(datasets: Sequence[Dataset], *, bump: bool = True) -> None:
    """Inside the transaction that changed them: count the change, update the search index, tell receivers.

    `bump` raises the owner's rev where the listing document or its status changed; a change that only this portal
    made (a decision, a counter) leaves rev alone.
    """
    for dataset in datasets:
        dataset.serial += 1
        if bump and not dataset.is_remote:
            dataset.rev += 1
            dataset.document_hash = digest(to_document(dataset))
    if len(datasets) == 1:
        datasets[0].save(update_fields=["serial", "rev", "document_hash", "updated_at"])
    else:
        Dataset.objects.bulk_update(datasets, ["serial", "rev", "document_hash"], batch_size=300)
    tell(datasets)


def count_change(dataset: Dataset, document: dict | None = None) -> None:
    """What announce counts, on the object alone: for batches that write serial, rev and document_hash with the other columns."""
    dataset.serial += 1
    dataset.rev += 1
    dataset.document_hash = digest(document or to_document(dataset))


def tell(datasets: Sequence[Dataset]) -> None:
    """Index and signal for datasets whose change was counted (count_change) and saved, in the same transaction."""
    index_datasets(datasets)
    datasets_changed.send(sender=Dataset, datasets=list(datasets))


def touch_counter(dataset_pk: int, name: str, by: int = 1) -> None:
    """Add to a usage counter without a new revision."""
    Dataset.objects.filter(pk=dataset_pk).update(**{name: models.F(name) + by})
