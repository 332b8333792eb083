"""fed/1 on the wire: the events and pages of a change feed, to and from bytes. Pure; docs/federation-protocol.md is its reference.

A page is NDJSON: a header, at most 500 events, a trailer. It is dropped whole unless every check of decode_page holds.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

VERSION, SPOKEN = "1.1", ("1.1", "1.0")  # Fed-Protocol: what we send, what we answer to; later minor versions are tolerated
PAGE_VERSION = "1.0"  # `fed` of a page: its form is that of the first version
MEDIA_TYPE = "application/vnd.dataset-federation+ndjson"
MAX_EVENTS = 500
MAX_PAGE_BYTES = 8 * 1024 * 1024  # decoded
MAX_RECORD_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_INTEGER = 2**53
MAX_VALUES, MAX_PAGE_VALUES = 20_000, 500_000  # members and items, of a record and of a page: what they cost in memory once parsed
MAX_ENVELOPE_BYTES = 16 * 1024
GENESIS = "0" * 64
OPS = ("put", "del", "purge")


class ProtocolError(Exception):
    """A page that cannot be trusted as a whole. `code` is stable, the text is for the run's record."""

    def __init__(self, code: str, detail: str):
        self.code = code
        super().__init__(f"{code}: {detail}")


@dataclass(frozen=True)
class Event:
    """`doc` holds the canonical bytes, None for a purge or an overtaken event. `raw` is the line as it came; `fault` says
    why its document breaks the rules: such a record is parked, the page goes on."""

    seq: int
    op: str
    id: str
    origin: str
    rev: int
    hash: str
    schema: str
    ts: str
    doc: bytes | None = None
    superseded_by: int | None = None
    crit: tuple[str, ...] = ()
    raw: bytes = b""
    fault: str = ""

    def line(self) -> bytes:
        body = {name: getattr(self, name) for name in ("seq", "op", "id", "origin", "rev", "hash", "schema", "ts")}
        body["doc"] = orjson.Fragment(self.doc) if self.doc is not None else None
        if self.superseded_by is not None:
            body["superseded_by"] = self.superseded_by
        if self.crit:
            body["crit"] = list(self.crit)
        return orjson.dumps(body)


@dataclass(frozen=True)
class Page:
    """`start` and `end` are `from` and `to`; an empty page has end = start - 1."""

    portal: str
    stream: str
    epoch: str
    start: int
    end: int
    head: int
    floor: int
    prev_chain: str
    events: Sequence[Event] = ()
    schema: str = "listing/1"
    trailer: dict = field(default_factory=dict)

    def header(self) -> bytes:
        values = {"fed": PAGE_VERSION, "portal": self.portal, "stream": self.stream, "epoch": self.epoch, "from": self.start, "to": self.end}
        values |= {"head": self.head, "floor": self.floor, "schema": self.schema, "prev_chain": self.prev_chain}
        return orjson.dumps(values)


@dataclass(frozen=True)
class Snapshot:
    """The current state by key: the latest event of each identifier above `after`. `chain` is the chain at `as_of`."""

    portal: str
    stream: str
    epoch: str
    as_of: int
    floor: int
    chain: str
    after: str
    events: Sequence[Event] = ()
    schema: str = "listing/1"
    trailer: dict = field(default_factory=dict)

    def header(self) -> bytes:
        values = {"fed": PAGE_VERSION, "portal": self.portal, "stream": self.stream, "epoch": self.epoch, "as_of": self.as_of, "after": self.after}
        return orjson.dumps(values | {"floor": self.floor, "schema": self.schema, "chain": self.chain})


def canonical(document: Any) -> bytes:
    """RFC 8785 for what fed/1 documents may hold: no floats, integers within 2^53, ASCII keys."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def digest(document: bytes | None) -> str:
    """Hash of a document's canonical bytes; a purge, which has none, hashes JSON null."""
    return hashlib.sha256(b"null" if document is None else document).hexdigest()


def next_chain(chain: str, event) -> str:
    """The chain after an event. Rolls by event, so it holds for any page size; what an event loses when overtaken is outside it."""
    link = f"{event.seq} {event.op} {event.identifier if hasattr(event, 'identifier') else event.id} {event.rev} {event.hash}"
    return hashlib.sha256(bytes.fromhex(chain) + link.encode()).hexdigest()


def encode_page(page: Page, attest: Callable[[bytes], dict]) -> bytes:
    """The page's bytes; `attest` signs the canonical trailer and returns {"keyid", "alg", "sig"}."""
    chain = page.prev_chain
    for event in page.events:
        chain = next_chain(chain, event)
    return _closed(page, {"chain": chain, "next": f"{page.epoch}:{page.end}", "more": page.end < page.head}, attest)


def encode_snapshot(page: Snapshot, more: bool, attest: Callable[[bytes], dict]) -> bytes:
    return _closed(page, {"next": page.events[-1].id if page.events else page.after, "more": more}, attest)


def _closed(page: Page | Snapshot, members: dict, attest) -> bytes:
    body = b"\n".join([page.header(), *(event.line() for event in page.events)]) + b"\n"
    trailer = {"count": len(page.events), "sha256": hashlib.sha256(body).hexdigest()} | members
    trailer["att"] = attest(canonical(trailer))
    return body + orjson.dumps(trailer) + b"\n"


CheckAttestation = Callable[[bytes, dict], None]


def decode_page(body: bytes, check_attestation: CheckAttestation) -> Page:
    """The page, or ProtocolError. Nothing of a cut, altered, oversized or ill-formed page is ever returned."""
    page = _page(*_opened(body, check_attestation))
    _check_sequence(page)
    return page


def decode_snapshot(body: bytes, check_attestation: CheckAttestation) -> Snapshot:
    """A page of the current state, by the same rules; its events rise by id and none is overtaken."""
    page = _snapshot(*_opened(body, check_attestation))
    last = page.after
    for event in page.events:
        if event.id <= last or event.superseded_by is not None or event.seq < 1:
            raise ProtocolError("sequence", f"{event.id} after {last or 'the start'}")
        last = event.id
    if page.trailer.get("more") and (not page.events or page.trailer.get("next") != last):
        raise ProtocolError("sequence", "there is more, and next is not the last id")
    return page


def _opened(body: bytes, check_attestation: CheckAttestation) -> tuple[dict, list[Event], dict]:
    """Header, events and trailer of a whole page whose trailer names and signs these very bytes."""
    if len(body) > MAX_PAGE_BYTES:
        raise ProtocolError("too_large", f"page above {MAX_PAGE_BYTES} bytes")
    if not body.endswith(b"\n") or body.count(b"\n") < 2:
        raise ProtocolError("cut", "the page has no complete trailer")
    if body.count(b"\n") > MAX_EVENTS + 2:
        raise ProtocolError("too_many", f"more than {MAX_EVENTS} events")
    lines = body[:-1].split(b"\n")
    trailer = _object(lines[-1], "trailer")
    if "count" not in trailer or "att" not in trailer:
        raise ProtocolError("cut", "the last line is not a trailer")
    covered = body[: len(body) - len(lines[-1]) - 1]
    if trailer.get("sha256") != hashlib.sha256(covered).hexdigest():
        raise ProtocolError("sha256", "the page is not what its trailer names")
    if trailer["count"] != len(lines) - 2:
        raise ProtocolError("count", f"trailer says {trailer['count']}, {len(lines) - 2} events arrived")
    check_attestation(canonical({name: value for name, value in trailer.items() if name != "att"}), trailer["att"])
    if values_at_most(body) > MAX_PAGE_VALUES:
        raise ProtocolError("values", f"a page of more than {MAX_PAGE_VALUES} commas and opening brackets")
    header = _object(lines[0], "header")
    if not str(header.get("fed", "")).startswith("1."):
        raise ProtocolError("version", f"fed {str(header.get('fed'))[:20]!r} is not spoken here")
    return header, [decode_event(line) for line in lines[1:-1]], trailer


def _snapshot(header: dict, events: list[Event], trailer: dict) -> Snapshot:
    try:
        return Snapshot(
            portal=_text(header, "portal", 64),
            stream=_text(header, "stream", 20),
            epoch=_text(header, "epoch", 32),
            as_of=_integer(header, "as_of"),
            floor=_integer(header, "floor"),
            chain=_hex(header, "chain"),
            after=_text(header, "after", 140) if header.get("after") else "",
            schema=_text(header, "schema", 40),
            events=events,
            trailer=trailer,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError("header", str(error)) from None


def _page(header: dict, events: list[Event], trailer: dict) -> Page:
    try:
        return Page(
            portal=_text(header, "portal", 64),
            stream=_text(header, "stream", 20),
            epoch=_text(header, "epoch", 32),
            start=_integer(header, "from"),
            end=_integer(header, "to"),
            head=_integer(header, "head"),
            floor=_integer(header, "floor"),
            prev_chain=_hex(header, "prev_chain"),
            schema=_text(header, "schema", 40),
            events=events,
            trailer=trailer,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError("header", str(error)) from None


def _check_sequence(page: Page) -> None:
    """seq is dense from `from` to `to`, and the chain over the events is the trailer's."""
    if page.end != page.start + len(page.events) - 1 or page.end > max(page.head, page.start - 1):
        raise ProtocolError("sequence", f"from {page.start} to {page.end} with {len(page.events)} events and head {page.head}")
    chain = page.prev_chain
    for position, event in enumerate(page.events):
        if event.seq != page.start + position:
            raise ProtocolError("sequence", f"seq {event.seq} where {page.start + position} is due")
        chain = next_chain(chain, event)
    if page.trailer.get("chain") != chain:
        raise ProtocolError("chain", "the chain over the events is not the trailer's")


def decode_event(line: bytes) -> Event:
    """The event; with `fault` set when only its document is at fault. ProtocolError when its envelope cannot be read."""
    try:
        if len(line) > MAX_RECORD_BYTES + 4096:
            raise ProtocolError("record_too_large", f"a record above {MAX_RECORD_BYTES} bytes")
        return _event(_object(line, "event"), line)
    except ProtocolError as error:
        fault = str(error)
    try:
        value = json.loads(_envelope(line), parse_int=_some_number)
        return _event(value | {"doc": None, "crit": None}, line[:MAX_RECORD_BYTES], fault)
    except (ValueError, TypeError, RecursionError):
        raise ProtocolError("event", fault) from None


def _envelope(line: bytes) -> bytes:
    """The members before `doc`, which comes last in a line: enough to park a record whose document must not be parsed."""
    depth, head = 0, line[:MAX_ENVELOPE_BYTES]
    for match in STRING_OR_BRACKET.finditer(head):
        if depth == 1 and match[0] == b'"doc"' and head[match.end() :].lstrip()[:1] == b":":
            return head[: match.end()] + b":null}"
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(match[0], 0)
    return head


def _some_number(text):
    return int(text) if len(text) < 18 else -1


def _event(value: dict, line: bytes, fault: str = "") -> Event:
    try:
        if value["op"] not in OPS:
            raise ValueError(f"op {str(value['op'])[:20]!r}")
        doc, crit, overtaken = value.get("doc"), value.get("crit") or [], value.get("superseded_by")
        if doc is not None and not isinstance(doc, dict):
            raise ValueError("doc is not an object")
        if not isinstance(crit, list) or not all(isinstance(name, str) for name in crit):
            raise ValueError("crit is not a list of names")
        return Event(
            seq=_integer(value, "seq"),
            op=value["op"],
            id=_text(value, "id", 140),
            origin=_text(value, "origin", 64),
            rev=_integer(value, "rev"),
            hash=_hex(value, "hash"),
            schema=_text(value, "schema", 40),
            ts=_text(value, "ts", 40),
            doc=None if doc is None else canonical(doc),
            superseded_by=None if overtaken is None else _integer(value, "superseded_by"),
            crit=tuple(crit),
            raw=line,
            fault=fault,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError("event", f"{type(error).__name__}: {error}") from None


def _integer(value: dict, name: str) -> int:
    number = value[name]
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MAX_INTEGER:
        raise ValueError(f"{name} is not a whole number from 0 to 2^53")
    return number


def _text(value: dict, name: str, limit: int) -> str:
    text = value[name]
    if not isinstance(text, str) or not 0 < len(text) <= limit or not text.isascii() or not text.isprintable():
        raise ValueError(f"{name} is not ASCII text of at most {limit} characters")
    return text


def _hex(value: dict, name: str) -> str:
    text = value[name]
    if not isinstance(text, str) or len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise ValueError(f"{name} is not a SHA-256 in lower-case hexadecimal")
    return text


def _object(line: bytes, what: str) -> dict:
    if what != "event" and len(line) > MAX_ENVELOPE_BYTES:
        raise ProtocolError("too_large", f"a {what} above 16 KiB")
    value = strict_json(line)
    if not isinstance(value, dict):
        raise ProtocolError("json", f"the {what} is not an object")
    return value


def strict_json(data: bytes) -> Any:
    """JSON within the limits of fed/1: depth 32, 20,000 values, no duplicate keys, no NaN, no floats, no integer above 2^53;
    else ProtocolError."""
    check_size(data)
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_refuse, parse_float=_refuse, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("json", str(error)[:200]) from None


STRING = rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
STRINGS, STRING_OR_BRACKET = re.compile(STRING, re.DOTALL), re.compile(STRING + rb"|[\[\]{}]", re.DOTALL)
ONE_BRACKET = bytes.maketrans(b"{}", b"[]")
NO_BRACKET = bytes(set(range(256)) - set(b"[]"))


def values_at_most(data: bytes) -> int:
    """How many members and items there can be, counted quickly and rather too high."""
    return data.count(b",") + data.count(b"[") + data.count(b"{")


def check_size(data: bytes) -> None:
    """Depth and number of values, before anything is parsed, in linear time: the parser must not meet depth 100,000."""
    bare = STRINGS.sub(b"", data).translate(ONE_BRACKET)
    if values_at_most(bare) > MAX_VALUES:
        raise ProtocolError("values", f"more than {MAX_VALUES} values")
    left = bare.translate(None, NO_BRACKET)
    for _level in range(MAX_DEPTH + 1):  # the event around the document counts too
        left = left.replace(b"[]", b"")
    if left:
        raise ProtocolError("depth", f"nested deeper than {MAX_DEPTH}")


def _pairs(pairs):
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return value


def _refuse(text):
    raise ValueError(f"{text[:40]} is not allowed: numbers are whole")


def _whole(text):
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise ValueError("an integer above 2^53")
    return int(text)


def compress(body: bytes) -> bytes:
    packer = zlib.compressobj(6, wbits=31)
    return packer.compress(body) + packer.flush()


def decoded(body: bytes, coding: str, limit: int = MAX_PAGE_BYTES) -> bytes:
    """The body without its Content-Encoding: none, or gzip once. ProtocolError for any other, for several, and above `limit` bytes."""
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return body
    if coding not in ("gzip", "x-gzip"):
        raise ProtocolError("coding", f"Content-Encoding {coding[:40]!r}: gzip, once, or none")
    return inflate(body, limit)


def inflate(body: bytes, limit: int = MAX_PAGE_BYTES) -> bytes:
    """One whole gzip member, never more than `limit` bytes in memory; ProtocolError for anything else."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        data = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise ProtocolError("gzip", str(error)) from None
    if len(data) > limit:
        raise ProtocolError("too_large", f"above {limit} bytes when unpacked")
    if not unpacker.eof or unpacker.unused_data:
        raise ProtocolError("cut", "the gzip stream is incomplete, or something follows it")
    return data
