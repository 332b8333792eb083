"""How long a grade stands: twelve months, or two update periods where they are shorter (V5). And the sweep of what ran out."""

from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from catalog.models import Dataset
from quality.indicators.declared import PROMISED_DAYS
from quality.models import Evaluation

MONTH = 30.44
LEAST = timedelta(days=31)  # an evaluation of live data does not run out within days
SWEEP = 500


def expires_at(document: dict, content: dict, finished: datetime) -> datetime:
    rule = content["caps"]["V5"]
    span = timedelta(days=round(rule["months"] * MONTH))
    days = PROMISED_DAYS.get(document.get("update_frequency") or "")
    return finished + (min(span, max(LEAST, timedelta(days=days * rule.get("periods", 2)))) if days else span)


def expired():
    """Datasets of this portal on offer whose latest finished run has run out."""
    last = Evaluation.objects.filter(dataset=OuterRef("pk"), state=Evaluation.State.DONE).order_by("-id")
    rows = Dataset.objects.own().filter(status__in=("listed", "public_notice")).annotate(runs_out=Subquery(last.values("expires_at")[:1]))
    return rows.filter(runs_out__lte=timezone.now())


def sweep() -> int:
    """Ask for another run of what has run out; how many."""
    from quality.services import triggers

    waiting = list(expired().exclude(evaluation_requests__closed_at=None, evaluation_requests__isnull=False)[:SWEEP])
    for dataset in waiting:
        triggers.ask(dataset, "expiry", at_once=True)
    return len(waiting)
