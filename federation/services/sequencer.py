"""Gives committed outbox rows their dense numbers, and serves pages of what is numbered.

A row is numbered only after its transaction is committed and under the lock of its feed, so no lower number can appear later.
"""

import secrets
import threading
import time

from django.conf import settings
from django.db import transaction

from catalog import rows as table
from federation import signing
from federation.digests import LEAF, Node, bucket_of, grown
from federation.feeds import SCHEMAS
from federation.models import Bucket, Change, FeedState
from federation.protocol import (
    GENESIS,
    MAX_EVENTS,
    MAX_PAGE_BYTES,
    MAX_PAGE_VALUES,
    Event,
    Page,
    Snapshot,
    encode_page,
    encode_snapshot,
    next_chain,
    values_at_most,
)
from federation.services.keys import own_signer

BATCH = 500
WAIT_AT_MOST, WAIT_STEP, WAITERS = 25, 0.25, 2  # of a long poll: seconds in all, between looks; requests of one process
_waiting = threading.BoundedSemaphore(WAITERS)
ENVELOPE_VALUES = 12
PAGE_TARGET = MAX_PAGE_BYTES // 2  # bytes of documents, so that the page stays below the limit with its envelope


class BelowFloor(Exception):
    """What was asked for is no longer kept: the reader takes the snapshot, then the changes since its as_of."""


def number_all() -> list[tuple[str, str]]:
    """Number every committed row; the feeds (stream, audience) that grew."""
    feeds = list(Change.objects.filter(seq__isnull=True).order_by().values_list("stream", "audience").distinct())
    for stream, audience in feeds:
        while number_batch(stream, audience) == BATCH:
            pass
    return feeds


def feed_state(stream: str, audience: str = "") -> FeedState:
    state, _created = FeedState.objects.get_or_create(stream=stream, audience=audience, defaults={"epoch": secrets.token_hex(8), "chain": GENESIS})
    return state


@transaction.atomic
def number_batch(stream: str, audience: str) -> int:
    """Number up to BATCH rows of one feed in one transaction; how many."""
    feed_state(stream, audience)
    state = FeedState.objects.select_for_update().get(stream=stream, audience=audience)
    waiting = Change.objects.filter(stream=stream, audience=audience, seq__isnull=True).defer("doc").order_by("id")
    rows = list(waiting[:BATCH])
    newest: dict[str, Change] = {}
    for row in rows:
        state.head += 1
        row.seq, row.chain, row.bucket = state.head, "", bucket_of(row.identifier)
        row.chain = state.chain = next_chain(state.chain, row)
        if overtaken := newest.get(row.identifier):
            overtaken.superseded_by = row.seq
        newest[row.identifier] = row
    table.overwrite(Change, rows, ["seq", "chain", "superseded_by", "bucket"])
    _count(state, newest, _supersede(stream, audience, newest, {row.pk for row in rows}))
    state.save(update_fields=["head", "chain", "records", "root"])
    return len(rows)


def _count(state: FeedState, newest: dict[str, Change], overtaken: list[Change]) -> None:
    """Bring the digests in line with what these rows made of the feed's current state."""
    moved: dict[int, Node] = {}
    for row in newest.values():
        moved.setdefault(bucket_of(row.identifier), Node()).put(row.op, row.identifier, row.rev, row.hash)
    for row in overtaken:
        moved.setdefault(bucket_of(row.identifier), Node()).take(row.op, row.identifier, row.rev, row.hash)
    kept = {bucket.number: bucket for bucket in Bucket.objects.filter(feed=state, number__in=moved)}
    root = Node.of(state.records, state.root)
    for number, change in moved.items():
        bucket = kept.setdefault(number, Bucket(feed=state, number=number))
        node = Node.of(bucket.records, bucket.digest)
        node.add(change)
        root.add(change)
        bucket.records, bucket.digest = node.records, node.digest
    state.records, state.root = root.records, root.digest
    table.insert(Bucket, [bucket for bucket in kept.values() if bucket.pk is None])
    table.overwrite(Bucket, [bucket for bucket in kept.values() if bucket.pk is not None and bucket.number in moved], ["records", "digest"])


def _supersede(stream, audience, newest, fresh) -> list[Change]:
    """Events overtaken by these rows point to them and lose their document; those that were the current ones until now."""
    older = Change.objects.filter(stream=stream, audience=audience, identifier__in=list(newest), superseded_by__isnull=True, seq__isnull=False)
    rows = [row for row in older.defer("doc") if row.pk != newest[row.identifier].pk and row.seq < newest[row.identifier].seq]
    for row in rows:
        row.superseded_by = newest[row.identifier].seq
    table.overwrite(Change, rows, ["superseded_by"])
    Change.objects.filter(pk__in=[row.pk for row in rows] + list(fresh), superseded_by__isnull=False).update(doc=None)
    return rows


@transaction.atomic
def page(stream: str, audience: str, since: str, limit: int = MAX_EVENTS) -> bytes:
    """The page after `since` ("epoch:seq", or "" for the start). Another epoch, or a seq above the head, gives an empty
    page whose header tells the reader so. BelowFloor when the first event due is no longer kept."""
    state = feed_state(stream, audience)
    epoch, seq = parse_since(since)
    seq = seq if epoch else 0
    if seq < state.floor - 1 and epoch in ("", state.epoch):
        raise BelowFloor(f"{seq + 1} is below the floor {state.floor}")
    if (epoch and epoch != state.epoch) or seq > state.head:
        empty = Page(settings.PORTAL_ID, stream, state.epoch, state.head + 1, state.head, state.head, state.floor, state.chain)
        return encode_page(empty, lambda data: signing.attest(own_signer(), data))
    rows = Change.objects.filter(stream=stream, audience=audience, seq__gt=seq, seq__lte=state.head).order_by("seq")
    events = _fitting(rows, limit)
    before = Change.objects.filter(stream=stream, audience=audience, seq=seq).values_list("chain", flat=True).first() or GENESIS
    built = Page(
        settings.PORTAL_ID, stream, state.epoch, seq + 1, seq + len(events), state.head, state.floor, before, events, SCHEMAS.get(stream, stream)
    )
    signer = own_signer()
    return encode_page(built, lambda data: signing.attest(signer, data))


def wait_for_news(stream: str, audience: str, since: str, seconds: float) -> None:
    """Return when the feed goes beyond `since`, at the latest after so many seconds. Only WAITERS requests of a process may wait at a
    time, so that readers never take all of its threads; another one is answered at once."""
    epoch, seq = parse_since(since)
    until = time.monotonic() + min(seconds, WAIT_AT_MOST)
    if not epoch or not _waiting.acquire(blocking=False):
        return
    try:
        while time.monotonic() < until:
            heads = FeedState.objects.filter(stream=stream, audience=audience).values_list("epoch", "head").first()
            if heads != (epoch, seq):
                return
            time.sleep(WAIT_STEP)
    finally:
        _waiting.release()


def _fitting(rows, limit: int) -> list[Event]:
    """As many of the rows as a page holds, and at least one; read in small chunks, so that no more than a page is in memory."""
    events, size, values = [], 0, 0
    for row in rows[: max(1, min(limit, MAX_EVENTS))].iterator(chunk_size=20):
        doc = bytes(row.doc or b"")
        size, values = size + len(doc), values + values_at_most(doc) + ENVELOPE_VALUES
        if events and (size > PAGE_TARGET or values > MAX_PAGE_VALUES):
            break
        events.append(event_of(row))
    return events


@transaction.atomic
def snapshot(stream: str, audience: str, after: str, limit: int = MAX_EVENTS) -> bytes:
    """The latest event of each identifier above `after`, tombstones included. A reader walks it to the end, then reads the
    changes since the as_of of the first page it got: what moved meanwhile comes again there."""
    state = feed_state(stream, audience)
    current = Change.objects.filter(stream=stream, audience=audience, seq__isnull=False, superseded_by__isnull=True, identifier__gt=after)
    events = _fitting(current.order_by("identifier"), limit)
    more = bool(events) and current.filter(identifier__gt=events[-1].id).exists()
    schema = SCHEMAS.get(stream, stream)
    built = Snapshot(settings.PORTAL_ID, stream, state.epoch, state.head, state.floor, state.chain, after, events, schema)
    signer = own_signer()
    return encode_snapshot(built, more, lambda data: signing.attest(signer, data))


def digests(stream: str, audience: str, prefix: str, depth: int) -> dict:
    """The feed's state at `as_of` below a prefix: {prefix: [records, digest]} one level down or `depth`, or the records of one bucket."""
    for _attempt in range(5):
        state = feed_state(stream, audience)
        found = {"portal": settings.PORTAL_ID, "stream": stream, "epoch": state.epoch, "as_of": state.head, "prefix": prefix}
        found |= _records_of(state, prefix) if len(prefix) == LEAF else _nodes_of(state, prefix, depth)
        if FeedState.objects.values_list("head", flat=True).get(pk=state.pk) == state.head:
            break  # numbered meanwhile: read again; a feed that never rests gives a mixed answer, and the reader descends once more
    return found


def _nodes_of(state: FeedState, prefix: str, depth: int) -> dict:
    wide = LEAF - len(prefix)
    first = int(prefix or "0", 16) << 4 * wide
    rows = Bucket.objects.filter(feed=state, number__gte=first, number__lt=first + (1 << 4 * wide))
    nodes = grown({number: Node.of(records, digest) for number, records, digest in rows.values_list("number", "records", "digest")})
    level = min(len(prefix) + depth, LEAF)
    shown = {name: [node.records, node.digest] for name, node in nodes.items() if len(name) == level and (node.records or node.value)}
    own = nodes.get(prefix, Node())
    return {"records": own.records, "digest": own.digest, "nodes": shown}


def _records_of(state: FeedState, prefix: str) -> dict:
    current = Change.objects.filter(stream=state.stream, audience=state.audience, bucket=int(prefix, 16), superseded_by__isnull=True)
    return {"list": [list(row) for row in current.order_by("identifier").values_list("identifier", "op", "rev", "hash")]}


def parse_since(since: str) -> tuple[str, int]:
    """("", 0) for the start; ValueError when it is not of the form epoch:seq."""
    if not since:
        return "", 0
    epoch, _colon, number = since.partition(":")
    if not (epoch.isalnum() and epoch.isascii() and len(epoch) <= 32 and number.isdigit() and number.isascii() and len(number) <= 16):
        raise ValueError(since)
    return epoch, int(number)


def event_of(row: Change) -> Event:
    return Event(
        seq=row.seq,
        op=row.op,
        id=row.identifier,
        origin=settings.PORTAL_ID,
        rev=row.rev,
        hash=row.hash,
        schema=SCHEMAS.get(row.stream, row.stream),
        ts=row.ts.isoformat(timespec="milliseconds"),
        doc=bytes(row.doc) if row.doc is not None else None,
        superseded_by=row.superseded_by,
    )
