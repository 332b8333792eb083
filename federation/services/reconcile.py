"""Reconciliation: is what we hold of a peer's feed what the peer publishes? Found by digests, repaired from signed events.

The descent takes at most three requests to the records that differ (two levels at once, then a bucket's list), and one more for
each record that is fetched. Nothing is deleted: a record that the owner does not name is told, not dropped (I5).
"""

import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from urllib.parse import quote

from django.db import transaction
from django.utils import timezone

from catalog.models import Dataset
from catalog.services import audit
from federation import protocol
from federation.digests import LEAF, Node, prefix_of, tree
from federation.models import Checkpoint, Peer, Quarantine, RemoteRecord
from federation.protocol import ProtocolError, digest
from federation.services import leases, sync
from federation.services.apply import check_origin
from federation.services.client import call
from federation.services.receiving import APPLY
from federation.services.sync import SyncRun, read_page

logger = logging.getLogger(__name__)


class Behind(Exception):
    """The feed moved, or we are not at its head: compared at two moments, every change would look like a difference."""


REQUESTS_AT_MOST = 200  # above that the snapshot is cheaper
FAILURES = (Behind, *sync.FAILURES)
Row = tuple[str, int, str]  # op, rev, hash


@dataclass
class Report:
    """What one comparison found. `explained` are records that are parked here with a reason, `ours_newer` ones whose revision the
    owner does not have (it may take them back, services/custody.py), `unknown_there` ones the owner does not name at all."""

    portal: str
    stream: str
    as_of: int = 0
    records: int = 0
    requests: int = 0
    bytes: int = 0
    differing: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    explained: int = 0
    ours_newer: list[str] = field(default_factory=list)
    unknown_there: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def agrees(self) -> bool:
        return not self.error and len(self.repaired) == len(self.differing) and not self.ours_newer and not self.unknown_there

    def document(self) -> dict:
        return asdict(self) | {"agrees": self.agrees}


def reconcile(peer: Peer, stream: str, *, repair: bool = True) -> Report:
    """Compare and repair one stream of a peer. Behind when its feed is not read to the end; TransportError and ProtocolError as in a pull."""
    checkpoint = leases.take(peer, stream)
    if checkpoint is None:
        raise Behind("another worker is at this stream")
    report = Report(peer.pk, stream)
    try:
        wrong = _find(peer, checkpoint, report)
        if repair and wrong:
            _repair(peer, checkpoint, report, wrong)
    finally:
        leases.release(checkpoint)
    _keep(checkpoint, report)
    return report


def _find(peer: Peer, checkpoint: Checkpoint, report: Report) -> dict[str, Row | None]:
    """What the owner says of each record that differs; None of one it does not name."""
    held = {identifier: (op, rev, hash_) for identifier, op, rev, hash_ in _held(peer, checkpoint.stream)}
    nodes = tree((op, identifier, rev, hash_) for identifier, (op, rev, hash_) in held.items())
    report.records = len(held)
    _correct_root(checkpoint, nodes[""])
    damaged = _damaged_here(peer, checkpoint.stream)
    theirs: dict[str, Row] = {}
    leaves = set(_descend(peer, checkpoint, report, nodes))
    for prefix in sorted(leaves):
        answered = _ask(peer, checkpoint, report, prefix)
        theirs |= {row[0]: (row[1], row[2], row[3]) for row in _listed(answered)}
    ours = {identifier: row for identifier, row in held.items() if prefix_of(identifier) in leaves}
    found: dict[str, Row | None] = {name: theirs.get(name) for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}
    if leaves and not found:
        raise ProtocolError("recon", "buckets differ and their lists do not")
    parked = _parked(peer, checkpoint.stream, found)
    explained = [name for name, row in found.items() if row and (name, row[1], row[2]) in parked]
    report.explained = len(explained)
    for name in explained:
        del found[name]
    report.differing = sorted(found.keys() | damaged)
    return {name: held[name] for name in damaged} | found


def _held(peer: Peer, stream: str) -> Iterable[tuple[str, str, int, str]]:
    rows = RemoteRecord.objects.filter(peer=peer, stream=stream).order_by("pk")
    return rows.values_list("identifier", "op", "rev", "hash").iterator(chunk_size=5000)


def _correct_root(checkpoint: Checkpoint, root: Node) -> None:
    """The digest that moves with each page is settled anew from the rows themselves."""
    if (checkpoint.records, checkpoint.root) != (root.records, root.digest):
        logger.error("The digest of %s %s did not fit its rows", checkpoint.peer_id, checkpoint.stream)
        leases.held(checkpoint).update(records=root.records, root=root.digest)


def _damaged_here(peer: Peer, stream: str) -> set[str]:
    """Listings whose catalogue row is missing or of another revision than the record: the record is right, the row is written anew."""
    if stream != "listings":
        return set()
    shown = dict(Dataset.objects.filter(home_portal=peer.pk).values_list("identifier", "rev").iterator(chunk_size=5000))
    puts = RemoteRecord.objects.filter(peer=peer, stream=stream, op="put").values_list("identifier", "rev").iterator(chunk_size=5000)
    return {identifier for identifier, rev in puts if shown.get(identifier) != rev}


def _descend(peer, checkpoint, report, nodes: dict[str, Node]) -> list[str]:
    """Prefixes of the buckets that differ. The root and its 16 children first; below each of these that differs, two levels at once."""
    first = _ask(peer, checkpoint, report, "")
    own = nodes.get("", Node())
    if (first.get("records"), first.get("digest")) == (own.records, own.digest):
        return []
    found = []
    for child in _differing(first, nodes, 1):
        found += _differing(_ask(peer, checkpoint, report, child, depth=2), nodes, LEAF, under=child)
    if not found:
        raise ProtocolError("recon", "the root differs and no bucket does")
    return found


def _differing(answered: dict, nodes: dict[str, Node], length: int, *, under: str = "") -> list[str]:
    """Prefixes of this length, below `under`, at which the answer and our nodes part."""
    given = answered.get("nodes")
    if not isinstance(given, dict) or len(given) > 16**2:
        raise ProtocolError("recon", "nodes is an object of at most 256 prefixes")
    ours = {name: [node.records, node.digest] for name, node in nodes.items() if len(name) == length and name.startswith(under) and node.records}
    return sorted(name for name in given.keys() | ours.keys() if given.get(name) != ours.get(name) and len(name) == length)


def _ask(peer: Peer, checkpoint: Checkpoint, report: Report, prefix: str, *, depth: int = 1) -> dict:
    if report.requests >= REQUESTS_AT_MOST:
        raise ProtocolError("recon", f"more than {REQUESTS_AT_MOST} requests: too much differs, take the snapshot")
    leases.renew(checkpoint)
    answer = call(peer, "GET", f"/fed/v1/streams/{checkpoint.stream}/recon?prefix={prefix}&depth={depth}", coding="gzip")
    report.requests, report.bytes = report.requests + 1, report.bytes + len(answer.content)
    value = protocol.strict_json(protocol.decoded(answer.content, answer.headers.get("content-encoding", "")))
    if not isinstance(value, dict) or (value.get("portal"), value.get("stream"), value.get("prefix")) != (peer.pk, checkpoint.stream, prefix):
        raise ProtocolError("recon", "this is no answer to what was asked")
    if (value.get("epoch"), value.get("as_of")) != (checkpoint.epoch, checkpoint.seq):
        raise Behind(f"we are at {checkpoint.epoch}:{checkpoint.seq}, the feed at {value.get('epoch')}:{value.get('as_of')}")
    report.as_of = checkpoint.seq
    return value


def _listed(answered: dict) -> list[tuple[str, str, int, str]]:
    rows = answered.get("list")
    kinds = (str, str, int, str)
    if not isinstance(rows, list) or not all(
        isinstance(row, list) and len(row) == 4 and all(isinstance(value, kind) for value, kind in zip(row, kinds, strict=True)) for row in rows
    ):
        raise ProtocolError("recon", "list holds [id, op, rev, hash]")
    return [tuple(row) for row in rows]


def _parked(peer: Peer, stream: str, identifiers) -> set[tuple[str, int, str]]:
    """Events that came and were not applied, for a reason both portals can read; a refused one stays refused."""
    rows = Quarantine.objects.filter(peer=peer, stream=stream, identifier__in=list(identifiers)).exclude(state=Quarantine.State.RESOLVED)
    return set(rows.values_list("identifier", "rev", "hash"))


def _repair(peer: Peer, checkpoint: Checkpoint, report: Report, wrong: dict[str, Row | None]) -> None:
    for identifier, theirs in sorted(wrong.items()):
        ours = RemoteRecord.objects.filter(peer=peer, stream=checkpoint.stream, identifier=identifier).first()
        if theirs is None:
            report.unknown_there.append(identifier)
        elif ours is not None and ours.rev > theirs[1] and ours.hash != theirs[2] and _intact(ours):
            report.ours_newer.append(identifier)
        elif _fetch_and_apply(peer, checkpoint, report, identifier, replace=ours is None or ours.rev != theirs[1] or not _contradicts(ours, theirs)):
            report.repaired.append(identifier)
    report.differing = [name for name in report.differing if name not in {*report.ours_newer, *report.unknown_there}]


def _intact(row: RemoteRecord) -> bool:
    return digest(bytes(row.doc) if row.doc is not None else None) == row.hash


def _contradicts(ours: RemoteRecord, theirs: Row) -> bool:
    """The same revision with other content, and ours is as it was signed: the owner named two things alike, a person looks."""
    return (ours.op, ours.rev, ours.hash) != theirs and ours.rev == theirs[1] and _intact(ours)


def _fetch_and_apply(peer, checkpoint, report, identifier: str, *, replace: bool) -> bool:
    """The owner's signed event of one record, from a snapshot of one; applied over what is damaged here."""
    if report.requests >= REQUESTS_AT_MOST:
        raise ProtocolError("recon", f"more than {REQUESTS_AT_MOST} requests: too much differs, take the snapshot")
    run = SyncRun(peer=peer, stream=checkpoint.stream)
    page = read_page(peer, checkpoint, run, f"snapshot?after={quote(just_before(identifier))}&limit=1", protocol.decode_snapshot)
    report.requests, report.bytes = report.requests + 1, report.bytes + run.bytes
    if [event.id for event in page.events] != [identifier]:
        return False
    check_origin(peer, page)
    with transaction.atomic():
        if not leases.held(checkpoint).select_for_update().filter(seq=checkpoint.seq).exists():
            raise leases.LeaseLost(f"{peer.pk} {checkpoint.stream}")
        batch = APPLY[checkpoint.stream](peer, page.events, whole=True, damaged=frozenset([identifier] if replace else []))
        audit.append("federation.repaired", ("catalog.Dataset", identifier), label=peer.pk, rev=page.events[0].rev, applied=batch.applied)
    return bool(batch.applied)


def just_before(identifier: str) -> str:
    """An `after` that no identifier lies between it and this one."""
    return f"{identifier[:-1]}{chr(ord(identifier[-1]) - 1)}~"


@transaction.atomic
def _keep(checkpoint: Checkpoint, report: Report) -> None:
    counts = {name: len(value) if isinstance(value, list) else value for name, value in report.document().items()}
    Checkpoint.objects.filter(pk=checkpoint.pk).update(reconciled_at=timezone.now(), reconciled=counts)
    if report.differing or report.ours_newer or report.unknown_there:
        audit.append("federation.reconciled", ("catalog.Portal", report.portal), label=report.portal, **counts)


def reconcile_logged(portal_id: str, stream: str) -> Report | None:
    """As a worker does it: what goes wrong ends in the log, and the next night tries again."""
    peer = Peer.objects.filter(pk=portal_id, state=Peer.State.ACTIVE).first()
    if peer is None:
        return None
    try:
        report = reconcile(peer, stream)
    except FAILURES as error:
        logger.warning("Reconciliation with %s of %s: %s: %s", portal_id, stream, type(error).__name__, error)
        return None
    if not report.agrees:
        logger.error("Reconciliation with %s of %s: %s", portal_id, stream, report.document())
    return report


def reconcile_everything() -> list[Report]:
    cursors = Checkpoint.objects.filter(peer__state=Peer.State.ACTIVE).exclude(epoch="").order_by("peer_id", "stream")
    found = [reconcile_logged(peer_id, stream) for peer_id, stream in cursors.values_list("peer_id", "stream")]
    return [report for report in found if report]
