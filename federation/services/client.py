"""Signed requests to a peer. An answer counts only when the peer's registered key signed it for this very request."""

import logging
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.db import transaction

from catalog.exceptions import DomainError
from federation import protocol
from federation.models import Peer
from federation.services.keys import check_keys_document, earlier_signers, find_key, own_signer, public_keys, store_keys
from federation.signing import Request, SignatureRefused, Signer, sign_request, verify_response
from federation.transport import Answer, TransportError, get_transport

logger = logging.getLogger(__name__)
KEYS_BYTES = 64 * 1024
RETRY_AT_MOST = 3600  # seconds


class PeerError(TransportError):
    """The peer answered, but not with what was asked. `retry_after` in seconds where it said so, `problem` what it told besides."""

    def __init__(self, detail: str, *, status: int = 0, retry_after: int = 0, problem: dict | None = None):
        self.status, self.retry_after, self.problem = status, retry_after, problem or {}
        super().__init__(detail)

    @property
    def code(self) -> str:
        return str(self.problem.get("code", ""))[:40]


def call(
    peer: Peer, method: str, path: str, body: bytes = b"", *, coding: str = "identity", signer: Signer | None = None, packed: bool = False
) -> Answer:
    """The verified answer of status 200, its body still coded; PeerError or TransportError otherwise.

    `coding` is what the peer may answer in: gzip for pages, identity for the rest, so that no proxy in between packs what was signed.
    `packed`: the body is gzip of a page. `signer`: another key of ours than the current one.
    """
    try:
        return _call(peer, method, path, body, coding, signer, packed)
    except PeerError as error:
        if signer or error.status != 401 or error.code != "key" or not introduce_keys(peer):
            raise
    return _call(peer, method, path, body, coding, None, packed)


def introduce_keys(peer: Peer) -> bool:
    """Tell a peer that does not know the key we sign with, by a message that an older key of ours signs; whether it took that.

    A peer learns our next key when it meets it in an answer. When both changed theirs out of each other's sight, neither gets an
    answer any more: each request is refused for its key.
    """
    for older in earlier_signers():
        try:
            _call(peer, "POST", "/fed/v1/keys", orjson.dumps({"keys": public_keys()}), "identity", older, False)
            return True
        except PeerError as error:
            logger.info("Keys not told to %s by %s: %s", peer.pk, older.keyid, error)
    return False


def _call(peer: Peer, method: str, path: str, body: bytes, coding: str, signer: Signer | None, packed: bool) -> Answer:
    url = peer.base_url.rstrip("/") + path
    headers = sign_request(method, url, body, portal=settings.PORTAL_ID, protocol=protocol.VERSION, signer=signer or own_signer())
    headers["Accept-Encoding"] = coding
    if body:
        headers["Content-Type"] = protocol.MEDIA_TYPE if packed else "application/json"
    if packed:
        headers["Content-Encoding"] = "gzip"
    request = Request(method, url, {name.lower(): value for name, value in headers.items()}, body)
    answer = get_transport().send(method, url, headers, body)
    if answer.status != 200:
        problem = _problem(answer)
        raise PeerError(_error_text(answer.status, problem), status=answer.status, retry_after=_retry_after(answer), problem=problem)
    if answer.headers.get("fed-portal") != peer.pk:
        raise PeerError(f"{urlsplit(url).netloc} answered as portal {answer.headers.get('fed-portal', '')[:64]!r}, not {peer.pk}")
    try:
        _verify(peer, answer, request)
    except SignatureRefused as error:
        raise PeerError(f"the answer is not signed as it must be ({error.code}): {error}", status=answer.status) from error
    return answer


def _verify(peer: Peer, answer: Answer, request: Request) -> None:
    """The answer's signature; with a key not known here, the peer's list of keys is asked once, which a key we hold must attest."""
    try:
        verify_response(answer.status, answer.headers, answer.content, request, find_key(peer))
    except SignatureRefused as error:
        if error.code != "key" or not learn_keys(peer):
            raise
        verify_response(answer.status, answer.headers, answer.content, request, find_key(peer))


def learn_keys(peer: Peer) -> bool:
    """Take over the keys at a peer's registered address; whether a key we hold vouched for them."""
    url = f"{peer.base_url.rstrip('/')}/fed/v1/keys"
    answer = get_transport().send("GET", url, {"Accept-Encoding": "identity"}, b"")
    if answer.status != 200 or len(answer.content) > KEYS_BYTES:
        return False
    try:
        document = protocol.strict_json(answer.content)
        found = check_keys_document(peer, document if isinstance(document, dict) else {})
    except (protocol.ProtocolError, SignatureRefused, DomainError) as error:
        logger.warning("Keys of %s not taken over: %s", peer.pk, error)
        return False
    with transaction.atomic():
        store_keys(peer, found)
    return True


def _problem(answer: Answer) -> dict:
    """The problem details of an answer (RFC 9457); it may be unsigned, so nothing is decided by it but which error is told."""
    if not answer.headers.get("content-type", "").startswith("application/problem+json") or len(answer.content) > 10_000:
        return {}
    try:
        value = protocol.strict_json(answer.content)
    except protocol.ProtocolError:
        return {}
    return value if isinstance(value, dict) else {}


def _error_text(status: int, problem: dict) -> str:
    detail = str(problem.get("detail", ""))[:300]
    return f"status {status}" + (f": {detail}" if detail.isprintable() and detail else "")


def _retry_after(answer: Answer) -> int:
    """Seconds, or a date (RFC 9110); an hour at most, so that no peer can send us away for good."""
    text = answer.headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), RETRY_AT_MOST)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return 0
    return max(0, min(int(seconds), RETRY_AT_MOST))
