"""Own key pair, encrypted under SECRET_KEY, and the keys of peers as the registry gave them."""

import hashlib
import time
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from catalog.exceptions import DomainError
from catalog.services import audit
from federation.models import OwnKey, Peer, PeerKey
from federation.protocol import canonical
from federation.signing import ALGORITHMS, KEYS, LIFETIME, SKEW, FindKey, SignatureRefused, Signer, attest, unb64, verify_attestation

OVERLAP = timedelta(days=7)
NONCE = 12  # bytes


def _cipher() -> ChaCha20Poly1305:
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"jimu federation own key")
    return ChaCha20Poly1305(kdf.derive(settings.SECRET_KEY.encode()))


def _seal(private: bytes, public: str, keyid: str) -> bytes:
    nonce = hashlib.sha256(keyid.encode() + unb64(public)).digest()[:NONCE]  # one message per nonce: keys are unique
    return nonce + _cipher().encrypt(nonce, private, keyid.encode())


def signer_of(row: OwnKey) -> Signer:
    sealed = bytes(row.private_key)
    try:
        raw = _cipher().decrypt(sealed[:NONCE], sealed[NONCE:], row.keyid.encode())
    except Exception as error:
        raise ImproperlyConfigured("The federation key cannot be opened: PORTAL_SECRET_KEY is not the one it was stored under.") from error
    if row.algorithm not in ALGORITHMS:
        raise ImproperlyConfigured(f"The federation key is of the algorithm {row.algorithm}, which no module here provides.")
    return ALGORITHMS[row.algorithm].signer(row.keyid, raw)


def _create(*, current: bool = True, algorithm: str = "ed25519") -> OwnKey:
    private, public = ALGORITHMS[algorithm].generate()
    keyid = f"{settings.PORTAL_ID}:{hashlib.sha256(public.encode()).hexdigest()[:16]}"
    row = OwnKey.objects.create(keyid=keyid, algorithm=algorithm, public_key=public, private_key=_seal(private, public, keyid), is_current=current)
    audit.append("federation.key_created", ("federation.OwnKey", keyid))
    return row


def current_key() -> OwnKey:
    """The key this portal signs with; made at first use."""
    row = OwnKey.objects.filter(is_current=True).first()
    if row is None:
        try:
            with transaction.atomic():
                row = _create()
        except IntegrityError:  # another process made it first
            row = OwnKey.objects.get(is_current=True)
    return row


def own_signer() -> Signer:
    return signer_of(current_key())


def public_keys() -> list[dict]:
    """Own keys that others should hold, current first."""
    current_key()
    now = timezone.now()
    rows = [row for row in OwnKey.objects.order_by("-is_current", "-id") if row.valid_until is None or row.valid_until > now]
    return [key_document(row) for row in rows]


def earlier_signers() -> list[Signer]:
    """Of the keys we signed with before and that are still valid, the newest first."""
    rows = OwnKey.objects.filter(is_current=False, valid_until__gt=timezone.now()).order_by("-id")
    return [signer_of(row) for row in rows]


class KeyInvalid(DomainError):
    status = 400
    code = "invalid"


def check_key(document, portal_id: str) -> dict:
    """keyid, alg, public_key (and valid_until) of a key record in a peer's message; KeyInvalid when it cannot be one of this portal."""
    values = {name: document.get(name) if isinstance(document, dict) else None for name in ("keyid", "alg", "public_key")}
    for name, limit in (("keyid", 120), ("alg", 20), ("public_key", 200)):
        if not isinstance(values[name], str) or not 0 < len(values[name]) <= limit or not values[name].isprintable():
            raise KeyInvalid(f"{name} is text of at most {limit} characters")
    if not values["keyid"].startswith(f"{portal_id}:") or values["alg"] not in ALGORITHMS:
        raise KeyInvalid(f"keyid starts with the portal's id; alg is one of {', '.join(sorted(ALGORITHMS))}")
    try:
        until = parse_datetime(document.get("valid_until") or "")
    except (ValueError, TypeError):
        raise KeyInvalid("valid_until is a time or null") from None
    if not ALGORITHMS[values["alg"]].is_key(values["public_key"]):
        raise KeyInvalid("public_key is a key of this algorithm in base64: for ed25519, 32 bytes")
    return values | {"valid_until": until if until and until.tzinfo else None}


def keys_document() -> dict:
    """Own keys, attested by each of them that is still valid: whoever knows one of them learns the others."""
    now = int(time.time())
    document = {"portal": settings.PORTAL_ID, "created": now, "keys": public_keys()}
    data = canonical(document)
    rows = OwnKey.objects.filter(keyid__in=[key["keyid"] for key in document["keys"]]).order_by("-is_current", "-id")
    return document | {"att": [attest(signer_of(row), data, KEYS) for row in rows]}


def check_keys_document(peer: Peer, document: dict) -> list[dict]:
    """The keys in a fresh document that a key we hold of this peer attests; SignatureRefused otherwise."""
    attestations = document.get("att")
    if document.get("portal") != peer.pk or not isinstance(document.get("keys"), list) or not isinstance(attestations, list):
        raise SignatureRefused("attestation", "this is not the list of keys of this portal")
    created = document.get("created")
    if not isinstance(created, int) or abs(created - time.time()) > LIFETIME + SKEW:
        raise SignatureRefused("clock", "the list of keys is not fresh")
    data = canonical({name: value for name, value in document.items() if name != "att"})
    refused = SignatureRefused("key", "no key known here attests the list of keys")
    for attestation in attestations[:10]:
        try:
            verify_attestation(data, attestation, find_key(peer), KEYS)
            return [check_key(key, peer.pk) for key in document["keys"][:10]]
        except SignatureRefused as error:
            refused = error
    raise refused


def key_document(row) -> dict:
    until = row.valid_until.isoformat(timespec="seconds") if row.valid_until else None
    return {"keyid": row.keyid, "alg": row.algorithm, "public_key": row.public_key, "valid_until": until}


def next_key() -> OwnKey | None:
    """The key that is prepared, which peers may know already."""
    return OwnKey.objects.filter(is_current=False, valid_until=None).first()


@transaction.atomic
def prepare_rotation(algorithm: str = "ed25519") -> OwnKey:
    """The next key, not signing yet; the one that is prepared already if there is one."""
    current_key()
    return next_key() or _create(current=False, algorithm=algorithm)


@transaction.atomic
def finish_rotation(row: OwnKey) -> datetime:
    """Sign with the new key from now on. The old one stays valid for 7 days: until the time returned."""
    until = timezone.now() + OVERLAP
    OwnKey.objects.filter(is_current=True).update(is_current=False, valid_until=until)
    OwnKey.objects.filter(pk=row.pk).update(is_current=True)
    audit.append("federation.key_rotated", ("federation.OwnKey", row.keyid))
    return until


@transaction.atomic
def revoke_own(keyid: str, *, actor=None) -> tuple[Signer, Signer]:
    """Our key fell into wrong hands: nothing is signed with it from now on. (the signer that follows it, its own for the last message)."""
    row = OwnKey.objects.select_for_update().filter(keyid=keyid).first()
    if row is None:
        raise KeyInvalid(f"this portal has no key {keyid[:120]}")
    old, now = signer_of(row), timezone.now()
    following = current_key() if not row.is_current else next_key() or _create(current=False)
    OwnKey.objects.filter(pk=row.pk).update(is_current=False, valid_until=now)
    OwnKey.objects.filter(pk=following.pk).update(is_current=True)
    audit.append("federation.key_revoked", ("federation.OwnKey", keyid), actor=actor, following=following.keyid)
    return signer_of(following), old


def revoke_keys(peer: Peer, keyids: list[str], *, actor=None, label: str = "") -> int:
    """A peer's keys are void at once, and for ever; the caller holds the transaction. How many were valid."""
    count = PeerKey.objects.filter(peer=peer, keyid__in=keyids).exclude(state=PeerKey.State.REVOKED).update(state=PeerKey.State.REVOKED)
    if count:
        audit.append("federation.key_revoked", ("catalog.Portal", peer.pk), actor=actor, label=label, keys=keyids, left=_valid_keys(peer))
    return count


def _valid_keys(peer: Peer) -> int:
    return sum(row.is_valid for row in PeerKey.objects.filter(peer=peer))


def find_key(peer: Peer) -> FindKey:
    """Only keys registered for this very peer count."""

    def find(keyid: str):
        row = PeerKey.objects.filter(peer=peer, keyid=keyid).first()
        return (row.algorithm, row.public_key) if row and row.is_valid else None

    return find


def store_keys(peer: Peer, documents: list[dict]) -> None:
    """Checked keys of a peer, from a message whose signature held. A key ends when its portal says so, and after the overlap
    once it is no longer named; a revoked key never comes back."""
    named = [document["keyid"] for document in documents]
    for document in documents:
        values = {"peer": peer, "algorithm": document["alg"], "public_key": document["public_key"]}
        row, created = PeerKey.objects.get_or_create(keyid=document["keyid"], defaults=values)
        until = document.get("valid_until")
        if until and row.peer_id == peer.pk and (row.valid_until is None or until < row.valid_until):
            PeerKey.objects.filter(pk=row.pk).update(valid_until=until)
        if created:
            audit.append("federation.key_registered", ("federation.PeerKey", document["keyid"]), portal=peer.pk)
    PeerKey.objects.filter(peer=peer, valid_until=None).exclude(keyid__in=named).update(valid_until=timezone.now() + OVERLAP)
