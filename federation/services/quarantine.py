"""Parked events and held tombstones: tried again daily and when a vocabulary or schema changes, released or refused by a person."""

from django.db import transaction
from django.utils import timezone

from catalog.services import audit
from federation import feeds
from federation.models import Checkpoint, Quarantine
from federation.protocol import decode_event
from federation.services import receive_acks
from federation.services.receiving import APPLY

OPEN = (Quarantine.State.PARKED, Quarantine.State.HELD)
RETRIED_AT_ONCE = 5000


def retry_quarantine(rows, *, actor=None) -> int:
    """Try parked events again, or apply held tombstones a person released; how many are settled."""
    settled = 0
    for row in rows:
        with transaction.atomic():
            # in the order of a pull: checkpoint, then records; the other way round two of them would wait for each other
            Checkpoint.objects.select_for_update().filter(peer_id=row.peer_id, stream=row.stream).first()
            row = Quarantine.objects.select_for_update(of=["self"]).select_related("peer").get(pk=row.pk)
            if row.state not in OPEN or not row.event:
                continue
            audit.append("federation.retried", row, actor=actor, state=row.state)
            APPLY[row.stream](row.peer, [decode_event(bytes(row.event))], release=row.state == Quarantine.State.HELD)
            row.refresh_from_db()
            settled += row.state == Quarantine.State.RESOLVED
    return settled


@transaction.atomic
def refuse_quarantine(rows, *, actor=None) -> int:
    """A person decides that an event is not applied; our record stays."""
    for row in rows:
        audit.append("federation.refused", row, actor=actor, rev=row.rev)
        if row.stream == feeds.DECISIONS and row.event:
            receive_acks.publish([(decode_event(bytes(row.event)), "refused", row.error, row.reason)])
    return Quarantine.objects.filter(pk__in=[row.pk for row in rows], state__in=OPEN).update(state=Quarantine.State.REFUSED, closed_at=timezone.now())


def retry_parked(*, error: str = "") -> int:
    """Every parked event once more (only those of one type of error where it is given); held ones wait for a person. How many are settled."""
    rows = Quarantine.objects.filter(state=Quarantine.State.PARKED).exclude(event=b"").order_by("pk")
    return retry_quarantine(rows.filter(error=error) if error else rows[:RETRIED_AT_ONCE])
