"""Pages that a peer brings: taken like pulled ones, by the same rules, in the same transaction."""

from federation.models import Checkpoint, Peer, SyncRun
from federation.protocol import ProtocolError, decode_page
from federation.services import leases, schedule, sync
from federation.services.keys import find_key
from federation.signing import SignatureRefused, verify_attestation


class Busy(Exception):
    """Another page of this peer is being applied."""


class Elsewhere(Exception):
    """Not the page that is due: the cursor is here."""

    def __init__(self, checkpoint: Checkpoint):
        self.epoch, self.seq = checkpoint.epoch, checkpoint.seq
        super().__init__(f"the cursor is at {self.epoch or 'the start'}:{self.seq}")


def take(peer: Peer, stream: str, body: bytes) -> dict:
    """What the page came to, and how far the feed is applied. Elsewhere, Busy, sync.Diverged, ProtocolError or SignatureRefused."""
    find = find_key(peer)
    page = decode_page(body, lambda data, attestation: verify_attestation(data, attestation, find))
    if (page.portal, page.stream) != (peer.pk, stream):
        raise ProtocolError("header", f"a page of {page.portal} {page.stream} was brought as {peer.pk} {stream}")
    Checkpoint.objects.get_or_create(peer=peer, stream=stream)
    checkpoint = leases.take(peer, stream)
    if checkpoint is None:
        raise Busy
    run = SyncRun(peer=peer, stream=stream, pages=1, bytes=len(body))
    try:
        _take(peer, checkpoint, page, run)
    except (ProtocolError, SignatureRefused, sync.Diverged) as error:
        run.error = f"{type(error).__name__}: {error}"[:500]
        raise
    finally:
        leases.release(checkpoint)
        _close(run)
    schedule.succeeded(peer)
    held = Checkpoint.objects.only("records", "root").get(pk=checkpoint.pk)
    counts = {name: getattr(run, name) for name in ("applied", "unchanged", "quarantined", "held")}
    return {"epoch": checkpoint.epoch, "seq": checkpoint.seq, "root": {"records": held.records, "digest": held.root}} | counts


def _take(peer, checkpoint, page, run) -> None:
    try:
        follows = sync.follows(checkpoint, page)
    except sync.OutOfStep:
        raise Elsewhere(checkpoint) from None
    except sync.Diverged as error:
        sync.mark_diverged(peer, str(error))
        raise
    if not follows:
        error = sync.Diverged(f"the chain at {checkpoint.seq} is not the one we followed")
        sync.mark_diverged(peer, str(error))
        raise error
    sync.take_page(peer, checkpoint, page, run)


def _close(run: SyncRun) -> None:
    from django.utils import timezone

    run.finished_at = timezone.now()
    if run.received or run.error:
        run.save()
