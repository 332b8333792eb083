"""A portal in memory: keeps its own feed and signs it. The tests shape its pages; the code under test only sees bytes."""

import hashlib
import json
import re
from datetime import UTC, datetime
from urllib.parse import unquote

from catalog.ids import dataset_urn, new_uid
from catalog.models import Portal
from federation import protocol, signing
from federation.models import Checkpoint, Peer, PeerKey
from federation.protocol import GENESIS, Event, Page, Snapshot, canonical, digest
from federation.transport import Answer, LoopbackTransport, TransportError, use_transport
from tests.factories import COMPLETE

SCHEMAS = {
    "listings": "listing/1",
    "decisions": "decision/1",
    "acks": "ack/1",
    "usage": "usage/1",
    "vocab": "vocab/1",
    "peers": "peer/1",
}
NOT_PUBLISHED = json.dumps({"status": 404, "code": "stream", "detail": "not published here"}).encode()


class FakePortal:
    def __init__(self, portal_id="cn-33", *, stream="listings", trusted=True, role="local", register=True):
        self.id, self.stream, self.epoch = portal_id, stream, "e1"
        self.base_url = f"http://{portal_id}.test"
        self.signer = signing.Ed25519Signer(f"{portal_id}:test", signing.new_key())
        self.events: list[Event] = []
        self.requests: list[tuple[str, str]] = []
        self.told: list[tuple[str, dict]] = []  # what was posted
        self.organization = str(new_uid())
        self.spoil = lambda body: body  # changes the page's bytes before they are signed and sent
        self.page_size = 500
        self.floor = 1
        self.keeps: list[Event] = []  # what it has in custody of the portal under test
        self.refuse: list[tuple[int, dict, bytes]] = []  # answers to the next posts
        self.answers: dict[str, object] = {}  # end of a path -> what is answered to a POST there
        self.health = {"entries": 0, "hash": ""}
        self.rename = lambda headers: headers  # changes the headers of a page's answer after signing
        self.pack = None  # packs a page that was asked for as gzip
        self.down = False
        self.peer = None
        if register:
            self.register(role, trusted)

    @classmethod
    def without_database(cls):
        return cls(register=False)

    def register(self, role, trusted):
        portal, _ = Portal.objects.update_or_create(
            id=self.id, defaults={"role": role, "name": f"{self.id}门户", "short_name": "浙江", "base_url": self.base_url}
        )
        self.peer = Peer.objects.create(portal=portal, state="active", trusted=trusted, base_url=self.base_url)
        PeerKey.objects.create(peer=self.peer, keyid=self.signer.keyid, public_key=signing.public_text(self.signer.key))
        Checkpoint.objects.create(peer=self.peer, stream=self.stream)

    # --- what it publishes
    def identifier(self):
        return dataset_urn(self.id, new_uid())

    def listing(self, title="示例：路面病害图像", **changes):
        organization = {"uid": self.organization, "name": "示例交通科技", "kind": "enterprise"}
        return {"schema": "listing/1", **COMPLETE, "title": title, "organization": organization, "resources": [], "samples": []} | changes

    def put(self, identifier=None, *, rev=1, document=None, **changes):
        identifier = identifier or self.identifier()
        document = document or {"listing": self.listing(**changes), "quality": {"documentation_score": 60}, "status": "listed"}
        return self.add("put", identifier, rev, canonical(document))

    def delete(self, identifier, *, rev=2, reason="示例原因"):
        return self.add("del", identifier, rev, canonical({"status": "delisted", "reason": reason}))

    def add(self, op, identifier, rev, doc, **changes):
        values = {"seq": len(self.events) + 1, "op": op, "id": identifier, "origin": self.id, "rev": rev, "hash": digest(doc), "doc": doc}
        schema = SCHEMAS[self.stream]
        self.events.append(Event(**values | {"schema": schema, "ts": datetime.now(UTC).isoformat()} | changes))
        return identifier

    # --- how it answers
    def page(self, since, limit):
        seq = int(since.partition(":")[2] or 0)
        events = self.events[seq : seq + min(limit, self.page_size)]
        chain = GENESIS
        for event in self.events[:seq]:
            chain = protocol.next_chain(chain, event)
        head = len(self.events)
        page = Page(self.id, self.stream, self.epoch, seq + 1, seq + len(events), head, self.floor, chain, events)
        return protocol.encode_page(page, lambda data: signing.attest(self.signer, data))

    def snapshot(self, after, limit):
        latest = {event.id: event for event in self.events}
        chain = GENESIS
        for event in self.events:
            chain = protocol.next_chain(chain, event)
        rest = [latest[name] for name in sorted(latest) if name > after]
        events = rest[: min(limit, self.page_size)]
        page = Snapshot(self.id, self.stream, self.epoch, len(self.events), self.floor, chain, after, events)
        return protocol.encode_snapshot(page, len(rest) > len(events), lambda data: signing.attest(self.signer, data))

    def recon(self, prefix, depth):
        """The digests, settled here without the code under test."""
        latest = {event.id: event for event in self.events}
        nodes: dict[str, list] = {}
        below = {}
        for event in latest.values():
            bucket = sha256(event.id.encode())[:3]
            if bucket.startswith(prefix):
                below[event.id] = [event.id, event.op, event.rev, event.hash]
                value = int(sha256(f"{event.op} {event.id} {event.rev} {event.hash}".encode()), 16)
                for name in ("own", bucket[: min(len(prefix) + depth, 3)]):
                    count, digest_ = nodes.get(name, [0, 0])
                    nodes[name] = [count + 1, digest_ ^ value]
        found = {"portal": self.id, "stream": self.stream, "epoch": self.epoch, "as_of": len(self.events), "prefix": prefix}
        if len(prefix) == 3:
            return found | {"list": [below[name] for name in sorted(below)]}
        texts = {name: [count, f"{value:064x}"] for name, (count, value) in nodes.items()}
        own = texts.pop("own", [0, "0" * 64])
        return found | {"records": own[0], "digest": own[1], "nodes": texts}

    def custody(self, after):
        rest = sorted((event for event in self.keeps if event.id > after), key=lambda event: event.id)
        events = rest[: min(2, self.page_size)]
        page = Snapshot(self.id, "custody", "old", 9, 1, GENESIS, after, events)
        return protocol.encode_snapshot(page, len(rest) > len(events), lambda data: signing.attest(self.signer, data))

    def handle(self, method, url, headers, body):
        self.requests.append((method, url))
        if self.down:
            raise TransportError("connection refused")
        request = signing.Request(method, url, headers, body)
        content, status, more = b"{}", 200, {}
        if (named := re.search(r"/streams/([a-z]+)/[cs]", url)) and named[1] != self.stream:
            return Answer(404, {"content-type": "application/problem+json"}, NOT_PUBLISHED)
        if found := re.search(r"/changes\?since=(.*)&limit=(\d+)$", url):
            seq = int(found[1].partition(":")[2] or 0)
            content, status = (self.spoil(self.page(found[1], int(found[2]))), 200) if seq >= self.floor - 1 else (b"", 410)
        elif found := re.search(r"/snapshot\?after=(.*)&limit=(\d+)$", url):
            content = self.spoil(self.snapshot(unquote(found[1]), int(found[2])))
        elif found := re.search(r"/recon\?prefix=([0-9a-f]*)&depth=([12])$", url):
            content = json.dumps(self.recon(found[1], int(found[2]))).encode()
        elif found := re.search(r"/custody/[a-z0-9-]+\?after=(.*)$", url):
            content = self.custody(unquote(found[1]))
        elif url.endswith("/health"):
            content = json.dumps({"portal": self.id, "audit": self.health}).encode()
        elif method == "POST":
            packed = headers.get("content-encoding") == "gzip"
            self.told.append((url, protocol.inflate(body) if packed else json.loads(body)))
            content = next((json.dumps(value).encode() for name, value in self.answers.items() if url.endswith(name)), content)
            if self.refuse:
                return Answer(*self.refuse.pop(0))
        if found and "gzip" in headers.get("accept-encoding", ""):
            content, more = (self.pack or protocol.compress)(content), {"content-encoding": "gzip"}
        signed = signing.sign_response(status, content, request, portal=self.id, protocol="1.0", signer=self.signer)
        return Answer(status, self.rename({name.lower(): value for name, value in signed.items()} | more), content)


class Network:
    """Routes requests to the fake portals by host; put into place as the transport."""

    def __init__(self, *portals):
        self.portals = {portal.base_url: portal for portal in portals}
        self.before = use_transport(LoopbackTransport(self.handle))

    def handle(self, method, url, headers, body):
        base = re.match(r"https?://[^/]+", url)[0]
        return self.portals[base].handle(method, url, headers, body)

    def close(self):
        use_transport(self.before)


def independent_canonical(value) -> bytes:
    """RFC 8785 written a second time, without the code under test: for documents without floats."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return b"{" + b",".join(independent_canonical(key) + b":" + independent_canonical(item) for key, item in members) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(independent_canonical, value)) + b"]"
    return json.dumps(value, ensure_ascii=False).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
