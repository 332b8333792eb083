"""Keys that fall into wrong hands, keys that are prepared, and algorithms that are plugged in."""

import json
from io import StringIO

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command

from catalog.models import AuditEntry
from federation import signing
from federation.models import Change, OwnKey, PeerKey
from federation.services import keys
from tests.federation.fake_portal import FakePortal, Network
from tests.federation.test_exchange import CHANGES, send

pytestmark = pytest.mark.django_db


def portal(*arguments):
    out, errors = StringIO(), StringIO()
    call_command("portal", *arguments, stdout=out, stderr=errors)
    return out.getvalue().strip(), errors.getvalue()


def key_record(signer):
    return {"keyid": signer.keyid, "alg": "ed25519", "public_key": signing.public_text(signer.key)}


def test_a_peer_ends_its_key_with_the_next_one_at_once(client):
    home = FakePortal()
    fresh = signing.Ed25519Signer("cn-33:next", signing.new_key())
    send(client, home, "POST", "/fed/v1/keys", json.dumps({"keys": [key_record(home.signer), key_record(fresh)]}).encode())
    stolen, home.signer = home.signer, fresh

    answered = send(client, home, "POST", "/fed/v1/keys", json.dumps({"keys": [key_record(fresh)], "revoked": [stolen.keyid]}).encode())

    assert answered.json() == {"stored": 1, "revoked": 1}
    assert send(client, home, "GET", CHANGES).status_code == 200
    home.signer = stolen
    assert send(client, home, "GET", CHANGES).status_code == 401
    assert AuditEntry.objects.filter(action="federation.key_revoked").exists()
    last = json.loads(bytes(Change.objects.filter(stream="peers", identifier="urn:portal:cn-33").latest("rev").doc))
    assert [key.get("revoked", False) for key in last["keys"]] == [False, True]


def test_a_stolen_key_may_end_itself_and_bring_no_other(client):
    home = FakePortal()
    evil = signing.Ed25519Signer("cn-33:evil", signing.new_key())

    answered = send(client, home, "POST", "/fed/v1/keys", json.dumps({"keys": [key_record(evil)], "revoked": [home.signer.keyid]}).encode())

    assert answered.json() == {"stored": 0, "revoked": 1}
    assert not PeerKey.objects.filter(keyid="cn-33:evil").exists()
    assert send(client, home, "GET", CHANGES).status_code == 401


@pytest.mark.parametrize("revoked", [5, [5], ["x" * 200], ["k"] * 11])
def test_what_is_no_list_of_key_ids_is_refused(client, revoked):
    assert send(client, FakePortal(), "POST", "/fed/v1/keys", json.dumps({"keys": [], "revoked": revoked}).encode()).status_code == 400


def test_a_key_of_another_portal_cannot_be_ended(client):
    home, other = FakePortal(), FakePortal("cn-44")

    assert send(client, home, "POST", "/fed/v1/keys", json.dumps({"keys": [], "revoked": [other.signer.keyid]}).encode()).json()["revoked"] == 0
    assert send(client, other, "GET", CHANGES).status_code == 200


def test_an_own_key_is_replaced_at_once_by_the_one_that_was_prepared():
    home = FakePortal()
    network = Network(home)
    old = keys.current_key()
    prepared, _errors = portal("prepare-key")
    assert [key["keyid"] for key in home.told[-1][1]["keys"]] == [old.keyid, prepared]

    out, errors = portal("revoke-key", old.keyid)

    network.close()
    assert "void" in out and errors == ""
    assert keys.current_key().keyid == prepared
    assert home.told[-1][1]["revoked"] == [old.keyid] and home.told[-1][1]["keys"][0]["keyid"] == prepared
    assert old.keyid not in [key["keyid"] for key in keys.public_keys()]


def test_a_peer_that_does_not_know_the_next_key_is_told_by_the_void_one_and_named():
    home = FakePortal()
    network = Network(home)
    old = keys.current_key()
    home.refuse.append((401, {}, b""))

    _out, errors = portal("revoke-key", old.keyid)

    network.close()
    assert "cn-33 knows no other key" in errors
    assert home.told[-1][1] == {"keys": [], "revoked": [old.keyid]}


def test_the_national_portal_ends_a_key_of_another_and_the_directory_says_so(client):
    home = FakePortal()

    portal("revoke-key", home.signer.keyid)

    assert send(client, home, "GET", CHANGES).status_code == 401
    last = json.loads(bytes(Change.objects.get(stream="peers", identifier="urn:portal:cn-33").doc))
    assert last["keys"][0]["revoked"] is True
    with pytest.raises(CommandError):
        portal("revoke-key", "cn-99:nobody")
    with pytest.raises(CommandError):
        portal("revoke-key", "cn:nobody")


class P256:
    """Stands for SM2: another curve, another form of keys."""

    name = "test-p256"

    def generate(self):
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return private, signing.b64(key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))

    def signer(self, keyid, private):
        return Signer(keyid, serialization.load_der_private_key(private, None))

    def verify(self, public_key, signature, data):
        try:
            serialization.load_der_public_key(signing.unb64(public_key)).verify(signature, data, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True

    def is_key(self, public_key):
        try:
            serialization.load_der_public_key(signing.unb64(public_key))
        except (ValueError, signing.SignatureRefused):
            return False
        return True


class Signer:
    algorithm = "test-p256"

    def __init__(self, keyid, key):
        self.keyid, self.key = keyid, key

    def sign(self, data):
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))


@pytest.fixture
def p256():
    signing.register(P256())
    yield
    del signing.ALGORITHMS["test-p256"]


def test_another_algorithm_is_a_plug_and_unknown_ones_are_refused(p256, client):
    home = FakePortal()
    private, public = P256().generate()
    record = {"keyid": "cn-33:sm", "alg": "test-p256", "public_key": public}
    send(client, home, "POST", "/fed/v1/keys", json.dumps({"keys": [key_record(home.signer), record]}).encode())
    home.signer = P256().signer("cn-33:sm", private)

    assert send(client, home, "GET", CHANGES).status_code == 200
    bad = record | {"keyid": "cn-33:x", "alg": "rot13"}
    assert send(client, home, "POST", "/fed/v1/keys", json.dumps({"keys": [bad]}).encode()).status_code == 400
    network = Network(home, FakePortal("cn-44"))
    portal("prepare-key", "--algorithm", "test-p256")
    network.close()
    row = OwnKey.objects.get(algorithm="test-p256")
    keys.finish_rotation(row)
    answered = send(client, home, "GET", CHANGES)
    assert f'keyid="{row.keyid}"' in answered["Signature-Input"]
    trailer = json.loads(answered.content.splitlines()[-1])
    assert trailer["att"]["alg"] == "test-p256"
    with pytest.raises(CommandError):
        portal("prepare-key", "--algorithm", "rot13")
