"""What a portal keeps for one that lost it: after a restore the owner takes newer records back, then its feed goes on.

Both sides are here. The keeper serves its records of a portal to that portal alone: the national portal listings, a home portal the
national decisions on its listings. The owner takes those whose revision is above its own, with their revision and hash, so that what it
publishes next does not contradict what it published before (F33, F34), and no takedown is lost (F37, I7).
"""

import logging
from dataclasses import dataclass

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from catalog.exceptions import DomainError
from catalog.ids import parse_urn
from catalog.models import Dataset, Organization
from catalog.services import audit
from catalog.services.datasets import fill_remote, project_admission, purge_dataset, replace_files
from catalog.services.publication import announce
from federation import feeds, protocol, signing
from federation.models import Change, Checkpoint, Decision, FeedState, Peer, RemoteRecord
from federation.protocol import Event, Snapshot
from federation.services import outbox, sequencer
from federation.services.client import call
from federation.services.keys import find_key, own_signer
from federation.services.records import Unfit, check_decision, document_of

logger = logging.getLogger(__name__)
EVENTS = 200


@dataclass
class Taken:
    """What a portal took back: records, of these tombstones; what it has itself as new or newer; what could not be taken, with why."""

    records: int = 0
    tombstones: int = 0
    kept: int = 0
    failed: list | None = None


def stream_of(portal_id: str) -> str:
    """What is kept of a portal."""
    return feeds.DECISIONS if feeds.role_of(portal_id) == "national" else feeds.LISTINGS


def keeps_for_us(peer: Peer) -> bool:
    """Home portals keep national decisions, the national portal their listings; portals of one tier ask nobody but the national one."""
    return feeds.role_of(peer.pk) != feeds.role_of(settings.PORTAL_ID) and "national" in (feeds.role_of(peer.pk), settings.PORTAL_ROLE)


# --- the keeper


def page(peer: Peer, after: str) -> bytes:
    """The asking portal's events as it signed them off, above an identifier, in the form of a snapshot."""
    stream = stream_of(peer.pk)
    checkpoint = Checkpoint.objects.filter(peer=peer, stream=stream).first()
    rows = RemoteRecord.objects.filter(peer=peer, stream=stream, identifier__gt=after).order_by("identifier")
    events, size = [], 0
    for row in rows[:EVENTS].iterator(chunk_size=20):
        size += len(row.doc or b"")
        if events and size > sequencer.PAGE_TARGET:
            break
        events.append(_event(peer, row))
    more = bool(events) and rows.filter(identifier__gt=events[-1].id).exists()
    epoch, seq, chain = (checkpoint.epoch, checkpoint.seq, checkpoint.chain) if checkpoint else ("", 0, "")
    built = Snapshot(settings.PORTAL_ID, "custody", epoch or "none", seq, 1, chain or protocol.GENESIS, after, events, feeds.SCHEMAS[stream])
    signer = own_signer()
    return protocol.encode_snapshot(built, more, lambda data: signing.attest(signer, data))


def _event(peer: Peer, row: RemoteRecord) -> Event:
    ts = (row.event_ts or row.received_at).isoformat(timespec="milliseconds")
    doc = bytes(row.doc) if row.doc is not None else None
    return Event(max(row.seq, 1), row.op, row.identifier, peer.pk, row.rev, row.hash, feeds.SCHEMAS[row.stream], ts, doc)


@transaction.atomic
def resume(peer: Peer, *, epoch: str, taken: int) -> dict:
    """The owner has its newer records back and its feed has a new name: it is read anew, from the start, which deletes nothing. Under the
    name that was followed a history that differs is not believed by itself: a person decides."""
    from federation.services import sync

    row = Peer.objects.select_for_update().get(pk=peer.pk)
    followed = Checkpoint.objects.filter(peer=row, stream=stream_of(peer.pk)).values_list("epoch", flat=True).first() or ""
    if row.state == Peer.State.DIVERGED and epoch == followed:
        raise DomainError(_("门户 %(id)s 的历史与本门户跟随的不一致，要由人决定。") % {"id": peer.pk})
    if epoch != followed:
        sync.read_anew(peer.pk)
        Peer.objects.filter(pk=peer.pk).update(state=Peer.State.ACTIVE, last_error="", failures=0)
        audit.append("federation.resumed", ("catalog.Portal", peer.pk), label=peer.pk, epoch=epoch, taken=taken)
    return {"state": Peer.State.ACTIVE, "epoch": epoch}


# --- the owner


def take_back(peer: Peer) -> Taken:
    """Walk what the national portal keeps of us and take what is newer; then let our feed be read again. TransportError, ProtocolError."""
    taken, after, more = Taken(failed=[]), "", True
    while more:
        answer = call(peer, "GET", f"/fed/v1/custody/{settings.PORTAL_ID}?after={after}", coding="gzip")
        body = protocol.decoded(answer.content, answer.headers.get("content-encoding", ""))
        found = protocol.decode_snapshot(body, lambda data, given: signing.verify_attestation(data, given, find_key(peer)))
        if (found.portal, found.stream, found.after) != (peer.pk, "custody", after):
            raise protocol.ProtocolError("header", "this is not what was asked for")
        with transaction.atomic():
            _take_page(peer, found, taken)
        after, more = found.trailer.get("next", ""), bool(found.trailer.get("more"))
    sequencer.number_all()
    stream = stream_of(settings.PORTAL_ID)
    state = sequencer.feed_state(stream, feeds.audience_of(stream, peer.pk))
    call(peer, "POST", f"/fed/v1/custody/{settings.PORTAL_ID}", orjson.dumps({"epoch": state.epoch, "taken": taken.records}))
    return taken


def _take_page(peer: Peer, found: Snapshot, taken: Taken) -> None:
    stream = stream_of(settings.PORTAL_ID)
    audience = feeds.audience_of(stream, peer.pk)
    home = peer.pk if stream == feeds.DECISIONS else settings.PORTAL_ID
    last = outbox.latest(stream, [event.id for event in found.events], audience)
    for event in found.events:
        ours = last.get(event.id)
        if event.origin != settings.PORTAL_ID or parse_urn(event.id)[0] != home:
            raise protocol.ProtocolError("foreign", f"{event.id} is not ours to take back")
        if ours is not None and ours.rev >= event.rev:
            taken.kept += 1
            continue
        try:
            with transaction.atomic():
                document = document_of(event, feeds.SCHEMAS[stream].partition("/")[0])
                audit.append("federation.taken_back", ("catalog.Dataset", event.id), label=peer.pk, rev=event.rev, op=event.op)
                row = Change(stream=stream, audience=audience, identifier=event.id, op=event.op, rev=event.rev, hash=event.hash, doc=event.doc)
                outbox.write([row])
                (_take_decision if stream == feeds.DECISIONS else _take_listing)(event, document, row)
        except (Unfit, DomainError, ValidationError, ValueError, KeyError, TypeError) as error:
            taken.failed.append({"id": event.id, "rev": event.rev, "reason": str(error)[:300]})
            continue
        taken.records += 1
        taken.tombstones += event.op != "put"


def _take_decision(event: Event, document: dict, row: Change) -> None:
    """A decision that this portal made and forgot: it holds again."""
    check_decision(document)
    target = document.get("target", {})
    Decision.objects.create(
        identifier=event.id, portal=row.audience, rev=event.rev, kind=document["decision"], admission=document["admission"],
        reason=document.get("reason", ""), grade=document.get("grade"), target_rev=target.get("rev", 0), target_hash=target.get("hash", ""),
        change=row,
    )  # fmt: skip
    if dataset := Dataset.objects.filter(identifier=event.id).first():
        project_admission(dataset, admission=document["admission"], reason=document.get("reason", ""), label=row.audience)


def _take_listing(event: Event, document: dict, _row: Change) -> None:
    """What the record says into the catalogue. Sample files are not in custody."""
    dataset = Dataset.objects.filter(identifier=event.id).first()
    if event.op == "put":
        _show(dataset or Dataset(uid=parse_urn(event.id)[1], identifier=event.id, home_portal=settings.PORTAL_ID), document)
    elif dataset is not None and event.op == "del":
        dataset.status = Dataset.Status.SUSPENDED if document.get("status") == "suspended" else Dataset.Status.DELISTED
        dataset.status_reason = str(document.get("reason", ""))[:2000]
        dataset.save(update_fields=["status", "status_reason"])
        announce([dataset])
    elif dataset is not None:
        purge_dataset(dataset, actor=None, legal_basis=_("恢复备份前已依法删除"))


def _show(dataset: Dataset, document: dict) -> None:
    described = document["listing"]["organization"]
    values = {name: described.get(name, "") for name in ("name", "kind", "region", "short_name", "credit_code")}
    dataset.organization = Organization.objects.filter(uid=described["uid"]).first() or Organization.objects.create(
        home_portal=settings.PORTAL_ID, uid=described["uid"], **values
    )
    rev, admission = dataset.rev, dataset.admission
    fill_remote(dataset, document["listing"], rev=rev, status=document["status"], admission=admission, quality=document.get("quality") or None)
    dataset.grade_source = Dataset.GradeSource.OWN if dataset.grade_source == Dataset.GradeSource.HOME else dataset.grade_source
    dataset.save()
    replace_files(dataset, document["listing"])
    announce([dataset])


def new_epoch() -> list[str]:
    """After a restore every feed starts a new history: its readers stop, delete nothing, and offer what they hold. The names."""
    import secrets

    names = []
    for state in FeedState.objects.select_for_update():
        FeedState.objects.filter(pk=state.pk).update(epoch=secrets.token_hex(8))
        names.append(f"{state.stream} {state.audience}".strip())
    return names
