"""What one portal's page shows: the exchange with it in both directions."""

import base64
import hashlib
from datetime import timedelta
from statistics import median

from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from catalog.models import Dataset
from federation.models import Change, Decision, Delivery, FeedState, Peer, PeerKey, Quarantine, SyncRun
from federation.services import charts
from federation.services.overview import described, is_national

OPEN = (Quarantine.State.PARKED, Quarantine.State.HELD)


def portal_view(peer: Peer) -> dict:
    since = timezone.now() - timedelta(hours=24)
    lags = list(peer.runs.filter(started_at__gte=since, lag_ms__isnull=False).order_by("-started_at").values_list("started_at", "lag_ms")[:1000])[
        ::-1
    ]
    decided = Decision.objects.filter(portal=peer.pk).exclude(kind=Decision.Kind.ADMIT, actor=None).select_related("change")
    waiting = Quarantine.objects.filter(peer=peer, state__in=OPEN)
    return {
        "peer": peer,
        "listings": Dataset.objects.published().filter(home_portal=peer.pk).count(),
        "parked_count": waiting.filter(state=Quarantine.State.PARKED).count(),
        "held_count": waiting.filter(state=Quarantine.State.HELD).count(),
        "parked": list(waiting[:10]),
        "lag_median_ms": median(value for _at, value in lags) if lags else None,
        "lag": charts.lag(lags),
        "cursors": list(peer.checkpoints.order_by("stream")),
        "readings": readings([peer]),
        "keys": [describe_key(key) for key in peer.keys.order_by("-pk")],
        "runs": list(peer.runs.all()[:12]),
        "decisions": described(list(decided[:10])),
        "is_national": is_national(),
    }


def describe_key(key: PeerKey) -> dict:
    return {"key": key, "fingerprint": fingerprint(key.public_key)}


def fingerprint(public_key: str) -> str:
    """SHA-256 of the raw public key in groups of four, as two people read it to each other on the telephone."""
    try:
        digest = hashlib.sha256(base64.b64decode(public_key)).hexdigest()[:32].upper()
    except ValueError:
        return ""
    return " ".join(digest[start : start + 4] for start in range(0, 32, 4))


def readings(peers) -> list[dict]:
    """How far each reader of our feeds is: {peer, stream, head, seq, waiting, oldest (its time), at, quarantined, other_epoch}."""
    found = []
    states = {(row.stream, row.audience): row for row in FeedState.objects.all()}
    after = Change.objects.filter(Q(audience="") | Q(audience=OuterRef("peer_id")), stream=OuterRef("stream"), seq__gt=OuterRef("seq"))
    deliveries = Delivery.objects.filter(peer__in=peers).annotate(oldest=Subquery(after.order_by("seq").values("ts")[:1]))
    for row in deliveries.select_related("peer__portal").order_by("peer_id", "stream"):
        state = states.get((row.stream, row.peer_id)) or states.get((row.stream, ""))
        if state is None:
            continue
        same = state.epoch == row.epoch
        waiting = max(state.head - row.seq, 0) if same else state.head
        values = {"peer": row.peer, "stream": row.stream, "head": state.head, "seq": row.seq, "waiting": waiting, "at": row.at}
        values |= {"quarantined": row.quarantined, "other_epoch": not same}
        found.append(values | {"oldest": row.oldest if waiting and same else None})
    return found


def run_rows(*, portal: str = "", result: str = ""):
    """Runs, newest first; `result` is ok, error or waiting (something was parked or held)."""
    runs = SyncRun.objects.select_related("peer__portal")
    if portal:
        runs = runs.filter(peer_id=portal)
    if result == "ok":
        runs = runs.filter(error="")
    elif result == "error":
        runs = runs.exclude(error="")
    elif result == "waiting":
        runs = runs.filter(quarantined__gt=0) | runs.filter(held__gt=0)
    return runs


def error_type(error: str) -> str:
    """The stable first word of a run's error: TransportError, ProtocolError, PeerError, ... or the whole when it has none."""
    head, colon, _rest = error.partition(":")
    return head if colon and head.isidentifier() else ("Diverged" if error else "")
