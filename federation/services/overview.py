"""Figures of the federation centre, in a constant number of queries."""

from collections import defaultdict
from datetime import timedelta
from statistics import median

from django.conf import settings
from django.db.models import Count, Max, Sum
from django.utils import timezone

from catalog.labels import portal_short
from catalog.models import Dataset, Portal
from federation.models import Change, Checkpoint, Decision, Delivery, FeedState, Peer, Quarantine, RemoteRecord, SyncRun
from federation.models.peers import LATE
from federation.services import acks, charts, decisions

ORDER = {"diverged": 0, "late": 1, "stale": 1, "pending": 2, "suspended": 3, "ok": 5, "invited": 6, "revoked": 7}


def public_view() -> dict:
    """{"portals": [...]}: every portal with its state, published listings, lag and cursor; those in need of a person first."""
    counts = dict(Dataset.objects.published().values_list("home_portal").annotate(Count("pk")).order_by())
    peers = {peer.pk: peer for peer in Peer.objects.all()}
    waiting = _waiting()
    cursors = {row.peer_id: row for row in Checkpoint.objects.order_by("pk")}
    runs = _lags()
    rows = []
    for portal in Portal.objects.order_by("-is_self", "pk"):
        peer = peers.get(portal.pk)
        lags = runs.get(portal.pk, [])
        row = {
            "portal": portal,
            "peer": peer,
            "listings": counts.get(portal.pk, 0),
            "cursor": cursors.get(portal.pk),
            "parked": waiting[portal.pk]["parked"],
            "held": waiting[portal.pk]["held"],
            "lag_ms": lags[-1] if lags else None,
            "spark": charts.spark(lags),
            "condition": peer.condition if peer else ("self" if portal.is_self else "none"),
        }
        row["health"] = charts.health(row)
        row["needs_person"] = bool(peer) and (row["held"] or row["condition"] in ("late", "stale", "diverged", "pending"))
        rows.append(row)
    rows.sort(key=lambda row: (not row["portal"].is_self, not row["held"], ORDER.get(row["condition"], 5), row["portal"].pk))
    active = [row for row in rows if row["peer"] and row["condition"] not in ("invited", "revoked")]
    return {"portals": rows, "peer_count": len(active), "fine_count": sum(not row["needs_person"] for row in active)}


def _waiting() -> dict:
    found = defaultdict(lambda: {"parked": 0, "held": 0})
    for peer_id, state, count in (
        Quarantine.objects.filter(state__in=["parked", "held"]).values_list("peer_id", "state").annotate(count=Count("pk")).order_by()
    ):
        found[peer_id][state] = count
    return found


def _lags() -> dict[str, list[int]]:
    since = timezone.now() - timedelta(hours=24)
    lags = defaultdict(list)
    rows = SyncRun.objects.filter(started_at__gte=since, lag_ms__isnull=False).order_by("-id")[:2000]
    for peer_id, lag in reversed(list(rows.values_list("peer_id", "lag_ms"))):
        lags[peer_id].append(lag)
    return lags


def desk_view() -> dict:
    """What administrators see besides: totals of the day, runs, quarantine, held tombstones, decisions with acknowledgement."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    runs = list(SyncRun.objects.select_related("peer__portal")[:20])
    recent = list(SyncRun.objects.filter(started_at__gte=today, lag_ms__isnull=False).values_list("lag_ms", flat=True)[:2000])
    parked = Quarantine.objects.filter(state=Quarantine.State.PARKED).select_related("peer__portal")
    held = Quarantine.objects.filter(state=Quarantine.State.HELD)
    by_people = Decision.objects.exclude(kind=Decision.Kind.ADMIT, actor=None).select_related("change")
    return {
        "applied_today": SyncRun.objects.filter(started_at__gte=today).aggregate(sum=Sum("applied"))["sum"] or 0,
        "lag_median_ms": median(recent) if recent else None,
        "runs": runs,
        "parked": list(parked[:50]),
        "parked_count": parked.count(),
        "held_count": held.count(),
        "held_portals": _held_portals(held),
        "decisions": described(list(by_people[:20])),
        "unconfirmed": _unconfirmed(),
        "late_portals": _late_portals(),
        "parked_elsewhere": acks.parked_elsewhere(),
        "feeds": list(FeedState.objects.order_by("stream", "audience")[:50]),
        "is_national": is_national(),
    }


def described(rows: list[Decision]) -> list[Decision]:
    """Decisions with the words a table shows: title, portal_name, dataset_uid, whether the home portal confirmed (seen), and late."""
    seen = decisions.acknowledged(rows)
    titles = dict(Dataset.objects.filter(identifier__in=[row.identifier for row in rows]).values_list("identifier", "title"))
    names = {pk: portal_short(pk, name) for pk, name in Portal.objects.values_list("pk", "short_name")}
    for row in rows:
        row.title, row.seen, row.portal_name = titles.get(row.identifier, row.identifier), seen[row.pk], names.get(row.portal, row.portal)
        row.dataset_uid = row.identifier.rsplit(":", 1)[-1]
        row.late = row.seen is False and timezone.now() - row.decided_at > LATE
    return rows


def is_national() -> bool:
    return settings.PORTAL_ROLE == "national"


def _unconfirmed() -> int:
    """Decisions, the automatic ones included, that home portals have not acknowledged yet."""
    confirmed = dict(Delivery.objects.filter(stream=decisions.DECISIONS).values_list("peer_id", "seq"))
    heads = FeedState.objects.filter(stream=decisions.DECISIONS).values_list("audience", "head")
    return sum(max(head - confirmed.get(audience, 0), 0) for audience, head in heads)


def _late_portals() -> list[str]:
    """Names of the portals taking part that have not acknowledged a decision of more than 15 minutes ago."""
    old = Change.objects.filter(stream=decisions.DECISIONS, ts__lt=timezone.now() - LATE)
    newest = dict(old.values_list("audience").annotate(Max("seq")).order_by())
    confirmed = dict(Delivery.objects.filter(stream=decisions.DECISIONS).values_list("peer_id", "seq"))
    late = [portal for portal, seq in newest.items() if (seq or 0) > confirmed.get(portal, 0)]
    rows = Peer.objects.filter(pk__in=late, state__in=[Peer.State.ACTIVE, Peer.State.DIVERGED]).order_by("pk")
    return list(rows.values_list("portal__name", flat=True))


def _held_portals(held) -> list[dict]:
    rows = held.values("peer_id", "peer__portal__name").annotate(count=Count("pk"), last=Max("created_at")).order_by("peer_id")
    live = dict(
        RemoteRecord.objects.filter(stream="listings", op="put", peer_id__in=[row["peer_id"] for row in rows])
        .values_list("peer_id")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return [
        {"id": row["peer_id"], "name": row["peer__portal__name"], "count": row["count"], "last": row["last"], "live": live.get(row["peer_id"], 0)}
        for row in rows
    ]
