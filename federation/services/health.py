"""What a peer may know of how the exchange with it goes."""

import time

from django.conf import settings
from django.utils import timezone

from federation import feeds
from federation.models import Change, Checkpoint, Delivery, FeedState, Peer, Quarantine


def seen_by(peer: Peer) -> dict:
    """Cursors and quarantine of its feeds here, how far it is with ours, and the root of its audit chain as it last sent it."""
    waiting = Quarantine.objects.filter(peer=peer, state__in=["parked", "held"]).count()
    contact = peer.last_contact.isoformat(timespec="seconds") if peer.last_contact else None
    cursors = {row.stream: _cursor(row) for row in Checkpoint.objects.filter(peer=peer)}
    described = {"portal": settings.PORTAL_ID, "time": int(time.time()), "state": peer.condition, "last_contact": contact, "quarantine": waiting}
    root = {"entries": peer.audit_entries, "hash": peer.audit_hash}
    return described | {"cursors": cursors, "feeds": _feeds(peer), "audit": root}


def _cursor(row: Checkpoint) -> dict:
    reconciled = row.reconciled_at.isoformat(timespec="seconds") if row.reconciled_at else None
    described = {"epoch": row.epoch, "seq": row.seq, "behind": row.behind, "records": row.records, "root": row.root}
    return described | {"reconciled_at": reconciled, "agrees": row.reconciled.get("agrees")}


def _feeds(peer: Peer) -> dict:
    """Of each of our feeds that it reads: the head, what it acknowledged, and for how many seconds the oldest event it lacks is there."""
    acknowledged = {row.stream: row for row in Delivery.objects.filter(peer=peer)}
    found = {}
    for state in FeedState.objects.filter(audience__in=["", peer.pk]):
        if not feeds.serves(settings.PORTAL_ROLE, state.stream, peer.pk):
            continue
        row = acknowledged.get(state.stream)
        seq = row.seq if row and row.epoch == state.epoch else 0
        oldest = Change.objects.filter(stream=state.stream, audience=state.audience, seq=seq + 1).values_list("ts", flat=True).first()
        age = max(0, int((timezone.now() - oldest).total_seconds())) if oldest else 0
        found[state.stream] = {"epoch": state.epoch, "head": state.head, "acknowledged": seq, "oldest_waiting": age}
    return found
