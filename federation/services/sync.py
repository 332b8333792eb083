"""The exchange in motion: number, hint, pull, acknowledge. Rows say what is due; tasks and hints only make it sooner."""

import logging
import time
from datetime import timedelta

import orjson
from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone

from catalog.services import audit
from federation import feeds
from federation.models import Checkpoint, FeedState, Nonce, Peer, Quarantine, SyncRun, Ticket
from federation.protocol import GENESIS, MAX_EVENTS, Page, ProtocolError, Snapshot, decode_page, decode_snapshot, decoded
from federation.services import acks, leases, push, schedule, sequencer
from federation.services.apply import check_origin
from federation.services.client import PeerError, call
from federation.services.keys import find_key
from federation.services.leases import LeaseLost
from federation.services.quarantine import refuse_quarantine, retry_quarantine  # noqa: F401  known here by name
from federation.services.receiving import APPLY
from federation.services.schedule import INTERVAL, due_peers, request_pull  # noqa: F401
from federation.signing import SignatureRefused, verify_attestation
from federation.transport import TransportError

logger = logging.getLogger(__name__)
FAILURES = (TransportError, ProtocolError, SignatureRefused, LeaseLost, OperationalError)
WAIT = 12  # seconds of a long poll, below the silence that ends a request
PAGES_PER_PULL = 200  # then other peers have their turn
QUICK, SLOW, SMALLEST_PAGE = 5, 20, 25  # seconds a page may take before fewer events are asked for


class Diverged(Exception):
    """The peer's history is not the one we followed. Nothing is deleted; a person decides to read it anew."""


class OutOfStep(ProtocolError):
    """A page of another place in the feed than the one that is due."""


class NotPublished(Exception):
    """The peer speaks an older version and has no such stream. Nothing is wrong with it."""


def step(name: str) -> None:
    """Named moments of a pull; the fault tests stop the process here."""


def sequence_and_notify() -> int:
    """Number what is committed and hint the readers of each feed that grew."""
    from federation import tasks

    grown = sequencer.number_all()
    active = list(Peer.objects.filter(state=Peer.State.ACTIVE).values_list("pk", flat=True)) if grown else []
    for portal_id in sorted(set().union(*(feeds.readers_of(stream, audience, active) for stream, audience in grown))):
        tasks.wake(tasks.notify_peer, portal_id)
    return len(grown)


def notify(portal_id: str) -> bool:
    """Tell a peer that there is news. A hint may be lost: the peer looks by itself every INTERVAL."""
    peer = Peer.objects.filter(pk=portal_id, state=Peer.State.ACTIVE).first()
    if peer is None:
        return False
    if settings.PORTAL_UNREACHABLE:  # a hint would be of no use: the peer cannot come for the news
        return push.push_logged(peer)
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


def pull_due_peer(portal_id: str) -> list[SyncRun]:
    """Pull if it is due, again if a hint came meanwhile. Two workers on one peer: the second finds it not due."""
    runs: list[SyncRun] = []
    for _round in range(10):
        now = timezone.now()
        if not schedule.due(now).filter(pk=portal_id).order_by().update(next_due=now + INTERVAL):
            break
        runs += pull_peer(portal_id)
    return runs


def pull_peer(portal_id: str) -> list[SyncRun]:
    """Pull every stream we read of a peer, now. Failures end in the run and the peer's back-off, never in an exception."""
    peer = Peer.objects.get(pk=portal_id)
    runs: list[SyncRun] = []
    for stream in peer.checkpoints.order_by("pk").values_list("stream", flat=True):
        run = pull_stream(peer, stream)
        runs += [run] if run else []
        if run and run.gone:
            break  # a dead peer is asked once, not once a stream
    _settle(peer, runs)
    if settings.PORTAL_UNREACHABLE and all(not run.error for run in runs):
        push.push_logged(peer)
    return runs


def _settle(peer: Peer, runs: list[SyncRun]) -> None:
    """When the peer is due again, by what its streams came to."""
    if any(not run.error for run in runs):
        schedule.succeeded(peer, more=any(run.unfinished for run in runs))
    if broken := next((run for run in runs if run.error and not run.diverged), None):
        schedule.failed(peer, broken.error, broken.retry_after)


def pull_stream(peer: Peer, stream: str) -> SyncRun | None:
    """One pull to the end of a feed; None when another worker is at this peer."""
    checkpoint = leases.take(peer, stream)
    if checkpoint is None:
        return None
    run = SyncRun(peer=peer, stream=stream)
    try:
        run.unfinished, pages = True, 0
        while run.unfinished and pages < PAGES_PER_PULL:
            run.unfinished, pages = _pull_page(peer, checkpoint, run), pages + 1
        _compare(peer, checkpoint, acks.send(peer, checkpoint, run.applied))
    except NotPublished:
        return None
    except Diverged as error:
        run.error, run.diverged = str(error)[:500], True
        mark_diverged(peer, run.error)
    except FAILURES as error:
        run.error = f"{type(error).__name__}: {error}"[:500]
        run.gone = isinstance(error, TransportError) and getattr(error, "status", 0) in (0, 429, 503)
        run.retry_after = getattr(error, "retry_after", 0)
        _page_size(checkpoint, faster=False)
    finally:
        leases.release(checkpoint)
    run.finished_at = timezone.now()
    if run.received or run.error:
        run.save()
    return run


def _page_size(checkpoint: Checkpoint, *, faster: bool) -> None:
    size = min(checkpoint.page_size * 2, MAX_EVENTS) if faster else max(checkpoint.page_size // 2, SMALLEST_PAGE)
    if size != checkpoint.page_size:
        checkpoint.page_size = size
        leases.held(checkpoint).update(page_size=size)


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
        if error.status == 404 and error.code == "stream":
            raise NotPublished from error
        if error.status != 410:
            raise
        _take_snapshot(peer, checkpoint, run)
        return True
    step("parsed")
    if not follows(checkpoint, page):
        page = _fetch(peer, checkpoint, run)
        if not follows(checkpoint, page):
            raise Diverged(f"the chain at {checkpoint.seq} is not the one we followed")
    take_page(peer, checkpoint, page, run)
    step("committed")
    return bool(page.trailer.get("more"))


def follows(checkpoint: Checkpoint, page: Page) -> bool:
    """Whether the page is the next one of the history we follow. Diverged for another history, OutOfStep for another place in it."""
    if checkpoint.epoch and (page.epoch != checkpoint.epoch or page.head < checkpoint.seq):
        raise Diverged(f"we follow {checkpoint.epoch}:{checkpoint.seq}, the feed is {page.epoch} with head {page.head}")
    if page.start != checkpoint.seq + 1:
        raise OutOfStep("sequence", f"the page due starts at {checkpoint.seq + 1}, this one at {page.start}")
    return page.prev_chain == (checkpoint.chain or GENESIS)


def take_page(peer: Peer, checkpoint: Checkpoint, page: Page, run: SyncRun) -> None:
    """Apply a page that follows, however it came, and move the cursor in the same transaction."""
    check_origin(peer, page)
    cursor = {"epoch": page.epoch, "seq": page.end, "chain": page.trailer["chain"], "head": page.head}
    if not page.events:
        cursor = {"epoch": page.epoch, "head": page.head}
        leases.held(checkpoint).update(**cursor)
    _commit(peer, checkpoint, page, run, cursor)
    for name, value in cursor.items():
        setattr(checkpoint, name, value)


def _fetch(peer: Peer, checkpoint: Checkpoint, run: SyncRun) -> Page:
    since, begun = f"{checkpoint.epoch}:{checkpoint.seq}" if checkpoint.epoch else "", time.monotonic()
    # without hints from outside, the first look of a turn waits for news: a decision is here as soon as with a hint
    wait = f"&wait={WAIT}" if settings.PORTAL_UNREACHABLE and since and not run.pages and checkpoint.stream == feeds.DECISIONS else ""
    page = read_page(peer, checkpoint, run, f"changes?since={since}&limit={checkpoint.page_size}{wait}", decode_page)
    took = time.monotonic() - begun
    if page.events and not wait and not QUICK < took <= SLOW:
        _page_size(checkpoint, faster=took <= QUICK)
    return page


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


def _take_snapshot(peer: Peer, checkpoint: Checkpoint, run: SyncRun) -> None:
    """The current state by key, because our cursor is below the feed's floor. What it does not name is not deleted; the cursor
    moves once all of it is applied, to the as_of of its first page."""
    first: Snapshot | None = None
    after, more = "", True
    while more:
        leases.renew(checkpoint)
        page = read_page(peer, checkpoint, run, f"snapshot?after={after}&limit={checkpoint.page_size}", decode_snapshot)
        first = first or page
        if checkpoint.epoch not in ("", page.epoch) or page.epoch != first.epoch or first.as_of < checkpoint.seq:
            raise Diverged(f"we follow {checkpoint.epoch}:{checkpoint.seq}, the snapshot is of {page.epoch}:{page.as_of}")
        if page.after != after:
            raise ProtocolError("sequence", f"asked for what follows {after}, the page follows {page.after}")
        check_origin(peer, page)
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


@transaction.atomic
def mark_diverged(peer: Peer, error: str) -> None:
    Peer.objects.filter(pk=peer.pk).update(state=Peer.State.DIVERGED, last_error=error)
    audit.append("federation.diverged", ("catalog.Portal", peer.pk), label=peer.pk, error=error)
    logger.error("Peer %s diverged: %s", peer.pk, error)


@transaction.atomic
def read_anew(portal_id: str, *, actor=None) -> None:
    """After divergence, a person lets the feed be read from its start. Records with an equal or higher revision stay as they are."""
    Checkpoint.objects.filter(peer_id=portal_id).update(epoch="", seq=0, chain="", head=0, fencing_token=None, lease_until=None)
    audit.append("federation.read_anew", ("catalog.Portal", portal_id), actor=actor)


def tidy() -> None:
    """Drop nonces and tickets too old to be replayed, and runs older than 90 days."""
    now = timezone.now()
    Nonce.objects.filter(seen_at__lt=now - timedelta(minutes=10)).delete()
    Ticket.objects.filter(used_at__lt=now - timedelta(days=1)).delete()
    SyncRun.objects.filter(started_at__lt=now - timedelta(days=90)).delete()
