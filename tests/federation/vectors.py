"""Test vectors of fed/1: fixed keys, times and nonces, so that every byte comes out again. The keys are for tests only.

`python -m tests.federation.vectors` writes tests/data/federation/ and the examples in docs/federation-protocol.md.
"""

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import digests, protocol, signing
from federation.protocol import GENESIS, Event, Page, Snapshot, canonical, digest

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "tests" / "data" / "federation"
DOCUMENT = ROOT / "docs" / "federation-protocol.md"
NOW = 1795327200
EPOCH = "3f2a9c1e77d04b15"
FIRST, SECOND = (f"urn:dataset:cn-33:01939f00-0000-7000-8000-00000000000{n}" for n in (1, 2))
BASE = "https://zj.example"
CHANGES = f"{BASE}/fed/v1/streams/listings/changes?since={EPOCH}:1&limit=500"


def signer(portal: str) -> signing.Ed25519Signer:
    seed = hashlib.sha256(f"fed/1 test key of {portal}, never for use".encode()).digest()
    return signing.Ed25519Signer(f"{portal}:test-1", Ed25519PrivateKey.from_private_bytes(seed))


NATIONAL, LOCAL = signer("cn"), signer("cn-33")


def listing(identifier: str, title: str) -> bytes:
    document = {"schema": "listing/1", "identifier": identifier, "title": title, "security_level": "general"}
    return canonical({"listing": document, "quality": {"documentation_score": 60}, "status": "listed"})


def event(seq, op, identifier, rev, doc, **changes) -> Event:
    values = {"seq": seq, "op": op, "id": identifier, "origin": "cn-33", "rev": rev, "hash": digest(doc), "doc": doc}
    return Event(**values | {"schema": "listing/1", "ts": f"2026-11-22T06:00:0{seq}.000+00:00"} | changes)


FIRST_PUT = listing(FIRST, "示例：路面病害图像")
EVENTS = [
    event(1, "put", FIRST, 1, None, hash=digest(FIRST_PUT), superseded_by=3),
    event(2, "put", SECOND, 1, listing(SECOND, "示例：桥梁振动序列")),
    event(3, "put", FIRST, 2, listing(FIRST, "示例：路面病害图像（第二版）")),
    event(4, "del", SECOND, 2, canonical({"reason": "权属有争议", "status": "delisted"})),
]
EVENTS[1] = Event(**EVENTS[1].__dict__ | {"doc": None, "superseded_by": 4})


def attest(data: bytes) -> dict:
    return signing.attest(LOCAL, data)


def page() -> bytes:
    chain = protocol.next_chain(GENESIS, EVENTS[0])
    return protocol.encode_page(Page("cn-33", "listings", EPOCH, 2, 4, 4, 1, chain, EVENTS[1:]), attest)


def snapshot() -> bytes:
    chain = GENESIS
    for found in EVENTS:
        chain = protocol.next_chain(chain, found)
    return protocol.encode_snapshot(Snapshot("cn-33", "listings", EPOCH, 4, 1, chain, "", [EVENTS[2], EVENTS[3]]), False, attest)


def chains() -> list[dict]:
    rows, chain = [], GENESIS
    for found in EVENTS:
        link = f"{found.seq} {found.op} {found.id} {found.rev} {found.hash}"
        after = protocol.next_chain(chain, found)
        rows.append({"before": chain, "link": link, "after": after})
        chain = after
    return rows


def exchange(method, target, body, answer, *, asked_by, answered_by, coding="") -> dict:
    """A signed request and its signed answer; `content` is the answer as coded."""
    names = {NATIONAL.keyid: "cn", LOCAL.keyid: "cn-33"}
    headers = signing.sign_request(
        method, target, body, portal=names[asked_by.keyid], protocol="1.0", signer=asked_by, now=NOW, nonce="request-nonce-00000001"
    )
    request = signing.Request(method, target, {name.lower(): value for name, value in headers.items()}, body)
    back = signing.sign_response(
        200, answer, request, portal=names[answered_by.keyid], protocol="1.0", signer=answered_by, now=NOW + 1, nonce="response-nonce-0000001"
    )
    base = signing._base(signing.REQUEST, signing._request_values(request), headers["Signature-Input"].removeprefix("fed="))
    lower = {name.lower(): value for name, value in back.items()}
    back_base = signing._base(signing.RESPONSE, signing._response_values(200, lower, request), back["Signature-Input"].removeprefix("fed="))
    return {
        "request": {
            "method": method,
            "target": target,
            "headers": headers,
            "body": body.decode() if not body.startswith(b"\x1f\x8b") else "",
            "signature_base": base.decode(),
        },
        "response": {"status": 200, "headers": back | ({"Content-Encoding": coding} if coding else {}), "signature_base": back_base.decode()},
    }


def packed() -> bytes:
    """The page as a server sent it once. Kept, because packers differ from version to version; any of them is right."""
    kept = FOLDER / "page.ndjson.gz"
    return kept.read_bytes() if kept.exists() and gzip.decompress(kept.read_bytes()) == page() else protocol.compress(page())


def build() -> dict[str, bytes]:
    """File name -> content."""
    ack = canonical({"epoch": EPOCH, "seq": 4, "applied": 2, "quarantined": 1, "audit": {"entries": 57, "hash": digest(b"{}")}, "parked": [PARKED]})
    values = {
        "about": "Test vectors of fed/1. The keys are for tests only.",
        "keys": {
            item.keyid: {"seed": base64.b64encode(item.key.private_bytes_raw()).decode(), "public_key": signing.public_text(item.key)}
            for item in (NATIONAL, LOCAL)
        },
        "document": {"canonical": FIRST_PUT.decode(), "hash": digest(FIRST_PUT), "hash_of_a_purge": digest(None)},
        "chain": chains(),
        "changes": exchange("GET", CHANGES, b"", packed(), asked_by=NATIONAL, answered_by=LOCAL, coding="gzip"),
        "ack": exchange(
            "POST", f"{BASE}/fed/v1/streams/listings/ack", ack, canonical({"epoch": EPOCH, "head": 4}), asked_by=NATIONAL, answered_by=LOCAL
        )
        | {"answer": canonical({"epoch": EPOCH, "head": 4}).decode()},
        "keys_document": keys_document(),
        "recon": recon(),
        "inbox": inbox(),
        "documents": documents(),
    }
    text = json.dumps(values, ensure_ascii=False, indent=1).encode() + b"\n"
    return {"vectors.json": text, "page.ndjson": page(), "page.ndjson.gz": packed(), "snapshot.ndjson": snapshot()}


def recon() -> dict:
    """Digests of the state the four events come to: two records, one of them a tombstone."""
    rows = [(event.op, event.id, event.rev, event.hash) for event in EVENTS[2:]]
    tree = digests.tree(rows)
    prefix = digests.prefix_of(FIRST)
    head = {"portal": "cn-33", "stream": "listings", "epoch": EPOCH, "as_of": 4}
    nodes = {name: [node.records, node.digest] for name, node in sorted(tree.items()) if len(name) == 1}
    root = head | {"prefix": "", "records": tree[""].records, "digest": tree[""].digest, "nodes": nodes}
    leaf = head | {"prefix": prefix, "list": [[FIRST, "put", 2, EVENTS[2].hash]]}
    records = [{"record": f"{op} {name} {rev} {hash_}", "digest": f"{digests.record(op, name, rev, hash_):064x}"} for op, name, rev, hash_ in rows]
    return {"records": records, "prefixes": {FIRST: prefix, SECOND: digests.prefix_of(SECOND)}, "root": root, "leaf": leaf}


def inbox() -> dict:
    target = "https://national.example/fed/v1/inbox/listings"
    root = recon()["root"]
    taken = {"epoch": EPOCH, "seq": 4, "root": {"records": 2, "digest": root["digest"]}, "applied": 1, "unchanged": 2, "quarantined": 0, "held": 0}
    answer = canonical(taken)
    built = exchange("POST", target, packed(), answer, asked_by=LOCAL, answered_by=NATIONAL)
    problem = {"type": "urn:jimu:problem:cursor", "title": "the cursor is at the start:0", "status": 409, "detail": "the cursor is at the start:0"}
    problem |= {"code": "cursor", "server_time": NOW, "epoch": "", "seq": 0}
    return built | {"answer": answer.decode(), "elsewhere": problem}


def documents() -> dict:
    """One document of each stream, with its identifier and hash."""
    key = {"keyid": LOCAL.keyid, "alg": "ed25519", "public_key": signing.public_text(LOCAL.key), "valid_until": None}
    portal = {"id": "cn-33", "name": "浙江门户", "short_name": "浙江", "role": "local", "base_url": BASE}
    target = {"hash": EVENTS[2].hash, "rev": 2}
    taken = {
        "admission": "taken_down",
        "decided_at": "2026-11-22T06:01:00+00:00",
        "decision": "takedown",
        "reason": "样例含电话号码",
        "target": target,
    }
    told = {"error": "unknown_dataset", "reason": "this portal has no such dataset (any more)"}
    term = {"code": "text", "label": "文本", "label_en": "Text", "position": 0, "version": "1", "active": True, "data": {}}
    day = {"day": "2026-11-22", "prefix": "", "datasets": [{"id": FIRST, "views": 41, "downloads": 3}]}
    given = {
        "decisions": (FIRST, taken),
        "acks": (FIRST, {"decision": {"rev": 1, "hash": digest(b"{}")}, "state": "parked"} | told),
        "usage": ("urn:usage:cn-33:2026-11-22:0", day),
        "vocab": ("urn:vocab:cn:modality:0", {"scheme": "modality", "effective_from": "2027-01-01", "terms": [term]}),
        "peers": ("urn:portal:cn-33", {"portal": portal, "state": "active", "keys": [key]}),
    }
    return {
        stream: {"id": name, "canonical": canonical(document).decode(), "hash": digest(canonical(document))}
        for stream, (name, document) in given.items()
    }


PARKED = {"id": FIRST, "rev": 2, "state": "parked", "error": "invalid", "reason": "/modalities: 不认识的取值"}


def keys_document() -> dict:
    following = signer("cn-33 next")
    named = [(following, "cn-33:test-2", None), (LOCAL, LOCAL.keyid, "2026-11-29T06:00:00+00:00")]
    records = [{"keyid": name, "alg": "ed25519", "public_key": signing.public_text(item.key), "valid_until": until} for item, name, until in named]
    body = {"portal": "cn-33", "created": NOW, "keys": records}
    return body | {"att": [signing.attest(LOCAL, canonical(body), signing.KEYS)]}


def examples() -> dict[str, str]:
    """Name in the document -> text of its example."""
    built = json.loads(build()["vectors.json"])

    def message(first, headers, body=""):
        return "\n".join([first, *(f"{name}: {value}" for name, value in headers.items()), *(["", body] if body else [])])

    changes, ack = built["changes"], built["ack"]
    return {
        "request": message(
            f"GET {CHANGES.removeprefix(BASE)} HTTP/1.1", {"Host": "zj.example", "Accept-Encoding": "gzip"} | changes["request"]["headers"]
        ),
        "request base": changes["request"]["signature_base"],
        "response": message("HTTP/1.1 200 OK", {"Content-Type": protocol.MEDIA_TYPE} | changes["response"]["headers"], "(page.ndjson.gz)"),
        "page": page().decode().rstrip("\n"),
        "snapshot": snapshot().decode().rstrip("\n"),
        "chain": "\n".join(f"{row['before']} + {row['link']}\n= {row['after']}" for row in built["chain"]),
        "ack": message("POST /fed/v1/streams/listings/ack HTTP/1.1", ack["request"]["headers"], ack["request"]["body"]),
        "keys": json.dumps(built["keys_document"], indent=1),
        "recon": "\n\n".join(json.dumps(built["recon"][name]) for name in ("root", "leaf")),
        "inbox": message(
            "POST /fed/v1/inbox/listings HTTP/1.1",
            {"Content-Type": protocol.MEDIA_TYPE, "Content-Encoding": "gzip"} | built["inbox"]["request"]["headers"],
            f"(page.ndjson.gz)\n\n{built['inbox']['answer']}",
        ),
        "problem": json.dumps(built["inbox"]["elsewhere"], ensure_ascii=False),
        "documents": "\n\n".join(f"{stream}  {row['id']}\n{row['canonical']}" for stream, row in built["documents"].items()),
    }


def with_examples(text: str) -> str:
    for name, example in examples().items():
        block = f"<!-- example: {name} -->\n```\n{example}\n```\n<!-- end -->"
        text, count = re.subn(rf"<!-- example: {name} -->\n.*?<!-- end -->", lambda _match, block=block: block, text, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"{DOCUMENT.name} has {count} places for the example {name}")
    return text


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in build().items():
        (FOLDER / name).write_bytes(content)
    DOCUMENT.write_text(with_examples(DOCUMENT.read_text()))


if __name__ == "__main__":
    write()
