"""What a feed no longer keeps. The floor rises past events that are 90 days old and that every reader has acknowledged; overtaken
events below it go. The latest event of each identifier stays for ever, tombstones above all: the snapshot is made of them (I5).
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from catalog.services import audit
from federation import feeds
from federation.models import Change, Delivery, FeedState, Peer

KEPT = timedelta(days=90)


def compact_all() -> dict[str, int]:
    """Events dropped, by feed."""
    found = {f"{row.stream} {row.audience}".strip(): compact(row.stream, row.audience) for row in FeedState.objects.order_by("pk")}
    return {name: count for name, count in found.items() if count}


@transaction.atomic
def compact(stream: str, audience: str = "") -> int:
    """Raise the floor of one feed as far as it may rise, and drop what was overtaken below it; how many events."""
    state = FeedState.objects.select_for_update().get(stream=stream, audience=audience)
    floor = min(_young(state), _unread(state))
    if floor <= state.floor:
        return 0
    # the event before the floor stays, for its chain: whoever acknowledged it reads on from there
    count, _by_model = Change.objects.filter(stream=stream, audience=audience, seq__lt=floor - 1, superseded_by__isnull=False).delete()
    FeedState.objects.filter(pk=state.pk).update(floor=floor)
    audit.append("federation.floor_raised", ("federation.FeedState", f"{stream} {audience}".strip()), before=state.floor, floor=floor, dropped=count)
    return count


def _young(state: FeedState) -> int:
    """The first event that is younger than KEPT."""
    rows = Change.objects.filter(stream=state.stream, audience=state.audience, seq__isnull=False, ts__gt=timezone.now() - KEPT)
    return rows.aggregate(first=Min("seq"))["first"] or state.head + 1


def _unread(state: FeedState) -> int:
    """The first event that some active reader has not acknowledged. A reader that never did has everything before it."""
    active = list(Peer.objects.filter(state__in=[Peer.State.ACTIVE, Peer.State.DIVERGED]).values_list("pk", flat=True))
    readers = feeds.readers_of(state.stream, state.audience, active)
    acknowledged = dict(Delivery.objects.filter(stream=state.stream, epoch=state.epoch, peer__in=readers).values_list("peer_id", "seq"))
    return min((acknowledged.get(reader, 0) + 1 for reader in readers), default=state.head + 1)
