"""Many portals in one process, each with a seeded feed that is signed as it must be: for measuring a real puller.

    python -m tests.federation.simulator --portals 1000 --listings 50 [--port 0] [--dead 200]

The address of portal N is http://127.0.0.1:PORT/p/ID; a dead one takes connections and never answers. Keys come from the id alone, so
that the reader can register them without asking. Prints the port.
"""

import argparse
import hashlib
import json
import re
import threading
import time
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import protocol, signing
from federation.protocol import GENESIS, MAX_EVENTS, Event, Page, canonical, digest, next_chain

NUMBER = re.compile(r"/p/(?P<id>[a-z0-9-]+)(?P<path>/.*)")


def portal_ids(count: int) -> list[str]:
    return [f"ind-p{number:04}" for number in range(count)]


def signer_of(portal_id: str) -> signing.Ed25519Signer:
    seed = hashlib.sha256(f"simulated {portal_id}".encode()).digest()
    return signing.Ed25519Signer(f"{portal_id}:sim", Ed25519PrivateKey.from_private_bytes(seed))


def uid_of(portal_id: str, number: int) -> str:
    raw = bytearray(hashlib.sha256(f"{portal_id} {number}".encode()).digest()[:16])
    raw[6], raw[8] = raw[6] & 0x0F | 0x70, raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


class Feed:
    """`count` listings made from the portal's id; `grow` adds one more, committed now."""

    def __init__(self, portal_id: str, count: int, text: int = 300):
        self.id, self.count, self.text, self.signer = portal_id, count, text, signer_of(portal_id)
        self.chains, self.times, self.lock = {0: GENESIS}, {}, threading.Lock()
        self.start = datetime.now(UTC).isoformat(timespec="milliseconds")

    def grow(self) -> None:
        with self.lock:
            self.count += 1
            self.times[self.count] = datetime.now(UTC).isoformat(timespec="milliseconds")

    def event(self, seq: int) -> Event:
        listing = {
            "schema": "listing/1", "title": f"示例：模拟数据集 {self.id} {seq}", "summary": "用于测量的登记。", "keywords": ["模拟", "测量"],
            "description": "说明文字" * (self.text // 12), "sectors": ["transport"], "modalities": ["image"], "model_stages": ["finetune"],
            "region": "330000", "license_type": "commercial_authorization", "update_frequency": "monthly", "record_count": seq,
            "security_level": "general",
            "organization": {"uid": uid_of(self.id, 0), "name": f"示例机构 {self.id}", "kind": "enterprise"}, "resources": [], "samples": [],
        }  # fmt: skip
        doc = canonical({"listing": listing, "quality": {"documentation_score": 60}, "status": "listed"})
        identifier = f"urn:dataset:{self.id}:{uid_of(self.id, seq)}"
        return Event(seq, "put", identifier, self.id, 1, digest(doc), "listing/1", self.times.get(seq, self.start), doc)

    def page(self, since: int, limit: int) -> bytes:
        with self.lock:
            head = self.count
            if since not in self.chains:  # somebody begins in the middle
                chain = GENESIS
                for seq in range(1, since + 1):
                    chain = next_chain(chain, self.event(seq))
                self.chains[since] = chain
        events = [self.event(seq) for seq in range(since + 1, min(since + min(limit, MAX_EVENTS), head) + 1)]
        chain = self.chains[since]
        for event in events:
            chain = next_chain(chain, event)
        self.chains[since + len(events)] = chain
        page = Page(self.id, "listings", "sim1", since + 1, since + len(events), head, 1, self.chains[since], events)
        return protocol.encode_page(page, lambda data: signing.attest(self.signer, data))


class Simulator:
    def __init__(self, count: int, listings: int, dead: int = 0, port: int = 0):
        self.feeds = {portal_id: Feed(portal_id, listings) for portal_id in portal_ids(count)}
        self.dead = set(list(self.feeds)[:: count // dead][:dead]) if dead else set()
        self.requests, self.sent = 0, 0
        simulator = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                simulator.answer(self)

            do_POST = do_GET

            def log_message(self, *arguments):
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size, daemon_threads = 512, True

        self.server = Server(("127.0.0.1", port), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, portal_id: str) -> str:
        return f"{self.base}/p/{portal_id}"

    def answer(self, handler) -> None:
        found = NUMBER.fullmatch(handler.path)
        feed = self.feeds.get(found["id"]) if found else None
        if feed is None:
            return handler.send_error(404)
        if feed.id in self.dead:
            time.sleep(3600)
        self.requests += 1
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        request = signing.Request(handler.command, self.base + handler.path, {k.lower(): v for k, v in handler.headers.items()}, body)
        content, more = json.dumps({"epoch": "sim1", "head": feed.count}).encode(), {}
        if asked := re.search(r"/listings/changes\?since=(?:sim1:)?([0-9]*)&limit=([0-9]+)", found["path"]):
            content = protocol.compress(feed.page(int(asked[1] or 0), int(asked[2])))
            more = {"Content-Encoding": "gzip", "Content-Type": protocol.MEDIA_TYPE}
        headers = signing.sign_response(200, content, request, portal=feed.id, protocol="1.0", signer=feed.signer)
        handler.send_response(200)
        for name, value in (headers | more | {"Content-Length": str(len(content))}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)
        self.sent += len(content) + 700

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def register(simulator_base: str, count: int) -> None:
    """At the reading portal: every simulated portal as an active, trusted peer with its key and cursor."""
    from django.utils import timezone

    from catalog.models import Portal
    from federation.models import Checkpoint, Peer, PeerKey

    ids, now = portal_ids(count), timezone.now()
    Portal.objects.bulk_create(Portal(id=name, role="industry", name=f"模拟门户 {name}", short_name="模拟") for name in ids)
    Peer.objects.bulk_create(Peer(portal_id=name, state="active", trusted=True, base_url=f"{simulator_base}/p/{name}", next_due=now) for name in ids)
    PeerKey.objects.bulk_create(PeerKey(peer_id=name, keyid=f"{name}:sim", public_key=signing.public_text(signer_of(name).key)) for name in ids)
    Checkpoint.objects.bulk_create(Checkpoint(peer_id=name, stream="listings") for name in ids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portals", type=int, default=1000)
    parser.add_argument("--listings", type=int, default=50)
    parser.add_argument("--dead", type=int, default=0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--grow", type=float, default=0, help="new listings a second, at portals taken in turn")
    chosen = parser.parse_args()
    simulator = Simulator(chosen.portals, chosen.listings, chosen.dead, chosen.port)
    print(simulator.server.server_port, flush=True)
    living = [feed for name, feed in simulator.feeds.items() if name not in simulator.dead]
    turn = 0
    while True:
        time.sleep(1 / chosen.grow if chosen.grow else 3600)
        if chosen.grow:
            living[turn % len(living)].grow()
            turn += 7


if __name__ == "__main__":
    main()
