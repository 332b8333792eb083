"""The fed/1 endpoints. Everything but the description and enrolment asks for a valid signature of a known peer."""

import logging
import re
import time
from functools import wraps

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalog.exceptions import DomainError
from federation import feeds, protocol, signing
from federation.models import Checkpoint, Nonce, Peer, Quarantine
from federation.services import acks, keys, peers, sequencer, sync

logger = logging.getLogger(__name__)
PROBLEM = "application/problem+json"
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
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if not (length.isascii() and length.isdigit()):
        raise Refused(400, "length", "Content-Length is a whole number")
    if len(length) > 12 or int(length) > BODY_LIMIT:
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
    response["Cache-Control"] = "no-store, no-transform"
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
    if not feeds.serves(settings.PORTAL_ROLE, stream, peer.pk):
        raise Refused(404, "stream", f"stream {stream[:20]} is not published here")
    return feeds.audience_of(stream, peer.pk)


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
            "streams": list(feeds.PUBLISHED[settings.PORTAL_ROLE]),
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
    """A page of the feed after `since`; 410 when that is below the floor. With `wait` an empty page is not answered before so many seconds."""
    try:
        limit, wait = int(request.GET.get("limit", protocol.MAX_EVENTS)), int(request.GET.get("wait", 0))
        if wait > 0:
            sequencer.wait_for_news(stream, audience(stream, peer), request.GET.get("since", ""), wait)
        return paged(request, sequencer.page(stream, audience(stream, peer), request.GET.get("since", ""), limit))
    except sequencer.BelowFloor as error:
        raise Refused(410, "below_floor", f"{error}: read the snapshot, then the changes since its as_of") from None
    except ValueError:
        raise Refused(400, "since", "since is epoch:seq, limit and wait are numbers") from None


@require_GET
@signed()
def snapshot(request, peer, stream):
    """The current state by key, after an identifier."""
    after = request.GET.get("after", "")
    try:
        limit = int(request.GET.get("limit", protocol.MAX_EVENTS))
    except ValueError:
        raise Refused(400, "limit", "limit is a number") from None
    if len(after) > 140 or not after.isascii() or not after.isprintable():
        raise Refused(400, "after", "after is an identifier")
    return paged(request, sequencer.snapshot(stream, audience(stream, peer), after, limit))


def paged(request: HttpRequest, page: bytes) -> HttpResponse:
    """NDJSON, gzipped only when the reader asks for it; the content digest is then of the gzipped bytes."""
    return packed(request, HttpResponse(page, content_type=protocol.MEDIA_TYPE))


def packed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response["Vary"] = "Accept-Encoding"
    if accepts_gzip(request.headers.get("Accept-Encoding", "")):
        response.content = protocol.compress(response.content)
        response["Content-Encoding"] = "gzip"
    return response


def accepts_gzip(header: str) -> bool:
    """Named with a weight above zero (RFC 9110); without the header, or by * alone, a page goes unpacked."""
    for item in header.lower().split(","):
        name, _semicolon, weight = item.replace(" ", "").partition(";")
        if name in ("gzip", "x-gzip"):
            return not re.fullmatch(r"q=0(\.0*)?", weight)
    return False


@require_POST
@signed()
def acknowledge(request, peer, stream):
    body = body_of(request)
    values = {"epoch": text(body, "epoch", 32)} | {name: number(body, name) for name in ("seq", "applied", "quarantined")}
    root = body.get("audit")
    if root is not None and not isinstance(root, dict):
        raise Refused(400, "invalid", "audit is an object")
    root = {"entries": number(root, "entries"), "hash": text(root, "hash", 64)} if root else None
    held = body.get("root")
    if held is not None and not isinstance(held, dict):
        raise Refused(400, "invalid", "root is an object")
    held = {"records": number(held, "records"), "digest": text(held, "digest", 64)} if held else None
    state = sequencer.feed_state(stream, audience(stream, peer))
    state = acks.receive(peer, state, **values, parked=parked_of(body), root=root, held=held)
    return answer({"epoch": state.epoch, "head": state.head, "root": {"records": state.records, "digest": state.root}})


@require_GET
@signed()
def reconcile(request, peer, stream):
    """Digests below a prefix of the buckets, one level or two; the records themselves below a whole prefix."""
    prefix, depth = request.GET.get("prefix", ""), request.GET.get("depth", "1")
    if not re.fullmatch(r"[0-9a-f]{0,3}", prefix) or depth not in ("1", "2"):
        raise Refused(400, "prefix", "prefix is up to three hexadecimal digits, depth 1 or 2")
    return packed(request, answer(sequencer.digests(stream, audience(stream, peer), prefix, int(depth))))


def parked_of(body: dict) -> list[dict]:
    items = body.get("parked", [])
    if not isinstance(items, list) or len(items) > acks.PARKED_AT_MOST or not all(isinstance(item, dict) for item in items):
        raise Refused(400, "invalid", f"parked is a list of at most {acks.PARKED_AT_MOST} objects")
    for item in items:
        if not isinstance(item.get("reason", ""), str) or item.get("state", "parked") not in acks.OPEN:
            raise Refused(400, "invalid", "reason is text, state parked or held")
    return [
        {
            "id": text(item, "id", 140),
            "rev": number(item, "rev"),
            "state": item.get("state", "parked"),
            "error": text(item, "error", 40),
            "reason": acks.clean(item.get("reason", ""), 300),
        }
        for item in items
    ]


@require_POST
@signed()
def notify(request, peer):
    """A hint that there is news. Coalesced: the peer becomes due, one pull follows."""
    from federation import tasks

    if sync.request_pull(peer.pk):
        tasks.wake(tasks.pull_peer, peer.pk)
    return answer({"due": True})


@csrf_exempt
@require_http_methods(["GET", "POST"])
def key_list(request):
    """GET: our keys, attested by each of them, for a peer that meets one it does not know. POST: a peer's own."""
    return receive_keys(request) if request.method == "POST" else seal(answer(keys.keys_document()), None)


@signed()
def receive_keys(request, peer):
    """New keys of a peer, in a message signed by one it has already."""
    documents = body_of(request).get("keys")
    if not isinstance(documents, list) or len(documents) > 10 or not all(isinstance(item, dict) for item in documents):
        raise Refused(400, "invalid", "keys is a list of at most 10 objects")
    checked = [keys.check_key(document, peer.pk) for document in documents]
    with transaction.atomic():
        keys.store_keys(peer, checked)
    return answer({"stored": len(checked)})


@require_GET
@signed()
def health(request, peer):
    waiting = Quarantine.objects.filter(peer=peer, state__in=["parked", "held"]).count()
    cursors = {row.stream: {"epoch": row.epoch, "seq": row.seq, "behind": row.behind} for row in Checkpoint.objects.filter(peer=peer)}
    oldest = peer.last_contact.isoformat(timespec="seconds") if peer.last_contact else None
    root = {"entries": peer.audit_entries, "hash": peer.audit_hash}  # of the asking portal's own chain, as it last told us
    described = {"portal": settings.PORTAL_ID, "time": int(time.time()), "last_contact": oldest}
    return answer(described | {"quarantine": waiting, "cursors": cursors, "audit": root})


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
        key = keys.check_key(key, portal["id"])
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
