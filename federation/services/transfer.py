"""A dataset moves from one portal to another, by a record that both sides sign.

The portal that gives offers its listing as published, signed. The one that takes makes a draft of it under an identifier of its own (an
identifier names its home for ever), reviews and lists it like any other, and signs the record with both identifiers. The giver then
delists its own, naming the successor. The record goes by hand (a file) or any other way: its signatures hold, not its carrier.
"""

from datetime import timedelta

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from catalog.exceptions import DomainError, InvalidTransition
from catalog.ids import parse_urn
from catalog.models import Dataset, Organization, User
from catalog.services import audit
from catalog.services.registration import create_dataset
from catalog.services.review import delist_dataset
from federation import feeds, signing
from federation.models import Change, Peer
from federation.protocol import canonical, digest, strict_json
from federation.services import outbox
from federation.services.keys import current_key, find_key, own_signer

CONTEXT = b"fed-1 transfer\n"
GOOD_FOR = timedelta(days=30)
LEFT_TO_THE_GIVER = {"schema", "identifier", "organization", "samples"}  # sample files do not travel


class TransferRefused(DomainError):
    status = 409
    code = "transfer_refused"


@transaction.atomic
def offer(dataset: Dataset, to_portal: str, *, actor: User) -> dict:
    """The signed offer of one own listed dataset to a portal of the directory."""
    if dataset.is_remote or dataset.status != Dataset.Status.LISTED:
        raise InvalidTransition(_("只能移交本门户已上架的数据集。"))
    if to_portal == settings.PORTAL_ID or not Peer.objects.filter(pk=to_portal).exclude(state=Peer.State.REVOKED).exists():
        raise TransferRefused(_("门户名录中没有可以接收的门户 %(id)s。") % {"id": to_portal[:64]})
    change = outbox.latest(feeds.LISTINGS, [dataset.identifier]).get(dataset.identifier)
    if change is None or change.op != Change.Op.PUT:
        raise InvalidTransition(_("只能移交本门户已上架的数据集。"))
    doc = bytes(Change.objects.values_list("doc", flat=True).get(pk=change.pk))
    record = {"schema": "transfer/1", "dataset": dataset.identifier, "from": settings.PORTAL_ID, "to": to_portal, "rev": change.rev}
    record |= {"hash": change.hash, "created": timezone.now().isoformat(timespec="seconds"), "document": orjson.loads(doc)}
    audit.append("federation.transfer_offered", dataset, actor=actor, to=to_portal, rev=change.rev)
    return record | {"att": [signing.attest(own_signer(), canonical(record), CONTEXT)]}


@transaction.atomic
def take_over(record: dict, *, organization: Organization, actor: User) -> dict:
    """A draft here of what is offered, and the record signed by both sides. Taking the same offer again gives the same draft."""
    given = _checked(record, signed_by=("from",))
    if given["to"] != settings.PORTAL_ID:
        raise TransferRefused(_("这份移交不是给本门户的。"))
    note = {"relation": "continues", "identifier": given["dataset"], "title": given["document"]["listing"].get("title", "")}
    draft = Dataset.objects.own().filter(lineage__icontains=given["dataset"]).first()
    if draft is None:
        listing = {name: value for name, value in given["document"]["listing"].items() if name not in LEFT_TO_THE_GIVER}
        draft = create_dataset(listing | {"lineage": [*listing.get("lineage", []), note]}, organization=organization, user=actor)
    signed = {name: value for name, value in record.items() if name != "att"} | {"successor": draft.identifier}
    audit.append("federation.transfer_taken", draft, actor=actor, predecessor=given["dataset"], sender=given["from"], offer=record["att"][0])
    return signed | {"att": [record["att"][0], signing.attest(own_signer(), canonical(signed), CONTEXT)]}


@transaction.atomic
def hand_over(record: dict, *, actor: User) -> Dataset:
    """With the other side's signature: our listing is delisted and names its successor. Refused when it has changed since the offer."""
    given = _checked(record, signed_by=("from", "to"))
    dataset = Dataset.objects.select_for_update().filter(identifier=given["dataset"]).first()
    if given["from"] != settings.PORTAL_ID or dataset is None or dataset.is_remote:
        raise TransferRefused(_("这份移交不是本门户的数据集。"))
    change = outbox.latest(feeds.LISTINGS, [dataset.identifier]).get(dataset.identifier)
    if change is None or (change.rev, change.hash) != (given["rev"], given["hash"]):
        raise TransferRefused(_("数据集在移交以后又有变化，请重新发起移交。"))
    audit.append("federation.transferred", dataset, actor=actor, record={name: value for name, value in record.items() if name != "document"})
    reason = _("已移交 %(portal)s，由 %(successor)s 接续。") % {"portal": given["to"], "successor": record["successor"]}
    return delist_dataset(dataset, user=actor, reason=reason)


def _checked(record: dict, *, signed_by: tuple[str, ...]) -> dict:
    """The record without its signatures once its form, age, hash and the signatures named hold."""
    body = {name: value for name, value in record.items() if name not in ("att", "successor")} if isinstance(record, dict) else {}
    texts = ("dataset", "from", "to", "hash", "created")
    document, attestations = body.get("document"), record.get("att") if isinstance(record, dict) else None
    fits = body.get("schema") == "transfer/1" and all(isinstance(body.get(name), str) for name in texts) and isinstance(attestations, list)
    if not fits or not isinstance(document, dict) or not isinstance(document.get("listing"), dict) or len(attestations) < len(signed_by):
        raise TransferRefused(_("这不是一份移交记录。"))
    created = parse_datetime(body["created"])
    if created is None or not created.tzinfo or not -GOOD_FOR < created - timezone.now() < timedelta(minutes=5):
        raise TransferRefused(_("移交记录已过期。"))
    try:
        owner = parse_urn(body["dataset"])[0]
    except ValueError:
        owner = ""
    if owner != body["from"] or digest(canonical(document)) != body["hash"]:
        raise TransferRefused(_("移交记录的内容与其哈希或来源不符。"))
    for place, side in enumerate(signed_by):
        data = canonical(body if side == "from" else body | {"successor": _successor(record, body["to"])})
        try:
            signing.verify_attestation(data, attestations[place], _keys_of(body[side]), CONTEXT)
        except signing.SignatureRefused as error:
            raise TransferRefused(_("%(portal)s 的签名不成立：%(error)s") % {"portal": body[side], "error": error}) from error
    return body


def _successor(record: dict, portal_id: str) -> str:
    successor = record.get("successor")
    if not isinstance(successor, str) or not successor.startswith(f"urn:dataset:{portal_id}:") or len(successor) > 140:
        raise TransferRefused(_("这不是一份移交记录。"))
    return successor


def _keys_of(portal_id: str):
    if portal_id == settings.PORTAL_ID:
        row = current_key()
        return lambda keyid: (row.algorithm, row.public_key) if keyid == row.keyid else None
    peer = Peer.objects.filter(pk=portal_id).exclude(state=Peer.State.REVOKED).first()
    return find_key(peer) if peer else lambda _keyid: None


def read(data: bytes) -> dict:
    value = strict_json(data)
    return value if isinstance(value, dict) else {}
