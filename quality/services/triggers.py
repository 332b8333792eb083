"""Why a dataset is evaluated again. Every reason goes through `ask`; reasons within the debounce become one run."""

from datetime import timedelta

from django.conf import settings

from catalog.jobs import enqueue
from catalog.models import Dataset

EVALUATE = "quality.evaluate"


def ask(dataset: Dataset, reason: str, *, at_once: bool = False) -> None:
    """Let the dataset be evaluated again, whatever its document says: one open run a dataset, after the debounce unless `at_once`.

    Reasons: version, metadata, sample, drift, scheme, expiry, complaints, security, spot_check, appeal, opinions, request.
    """
    enqueue(EVALUATE, {"dataset": dataset.pk, "again": True, "reason": reason}, key=f"{EVALUATE}:{dataset.pk}",
            delay=timedelta(0) if at_once else debounce())  # fmt: skip


def debounce() -> timedelta:
    """How long an evaluation waits for further changes of the same dataset."""
    return timedelta(seconds=getattr(settings, "PORTAL_EVALUATION_DELAY", 0))
