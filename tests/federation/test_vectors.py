"""The published vectors, read with hashlib, json and a bare Ed25519 first, then with the code itself."""

import base64
import gzip
import hashlib
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from federation import protocol, signing
from tests.federation import vectors
from tests.federation.fake_portal import independent_canonical, sha256

VECTORS = json.loads((vectors.FOLDER / "vectors.json").read_bytes())
PAGE = (vectors.FOLDER / "page.ndjson").read_bytes()
CODED = (vectors.FOLDER / "page.ndjson.gz").read_bytes()
KEYS = {keyid: ("ed25519", key["public_key"]) for keyid, key in VECTORS["keys"].items()}


def verify(keyid, signature, data):
    Ed25519PublicKey.from_public_bytes(base64.b64decode(VECTORS["keys"][keyid]["public_key"])).verify(base64.b64decode(signature), data)


def chain_after(chain, event):
    return sha256(bytes.fromhex(chain) + f"{event['seq']} {event['op']} {event['id']} {event['rev']} {event['hash']}".encode())


def test_the_vectors_are_what_the_code_makes_today():
    for name, content in vectors.build().items():
        assert (vectors.FOLDER / name).read_bytes() == content, f"{name}: run python -m tests.federation.vectors"


def test_the_examples_of_the_protocol_document_are_these_vectors():
    text = vectors.DOCUMENT.read_text()

    assert vectors.with_examples(text) == text, "run python -m tests.federation.vectors"


def test_a_page_is_verified_from_its_own_bytes_with_nothing_but_hashes():
    header, *events, trailer = map(json.loads, PAGE.splitlines())
    covered = PAGE[: PAGE[:-1].rindex(b"\n") + 1]

    chain = header["prev_chain"]
    for event in events:
        chain = chain_after(chain, event)

    assert header["prev_chain"] == chain_after("0" * 64, json.loads(vectors.EVENTS[0].line()))
    assert trailer["sha256"] == sha256(covered) and trailer["count"] == len(events)
    assert trailer["chain"] == chain == VECTORS["chain"][-1]["after"]
    for event in events:
        if event["doc"] is not None:
            assert event["hash"] == sha256(independent_canonical(event["doc"]))
    signed = {name: value for name, value in trailer.items() if name != "att"}
    verify(trailer["att"]["keyid"], trailer["att"]["sig"], b"fed-1 page trailer\n" + independent_canonical(signed))


def test_a_skipped_page_shows_because_the_chain_does_not_fit():
    third = vectors.EVENTS[2:]
    skipping = protocol.Page("cn-33", "listings", vectors.EPOCH, 3, 4, 4, 1, VECTORS["chain"][1]["after"], third)
    page = protocol.decode_page(protocol.encode_page(skipping, vectors.attest), check)

    assert page.prev_chain != VECTORS["chain"][0]["after"]  # a reader at seq 1 holds this one
    forged = protocol.Page("cn-33", "listings", vectors.EPOCH, 3, 4, 4, 1, VECTORS["chain"][0]["after"], third)
    assert protocol.decode_page(protocol.encode_page(forged, vectors.attest), check).trailer["chain"] != VECTORS["chain"][3]["after"]


def check(data, attestation):
    signing.verify_attestation(data, attestation, KEYS.get)


def test_the_content_digest_is_of_the_coded_bytes():
    headers = VECTORS["changes"]["response"]["headers"]

    assert headers["Content-Digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(CODED).digest()).decode()}:"
    assert headers["Content-Encoding"] == "gzip" and gzip.decompress(CODED) == PAGE


@pytest.mark.parametrize("name", ["changes", "ack"])
@pytest.mark.parametrize("side", ["request", "response"])
def test_the_signature_is_over_the_base_that_is_given(name, side):
    message = VECTORS[name][side]
    headers, base = message["headers"], message["signature_base"]
    keyid = "cn:test-1" if side == "request" else "cn-33:test-1"
    signature = headers["Signature"].removeprefix("fed=:").removesuffix(":")

    assert base.endswith(f'"@signature-params": {headers["Signature-Input"].removeprefix("fed=")}')
    assert f'"content-digest": {headers["Content-Digest"]}\n' in base
    verify(keyid, signature, base.encode())
    with pytest.raises(InvalidSignature):
        verify(keyid, signature, base.replace("fed-1", "fed-2").encode())


@pytest.mark.parametrize(("name", "content"), [("changes", CODED), ("ack", VECTORS["ack"]["answer"].encode())])
def test_the_code_believes_the_messages_at_their_time_and_not_later(name, content):
    request, response = VECTORS[name]["request"], VECTORS[name]["response"]
    sent = signing.Request(request["method"], request["target"], lower(request["headers"]), request["body"].encode())

    assert signing.verify_request(sent, KEYS.get, now=vectors.NOW).keyid == "cn:test-1"
    assert signing.verify_response(200, lower(response["headers"]), content, sent, KEYS.get, now=vectors.NOW).keyid == "cn-33:test-1"
    with pytest.raises(signing.SignatureRefused, match="the time here"):
        signing.verify_request(sent, KEYS.get, now=vectors.NOW + 121)


def lower(headers):
    return {name.lower(): value for name, value in headers.items()}


def test_the_code_reads_page_snapshot_and_list_of_keys():
    page = protocol.decode_page(protocol.decoded(CODED, "gzip"), check)
    whole = protocol.decode_snapshot((vectors.FOLDER / "snapshot.ndjson").read_bytes(), check)
    document = VECTORS["keys_document"]

    assert [event.seq for event in page.events] == [2, 3, 4] and page.trailer["next"] == f"{vectors.EPOCH}:4"
    assert [(event.id, event.rev) for event in whole.events] == [(vectors.FIRST, 2), (vectors.SECOND, 2)]
    assert (whole.as_of, whole.chain) == (4, VECTORS["chain"][-1]["after"])
    data = independent_canonical({name: value for name, value in document.items() if name != "att"})
    signing.verify_attestation(data, document["att"][0], KEYS.get, signing.KEYS)


def test_the_digests_are_what_hashes_alone_give():
    recon = VECTORS["recon"]
    values = [int(sha256(row["record"].encode()), 16) for row in recon["records"]]

    assert [f"{value:064x}" for value in values] == [row["digest"] for row in recon["records"]]
    assert recon["root"]["digest"] == f"{values[0] ^ values[1]:064x}" and recon["root"]["records"] == 2
    for identifier, prefix in recon["prefixes"].items():
        assert sha256(identifier.encode())[:3] == prefix
        assert recon["root"]["nodes"][prefix[0]][0] >= 1
    assert recon["leaf"]["list"][0][0] == vectors.FIRST


def test_a_page_is_brought_as_the_coded_bytes_of_a_pulled_one():
    headers = VECTORS["inbox"]["request"]["headers"]

    assert headers["Content-Digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(CODED).digest()).decode()}:"
    signature = headers["Signature"].removeprefix("fed=:").removesuffix(":")
    verify("cn-33:test-1", signature, VECTORS["inbox"]["request"]["signature_base"].encode())


@pytest.mark.django_db
@pytest.mark.parametrize("stream", ["decisions", "acks", "usage", "vocab", "peers"])
def test_the_document_of_each_stream_is_canonical_and_the_code_reads_it(stream, settings):
    from catalog.models import Portal
    from federation import feeds
    from federation.models import Checkpoint, Decision, Peer
    from federation.services.receiving import APPLY

    row = VECTORS["documents"][stream]
    assert independent_canonical(json.loads(row["canonical"])).decode() == row["canonical"]
    assert sha256(row["canonical"].encode()) == row["hash"]
    national = stream in feeds.FROM_NATIONAL
    settings.PORTAL_ID, settings.PORTAL_ROLE = ("cn-32", "local") if national else ("cn", "national")
    if stream == "decisions":
        settings.PORTAL_ID = "cn-33"
    speaker = "cn" if national else "cn-33"
    portal, _created = Portal.objects.get_or_create(id=speaker, defaults={"role": "national" if national else "local", "name": speaker})
    peer = Peer.objects.create(portal=portal, state="active")
    Checkpoint.objects.create(peer=peer, stream=stream)
    if stream == "decisions":
        from tests.factories import make_dataset

        make_dataset(identifier=row["id"], home_portal="cn-33", status="listed")
    if stream == "acks":
        Decision.objects.create(identifier=row["id"], portal="cn-33", rev=1, kind="admit")
    doc = row["canonical"].encode()
    event = protocol.Event(1, "put", row["id"], speaker, 1, row["hash"], feeds.SCHEMAS[stream], "2026-11-22T06:01:00+00:00", doc)

    from django.db import transaction

    with transaction.atomic():
        batch = APPLY[stream](peer, [event])

    assert (batch.applied, batch.parked) == (1, [])
