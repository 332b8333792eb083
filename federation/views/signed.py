"""What the fed/1 endpoints share: signed requests and answers, problems, members of bodies."""

import logging
import re
import time
from functools import wraps

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from catalog.exceptions import DomainError
from federation import feeds, protocol, signing
from federation.models import Nonce, Peer
from federation.services import keys

logger = logging.getLogger(__name__)
PROBLEM = "application/problem+json"
BODY_LIMIT = 256 * 1024


class Refused(Exception):
    """`more`: members besides those of every problem, and the seconds of a Retry-After."""

    def __init__(self, status: int, code: str, detail: str, more: dict | None = None):
        self.status, self.code, self.more = status, code, more or {}
        super().__init__(detail)


def signed(*, states=(Peer.State.ACTIVE,), limit: int = BODY_LIMIT):
    """The view gets the peer whose key signed the request; every answer is signed back, refusals as well."""

    def decorate(view):
        @csrf_exempt
        @wraps(view)
        def handle(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            message = None
            try:
                message = read(request, limit)
                peer = authenticate(request, message, states)
                response = view(request, peer, *args, **kwargs)
            except Refused as error:
                response = problem(error.status, error.code, str(error), error.more)
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


def read(request: HttpRequest, limit: int = BODY_LIMIT) -> signing.Request:
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if not (length.isascii() and length.isdigit()):
        raise Refused(400, "length", "Content-Length is a whole number")
    if len(length) > 12 or int(length) > limit:
        raise Refused(413, "too_large", f"the body is above {limit} bytes")
    return signing.Request(request.method, target(request), {name.lower(): value for name, value in request.headers.items()}, request.body)


def authenticate(request: HttpRequest, message: signing.Request, states) -> Peer:
    peer = Peer.objects.filter(pk=request.headers.get("Fed-Portal", "")[:64]).first()
    try:
        if peer is None:
            raise signing.SignatureRefused("key", "this portal is not known here")
        if not request.headers.get("Fed-Protocol", "").startswith("1."):
            raise Refused(400, "version", "Fed-Protocol 1.x is spoken here")
        verified = signing.verify_request(message, keys.find_key(peer))
        request.signed_by = verified.keyid
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


def problem(status: int, code: str, detail: str, more: dict | None = None) -> HttpResponse:
    body = {"type": f"urn:jimu:problem:{code}", "title": detail, "status": status, "detail": detail, "code": code}
    body["server_time"] = int(time.time())  # so that a refused clock can be set
    response = HttpResponse(orjson.dumps(body | (more or {})), status=status, content_type=PROBLEM)
    if "retry_after" in (more or {}):
        response["Retry-After"] = str(more["retry_after"])
    return response


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
