"""Acknowledgements, both ways: how far a reader is, what it parked and why, and the root of its audit chain."""

import hashlib
import logging
import secrets

import orjson
from django.db import transaction
from django.utils import timezone

from catalog.models import AuditEntry
from catalog.services import audit, checks
from federation import protocol
from federation.models import Checkpoint, Delivery, FeedState, Peer, Quarantine
from federation.services.client import call
from federation.transport import TransportError

logger = logging.getLogger(__name__)
PARKED_AT_MOST = 50  # named in one acknowledgement; `quarantined` counts them all
OPEN = (Quarantine.State.PARKED, Quarantine.State.HELD)


def audit_root() -> dict:
    """Number and hash of the newest audit entry: kept by the other side, it shows a chain that was cut."""
    last = AuditEntry.objects.order_by("-id").values_list("id", "entry_hash").first() or (0, audit.GENESIS)
    return {"entries": last[0], "hash": last[1]}


def send(peer: Peer, checkpoint: Checkpoint, applied: int = 0) -> dict | None:
    """Tell a peer where we are with its feed, and what it answered. None when it was no news since the last acknowledgement it took,
    or did not arrive."""
    open_rows = Quarantine.objects.filter(peer=peer, stream=checkpoint.stream, state__in=OPEN)
    rows = list(open_rows.only("identifier", "rev", "state", "error", "reason")[:PARKED_AT_MOST])
    parked = [{"id": row.identifier, "rev": row.rev, "state": row.state, "error": row.error, "reason": row.reason[:300]} for row in rows]
    count = open_rows.count() if len(rows) == PARKED_AT_MOST else len(rows)
    held = Checkpoint.objects.only("records", "root").get(pk=checkpoint.pk)
    body = {"epoch": checkpoint.epoch, "seq": checkpoint.seq, "quarantined": count, "parked": parked}
    body["root"] = {"records": held.records, "digest": held.root}
    said = hashlib.sha256(orjson.dumps(body)).hexdigest()
    if not checkpoint.epoch or said == checkpoint.acknowledged:
        return None
    whole = orjson.dumps(body | {"applied": applied, "audit": audit_root()})
    try:
        answered = protocol.strict_json(call(peer, "POST", f"/fed/v1/streams/{checkpoint.stream}/ack", whole).content)
    except (TransportError, protocol.ProtocolError) as error:
        logger.info("Acknowledgement to %s failed: %s", peer.pk, error)
        return None
    Checkpoint.objects.filter(pk=checkpoint.pk).update(acknowledged=said)
    checkpoint.acknowledged = said
    return answered if isinstance(answered, dict) else {}


@transaction.atomic
def receive(
    peer: Peer,
    state: FeedState,
    *,
    epoch: str,
    seq: int,
    applied: int,
    quarantined: int,
    parked: list[dict],
    root: dict | None,
    held: dict | None = None,
) -> FeedState:
    """Keep what a reader says of our feed; the feed's state after it. More applied than we have starts a new epoch."""
    if epoch == state.epoch and seq > state.head:
        state = _new_epoch(state, peer, seq)
    values = {"epoch": epoch, "seq": seq, "applied": applied, "quarantined": quarantined, "parked": parked, "at": timezone.now()}
    values |= {"records": held["records"], "root": held["digest"]} if held else {"records": None, "root": ""}
    Delivery.objects.update_or_create(peer=peer, stream=state.stream, defaults=values)
    changes = {"last_contact": timezone.now()}
    if root:
        changes |= {"audit_entries": root["entries"], "audit_hash": root["hash"], "audit_at": timezone.now()}
        _check_root(peer, root)
    Peer.objects.filter(pk=peer.pk).update(**changes)
    return state


HOLDS = ("the same", "none kept", "not reached")  # results that are no reason for an alarm


def roots_kept_elsewhere() -> list[dict]:
    """What each active portal last had of our chain in an acknowledgement: {portal, entries, hash}; entries None where it did not answer."""
    found = []
    for peer in Peer.objects.filter(state=Peer.State.ACTIVE).order_by("pk"):
        root = {"portal": peer.pk, "entries": None, "hash": ""}
        try:
            answered = protocol.strict_json(call(peer, "GET", "/fed/v1/health").content)
            given = answered.get("audit") if isinstance(answered, dict) else None
            if isinstance(given, dict) and isinstance(given.get("entries"), int):
                root |= {"entries": given["entries"], "hash": str(given.get("hash", ""))[:64]}
        except (TransportError, protocol.ProtocolError) as error:
            logger.info("Root at %s not read: %s", peer.pk, error)
        found.append(root)
    return found


def compare_root(root: dict) -> str:
    """One of HOLDS, or what is wrong with our chain by a root of it that was kept elsewhere."""
    if not root["entries"]:
        return HOLDS[2] if root["entries"] is None else HOLDS[1]
    ours = AuditEntry.objects.filter(id=root["entries"]).values_list("entry_hash", flat=True).first()
    if ours is None:
        return f"the chain was cut: it had {root['entries']} entries, it has {audit_root()['entries']}"
    return HOLDS[0] if ours == root["hash"] else f"entry {root['entries']} is another than the one kept there: the chain was rewritten"


def _check_root(peer: Peer, root: dict) -> None:
    """A chain only grows: a smaller one, or another hash at the same number, was cut, rewritten or restored."""
    if root["entries"] < peer.audit_entries or (root["entries"] == peer.audit_entries and peer.audit_hash not in ("", root["hash"])):
        audit.append("federation.audit_root_went_back", ("catalog.Portal", peer.pk), label=peer.pk, before=peer.audit_entries, now=root["entries"])
        logger.error("The audit chain of %s went back from %d to %d", peer.pk, peer.audit_entries, root["entries"])


def _new_epoch(state: FeedState, peer: Peer, seq: int) -> FeedState:
    """Somebody applied more than we have: our database is an older one. The feed's history starts a new name."""
    FeedState.objects.filter(pk=state.pk).update(epoch=secrets.token_hex(8))
    audit.append("federation.new_epoch", ("federation.FeedState", state.stream), label=peer.pk, head=state.head, acknowledged=seq)
    state.refresh_from_db()
    return state


def parked_elsewhere() -> list[dict]:
    """Own records that a reader of our feeds could not apply, newest acknowledgement first: {portal, at, id, rev, state, error, reason}."""
    rows = Delivery.objects.exclude(parked=[]).select_related("peer__portal").order_by("-at")[:20]
    return [{"portal": row.peer.portal, "at": row.at, "count": row.quarantined} | item for row in rows for item in row.parked]


def clean(text: str, limit: int) -> str:
    """Words of a peer, kept as data: without control characters, of bounded length."""
    return checks.CONTROL.sub("", text)[:limit]
