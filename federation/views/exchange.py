"""The fed/1 endpoints. Everything but the description and enrolment asks for a valid signature of a known peer."""

import logging
import time
from functools import wraps

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from catalog.exceptions import DomainError
from catalog.services import audit
from federation import protocol, signing
from federation.models import Checkpoint, Delivery, FeedState, Nonce, Peer, Quarantine
from federation.services import keys, peers, sequencer, sync

logger = logging.getLogger(__name__)
PROBLEM = "application/problem+json"
PUBLISHED = {"national": ("decisions",), "local": ("listings",), "industry": ("listings",)}
BODY_LIMIT = 256 * 1024


class Refused(Exception):
    def __init__(self, status: int, code: str, detail: str):
        self.status, self.code = status, code
        super().__init__(detail)


def signed(*, states=(Peer.State.ACTIVE,)):
    """The view gets the peer whose key signed the request; every answer is signed back, refusals as well."""

    def decorate(view):
        @csrf_exempt
        @wraps(view)
        def handle(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            message = None
            try:
                message = read(request)
                peer = authenticate(request, message, states)
                response = view(request, peer, *args, **kwargs)
            except Refused as error:
                response = problem(error.status, error.code, str(error))
            except protocol.ProtocolError as error:
                response = problem(400, error.code, str(error))
            except DomainError as error:
                response = problem(error.status, error.code, str(error))
            return seal(response, message)

        return handle

    return decorate


def target(request: HttpRequest) -> str:
    """What the signer must have called us by: the configured address, never the Host header."""
    return settings.PORTAL_BASE_URL.rstrip("/") + request.get_full_path()


def read(request: HttpRequest) -> signing.Request:
    if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_LIMIT:
        raise Refused(413, "too_large", f"the body is above {BODY_LIMIT} bytes")
    return signing.Request(request.method, target(request), {name.lower(): value for name, value in request.headers.items()}, request.body)


def authenticate(request: HttpRequest, message: signing.Request, states) -> Peer:
    peer = Peer.objects.filter(pk=request.headers.get("Fed-Portal", "")[:64]).first()
    try:
        if peer is None:
            raise signing.SignatureRefused("key", "this portal is not known here")
        if not request.headers.get("Fed-Protocol", "").startswith("1."):
            raise Refused(400, "version", "Fed-Protocol 1.x is spoken here")
        verified = signing.verify_request(message, keys.find_key(peer))
        if request.method != "GET":
            remember(verified)
    except signing.SignatureRefused as error:
        logger.warning("Request refused from %s: %s", peer.pk if peer else "an unknown portal", error.code)
        raise Refused(401, error.code, str(error)) from error
    if peer.state not in states:
        raise Refused(403, f"portal_{peer.state}", f"portal {peer.pk} is {peer.state} here")
    return peer


def remember(verified: signing.Verified) -> None:
    try:
        with transaction.atomic():
            Nonce.objects.create(keyid=verified.keyid, value=verified.nonce)
    except IntegrityError:
        raise signing.SignatureRefused("replay", "this message was received before") from None


def problem(status: int, code: str, detail: str) -> HttpResponse:
    body = {"type": f"urn:jimu:problem:{code}", "title": detail, "status": status, "detail": detail, "code": code}
    body["server_time"] = int(time.time())  # so that a refused clock can be set
    return HttpResponse(orjson.dumps(body), status=status, content_type=PROBLEM)


def seal(response: HttpResponse, message: signing.Request | None) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    if message is not None:
        headers = signing.sign_response(
            response.status_code, response.content, message, portal=settings.PORTAL_ID, protocol=protocol.VERSION, signer=keys.own_signer()
        )
        for name, value in headers.items():
            response[name] = value
    return response


def answer(value: dict) -> HttpResponse:
    return HttpResponse(orjson.dumps(value), content_type="application/json")


def body_of(request: HttpRequest) -> dict:
    value = protocol.strict_json(request.body)
    if not isinstance(value, dict):
        raise Refused(400, "json", "the body is not an object")
    return value


def text(value: dict, name: str, limit: int = 200) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= limit or not found.isprintable():
        raise Refused(400, "invalid", f"{name} is text of at most {limit} characters")
    return found


def number(value: dict, name: str) -> int:
    found = value.get(name, 0)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= protocol.MAX_INTEGER:
        raise Refused(400, "invalid", f"{name} is a whole number")
    return found


def audience(stream: str, peer: Peer) -> str:
    """Decisions are numbered for each home portal by itself; listings are one feed for all."""
    if stream not in PUBLISHED[settings.PORTAL_ROLE]:
        raise Refused(404, "stream", f"stream {stream[:20]} is not published here")
    return peer.pk if stream == "decisions" else ""


@require_GET
def describe(request):
    """/.well-known/dataset-federation"""
    return answer(
        {
            "portal": settings.PORTAL_ID,
            "name": settings.PORTAL_NAME,
            "role": settings.PORTAL_ROLE,
            "versions": [protocol.VERSION],
            "endpoint": f"{settings.PORTAL_BASE_URL.rstrip('/')}/fed/v1",
            "streams": list(PUBLISHED[settings.PORTAL_ROLE]),
            "limits": {
                "events": protocol.MAX_EVENTS,
                "page_bytes": protocol.MAX_PAGE_BYTES,
                "record_bytes": protocol.MAX_RECORD_BYTES,
                "depth": protocol.MAX_DEPTH,
            },
            "keys": [key["keyid"] for key in keys.public_keys()],
        }
    )


@require_GET
@signed()
def changes(request, peer, stream):
    """A page of the feed after `since`, gzipped as a whole."""
    try:
        limit = int(request.GET.get("limit", protocol.MAX_EVENTS))
        page = sequencer.page(stream, audience(stream, peer), request.GET.get("since", ""), limit)
    except ValueError:
        raise Refused(400, "since", "since is epoch:seq and limit a number") from None
    return HttpResponse(protocol.compress(page), content_type=f"{protocol.MEDIA_TYPE}+gzip")


@require_POST
@signed()
def acknowledge(request, peer, stream):
    body = body_of(request)
    state = sequencer.feed_state(stream, audience(stream, peer))
    seq = number(body, "seq")
    if text(body, "epoch", 32) == state.epoch and seq > state.head:
        _new_epoch(state, peer, seq)
    values = {"epoch": text(body, "epoch", 32), "seq": seq, "applied": number(body, "applied"), "quarantined": number(body, "quarantined")}
    Delivery.objects.update_or_create(peer=peer, stream=stream, defaults=values | {"at": timezone.now()})
    Peer.objects.filter(pk=peer.pk).update(last_contact=timezone.now())
    return answer({"epoch": state.epoch, "head": state.head})


@transaction.atomic
def _new_epoch(state: FeedState, peer: Peer, seq: int) -> None:
    """Somebody applied more than we have: our database is an older one. The feed's history starts a new name."""
    import secrets

    FeedState.objects.filter(pk=state.pk).update(epoch=secrets.token_hex(8))
    audit.append("federation.new_epoch", ("federation.FeedState", state.stream), label=peer.pk, head=state.head, acknowledged=seq)
    state.refresh_from_db()


@require_POST
@signed()
def notify(request, peer):
    """A hint that there is news. Coalesced: the peer becomes due, one pull follows."""
    from federation import tasks

    if sync.request_pull(peer.pk):
        tasks.wake(tasks.pull_peer, peer.pk)
    return answer({"due": True})


@require_POST
@signed()
def receive_keys(request, peer):
    """New keys of a peer, in a message signed by one it has already."""
    documents = body_of(request).get("keys")
    if not isinstance(documents, list) or len(documents) > 10 or not all(isinstance(item, dict) for item in documents):
        raise Refused(400, "invalid", "keys is a list of at most 10 objects")
    checked = [check_key(document, peer.pk) for document in documents]
    with transaction.atomic():
        keys.store_keys(peer, checked)
    return answer({"stored": len(checked)})


def check_key(document: dict, portal_id: str) -> dict:
    key = {"keyid": text(document, "keyid", 120), "alg": text(document, "alg", 20), "public_key": text(document, "public_key", 200)}
    if not key["keyid"].startswith(f"{portal_id}:") or key["alg"] != "ed25519":
        raise Refused(400, "invalid", "keyid starts with the portal's id; alg is ed25519")
    try:
        signing.Ed25519PublicKey.from_public_bytes(signing.unb64(key["public_key"]))
    except (ValueError, signing.SignatureRefused):
        raise Refused(400, "invalid", "public_key is 32 bytes in base64") from None
    return key


@require_GET
@signed()
def health(request, peer):
    waiting = Quarantine.objects.filter(peer=peer, state__in=["parked", "held"]).count()
    cursors = {row.stream: {"epoch": row.epoch, "seq": row.seq, "behind": row.behind} for row in Checkpoint.objects.filter(peer=peer)}
    oldest = peer.last_contact.isoformat(timespec="seconds") if peer.last_contact else None
    return answer({"portal": settings.PORTAL_ID, "time": int(time.time()), "last_contact": oldest, "quarantine": waiting, "cursors": cursors})


@csrf_exempt
@require_POST
def enrol(request):
    """One-time code and public key, signed by that key. A person at this portal accepts later."""
    try:
        message = read(request)
        body = body_of(request)
        described, key = body.get("portal"), body.get("key")
        if not isinstance(described, dict) or not isinstance(key, dict):
            raise Refused(400, "invalid", "portal and key are objects")
        portal = {"id": text(described, "id", 64), "base_url": text(described, "base_url", 300).rstrip("/")}
        if not portal["base_url"].startswith(("https://", "http://")):
            raise Refused(400, "invalid", "base_url is a web address")
        key = check_key(key, portal["id"])
        remember(signing.verify_request(message, lambda keyid: (key["alg"], key["public_key"]) if keyid == key["keyid"] else None))
        peer = peers.register({"portal": portal, "key": key, "code": text(body, "code", 100)})
        document = {"portal": peers.own_document(), "keys": keys.public_keys(), "state": peer.state}
        return seal(answer(document), message)
    except Refused as error:
        return seal(problem(error.status, error.code, str(error)), None)
    except signing.SignatureRefused as error:
        return seal(problem(401, error.code, str(error)), None)
    except protocol.ProtocolError as error:
        return seal(problem(400, error.code, str(error)), None)
    except DomainError as error:
        return seal(problem(error.status, error.code, str(error)), None)
