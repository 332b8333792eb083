"""The exchange in motion: number, hint, pull, acknowledge. Rows say what is due; tasks and hints only make it sooner."""

import logging
import random
from datetime import timedelta

import orjson
from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from catalog.services import audit
from federation.models import Checkpoint, FeedState, Nonce, Peer, Quarantine, SyncRun, Ticket
from federation.protocol import GENESIS, MAX_EVENTS, Page, ProtocolError, Snapshot, decode_event, decode_page, decode_snapshot, decoded
from federation.services import acks, leases, sequencer
from federation.services.apply import apply_listings, check_origin
from federation.services.client import PeerError, call
from federation.services.keys import find_key
from federation.services.leases import LeaseLost
from federation.services.receive_decisions import apply_decisions
from federation.signing import SignatureRefused, verify_attestation
from federation.transport import TransportError

logger = logging.getLogger(__name__)
INTERVAL = timedelta(seconds=45)  # between looks at a peer that sent no hint
BACKOFF_FIRST, BACKOFF_LAST = 5, 900  # seconds
APPLY = {"listings": apply_listings, "decisions": apply_decisions}
PAGES_PER_PULL = 200  # then other peers have their turn


class Diverged(Exception):
    """The peer's history is not the one we followed. Nothing is deleted; a person decides to read it anew."""


def step(name: str) -> None:
    """Named moments of a pull; the fault tests stop the process here."""


def sequence_and_notify() -> int:
    """Number what is committed and hint the readers of each feed that grew."""
    from federation import tasks

    feeds = sequencer.number_all()
    readers = Peer.objects.filter(state=Peer.State.ACTIVE)
    audiences = {audience for _stream, audience in feeds}
    for portal_id in readers.values_list("pk", flat=True) if feeds else []:
        if portal_id in audiences or ("" in audiences and portal_id == "cn"):
            tasks.wake(tasks.notify_peer, portal_id)
    return len(feeds)


def notify(portal_id: str) -> bool:
    """Tell a peer that there is news. A hint may be lost: the peer looks by itself every INTERVAL."""
    peer = Peer.objects.filter(pk=portal_id, state=Peer.State.ACTIVE).first()
    if peer is None:
        return False
    heads = [
        {"stream": row.stream, "epoch": row.epoch, "head": row.head}
        for row in FeedState.objects.filter(audience__in=["", portal_id]).order_by("stream")
    ]
    try:
        call(peer, "POST", "/fed/v1/notify", orjson.dumps({"feeds": heads}))
        return True
    except TransportError as error:
        logger.info("Hint to %s failed: %s", portal_id, error)
        return False


def due_peers(limit: int = 200) -> list[str]:
    """Active peers whose time has come, longest waiting first, so that dead ones cannot starve the rest."""
    due = Peer.objects.filter(state=Peer.State.ACTIVE, next_due__lte=timezone.now()).order_by("next_due")
    return list(due.values_list("pk", flat=True)[:limit])


def request_pull(portal_id: str) -> bool:
    """Make a peer due now; True when that was news, so that ten thousand hints cost one pull."""
    now = timezone.now()
    return bool(Peer.objects.filter(pk=portal_id, state=Peer.State.ACTIVE, next_due__gt=now).update(next_due=now))


def pull_due_peer(portal_id: str) -> list[SyncRun]:
    """Pull if it is due, again if a hint came meanwhile. Two workers on one peer: the second finds it not due."""
    runs: list[SyncRun] = []
    for _round in range(10):
        started = timezone.now()
        later = started + INTERVAL
        if not Peer.objects.filter(pk=portal_id, state=Peer.State.ACTIVE, next_due__lte=started).update(next_due=later):
            break
        runs += pull_peer(portal_id)
    return runs


def pull_peer(portal_id: str) -> list[SyncRun]:
    """Pull every stream we read of a peer, now. Failures end in the run and the peer's back-off, never in an exception."""
    peer = Peer.objects.get(pk=portal_id)
    runs = [pull_stream(peer, stream) for stream in peer.checkpoints.values_list("stream", flat=True)]
    return [run for run in runs if run is not None]


def pull_stream(peer: Peer, stream: str) -> SyncRun | None:
    """One pull to the end of a feed; None when another worker is at it."""
    checkpoint = leases.take(peer, stream)
    if checkpoint is None:
        return None
    run = SyncRun(peer=peer, stream=stream)
    try:
        for _page in range(PAGES_PER_PULL):
            if not _pull_page(peer, checkpoint, run):
                break
        answered = acks.send(peer, checkpoint, run.applied)
        _succeeded(peer)
        _compare(peer, checkpoint, answered)
    except Diverged as error:
        run.error = str(error)[:500]
        _diverged(peer, run.error)
    except (TransportError, ProtocolError, SignatureRefused, LeaseLost, OperationalError) as error:
        run.error = f"{type(error).__name__}: {error}"[:500]
        _failed(peer, run.error, getattr(error, "retry_after", 0))
    finally:
        leases.release(checkpoint)
    run.finished_at = timezone.now()
    if run.received or run.error:
        run.save()
    return run


def _compare(peer: Peer, checkpoint: Checkpoint, answered: dict | None) -> None:
    """The owner's digest rides on its answer to an acknowledgement: when ours is another, and nothing is parked, find out why."""
    theirs = (answered or {}).get("root")
    if not isinstance(theirs, dict) or (answered.get("epoch"), answered.get("head")) != (checkpoint.epoch, checkpoint.seq):
        return
    ours = Checkpoint.objects.values_list("records", "root").get(pk=checkpoint.pk)
    parked = Quarantine.objects.filter(peer=peer, stream=checkpoint.stream).exclude(state=Quarantine.State.RESOLVED)
    if ours != (theirs.get("records"), theirs.get("digest")) and not parked.exists():
        from federation import tasks

        transaction.on_commit(lambda: tasks.wake(tasks.reconcile_stream, peer.pk, checkpoint.stream))


def _pull_page(peer: Peer, checkpoint: Checkpoint, run: SyncRun) -> bool:
    """Fetch and apply one page; whether there is more."""
    leases.renew(checkpoint)
    step("leased")
    try:
        page = _fetch(peer, checkpoint, run)
    except PeerError as error:
        if error.status != 410:
            raise
        _take_snapshot(peer, checkpoint, run)
        return True
    step("parsed")
    if checkpoint.epoch and (page.epoch != checkpoint.epoch or page.head < checkpoint.seq):
        raise Diverged(f"we follow {checkpoint.epoch}:{checkpoint.seq}, the feed is {page.epoch} with head {page.head}")
    if page.start != checkpoint.seq + 1:
        raise ProtocolError("sequence", f"asked from {checkpoint.seq + 1}, the page starts at {page.start}")
    if page.prev_chain != (checkpoint.chain or GENESIS):
        page = _fetch(peer, checkpoint, run)
        if page.prev_chain != (checkpoint.chain or GENESIS):
            raise Diverged(f"the chain at {checkpoint.seq} is not the one we followed")
    check_page_origin(peer, page)
    cursor = {"epoch": page.epoch, "seq": page.end, "chain": page.trailer["chain"], "head": page.head}
    if not page.events:
        cursor = {"epoch": page.epoch, "head": page.head}
        leases.held(checkpoint).update(**cursor)
    _commit(peer, checkpoint, page, run, cursor)
    for name, value in cursor.items():
        setattr(checkpoint, name, value)
    step("committed")
    return bool(page.trailer.get("more"))


def _fetch(peer: Peer, checkpoint: Checkpoint, run: SyncRun) -> Page:
    since = f"{checkpoint.epoch}:{checkpoint.seq}" if checkpoint.epoch else ""
    return read_page(peer, checkpoint, run, f"changes?since={since}&limit={MAX_EVENTS}", decode_page)


def read_page(peer: Peer, checkpoint: Checkpoint, run: SyncRun, query: str, decode):
    """One page, whole and attested by the peer. The lease is kept however slowly it comes."""
    with leases.kept(checkpoint):
        answer = call(peer, "GET", f"/fed/v1/streams/{checkpoint.stream}/{query}", coding="gzip")
    step("received")
    run.pages, run.bytes = run.pages + 1, run.bytes + len(answer.content)
    find = find_key(peer)
    body = decoded(answer.content, answer.headers.get("content-encoding", ""))
    page = decode(body, lambda data, attestation: verify_attestation(data, attestation, find))
    if (page.portal, page.stream) != (peer.pk, checkpoint.stream):
        raise ProtocolError("header", f"asked {peer.pk} for {checkpoint.stream}, got {page.portal} {page.stream}")
    return page


def check_page_origin(peer: Peer, page: Page | Snapshot) -> None:
    if page.stream == "listings":
        check_origin(peer, page)


def _take_snapshot(peer: Peer, checkpoint: Checkpoint, run: SyncRun) -> None:
    """The current state by key, because our cursor is below the feed's floor. What it does not name is not deleted; the cursor
    moves once all of it is applied, to the as_of of its first page."""
    first: Snapshot | None = None
    after, more = "", True
    while more:
        leases.renew(checkpoint)
        page = read_page(peer, checkpoint, run, f"snapshot?after={after}&limit={MAX_EVENTS}", decode_snapshot)
        first = first or page
        if checkpoint.epoch not in ("", page.epoch) or page.epoch != first.epoch or first.as_of < checkpoint.seq:
            raise Diverged(f"we follow {checkpoint.epoch}:{checkpoint.seq}, the snapshot is of {page.epoch}:{page.as_of}")
        if page.after != after:
            raise ProtocolError("sequence", f"asked for what follows {after}, the page follows {page.after}")
        check_page_origin(peer, page)
        _commit(peer, checkpoint, page, run, {})
        after, more = page.trailer.get("next", ""), bool(page.trailer.get("more"))
    values = {"epoch": first.epoch, "seq": first.as_of, "chain": first.chain, "head": first.as_of}
    if not leases.held(checkpoint).update(**values):
        raise LeaseLost(f"{peer.pk} {checkpoint.stream}")
    for name, value in values.items():
        setattr(checkpoint, name, value)


def _commit(peer: Peer, checkpoint: Checkpoint, page: Page | Snapshot, run: SyncRun, cursor: dict) -> None:
    """A page's rows, parked records, index rows, audit rows and the cursor: one transaction, under the fencing token."""
    if not page.events:
        return
    with transaction.atomic():
        if not leases.held(checkpoint).select_for_update().filter(seq=checkpoint.seq).exists():
            raise LeaseLost(f"{peer.pk} {checkpoint.stream}")
        batch = APPLY[checkpoint.stream](peer, page.events, **({} if cursor else {"whole": True}))
        step("applied")
        if not leases.held(checkpoint).update(**cursor, lease_until=timezone.now() + leases.LEASE):
            raise LeaseLost(f"{peer.pk} {checkpoint.stream}")
        step("before_commit")
    run.received += len(page.events)
    run.applied += batch.applied
    run.unchanged += batch.unchanged
    run.quarantined += len(batch.parked)
    run.held += len(batch.held)
    run.gaps += batch.gaps
    run.lag_ms = _lag(page)


def _lag(page: Page | Snapshot) -> int | None:
    from federation.services.apply import _time

    sent = _time(page.events[-1].ts)
    return max(int((timezone.now() - sent).total_seconds() * 1000), 0) if sent else None


def _succeeded(peer: Peer) -> None:
    Peer.objects.filter(pk=peer.pk).update(last_contact=timezone.now(), failures=0, last_error="")


def _failed(peer: Peer, error: str, retry_after: int) -> None:
    """Back off from 5 s to 15 min, with jitter, for ever."""
    peer.refresh_from_db(fields=["failures"])
    wait = min(BACKOFF_FIRST * 2 ** min(peer.failures, 10), BACKOFF_LAST) * random.uniform(0.8, 1.2)
    due = timezone.now() + timedelta(seconds=max(wait, retry_after))
    Peer.objects.filter(pk=peer.pk).update(failures=F("failures") + 1, last_error=error, next_due=due)
    logger.warning("Pull from %s failed: %s", peer.pk, error)


@transaction.atomic
def _diverged(peer: Peer, error: str) -> None:
    Peer.objects.filter(pk=peer.pk).update(state=Peer.State.DIVERGED, last_error=error)
    audit.append("federation.diverged", ("catalog.Portal", peer.pk), label=peer.pk, error=error)
    logger.error("Peer %s diverged: %s", peer.pk, error)


@transaction.atomic
def read_anew(portal_id: str, *, actor=None) -> None:
    """After divergence, a person lets the feed be read from its start. Records with an equal or higher revision stay as they are."""
    Checkpoint.objects.filter(peer_id=portal_id).update(epoch="", seq=0, chain="", head=0, fencing_token=None, lease_until=None)
    audit.append("federation.read_anew", ("catalog.Portal", portal_id), actor=actor)


def retry_quarantine(rows, *, actor=None) -> int:
    """Try parked events again, or apply held tombstones a person released; how many are settled."""
    settled = 0
    for row in rows:
        with transaction.atomic():
            row = Quarantine.objects.select_for_update().select_related("peer").get(pk=row.pk)
            if row.state not in (Quarantine.State.PARKED, Quarantine.State.HELD) or not row.event:
                continue
            audit.append("federation.retried", row, actor=actor, state=row.state)
            APPLY[row.stream](row.peer, [decode_event(bytes(row.event))], **({"release": True} if row.stream == "listings" else {}))
            row.refresh_from_db()
            settled += row.state == Quarantine.State.RESOLVED
    return settled


@transaction.atomic
def refuse_quarantine(rows, *, actor=None) -> int:
    """A person decides that an event is not applied; our record stays."""
    for row in rows:
        audit.append("federation.refused", row, actor=actor, rev=row.rev)
    return Quarantine.objects.filter(pk__in=[row.pk for row in rows], state__in=["parked", "held"]).update(
        state=Quarantine.State.REFUSED, closed_at=timezone.now()
    )


def tidy() -> None:
    """Drop nonces and tickets too old to be replayed, and runs older than 90 days."""
    now = timezone.now()
    Nonce.objects.filter(seen_at__lt=now - timedelta(minutes=10)).delete()
    Ticket.objects.filter(used_at__lt=now - timedelta(days=1)).delete()
    SyncRun.objects.filter(started_at__lt=now - timedelta(days=90)).delete()
