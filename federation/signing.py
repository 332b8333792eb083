"""Signatures of the exchange: RFC 9421 with the fixed profile `fed-1`, content digests (RFC 9530), attestations. Pure.

One signature, labelled `fed`, whose covered components are exactly the profile's: a message that covers less, more, or
in another order is refused. The key decides the algorithm; a message cannot choose one.
"""

import base64
import binascii
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TAG = "fed-1"
LIFETIME = 60  # seconds a signature is good for
SKEW = 60  # seconds the clocks may differ
REQUEST = ('"@method"', '"@target-uri"', '"content-digest"', '"fed-portal"', '"fed-protocol"')
RESPONSE = (
    '"@status"',
    '"content-digest"',
    '"fed-portal"',
    '"fed-protocol"',
    '"@method";req',
    '"@target-uri";req',
    '"content-digest";req',
    '"signature";req;key="fed"',
)
INPUT = re.compile(
    r"fed=(?P<params>\((?P<items>[^()]*)\);created=(?P<created>[0-9]{1,12});expires=(?P<expires>[0-9]{1,12})"
    r';keyid="(?P<keyid>[A-Za-z0-9._:-]{1,120})";nonce="(?P<nonce>[A-Za-z0-9_-]{16,64})";tag="fed-1")'
)
SIGNATURE = re.compile(r"fed=:(?P<value>[A-Za-z0-9+/=]{1,200}):")


class SignatureRefused(Exception):
    """Why a message is not believed. `code` is stable: unsigned, components, digest, clock, key, signature, replay, ..."""

    def __init__(self, code: str, detail: str):
        self.code = code
        super().__init__(detail)


class Signer(Protocol):
    """The seam for another algorithm: `algorithm` goes into the key record."""

    keyid: str
    algorithm: str

    def sign(self, data: bytes) -> bytes: ...


@dataclass(frozen=True)
class Ed25519Signer:
    keyid: str
    key: Ed25519PrivateKey
    algorithm: str = "ed25519"

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data)


@dataclass(frozen=True)
class Request:
    """`headers` has lower-case names; `target` is the full URL as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Verified:
    keyid: str
    nonce: str
    created: int


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    """SignatureRefused unless text is the one way to write these bytes: spare bits of the last character count too."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise SignatureRefused("signature", "not base64") from None
    if b64(data) != text:
        raise SignatureRefused("signature", "not canonical base64")
    return data


def new_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def public_text(key: Ed25519PrivateKey) -> str:
    return b64(key.public_key().public_bytes_raw())


class Algorithm(Protocol):
    """A way to sign, as a plug: register() one for SM2, and key records may name it. Keys are raw bytes, public ones base64 text."""

    name: str

    def generate(self) -> tuple[bytes, str]: ...  # private and public key

    def signer(self, keyid: str, private: bytes) -> Signer: ...

    def verify(self, public_key: str, signature: bytes, data: bytes) -> bool: ...

    def is_key(self, public_key: str) -> bool: ...


class Ed25519:
    name = "ed25519"

    def generate(self):
        key = new_key()
        return key.private_bytes_raw(), public_text(key)

    def signer(self, keyid, private):
        return Ed25519Signer(keyid, Ed25519PrivateKey.from_private_bytes(private))

    def verify(self, public_key, signature, data):
        try:
            Ed25519PublicKey.from_public_bytes(unb64(public_key)).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True

    def is_key(self, public_key):
        try:
            Ed25519PublicKey.from_public_bytes(unb64(public_key))
        except (ValueError, SignatureRefused):
            return False
        return True


ALGORITHMS: dict[str, Algorithm] = {}


def register(algorithm: Algorithm) -> None:
    """Make an algorithm available by its name. What is not registered is refused, whatever a message says."""
    ALGORITHMS[algorithm.name] = algorithm


register(Ed25519())


def verify_bytes(algorithm: str, public_key: str, signature: bytes, data: bytes) -> None:
    """SignatureRefused unless the signature over data was made by this key with this algorithm."""
    found = ALGORITHMS.get(algorithm)
    if found is None:
        raise SignatureRefused("algorithm", f"algorithm {algorithm[:20]} is not available here")
    if not found.verify(public_key, signature, data):
        raise SignatureRefused("signature", "the signature does not match")


def content_digest(body: bytes) -> str:
    return f"sha-256=:{b64(hashlib.sha256(body).digest())}:"


def _base(components, values: Mapping[str, str], params: str) -> bytes:
    lines = [f"{name}: {values[name]}" for name in components]
    return "\n".join([*lines, f'"@signature-params": {params}']).encode("latin-1")


def _sign(components, values, signer: Signer, now: int | None, nonce: str) -> dict[str, str]:
    created = int(time.time()) if now is None else now
    params = f"({' '.join(components)});created={created};expires={created + LIFETIME}"
    params += f';keyid="{signer.keyid}";nonce="{nonce or secrets.token_urlsafe(18)}";tag="{TAG}"'
    signature = signer.sign(_base(components, values, params))
    return {"Signature-Input": f"fed={params}", "Signature": f"fed=:{b64(signature)}:"}


def _request_values(request: Request) -> dict[str, str]:
    headers = request.headers
    return {
        '"@method"': request.method,
        '"@target-uri"': request.target,
        '"content-digest"': headers.get("content-digest", ""),
        '"fed-portal"': headers.get("fed-portal", ""),
        '"fed-protocol"': headers.get("fed-protocol", ""),
    }


def _response_values(status: int, headers: Mapping[str, str], request: Request) -> dict[str, str]:
    signature = SIGNATURE.fullmatch(request.headers.get("signature", ""))
    values = {f"{name};req": value for name, value in _request_values(request).items()}
    return values | {
        '"@status"': str(status),
        '"content-digest"': headers.get("content-digest", ""),
        '"fed-portal"': headers.get("fed-portal", ""),
        '"fed-protocol"': headers.get("fed-protocol", ""),
        '"signature";req;key="fed"': f":{signature['value']}:" if signature else "",
    }


def sign_request(
    method: str, target: str, body: bytes, *, portal: str, protocol: str, signer: Signer, now: int | None = None, nonce: str = ""
) -> dict[str, str]:
    """The headers to send along. `now` and `nonce` are given by test vectors only."""
    headers = {"Content-Digest": content_digest(body), "Fed-Portal": portal, "Fed-Protocol": protocol}
    request = Request(method, target, {name.lower(): value for name, value in headers.items()}, body)
    return headers | _sign(REQUEST, _request_values(request), signer, now, nonce)


def sign_response(
    status: int, body: bytes, request: Request, *, portal: str, protocol: str, signer: Signer, now: int | None = None, nonce: str = ""
) -> dict[str, str]:
    """The headers of an answer, bound to the request it answers by that request's signature."""
    headers = {"Content-Digest": content_digest(body), "Fed-Portal": portal, "Fed-Protocol": protocol}
    lower = {name.lower(): value for name, value in headers.items()}
    return headers | _sign(RESPONSE, _response_values(status, lower, request), signer, now, nonce)


# find_key(keyid) -> (algorithm, public key in base64), or None when it is unknown, revoked, expired or another portal's
FindKey = Callable[[str], tuple[str, str] | None]


def verify_request(request: Request, find_key: FindKey, *, now: int | None = None) -> Verified:
    return _verify(REQUEST, _request_values(request), request.headers, request.body, find_key, now)


def verify_response(status: int, headers: Mapping[str, str], body: bytes, request: Request, find_key: FindKey, *, now: int | None = None) -> Verified:
    return _verify(RESPONSE, _response_values(status, headers, request), headers, body, find_key, now)


def _verify(components, values, headers, body, find_key, now) -> Verified:
    given = INPUT.fullmatch(headers.get("signature-input", ""))
    signature = SIGNATURE.fullmatch(headers.get("signature", ""))
    if not given or not signature:
        raise SignatureRefused("unsigned", "no signature of the fed-1 profile")
    if given["items"] != " ".join(components):
        raise SignatureRefused("components", "the signature does not cover what fed-1 asks for")
    if headers.get("content-digest") != content_digest(body):
        raise SignatureRefused("digest", "the content is not what content-digest names")
    created, expires = int(given["created"]), int(given["expires"])
    now = int(time.time()) if now is None else now
    if created > now + SKEW or expires < now - SKEW or not 0 < expires - created <= LIFETIME:
        raise SignatureRefused("clock", f"created {created}, expires {expires}, the time here is {now}")
    key = find_key(given["keyid"])
    if key is None:
        raise SignatureRefused("key", f"key {given['keyid']} is not a valid key of this portal")
    verify_bytes(*key, unb64(signature["value"]), _base(components, values, given["params"]))
    return Verified(given["keyid"], given["nonce"], created)


PAGE, KEYS = b"fed-1 page trailer\n", b"fed-1 keys\n"  # what a signature stands under says what it is good for


def attest(signer: Signer, data: bytes, context: bytes = PAGE) -> dict[str, str]:
    return {"keyid": signer.keyid, "alg": signer.algorithm, "sig": b64(signer.sign(context + data))}


def verify_attestation(data: bytes, attestation: dict, find_key: FindKey, context: bytes = PAGE) -> None:
    if not isinstance(attestation, dict) or not all(isinstance(attestation.get(name), str) for name in ("keyid", "alg", "sig")):
        raise SignatureRefused("attestation", "the trailer carries no attestation")
    key = find_key(attestation["keyid"])
    if key is None:
        raise SignatureRefused("key", f"key {attestation['keyid'][:120]} is not a valid key of this portal")
    if attestation.get("alg") != key[0]:
        raise SignatureRefused("algorithm", "the attestation names another algorithm than the key record")
    verify_bytes(*key, unb64(attestation["sig"]), context + data)
