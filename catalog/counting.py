"""Page views, gathered in memory and written after a response has left, so that no reader waits for the database."""

import threading
import time

from django.core.signals import request_finished
from django.db import DatabaseError

from catalog.services.publication import touch_counter

SECONDS = 10
_lock, _pending, _written = threading.Lock(), {}, [0.0]


def count_view(dataset_pk: int) -> None:
    with _lock:
        _pending[dataset_pk] = _pending.get(dataset_pk, 0) + 1


def write_views(*, force: bool = False, **kwargs) -> None:
    """Add what was gathered to Dataset.view_count, at most every ten seconds; a busy database loses a few views, not the page."""
    with _lock:
        if not _pending or not (force or time.monotonic() - _written[0] > SECONDS):
            return
        batch = dict(_pending)
        _pending.clear()
        _written[0] = time.monotonic()
    try:
        for pk, number in batch.items():
            touch_counter(pk, "view_count", number)
    except DatabaseError:
        return


request_finished.connect(write_views)
