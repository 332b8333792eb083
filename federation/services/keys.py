"""Own key pair, encrypted under SECRET_KEY, and the keys of peers as the registry gave them."""

import hashlib
from datetime import timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.services import audit
from federation.models import OwnKey, Peer, PeerKey
from federation.signing import Ed25519Signer, FindKey, new_key, public_text

OVERLAP = timedelta(days=7)
NONCE = 12  # bytes


def _cipher() -> ChaCha20Poly1305:
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"jimu federation own key")
    return ChaCha20Poly1305(kdf.derive(settings.SECRET_KEY.encode()))


def _seal(key: Ed25519PrivateKey, keyid: str) -> bytes:
    nonce = hashlib.sha256(keyid.encode() + key.public_key().public_bytes_raw()).digest()[:NONCE]  # one message per nonce: keys are unique
    return nonce + _cipher().encrypt(nonce, key.private_bytes_raw(), keyid.encode())


def _open(row: OwnKey) -> Ed25519PrivateKey:
    sealed = bytes(row.private_key)
    try:
        raw = _cipher().decrypt(sealed[:NONCE], sealed[NONCE:], row.keyid.encode())
    except Exception as error:
        raise ImproperlyConfigured("The federation key cannot be opened: PORTAL_SECRET_KEY is not the one it was stored under.") from error
    return Ed25519PrivateKey.from_private_bytes(raw)


def _create(*, current: bool = True) -> OwnKey:
    key = new_key()
    public = public_text(key)
    keyid = f"{settings.PORTAL_ID}:{hashlib.sha256(public.encode()).hexdigest()[:16]}"
    row = OwnKey.objects.create(keyid=keyid, public_key=public, private_key=_seal(key, keyid), is_current=current)
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


def own_signer() -> Ed25519Signer:
    row = current_key()
    return Ed25519Signer(row.keyid, _open(row), row.algorithm)


def public_keys() -> list[dict]:
    """Own keys that others should hold, current first."""
    current_key()
    now = timezone.now()
    rows = [row for row in OwnKey.objects.order_by("-is_current", "-id") if row.valid_until is None or row.valid_until > now]
    return [key_document(row) for row in rows]


def key_document(row) -> dict:
    until = row.valid_until.isoformat(timespec="seconds") if row.valid_until else None
    return {"keyid": row.keyid, "alg": row.algorithm, "public_key": row.public_key, "valid_until": until}


@transaction.atomic
def prepare_rotation() -> OwnKey:
    """The next key, not signing yet; the one that is prepared already if there is one."""
    current_key()
    row = OwnKey.objects.filter(is_current=False, valid_until=None).first()
    return row or _create(current=False)


@transaction.atomic
def finish_rotation(row: OwnKey) -> None:
    """Sign with the new key from now on. The old one stays valid for 7 days."""
    OwnKey.objects.filter(is_current=True).update(is_current=False, valid_until=timezone.now() + OVERLAP)
    OwnKey.objects.filter(pk=row.pk).update(is_current=True)
    audit.append("federation.key_rotated", ("federation.OwnKey", row.keyid))


def find_key(peer: Peer) -> FindKey:
    """Only keys registered for this very peer count."""

    def find(keyid: str):
        row = PeerKey.objects.filter(peer=peer, keyid=keyid).first()
        return (row.algorithm, row.public_key) if row and row.is_valid else None

    return find


def store_keys(peer: Peer, documents: list[dict]) -> None:
    """Keys of a peer from a message whose signature was checked, the one it signs with first. Keys it no longer names
    end after the overlap; a revoked key never comes back."""
    named = [document["keyid"] for document in documents]
    for document in documents:
        values = {"peer": peer, "algorithm": document["alg"], "public_key": document["public_key"]}
        _row, created = PeerKey.objects.get_or_create(keyid=document["keyid"], defaults=values)
        if created:
            audit.append("federation.key_registered", ("federation.PeerKey", document["keyid"]), portal=peer.pk)
    PeerKey.objects.filter(peer=peer, valid_until=None).exclude(keyid__in=named).update(valid_until=timezone.now() + OVERLAP)
