"""Pages sent to a peer that cannot come for them: the same bytes as a pull would give, and its answer is the acknowledgement."""

import logging

from django.conf import settings
from django.utils import timezone

from federation import feeds, protocol
from federation.models import Delivery, FeedState, Peer
from federation.services import sequencer
from federation.services.client import PeerError, call
from federation.transport import TransportError

logger = logging.getLogger(__name__)
PAGES_AT_ONCE = 50


def push_logged(peer: Peer) -> bool:
    """Whether the peer has all of what we publish; what fails is tried again with the next look."""
    try:
        for stream in feeds.PUBLISHED[settings.PORTAL_ROLE]:
            if feeds.serves(settings.PORTAL_ROLE, stream, peer.pk):
                push(peer, stream)
    except (TransportError, protocol.ProtocolError, sequencer.BelowFloor) as error:
        logger.warning("Push to %s failed: %s", peer.pk, error)
        return False
    return True


def push(peer: Peer, stream: str) -> int:
    """Send one feed from where the peer is to its head; how many pages went. The peer tells where it is when it is elsewhere."""
    audience, sent = feeds.audience_of(stream, peer.pk), 0
    state = sequencer.feed_state(stream, audience)
    last = Delivery.objects.filter(peer=peer, stream=stream).first()
    since = f"{last.epoch}:{last.seq}" if last else ""
    corrected = False
    while sent < PAGES_AT_ONCE:
        if last is not None and since == f"{state.epoch}:{state.head}":
            break
        body = protocol.compress(sequencer.page(stream, audience, since))
        try:
            answer = call(peer, "POST", f"/fed/v1/inbox/{stream}", body, packed=True)
        except PeerError as error:
            given = f"{error.problem.get('epoch', '')}:{error.problem.get('seq', '')}"
            if error.status != 409 or error.code != "cursor" or corrected:
                raise
            since, corrected = "" if given.startswith(":") else given, True
            sequencer.parse_since(since)
            continue
        last = _taken(peer, state, protocol.strict_json(answer.content))
        since, sent = f"{last.epoch}:{last.seq}", sent + 1
        state.refresh_from_db()
    return sent


def _taken(peer: Peer, state: FeedState, answered) -> Delivery:
    if not isinstance(answered, dict) or answered.get("epoch") != state.epoch or not isinstance(answered.get("seq"), int):
        raise protocol.ProtocolError("inbox", "the answer does not tell how far the feed was taken")
    counts = {name: answered.get(name) if isinstance(answered.get(name), int) else 0 for name in ("applied", "quarantined")}
    values = {"epoch": state.epoch, "seq": min(answered["seq"], protocol.MAX_INTEGER), "at": timezone.now()} | counts
    return Delivery.objects.update_or_create(peer=peer, stream=state.stream, defaults=values)[0]
