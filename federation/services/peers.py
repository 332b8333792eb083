"""Who takes part: invitation by code, enrolment, acceptance by a person, suspension, revocation."""

import hashlib
import re
import secrets
from datetime import timedelta

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.exceptions import DomainError
from catalog.models import Portal, User
from catalog.services import audit
from federation import feeds, protocol
from federation.feeds import role_of
from federation.models import Checkpoint, Invitation, OwnKey, Peer, PeerKey
from federation.services.client import PeerError, call
from federation.services.keys import check_key, current_key, finish_rotation, own_signer, prepare_rotation, public_keys, revoke_keys, store_keys
from federation.signing import Request, SignatureRefused, Signer, sign_request, verify_response
from federation.transport import TransportError, get_transport

PORTAL_ID = re.compile(r"cn|cn-[0-9]{2,6}|ind-[a-z0-9][a-z0-9-]{0,40}")
CODE_DAYS = 7
ENROL_PATH = "/fed/v1/enrol"


class EnrolmentRefused(DomainError):
    status = 403
    code = "enrolment_refused"


def is_national() -> bool:
    return settings.PORTAL_ROLE == "national"


@transaction.atomic
def invite(portal_id: str, *, name: str, short_name: str = "", actor: User | None = None) -> str:
    """The one-time code for a new portal. DomainError unless this is the national portal and the id is one a peer may have."""
    if not is_national():
        raise DomainError(_("只有国家门户可以邀请门户接入。"))
    if not PORTAL_ID.fullmatch(portal_id) or portal_id == settings.PORTAL_ID:
        raise DomainError(_("门户标识 %(id)s 的写法不对，应如 cn-33 或 ind-healthcare。") % {"id": portal_id[:64]})
    if not name.strip() or len(name) > 120 or len(short_name) > 4:
        raise DomainError(_("门户名称要有 1 至 120 个字，印章用字最多 4 个字。"))
    portal = portal_row(portal_id, {"name": name, "short_name": short_name or name[:2]})
    peer, _created = Peer.objects.get_or_create(portal=portal)
    if peer.state in (Peer.State.ACTIVE, Peer.State.SUSPENDED):
        raise DomainError(_("门户 %(id)s 已经接入。") % {"id": portal_id})
    peer.state = Peer.State.INVITED
    peer.save(update_fields=["state"])
    code = secrets.token_urlsafe(24)
    Invitation.objects.create(peer=peer, code_hash=_hash(code), expires_at=timezone.now() + timedelta(days=CODE_DAYS))
    audit.append("federation.invited", ("catalog.Portal", portal_id), actor=actor)
    return code


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def portal_row(portal_id: str, values: dict) -> Portal:
    region = portal_id.removeprefix("cn-").ljust(6, "0") if role_of(portal_id) == "local" else ""
    sector = portal_id.removeprefix("ind-") if role_of(portal_id) == "industry" else ""
    fixed = {"role": role_of(portal_id), "region": region, "sector": sector}
    portal, _created = Portal.objects.update_or_create(id=portal_id, defaults=fixed | values)
    return portal


def own_document() -> dict:
    """What this portal says of itself when it enrols somewhere or somebody here."""
    return {
        "id": settings.PORTAL_ID,
        "name": settings.PORTAL_NAME,
        "short_name": settings.PORTAL_SHORT_NAME or settings.PORTAL_NAME[:2],
        "base_url": settings.PORTAL_BASE_URL.rstrip("/"),
    } | ({"unreachable": True} if settings.PORTAL_UNREACHABLE else {})


@transaction.atomic
def register(document: dict) -> Peer:
    """The national side of enrolment; the caller checked that the enclosed key signed the message. The code is used up."""
    portal, key = document["portal"], document["key"]
    invitation = Invitation.objects.select_for_update().filter(code_hash=_hash(document["code"])).select_related("peer").first()
    if invitation is None or invitation.used_at or invitation.expires_at < timezone.now() or invitation.peer_id != portal["id"]:
        raise EnrolmentRefused(_("邀请码无效、已用过、已过期，或不是发给这个门户的。"))
    if PeerKey.objects.filter(keyid=key["keyid"]).exclude(peer=invitation.peer).exists() or not key["keyid"].startswith(f"{portal['id']}:"):
        raise EnrolmentRefused(_("这个密钥标识不属于该门户。"))
    invitation.used_at = timezone.now()
    invitation.save(update_fields=["used_at"])
    peer = invitation.peer
    Portal.objects.filter(pk=portal["id"]).update(base_url=portal["base_url"])
    peer.base_url, peer.state, peer.unreachable = portal["base_url"], Peer.State.PENDING, bool(portal.get("unreachable"))
    peer.save(update_fields=["base_url", "state", "unreachable"])
    PeerKey.objects.filter(peer=peer).exclude(keyid=key["keyid"]).update(state=PeerKey.State.REVOKED)
    store_keys(peer, [key])
    audit.append("federation.enrolled", ("catalog.Portal", peer.pk), label=peer.pk, base_url=peer.base_url, keyid=key["keyid"])
    tell_directory(peer.pk)
    return peer


def enrol(url: str, code: str) -> Peer:
    """Join the national portal at `url`. TransportError or DomainError with the reason when that fails."""
    url = url.rstrip("/")
    described = get_transport().send("GET", f"{url}/.well-known/dataset-federation", {}, b"")
    if described.status != 200:
        raise PeerError(_("%(url)s 没有联邦说明（状态 %(status)d）。") % {"url": url, "status": described.status})
    own = current_key()
    body = orjson.dumps({"portal": own_document(), "code": code, "key": {"keyid": own.keyid, "alg": own.algorithm, "public_key": own.public_key}})
    target = url + ENROL_PATH
    headers = sign_request("POST", target, body, portal=settings.PORTAL_ID, protocol=protocol.VERSION, signer=own_signer())
    answer = get_transport().send("POST", target, headers | {"Content-Type": "application/json"}, body)
    document = _json(answer.content)
    if answer.status != 200:
        raise PeerError(_("%(url)s 没有接受：%(reason)s") % {"url": url, "reason": str(document.get("detail", answer.status))[:300]})
    found = _enclosed_keys(document)
    try:
        verify_response(answer.status, answer.headers, answer.content, Request("POST", target, _lower(headers), body), found.get)
    except SignatureRefused as error:
        raise TransportError(f"the answer is not signed by a key it names ({error.code}): {error}") from error
    return _store_national(document, url)


def _lower(headers: dict) -> dict:
    return {name.lower(): value for name, value in headers.items()}


def _enclosed_keys(document: dict) -> dict[str, tuple[str, str]]:
    try:
        found = [check_key(key, document["portal"]["id"]) for key in document["keys"]]
    except (KeyError, TypeError, DomainError) as error:
        raise TransportError(f"the answer's keys are not in order: {error}") from error
    return {key["keyid"]: (key["alg"], key["public_key"]) for key in found}


def _json(content: bytes) -> dict:
    try:
        value = protocol.strict_json(content)
    except protocol.ProtocolError as error:
        raise TransportError(str(error)) from error
    return value if isinstance(value, dict) else {}


@transaction.atomic
def _store_national(document: dict, url: str) -> Peer:
    try:
        described, keys = document["portal"], document["keys"]
        if described["id"] != "cn" or described["id"] == settings.PORTAL_ID:
            raise TransportError(_("%(url)s 不是国家门户。") % {"url": url})
        portal = portal_row(described["id"], {"name": str(described["name"])[:120], "short_name": str(described["short_name"])[:4], "base_url": url})
        peer, _created = Peer.objects.update_or_create(portal=portal, defaults={"base_url": url, "state": Peer.State.ACTIVE, "failures": 0})
        PeerKey.objects.filter(peer=peer).update(state=PeerKey.State.REVOKED)
        PeerKey.objects.filter(peer=peer, keyid__in=[key["keyid"] for key in keys]).delete()
        store_keys(peer, [check_key(key, peer.pk) for key in keys])
    except (KeyError, TypeError) as error:
        raise TransportError(f"the answer lacks {error}") from error
    open_streams(peer)
    audit.append("federation.joined", ("catalog.Portal", peer.pk), url=url)
    return peer


def open_streams(peer: Peer) -> None:
    for stream in feeds.read_of(peer.pk, settings.PORTAL_ROLE):
        Checkpoint.objects.get_or_create(peer=peer, stream=stream)


@transaction.atomic
def accept(portal_id: str, *, trusted: bool | None = None, actor: User | None = None) -> Peer:
    """A person lets an enrolled (or suspended, or diverged) portal take part, or one of the national directory (a portal of this tier)."""
    peer = _locked(portal_id)
    if peer.state not in (Peer.State.KNOWN, Peer.State.PENDING, Peer.State.SUSPENDED, Peer.State.DIVERGED, Peer.State.ACTIVE):
        raise DomainError(_("门户 %(id)s 还没有用邀请码登记，不能接纳。") % {"id": portal_id})
    peer.state, peer.failures, peer.next_due, peer.last_error = Peer.State.ACTIVE, 0, timezone.now(), ""
    peer.trusted = peer.trusted if trusted is None else trusted
    peer.save()
    open_streams(peer)
    audit.append("federation.accepted", ("catalog.Portal", portal_id), actor=actor, trusted=peer.trusted)
    if is_national():
        from federation.services import reference

        reference.publish_reference()
    transaction.on_commit(lambda: _wake(peer.pk))
    return peer


def _wake(portal_id: str) -> None:
    from federation import tasks

    tasks.wake(tasks.pull_peer, portal_id)
    tasks.wake(tasks.notify_peer, portal_id)


def suspend(portal_id: str, *, actor: User | None = None) -> Peer:
    """Stop exchanging; what was received stays."""
    return _set_state(portal_id, Peer.State.SUSPENDED, "federation.suspended", actor)


@transaction.atomic
def revoke(portal_id: str, *, actor: User | None = None) -> Peer:
    """End the membership: keys are void at once. Coming back takes a new invitation."""
    PeerKey.objects.filter(peer_id=portal_id).update(state=PeerKey.State.REVOKED)
    return _set_state(portal_id, Peer.State.REVOKED, "federation.revoked", actor)


@transaction.atomic
def _set_state(portal_id, state, action, actor):
    peer = _locked(portal_id)
    peer.state = state
    peer.save(update_fields=["state"])
    audit.append(action, ("catalog.Portal", portal_id), actor=actor)
    tell_directory(portal_id)
    return peer


def tell_directory(portal_id: str) -> None:
    from federation.services import reference

    reference.tell([portal_id])


def _locked(portal_id: str) -> Peer:
    peer = Peer.objects.select_for_update().filter(pk=portal_id).first()
    if peer is None:
        raise DomainError(_("没有门户 %(id)s。") % {"id": portal_id[:64]})
    return peer


def send_keys(peer: Peer) -> None:
    """Tell a peer our keys, signed with one it knows already (after a rotation)."""
    call(peer, "POST", "/fed/v1/keys", orjson.dumps({"keys": public_keys()}))


def send_revocation(peer: Peer, keyid: str, following: Signer, old: Signer) -> bool:
    """Tell a peer that one of our keys is void, signed by the key that follows it; by the void one itself to a peer that does not know
    the next. Whether the peer has a key of ours to believe: otherwise we enrol there anew."""
    try:
        call(peer, "POST", "/fed/v1/keys", orjson.dumps({"keys": public_keys(), "revoked": [keyid]}), signer=following)
        return True
    except PeerError as error:
        if error.status != 401:
            raise
    call(peer, "POST", "/fed/v1/keys", orjson.dumps({"keys": [], "revoked": [keyid]}), signer=old)
    return False


@transaction.atomic
def revoke_key(keyid: str, *, actor: User | None = None) -> Peer:
    """The national portal ends a key of another portal at once: whoever is in the directory learns it with the next look."""
    row = PeerKey.objects.select_related("peer").filter(keyid=keyid).first()
    if row is None:
        raise DomainError(_("没有密钥 %(id)s。") % {"id": keyid[:120]})
    revoke_keys(row.peer, [keyid], actor=actor)
    tell_directory(row.peer_id)
    return row.peer


def rotate(algorithm: str = "ed25519") -> tuple[OwnKey, list[str]]:
    """Give every peer the next key, in a message signed by the one it knows, then sign with the new one; and the peers that could not
    be reached: they learn it at the next contact, from the list of keys that the old one attests."""
    row, missed = prepare_rotation(algorithm), []
    for peer in Peer.objects.filter(state=Peer.State.ACTIVE).order_by("pk"):
        try:
            send_keys(peer)
        except TransportError as error:
            missed.append(f"{peer.pk}: {error}")
    finish_rotation(row)
    row.refresh_from_db()
    return row, missed
