"""Sample tickets: the national portal vouches for a signed-in user once, the owner decides again and serves the file."""

import hashlib
import hmac
import time
from urllib.parse import urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog.exceptions import DomainError, NotAllowed
from catalog.ids import new_uid
from catalog.models import Dataset, Sample, User
from catalog.services import audit
from federation.models import Peer, Ticket
from federation.services.keys import find_key, own_signer
from federation.signing import unb64

LIFETIME = 300  # seconds
LEEWAY = 60


class TicketRefused(DomainError):
    status = 403
    code = "ticket_refused"


def pseudonym(user: User) -> str:
    """The same for a user at every visit, and nothing an owner could turn back into a name."""
    return hmac.new(settings.SECRET_KEY.encode(), f"sample subject {user.pk}".encode(), hashlib.sha256).hexdigest()[:32]


@transaction.atomic
def issue(sample: Sample, *, user: User, purpose: str, terms: str) -> str:
    """The owner's address with a ticket good for one download within 5 minutes."""
    dataset = sample.dataset
    if not dataset.is_public or not dataset.is_remote:
        raise NotAllowed(_("这个样例不能用票据领取。"))
    peer = Peer.objects.filter(pk=dataset.home_portal, state=Peer.State.ACTIVE).first()
    if peer is None or not peer.base_url:
        raise NotAllowed(_("来源门户目前没有接入，暂时不能领取样例。"))
    signer, now = own_signer(), int(time.time())
    claims = {
        "iss": settings.PORTAL_ID,
        "aud": peer.pk,
        "sub": pseudonym(user),
        "jti": new_uid().hex,
        "iat": now,
        "exp": now + LIFETIME,
        "dataset": dataset.identifier,
        "sample": str(sample.uid),
        "purpose": purpose[:300],
        "terms_sha256": hashlib.sha256(terms.encode()).hexdigest(),
    }
    if signer.algorithm != "ed25519":
        raise NotAllowed(_("样例票据要用 Ed25519 密钥签发。"))
    token = jwt.encode(claims, signer.key, algorithm="EdDSA", headers={"kid": signer.keyid})
    audit.append("sample.ticket_issued", dataset, actor=user, sample=str(sample.uid), audience=peer.pk, jti=claims["jti"])
    return f"{peer.base_url.rstrip('/')}/fed/v1/samples/{sample.uid}?{urlencode({'ticket': token})}"


def owner_origin(dataset: Dataset) -> str:
    """Scheme and host of the home portal, or "" while it is not connected."""
    peer = Peer.objects.filter(pk=dataset.home_portal, state=Peer.State.ACTIVE).first()
    parts = urlsplit(peer.base_url) if peer else None
    return f"{parts.scheme}://{parts.netloc}" if parts and parts.netloc else ""


def verify(token: str, sample_uid) -> dict:
    """The claims of a ticket for this sample of this portal. TicketRefused with the reason otherwise."""
    try:
        header = jwt.get_unverified_header(token)
        issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))[:64]
        peer = Peer.objects.filter(pk=issuer, state=Peer.State.ACTIVE).first()
        key = find_key(peer)(str(header.get("kid", ""))) if peer and peer.portal.role == "national" else None
        if key is None or key[0] != "ed25519":
            raise TicketRefused(_("票据不是由已登记的国家门户签发的。"))
        claims = jwt.decode(
            token,
            Ed25519PublicKey.from_public_bytes(unb64(key[1])),
            algorithms=["EdDSA"],
            audience=settings.PORTAL_ID,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]},
        )
    except jwt.ExpiredSignatureError:
        raise TicketRefused(_("票据已过期，请回到国家门户重新领取。")) from None
    except (jwt.InvalidTokenError, ValueError):
        raise TicketRefused(_("票据无效。")) from None
    if not all(isinstance(claims[name], int) for name in ("exp", "iat")):
        raise TicketRefused(_("票据无效。"))
    if claims.get("sample") != str(sample_uid) or claims["exp"] - claims["iat"] > LIFETIME:
        raise TicketRefused(_("票据不是用于这个样例的。"))
    if not all(isinstance(claims.get(name), str) and 0 < len(claims[name]) <= 300 for name in ("sub", "jti", "purpose", "dataset")):
        raise TicketRefused(_("票据缺少用途或使用方。"))
    return claims


@transaction.atomic
def redeem(claims: dict, sample_uid) -> Sample:
    """Use the ticket up and give the sample; the owner's own policy is asked again."""
    sample = Sample.objects.select_related("dataset").filter(uid=sample_uid, dataset__identifier=claims["dataset"]).first()
    if sample is None or sample.dataset.is_remote or not Dataset.objects.published().filter(pk=sample.dataset_id).exists():
        raise TicketRefused(_("这个数据集现在不提供样例。"))
    if sample.state != Sample.State.READY or sample.dataset.security_level != Dataset.SecurityLevel.GENERAL:
        raise TicketRefused(_("这个样例现在不能下载。"))
    try:
        with transaction.atomic():
            Ticket.objects.create(jti=claims["jti"][:64], sample_uid=sample.uid, portal=claims["iss"])
    except IntegrityError:
        raise TicketRefused(_("票据已经用过，请回到国家门户重新领取。")) from None
    return sample
