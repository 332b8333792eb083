"""Signatures: whatever part of a message changes, it is refused; and RFC 9421 as another library reads it."""

import time

import pytest

from federation import signing
from federation.signing import Request, SignatureRefused, sign_request, sign_response, verify_request, verify_response

SIGNER = signing.Ed25519Signer("cn-33:a", signing.new_key())
OTHER = signing.Ed25519Signer("cn-44:a", signing.new_key())
KEYS = {SIGNER.keyid: ("ed25519", signing.public_text(SIGNER.key))}
URL = "https://cn.example/fed/v1/notify?a=1"


def message(signer=SIGNER, now=None, **changes):
    headers = sign_request("POST", URL, b"body", portal="cn-33", protocol="1.0", signer=signer, now=now)
    values = {"method": "POST", "target": URL, "headers": {name.lower(): value for name, value in headers.items()}, "body": b"body"}
    return Request(**values | changes)


def with_header(name, change):
    sent = message()
    return Request(sent.method, sent.target, dict(sent.headers) | {name: change(sent.headers[name])}, sent.body)


def without(name):
    sent = message()
    return Request(sent.method, sent.target, {key: value for key, value in sent.headers.items() if key != name}, sent.body)


def test_a_signed_request_is_believed():
    assert verify_request(message(), KEYS.get).keyid == "cn-33:a"


@pytest.mark.parametrize(
    "sent",
    [
        message(method="PUT"),
        message(target=URL.replace("cn.example", "evil.example")),
        message(target=URL + "&b=2"),
        message(body=b"other"),
        message(signer=OTHER),
        message(signer=signing.Ed25519Signer("cn-33:a", OTHER.key)),
        message(now=int(time.time()) - 86400),  # far: these are made when the module is read, and checked when the test runs
        message(now=int(time.time()) + 86400),
        *(without(name) for name in ("signature", "signature-input", "content-digest", "fed-portal", "fed-protocol")),
        with_header("fed-portal", lambda value: "cn-44"),
        with_header("fed-protocol", lambda value: "1.1"),
        with_header("content-digest", lambda value: signing.content_digest(b"other")),
        with_header("signature-input", lambda value: value.replace('"@method" ', "")),
        with_header("signature-input", lambda value: value.replace('"@method" "@target-uri"', '"@target-uri" "@method"')),
        with_header("signature-input", lambda value: value.replace("fed-1", "fed-2")),
        with_header("signature-input", lambda value: value.replace("expires=", "expires=9")),
        with_header("signature-input", lambda value: value.replace("nonce=", "nonse=")),
        with_header("signature", lambda value: value.replace("fed=", "sig=")),
        with_header("signature", lambda value: "fed=:AAAA:"),
    ],
)
def test_a_request_with_any_part_dropped_or_swapped_is_refused(sent):
    with pytest.raises(SignatureRefused):
        verify_request(sent, KEYS.get)


def test_a_digest_swapped_together_with_the_body_is_refused():
    sent = with_header("content-digest", lambda value: signing.content_digest(b"other"))

    with pytest.raises(SignatureRefused, match="does not match"):
        verify_request(Request(sent.method, sent.target, sent.headers, b"other"), KEYS.get)


def test_a_response_answers_one_request_only():
    first, second = message(), message()
    headers = sign_response(200, b"answer", first, portal="cn", protocol="1.0", signer=SIGNER)
    lower = {name.lower(): value for name, value in headers.items()}

    assert verify_response(200, lower, b"answer", first, KEYS.get)
    for status, body, request in ((200, b"answer", second), (201, b"answer", first), (200, b"other", first)):
        with pytest.raises(SignatureRefused):
            verify_response(status, lower, body, request, KEYS.get)


def test_the_key_decides_the_algorithm():
    with pytest.raises(SignatureRefused, match="not available"):
        verify_request(message(), lambda keyid: ("sm2", KEYS[keyid][1]))


def test_the_signature_base_is_that_of_rfc_9421_as_another_library_builds_it():
    import requests
    from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms

    class Resolver(HTTPSignatureKeyResolver):
        def resolve_public_key(self, key_id):
            return SIGNER.key.public_key()

        def resolve_private_key(self, key_id):
            raise NotImplementedError

    sent = message()
    prepared = requests.Request("POST", URL, headers=dict(sent.headers), data=b"body").prepare()
    results = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Resolver()).verify(prepared)

    assert results[0].parameters["tag"] == "fed-1"
