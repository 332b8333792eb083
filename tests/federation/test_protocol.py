"""The wire format, without a database: pages that were touched are never returned."""

import gzip
import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import protocol, signing
from federation.protocol import GENESIS, Event, Page, ProtocolError, canonical, decode_page, digest, encode_page, inflate
from tests.federation.fake_portal import independent_canonical

SIGNER = signing.Ed25519Signer("cn-33:test", signing.new_key())
KEYS = {SIGNER.keyid: ("ed25519", signing.public_text(SIGNER.key))}


def attest(data):
    return signing.attest(SIGNER, data)


def check(data, attestation):
    signing.verify_attestation(data, attestation, KEYS.get)


def event(seq, **changes):
    doc = canonical({"n": seq})
    identifier = f"urn:dataset:cn-33:{seq:08d}-0000-7000-8000-000000000000"
    values = {"seq": seq, "op": "put", "id": identifier, "origin": "cn-33", "rev": 1, "hash": digest(doc), "doc": doc}
    return Event(**values | {"schema": "listing/1", "ts": "2026-11-21T00:00:00+00:00"} | changes)


def page(count=3, start=1):
    events = [event(seq) for seq in range(start, start + count)]
    return encode_page(Page("cn-33", "listings", "e1", start, start + count - 1, 10, 1, GENESIS, events), attest)


def test_a_page_comes_back_as_it_was_sent():
    decoded = decode_page(page(), check)

    assert [found.seq for found in decoded.events] == [1, 2, 3]
    assert decoded.events[0].doc == b'{"n":1}'
    assert decoded.trailer["more"] is True and decoded.trailer["next"] == "e1:3"


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_page_cut_anywhere_is_dropped_whole(cut):
    body = page()

    with pytest.raises(ProtocolError):
        decode_page(body[: len(body) * cut // 40], check)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_page_with_any_byte_changed_is_dropped_whole(data):
    body = bytearray(page())
    position = data.draw(st.integers(0, len(body) - 1))
    body[position] ^= data.draw(st.integers(1, 255))

    with pytest.raises((ProtocolError, signing.SignatureRefused)):
        decode_page(bytes(body), check)


def test_a_signature_is_written_in_one_way_only():
    body = bytearray(page())
    end = body.rindex(b'=="')  # 64 bytes leave four spare bits in the last letter before the padding
    body[end - 1] += 1  # A, Q, g or w becomes the next letter of the alphabet

    with pytest.raises(signing.SignatureRefused, match="canonical"):
        decode_page(bytes(body), check)


def rebuilt(change):
    """A page altered and given a fitting trailer again: what only its own signer could do."""
    lines = page().split(b"\n")[:-2]
    lines = change(lines)
    body = b"\n".join(lines) + b"\n"
    chain = GENESIS
    for line in lines[1:]:
        found = json.loads(line)
        chain = protocol.next_chain(chain, event(found["seq"], id=found["id"], hash=found["hash"], rev=found["rev"]))
    import hashlib

    trailer = {"count": len(lines) - 1, "sha256": hashlib.sha256(body).hexdigest(), "chain": chain, "next": "e1:3", "more": True}
    trailer["att"] = attest(canonical(trailer))
    return body + orjson.dumps(trailer) + b"\n"


def test_a_hole_in_the_sequence_refuses_the_page():
    with pytest.raises(ProtocolError, match="sequence"):
        decode_page(rebuilt(lambda lines: [lines[0], lines[1], lines[3]]), check)


def test_swapped_events_refuse_the_page():
    with pytest.raises(ProtocolError, match="sequence"):
        decode_page(rebuilt(lambda lines: [lines[0], lines[2], lines[1], lines[3]]), check)


@pytest.mark.parametrize(
    "doc",
    [b'{"a":1.5}', b'{"a":NaN}', b'{"a":1,"a":2}', b'{"a":90071992547409930}', b"[1]", b'{"a":"\\ud800"}', b'{"a":' * 40 + b"1" + b"}" * 40],
)
def test_a_document_outside_the_rules_is_at_fault_and_the_page_goes_on(doc):
    def change(lines):
        return [lines[0], lines[1].replace(b'{"n":1}', doc), *lines[2:]]

    decoded = decode_page(rebuilt(change), check)

    assert decoded.events[0].fault and decoded.events[0].doc is None
    assert not decoded.events[1].fault


def test_another_keys_attestation_is_refused():
    other = signing.Ed25519Signer(SIGNER.keyid, signing.new_key())
    body = encode_page(Page("cn-33", "listings", "e1", 1, 1, 1, 1, GENESIS, [event(1)]), lambda data: signing.attest(other, data))

    with pytest.raises(signing.SignatureRefused):
        decode_page(body, check)


def test_gzip_is_bounded_single_and_whole():
    bomb = gzip.compress(b"\0" * (protocol.MAX_PAGE_BYTES + 1))

    assert inflate(gzip.compress(b"abc")) == b"abc" == protocol.decoded(b"abc", "")
    assert inflate(gzip.compress(gzip.compress(b"abc"))) != b"abc"
    for body, why in (
        (bomb, "too_large"),
        (gzip.compress(b"abc")[:-3], "cut"),
        (gzip.compress(b"abc") + b"x", "cut"),
        (b"\x1f\x8bxxxxxxxxxx", "gzip"),
    ):
        with pytest.raises(ProtocolError, match=why):
            inflate(body)


def test_hostile_depth_is_refused_quickly():
    with pytest.raises(ProtocolError, match="depth"):
        protocol.strict_json(b"[" * 15_000)
    with pytest.raises(ProtocolError):
        protocol.strict_json(b'{"a":"' + b'\\"' * 100_000 + b"[" * 100)


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=8), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=500, deadline=None)
@given(DOCUMENTS)
def test_canonical_json_equals_an_independent_rfc_8785(document):
    assert canonical(document) == independent_canonical(document)
    assert protocol.strict_json(canonical(document)) == document
