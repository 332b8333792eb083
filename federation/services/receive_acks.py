"""Acknowledgements of decisions: written at the home portal with what the decision came to, read at the national one."""

from collections.abc import Iterable

from django.utils import timezone

from federation import feeds
from federation.models import Decision, Peer
from federation.protocol import Event
from federation.services import outbox
from federation.services.apply import Batch
from federation.services.documents import apply_each
from federation.services.records import Unfit, check_text

STATES = ("applied", "parked", "held", "refused")


def publish(outcomes: Iterable[tuple[Event, str, str, str]]) -> int:
    """(decision, state, error, reason) of each decision that came; the caller holds the transaction."""
    documents = {}
    for event, state, error, reason in outcomes:
        document = {"decision": {"rev": event.rev, "hash": event.hash}, "state": state}
        documents[event.id] = document | ({"error": error, "reason": reason[:300]} if error else {})
    return outbox.publish(feeds.ACKS, documents)


def apply_acks(peer: Peer, events, *, release: bool = False, **options) -> Batch:
    return apply_each(peer, feeds.ACKS, events, _write, **options)


def _write(peer: Peer, event: Event, document: dict) -> None:
    """The decision, and those before it that it overtook, have been seen by the home portal."""
    decision = document.get("decision")
    if not isinstance(decision, dict) or document.get("state") not in STATES:
        raise Unfit("shape", "decision or state do not have their form")
    rev = decision.get("rev")
    if isinstance(rev, bool) or not isinstance(rev, int) or rev < 1:
        raise Unfit("shape", "/decision/rev: a whole number from 1")
    for name, limit in (("error", 40), ("reason", 300)):
        check_text(f"/{name}", document.get(name, ""), limit)
    found = Decision.objects.filter(identifier=event.id, portal=peer.pk, rev__lte=rev)
    if not found.exists():
        raise Unfit("unknown_decision", f"no decision of revision {rev} was made here")
    seen = {"acknowledged_at": timezone.now(), "acknowledged": document["state"], "objection": document.get("reason", "")}
    found.filter(rev=rev).update(**seen)
    found.filter(rev__lt=rev, acknowledged_at=None).update(acknowledged_at=seen["acknowledged_at"], acknowledged="overtaken")
