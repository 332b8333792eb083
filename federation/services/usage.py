"""Counts by day: how often the datasets of a portal were looked at, downloaded and asked for, and how the national portal learns it.

A day is one document (or 16, or 256, by the first digits of the identifier's bucket) that replaces what was said of that day before:
sent twice, or corrected, it counts once.
"""

import datetime
from collections import Counter

from django.conf import settings
from django.db import transaction
from django.db.models import Count, OuterRef, Subquery, Sum
from django.utils import timezone
from django.utils.dateparse import parse_date

from catalog import rows
from catalog.models import AccessRequest, Dataset, DownloadEvent
from catalog.services import audit
from catalog.services.publication import touch_counter
from federation import feeds
from federation.digests import prefix_of
from federation.models import Change, DailyUsage, Peer
from federation.protocol import Event
from federation.services import outbox
from federation.services.apply import Batch, usage_day
from federation.services.documents import apply_each
from federation.services.records import Unfit

COUNTS = ("views", "downloads", "requests")
COUNTERS = {"views": "view_count", "downloads": "download_count", "requests": "request_count"}
DIGITS = ((1000, 0), (16_000, 1), (10**9, 2))  # up to so many datasets in a day: digits of the bucket that make its parts
MOST = 10**9
CLOSED_AGAIN = 3  # days that are counted anew each night: a download may be written late


@transaction.atomic
def close_day(day: datetime.date) -> int:
    """Count one day that is over, and publish it; how many datasets were used. Counting it again gives the same."""
    own = dict(Dataset.objects.own().filter(listed_at__isnull=False).values_list("pk", "identifier"))
    counts: dict[int, Counter] = {}
    for name, found in (
        ("downloads", DownloadEvent.objects.filter(at__date=day).values_list("sample__dataset_id").annotate(Count("pk")).order_by()),
        ("requests", AccessRequest.objects.filter(created_at__date=day).values_list("dataset_id").annotate(Count("pk")).order_by()),
        ("views", _views_until(day)),
    ):
        for pk, number in found:
            if pk in own and number > 0:
                counts.setdefault(pk, Counter())[name] = number
    days = [DailyUsage(portal=settings.PORTAL_ID, identifier=own[pk], day=day, **counter) for pk, counter in counts.items()]
    rows.insert(DailyUsage, days, conflict=["identifier", "day"], update=list(COUNTS))
    published = _publish(day, days) if settings.PORTAL_ROLE != "national" else 0
    if published:
        audit.append("federation.usage_closed", ("federation.DailyUsage", day.isoformat()), datasets=len(days))
    return len(days)


def _views_until(day: datetime.date):
    """Views are one growing counter a dataset: the day that has just ended has what no earlier day was given; a day counted again keeps
    what it has."""
    if (
        day < timezone.localdate() - datetime.timedelta(days=1)
        or DailyUsage.objects.filter(portal=settings.PORTAL_ID, day__gte=day, views__gt=0).exists()
    ):
        return DailyUsage.objects.filter(portal=settings.PORTAL_ID, day=day).values_list(_dataset_pk(), "views")
    booked = dict(DailyUsage.objects.filter(portal=settings.PORTAL_ID).values_list("identifier").annotate(Sum("views")).order_by())
    seen = Dataset.objects.own().filter(view_count__gt=0).values_list("pk", "identifier", "view_count")
    return [(pk, number - booked.get(identifier, 0)) for pk, identifier, number in seen]


def _dataset_pk():
    return Subquery(Dataset.objects.filter(identifier=OuterRef("identifier")).values("pk")[:1])


def _publish(day: datetime.date, days: list[DailyUsage]) -> int:
    before = list(Change.objects.filter(stream=feeds.USAGE, identifier__startswith=_urn(day, "")).values_list("identifier", flat=True).distinct())
    digits = next(number for limit, number in DIGITS if len(days) <= limit)
    if before:  # a day keeps its parts: a corrected one replaces each of them
        digits = {1: 0, 16: 1}.get(len(before), 2)
    names = [""] if digits == 0 else [f"{number:0{digits}x}" for number in range(16**digits)]
    parts: dict[str, list] = {name: [] for name in (names if days or before else [])}
    for row in sorted(days, key=lambda row: row.identifier):
        parts[prefix_of(row.identifier)[:digits]].append({"id": row.identifier} | {name: getattr(row, name) for name in COUNTS if getattr(row, name)})
    documents = {_urn(day, int(name or "0", 16)): {"day": day.isoformat(), "prefix": name, "datasets": listed} for name, listed in parts.items()}
    return outbox.publish(feeds.USAGE, documents)


def _urn(day: datetime.date, part) -> str:
    return f"urn:usage:{settings.PORTAL_ID}:{day.isoformat()}:{part}"


def close_recent_days() -> int:
    today = timezone.localdate()
    return sum(close_day(today - datetime.timedelta(days=back)) for back in range(CLOSED_AGAIN, 0, -1))


def apply_usage(peer: Peer, events, *, release: bool = False, **options) -> Batch:
    return apply_each(peer, feeds.USAGE, events, _write, **options)


def _write(peer: Peer, event: Event, document: dict) -> None:
    day, prefix, listed = document.get("day"), document.get("prefix", ""), document.get("datasets")
    date = parse_date(day) if isinstance(day, str) else None
    if date is None or usage_day(event.id)[1] != day or not isinstance(listed, list) or not isinstance(prefix, str) or len(prefix) > 2:
        raise Unfit("shape", "day, prefix or datasets do not have their form")
    given = {}
    for position, item in enumerate(listed):
        identifier = _identifier(peer, item, prefix, position)
        given[identifier] = _counts(item, position)
    before = {row.identifier: row for row in DailyUsage.objects.filter(portal=peer.pk, day=date) if prefix_of(row.identifier).startswith(prefix)}
    gone = before.keys() - given.keys()
    DailyUsage.objects.filter(day=date, identifier__in=gone).delete()
    days = [DailyUsage(portal=peer.pk, identifier=identifier, day=date, **counts) for identifier, counts in given.items()]
    rows.insert(DailyUsage, days, conflict=["identifier", "day"], update=list(COUNTS))
    _add_up(given, before)


def _identifier(peer: Peer, item, prefix: str, position: int) -> str:
    identifier = item.get("id") if isinstance(item, dict) else None
    if not isinstance(identifier, str) or not identifier.startswith(f"urn:dataset:{peer.pk}:") or len(identifier) > 140:
        raise Unfit("invalid", f"/datasets/{position}/id: an identifier of {peer.pk}")
    if not prefix_of(identifier).startswith(prefix):
        raise Unfit("invalid", f"/datasets/{position}/id: not of the part {prefix}")
    return identifier


def _counts(item: dict, position: int) -> dict[str, int]:
    counts = {name: item.get(name, 0) for name in COUNTS}
    if any(isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST for value in counts.values()):
        raise Unfit("invalid", f"/datasets/{position}: counts are whole numbers from 0 to {MOST}")
    return counts


def _add_up(given: dict[str, dict[str, int]], before: dict[str, DailyUsage]) -> None:
    """What is new of this day is added to the counters that people see."""
    pks = dict(Dataset.objects.filter(identifier__in={*given, *before}).values_list("identifier", "pk"))
    for identifier, pk in pks.items():
        for name, counter in COUNTERS.items():
            more = given.get(identifier, {}).get(name, 0) - (getattr(before[identifier], name) if identifier in before else 0)
            if more:
                touch_counter(pk, counter, more)
