"""Search behind one interface (backends/base.py). Services call index_datasets in the record's own transaction."""

from collections.abc import Sequence


def index_datasets(datasets: Sequence) -> None:
    """Write, or remove, the index rows of these datasets through the configured backend."""
    from catalog.search.backends import get_backend

    get_backend().index(datasets)
