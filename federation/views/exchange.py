"""The fed/1 endpoints. Everything but the description and enrolment asks for a valid signature of a known peer."""

import re

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalog.exceptions import DomainError
from federation import feeds, protocol, signing
from federation.models import Peer
from federation.services import acks, custody, health, inbox, keys, peers, sequencer, sync
from federation.views.signed import Refused, answer, audience, body_of, number, packed, problem, read, remember, seal, signed, text

SPEAKING = (Peer.State.ACTIVE, Peer.State.DIVERGED)  # a portal whose history is another may still ask why


@require_GET
def describe(request):
    """/.well-known/dataset-federation"""
    return answer(
        {
            "portal": settings.PORTAL_ID,
            "name": settings.PORTAL_NAME,
            "role": settings.PORTAL_ROLE,
            "versions": list(protocol.SPOKEN),
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
    """New keys of a peer, in a message signed by one it has already; keys that fell into wrong hands are void at once."""
    body = body_of(request)
    documents, void = body.get("keys", []), body.get("revoked", [])
    if not isinstance(void, list) or len(void) > 10 or not all(isinstance(item, str) and len(item) <= 120 for item in void):
        raise Refused(400, "invalid", "revoked is a list of at most 10 key ids")
    if not isinstance(documents, list) or len(documents) > 10 or not all(isinstance(item, dict) for item in documents):
        raise Refused(400, "invalid", "keys is a list of at most 10 objects")
    checked = [keys.check_key(document, peer.pk) for document in documents]
    trusted = request.signed_by not in void  # whoever holds a key that fell into wrong hands may end it, and bring no other
    with transaction.atomic():
        if trusted and checked:
            keys.store_keys(peer, checked)
        revoked = keys.revoke_keys(peer, void, label=peer.pk)
        peers.tell_directory(peer.pk)
    return answer({"stored": len(checked) if trusted else 0, "revoked": revoked})


@require_GET
@signed(states=SPEAKING)
def health_of(request, peer):
    return answer(health.seen_by(peer))


@require_POST
@signed(limit=protocol.MAX_PAGE_BYTES)
def bring(request, peer, stream):
    """A page that the peer cannot be asked for. 409 `cursor` tells where we are when it is another one that is due."""
    if stream not in feeds.read_of(peer.pk, settings.PORTAL_ROLE):
        raise Refused(404, "stream", f"stream {stream[:20]} of {peer.pk} is not read here")
    try:
        page = protocol.decoded(request.body, request.headers.get("Content-Encoding", ""))
        return answer(inbox.take(peer, stream, page))
    except inbox.Elsewhere as error:
        raise Refused(409, "cursor", str(error), {"epoch": error.epoch, "seq": error.seq}) from None
    except inbox.Busy:
        raise Refused(503, "busy", "another page of this portal is being applied", {"retry_after": 2}) from None
    except sync.Diverged as error:
        raise Refused(409, "diverged", str(error)) from None
    except signing.SignatureRefused as error:
        raise Refused(400, "attestation", str(error)) from None


@require_http_methods(["GET", "POST"])
@signed(states=SPEAKING)
def keep(request, peer, portal_id):
    """GET: what we hold of the asking portal's listings, to take back. POST: it did, and its feed may be read again."""
    if peer.pk != portal_id:
        raise Refused(403, "custody", "a portal may only ask for what is its own")
    if request.method == "POST":
        body = body_of(request)
        return answer(custody.resume(peer, epoch=text(body, "epoch", 32), taken=number(body, "taken")))
    after = request.GET.get("after", "")
    if len(after) > 140 or not after.isascii() or not after.isprintable():
        raise Refused(400, "after", "after is an identifier")
    return packed(request, HttpResponse(custody.page(peer, after), content_type=protocol.MEDIA_TYPE))


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
        portal["unreachable"] = described.get("unreachable") is True
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
