"""Hostile answers, each read in a process of its own as a pull would read it: what it came to, CPU seconds, MB at the peak. Run by test_hostile."""

import hashlib
import os
import zlib

import orjson

from federation import protocol
from federation.protocol import GENESIS, Event, Page, ProtocolError

EVENT = b'{"seq":%d,"op":"put","id":"urn:dataset:cn-33:%08d-0000-7000-8000-000000000000","origin":"cn-33","rev":1,"hash":"%s",'
EVENT += b'"schema":"listing/1","ts":"2026-11-22T00:00:00+00:00","doc":%s}'


def page(*documents: bytes) -> bytes:
    """A page whose trailer fits, as only its own signer could make it."""
    chain, lines = GENESIS, []
    for seq, document in enumerate(documents, 1):
        hash_ = protocol.digest(document)
        lines.append(EVENT % (seq, seq, hash_.encode(), document))
        envelope = Event(seq, "put", f"urn:dataset:cn-33:{seq:08d}-0000-7000-8000-000000000000", "cn-33", 1, hash_, "listing/1", "")
        chain = protocol.next_chain(chain, envelope)
    header = Page("cn-33", "listings", "e1", 1, len(lines), len(lines), 1, GENESIS).header()
    body = b"\n".join([header, *lines]) + b"\n"
    trailer = {"count": len(lines), "sha256": hashlib.sha256(body).hexdigest(), "chain": chain, "next": "e1:1", "more": False, "att": {}}
    return body + orjson.dumps(trailer) + b"\n"


def packed_zeros(megabytes: int, byte: bytes = b"0") -> bytes:
    packer, parts = zlib.compressobj(9, wbits=31), []
    for _ in range(megabytes):
        parts.append(packer.compress(byte * 1_000_000))
    return b"".join([*parts, packer.flush()])


def keys(count: int, form: bytes) -> bytes:
    found = bytearray()
    for number in range(count):
        found += form % number
    return bytes(found[:-1])


def nested() -> bytes:
    body = packed_zeros(100)
    for _ in range(4):
        packer = zlib.compressobj(9, wbits=31)
        body = packer.compress(body) + packer.flush()
    return body


RECORD, PAGE = protocol.MAX_RECORD_BYTES - 1000, protocol.MAX_PAGE_BYTES - 20_000
CASES = {
    "bomb of 1 GB": lambda: (packed_zeros(1000), "gzip"),
    "300 MB in one line": lambda: (packed_zeros(300, b"a"), "gzip"),
    "five nested encodings": lambda: (nested(), "gzip"),
    "a line of 8 MB": lambda: (page(b'{"a":"' + b"x" * PAGE + b'"}'), ""),
    "depth 100,000": lambda: (page(b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 40_000 + b"1" + b"}" * 40_000), ""),
    "depth 100,000 in a line of 8 MB": lambda: (page(b"[" * (PAGE // 2) + b"]" * (PAGE // 2)), ""),
    "a million keys": lambda: (page(b"{" + keys(600_000, b'"%d":0,') + b"}"), ""),
    "keys without end": lambda: (page(*[b"{" + keys(9_900, b'"%05d":[],') + b"}"] * 24), ""),
    "empty lists": lambda: (page(*[b'{"a":[' + (b"[]," * 9_900)[:-1] + b"]}"] * 24), ""),
    "empty lists beyond a page's limit": lambda: (page(*[b'{"a":[' + (b"[]," * 9_900)[:-1] + b"]}"] * 260), ""),
    "lists beyond the limit": lambda: (page(*[b'{"a":[' + (b"[]," * (RECORD // 3 - 5))[:-1] + b"]}"] * 2), ""),
    "empty lists in one line": lambda: (page(b'{"a":[' + (b"[]," * (PAGE // 3))[:-1] + b"]}"), ""),
    "duplicate keys": lambda: (page(b'{"a":1,"a":2}', b'{"a":{"b":1,"b":2}}'), ""),
    "NaN": lambda: (page(b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":1e400}'), ""),
    "a number of a million digits": lambda: (page(b'{"a":' + b"9" * 200_000 + b"}", b'{"a":' + b"9" * 1_000_000 + b"}"), ""),
    "quotes and backslashes": lambda: (page(*[b'{"a":"' + b'\\"' * (RECORD // 2) + b'"}'] * 30), ""),
    "lines": lambda: (b"{}\n" * 2_000_000, ""),
}


def read(body: bytes, coding: str) -> str:
    from federation.services.records import Unfit, document_of

    try:
        found = protocol.decode_page(protocol.decoded(body, coding), lambda data, attestation: None)
    except ProtocolError as error:
        return f"dropped {error.code}"
    kept, faults = [], set()
    for event in found.events:
        try:
            kept.append(document_of(event, "listing"))
        except Unfit as error:
            faults.add(error.code)
    return f"parked {'+'.join(sorted(faults))}" if not kept else f"accepted {len(kept)}"


def main() -> None:
    """A child for each case, so that each has a peak of its own."""
    for name, build in CASES.items():
        body, coding = build()
        child = os.fork()
        if child == 0:
            print(f"{name}|{read(body, coding)}", end="|", flush=True)
            os._exit(0)
        _pid, status, used = os.wait4(child, 0)
        print(f"{used.ru_utime + used.ru_stime:.2f}|{used.ru_maxrss // 1024}|{status}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    main()
