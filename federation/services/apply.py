"""Apply the events of one page. The caller holds the transaction; nothing here commits, nothing here deletes unasked."""

import logging
import re
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from catalog import rows
from catalog.exceptions import DomainError
from catalog.ids import parse_urn
from catalog.models import Dataset
from catalog.services import audit, checks
from catalog.services.datasets import purge_dataset
from catalog.services.publication import announce
from catalog.services.remote import RemoteListing, upsert_remote_datasets
from federation import feeds
from federation.digests import Node
from federation.models import Checkpoint, Peer, Quarantine, RemoteRecord
from federation.protocol import Event, Page, ProtocolError, Snapshot
from federation.services import admissions
from federation.services.peers import is_national
from federation.services.records import Unfit, check_put, document_of

logger = logging.getLogger(__name__)
LISTINGS = feeds.LISTINGS
USAGE_URN = re.compile(r"urn:usage:(?P<portal>[a-z0-9-]{2,64}):(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}):(?P<part>[0-9]{1,3})")
HOLD_ABOVE, HOLD_SHARE, HOLD_WINDOW = 50, 0.05, timedelta(hours=24)
REFUSED_BY_DATABASE = (IntegrityError, DataError, DomainError, ValueError, OverflowError)


@dataclass
class Batch:
    """What a page comes to: events to write, events to park with code and reason, and counts."""

    peer: Peer
    stream: str
    puts: list[tuple[Event, dict]] = field(default_factory=list)
    dels: list[tuple[Event, dict]] = field(default_factory=list)
    purges: list[Event] = field(default_factory=list)
    parked: list[tuple[Event, str, str]] = field(default_factory=list)
    held: list[Event] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    before: dict[str, tuple[str, int, str]] = field(default_factory=dict)  # op, rev and hash of what is stored, and the events
    kept: list[Event] = field(default_factory=list)  # that took its place: the digest moves with them
    gaps: int = 0
    unchanged: int = 0
    applied: int = 0

    def park(self, event: Event, code: str, reason: str) -> None:
        self.parked.append((event, code, reason))


def check_origin(peer: Peer, page: Page | Snapshot) -> None:
    """I3: an event may only come from the portal that owns it; a listing, acknowledgement or count names that portal in its
    identifier. ProtocolError refuses the whole page."""
    for event in page.events:
        if event.origin != peer.pk or (page.stream in feeds.FROM_BELOW and _owner(page.stream, event) != peer.pk):
            raise ProtocolError("foreign", f"seq {event.seq}: {event.id} does not belong to {peer.pk}")


def _owner(stream: str, event: Event) -> str:
    if stream == feeds.USAGE:
        return usage_day(event.id)[0]
    try:
        return parse_urn(event.id)[0]
    except ValueError:
        raise ProtocolError("identifier", f"seq {event.seq}: {event.id} is no dataset identifier") from None


def usage_day(identifier: str) -> tuple[str, str, int]:
    """Portal, day and part of urn:usage:<portal>:<day>:<part>."""
    found = USAGE_URN.fullmatch(identifier)
    if not found:
        raise ProtocolError("identifier", f"{identifier} is no day of usage")
    return found["portal"], found["day"], int(found["part"])


def apply_listings(peer: Peer, events, *, release: bool = False, whole: bool = False, damaged: frozenset[str] = frozenset()) -> Batch:
    """Apply listing events in their order. `release` applies tombstones that a person let go; `whole`: the events are a snapshot;
    `damaged` records here are replaced whatever their revision."""
    batch = sort_events(peer, LISTINGS, events, whole=whole, damaged=damaged)
    codes = checks.active_codes() if batch.puts else {}
    fit = []
    for event, document in batch.puts:
        try:
            check_put(document, codes)
            fit.append((event, document))
        except Unfit as error:
            batch.park(event, error.code, str(error))
    batch.puts = fit
    if not release:
        _hold_floods(batch)
    _write_puts(batch)
    _write_tombstones(batch)
    _write_purges(batch)
    park(batch)
    return batch


def sort_events(peer: Peer, stream: str, events, *, whole: bool = False, damaged: frozenset[str] = frozenset()) -> Batch:
    """The rules of rev and hash: above the stored rev write, equal and same hash nothing, equal and other hash park, lower nothing."""
    batch = Batch(peer, stream)
    records = RemoteRecord.objects.filter(peer=peer, stream=stream, identifier__in=[event.id for event in events])
    found = list(records.values_list("identifier", "op", "rev", "hash", "seen_rev"))
    batch.before = {identifier: (op, rev, hash_) for identifier, op, rev, hash_, _seen in found}
    known = {identifier: (rev, hash_) for identifier, _op, rev, hash_, _seen in found if identifier not in damaged}
    parked = Quarantine.objects.filter(peer=peer, stream=stream, state=Quarantine.State.REFUSED)
    refused = set(parked.filter(identifier__in=known).values_list("identifier", "rev", "hash")) if known and parked.exists() else set()
    latest: dict[str, tuple[Event, dict]] = {}
    if not whole:  # a snapshot shows the last revision only
        _note_gaps(batch, events, {identifier: max(rev, seen) for identifier, _op, rev, _hash, seen in found})
    for event in events:
        rev, hash_ = known.get(event.id, (-1, ""))
        settled = event.superseded_by is not None or event.rev < rev or (event.id, event.rev, event.hash) in refused
        if settled or (event.rev, event.hash) == (rev, hash_):
            batch.unchanged += 1
            if event.rev > rev:
                batch.seen[event.id] = max(event.rev, batch.seen.get(event.id, 0))
            continue
        try:
            if event.rev == rev:
                raise Unfit("equivocation", f"revision {rev} was {hash_}, now it is {event.hash}; both are kept")
            document = document_of(event, feeds.SCHEMAS[stream].partition("/")[0])
        except Unfit as error:
            batch.park(event, error.code, str(error))
            continue
        batch.unchanged += event.id in latest
        latest[event.id] = (event, document)
        known[event.id] = (event.rev, event.hash)
    for event, document in latest.values():
        if event.op == "put":
            batch.puts.append((event, document))
        elif event.op == "del":
            batch.dels.append((event, document))
        else:
            batch.purges.append(event)
    return batch


def _note_gaps(batch: Batch, events, seen: dict[str, int]) -> None:
    """rev grows by one at the origin: a jump above what was seen of a record we hold is the origin's error. It is told, and
    the event applied all the same; a record met for the first time may have had revisions that were overtaken."""
    for event in events:
        last = seen.get(event.id)
        if last is not None and event.rev > last + 1:
            batch.gaps += 1
            audit.append("federation.revision_gap", ("catalog.Dataset", event.id), label=batch.peer.pk, after=last, rev=event.rev, seq=event.seq)
            logger.warning("Peer %s: %s jumps from revision %d to %d", batch.peer.pk, event.id, last, event.rev)
        seen[event.id] = max(event.rev, last or 0)


def _keep_seen(batch: Batch) -> None:
    """Revisions that were overtaken, parked or held, of records we hold: they came, though nothing was written."""
    for event in [*batch.held, *(event for event, _code, _reason in batch.parked)]:
        batch.seen[event.id] = max(event.rev, batch.seen.get(event.id, 0))
    for row in RemoteRecord.objects.filter(peer=batch.peer, stream=batch.stream, identifier__in=batch.seen).only("rev", "seen_rev", "identifier"):
        if batch.seen[row.identifier] > max(row.rev, row.seen_rev):
            RemoteRecord.objects.filter(pk=row.pk).update(seen_rev=batch.seen[row.identifier])


def _hold_floods(batch: Batch) -> None:
    """I5: more than max(50, 5 %) of the live records deleted or erased within 24 hours waits for a person."""
    if not batch.dels and not batch.purges:
        return
    records = RemoteRecord.objects.filter(peer=batch.peer, stream=LISTINGS)
    since = timezone.now() - HOLD_WINDOW
    deleted = records.filter(op__in=["del", "purge"], received_at__gte=since).count()
    waiting = Quarantine.objects.filter(peer=batch.peer, state=Quarantine.State.HELD).count()
    live = records.filter(op="put").count()
    ending = [event for event, _document in batch.dels] + batch.purges
    ours = set(records.filter(op="put", identifier__in=[event.id for event in ending]).values_list("identifier", flat=True))
    coming = [event for event in ending if event.id in ours]
    if deleted + waiting + len(coming) > max(HOLD_ABOVE, int((live + deleted) * HOLD_SHARE)):
        batch.held = coming
        batch.dels = [(event, document) for event, document in batch.dels if event.id not in ours]
        batch.purges = [event for event in batch.purges if event.id not in ours]


def _write_puts(batch: Batch) -> None:
    if not batch.puts:
        return
    try:
        with transaction.atomic():
            _store(batch, batch.puts)
            return
    except REFUSED_BY_DATABASE as error:
        batch.kept.clear()  # puts go first
        logger.info("Page of %s goes record by record (%s)", batch.peer.pk, type(error).__name__)
    for event, document in batch.puts:
        before = len(batch.kept)
        try:
            with transaction.atomic():
                _store(batch, [(event, document)])
        except REFUSED_BY_DATABASE as error:
            del batch.kept[before:]
            batch.park(event, "refused", f"{type(error).__name__}: {error}"[:500])


def _store(batch: Batch, puts) -> None:
    """Listings, their admission, raw records, audit rows and index rows, together."""
    peer = batch.peer
    standing = admissions.Standing(peer, puts)
    listings = [
        RemoteListing(event.id, document["listing"], event.rev, document["status"], standing.of(event, document), document.get("quality") or None)
        for event, document in puts
    ]
    datasets = upsert_remote_datasets(listings)
    keep_records(batch, [event for event, _document in puts])
    audit.append_many(
        [("federation.applied", row, {"rev": row.rev, "seq": event.seq}) for row, (event, _document) in zip(datasets, puts, strict=True)],
        label=peer.pk,
    )
    announce(datasets, bump=False)
    if is_national():
        standing.open(datasets)
    batch.applied += len(puts)


def keep_records(batch: Batch, events) -> None:
    """Raw bytes as they came, one row per identifier, and the digest over them. Parked events of lower revisions are thereby settled."""
    peer, stream, now = batch.peer, batch.stream, timezone.now()
    if not events:
        return
    records = [
        RemoteRecord(
            peer=peer, stream=stream, identifier=event.id, op=event.op, rev=event.rev, hash=event.hash, doc=event.doc, seq=event.seq,
            event_ts=_time(event.ts), received_at=now,
        )
        for event in events
    ]  # fmt: skip
    names = ["op", "rev", "hash", "doc", "seq", "event_ts", "received_at"]
    rows.insert(RemoteRecord, records, conflict=["peer", "stream", "identifier"], update=names)
    batch.kept += events
    revs = {event.id: event.rev for event in events}
    open_rows = Quarantine.objects.filter(peer=peer, stream=stream, state__in=["parked", "held"])
    if not open_rows.exists():  # as a rule: a list of 500 identifiers costs more than this question
        return
    settled = [row.pk for row in open_rows.filter(identifier__in=revs).only("identifier", "rev") if row.rev <= revs[row.identifier]]
    if settled:
        Quarantine.objects.filter(pk__in=settled).update(state=Quarantine.State.RESOLVED, closed_at=now)


def _count_kept(batch: Batch) -> None:
    checkpoint = Checkpoint.objects.select_for_update().filter(peer=batch.peer, stream=batch.stream).only("records", "root").first()
    if checkpoint is None:
        return
    node = Node.of(checkpoint.records, checkpoint.root)
    for event in batch.kept:
        if stored := batch.before.get(event.id):
            node.take(stored[0], event.id, *stored[1:])
        node.put(event.op, event.id, event.rev, event.hash)
        batch.before[event.id] = (event.op, event.rev, event.hash)
    Checkpoint.objects.filter(pk=checkpoint.pk).update(records=node.records, root=node.digest)


def _time(text: str):
    try:
        value = parse_datetime(text)
    except ValueError:
        return None
    return value if value and value.tzinfo else None


def _write_tombstones(batch: Batch) -> None:
    if not batch.dels:
        return
    found = {row.identifier: row for row in Dataset.objects.select_for_update().filter(identifier__in=[event.id for event, _doc in batch.dels])}
    changed = []
    for event, document in batch.dels:
        if dataset := found.get(event.id):
            status = document.get("status")
            dataset.status = Dataset.Status.SUSPENDED if status == "suspended" else Dataset.Status.DELISTED
            reason = document.get("reason", "")
            dataset.status_reason = checks.CONTROL.sub("", reason)[:2000] if isinstance(reason, str) else ""
            dataset.rev, dataset.synced_at = event.rev, timezone.now()
            changed.append(dataset)
    rows.overwrite(Dataset, changed, ["status", "status_reason", "rev", "synced_at"])
    keep_records(batch, [event for event, _document in batch.dels])
    audit.append_many([("federation.withdrawn", row, {"rev": row.rev, "status": row.status}) for row in changed], label=batch.peer.pk)
    if changed:
        announce(changed, bump=False)
    batch.applied += len(batch.dels)


def _write_purges(batch: Batch) -> None:
    for event in batch.purges:
        if dataset := Dataset.objects.filter(identifier=event.id).first():
            dataset.reviews.all().delete()
            purge_dataset(dataset, actor=None, legal_basis=_("来源门户依法删除"))
        Quarantine.objects.filter(peer=batch.peer, identifier=event.id).update(event=b"", title="", state="resolved", closed_at=timezone.now())
    keep_records(batch, batch.purges)
    batch.applied += len(batch.purges)


def park(batch: Batch) -> None:
    """Close a batch: count what was kept, write parked and held events with their raw bytes; seen again, only their attempts grow."""
    if batch.kept:
        _count_kept(batch)
    if batch.seen or batch.parked or batch.held:
        _keep_seen(batch)
    entries = [(event, code, reason, Quarantine.State.PARKED) for event, code, reason in batch.parked]
    reason = _("24 小时内的删除超过门限，等待人工核对。")
    entries += [(event, "tombstone_flood", reason, Quarantine.State.HELD) for event in batch.held]
    titles = dict(Dataset.objects.filter(identifier__in=[entry[0].id for entry in entries]).values_list("identifier", "title")) if entries else {}
    for event, code, reason, state in entries:
        row, created = Quarantine.objects.get_or_create(
            peer=batch.peer, stream=batch.stream, identifier=event.id, rev=event.rev, hash=event.hash,
            defaults={
                "seq": event.seq, "event": event.raw, "error": code, "reason": reason, "state": state,
                "title": titles.get(event.id) or _title(event),
            },
        )  # fmt: skip
        if created:
            audit.append(f"federation.{state}", row, label=batch.peer.pk, error=code, rev=event.rev)
        elif row.state == Quarantine.State.PARKED:
            Quarantine.objects.filter(pk=row.pk).update(attempts=row.attempts + 1, error=code, reason=reason)


def _title(event: Event) -> str:
    import orjson

    listing = orjson.loads(event.doc).get("listing") if event.doc else None
    title = listing.get("title") if isinstance(listing, dict) else ""
    return checks.CONTROL.sub("", title)[:300] if isinstance(title, str) else ""
