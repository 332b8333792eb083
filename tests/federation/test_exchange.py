"""The endpoints: who may read, what is refused and with which reason."""

import json
import time

import pytest

from catalog.models import Portal
from federation import protocol, signing
from federation.models import Checkpoint, Delivery, FeedState, Invitation, Nonce, Peer, PeerKey
from federation.services import peers, sequencer
from tests.factories import make_dataset, make_user
from tests.federation.fake_portal import FakePortal

pytestmark = pytest.mark.django_db
BASE = "http://127.0.0.1:8000"


@pytest.fixture
def peer():
    return FakePortal()


def send(client, portal, method, path, body=b"", *, url=None, now=None, **changes):
    headers = signing.sign_request(method, url or BASE + path, body, portal=portal.id, protocol="1.0", signer=portal.signer, now=now) | changes
    values = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return client.generic(method, path, body, content_type="application/json", **values)


CHANGES = "/fed/v1/streams/decisions/changes"


def test_a_page_is_served_to_a_known_peer_and_the_answer_is_signed_for_its_request(client, peer):
    headers = signing.sign_request("GET", BASE + CHANGES, b"", portal=peer.id, protocol="1.0", signer=peer.signer)
    request = signing.Request("GET", BASE + CHANGES, {name.lower(): value for name, value in headers.items()}, b"")

    response = client.get(CHANGES, **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()})

    from federation.services.keys import current_key

    key = current_key()
    lower = {name.lower(): value for name, value in response.headers.items()}
    assert response.status_code == 200
    assert signing.verify_response(200, lower, response.content, request, lambda keyid: ("ed25519", key.public_key)).keyid == key.keyid
    assert response.content.startswith(b'{"fed":"1.0"') and response["Content-Type"] == protocol.MEDIA_TYPE


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"url": "http://evil.test" + CHANGES}, "signature"),
        ({"url": BASE + CHANGES + "?since=x:1"}, "signature"),
        ({"now": int(time.time()) - 600}, "clock"),
        ({"now": int(time.time()) + 86400}, "clock"),
        ({"Fed-Portal": "cn-44"}, "key"),
        ({"Signature": "fed=:AAAA:"}, "signature"),
        ({"Signature": ""}, "unsigned"),
        ({"Content-Digest": "sha-256=:AAAA:"}, "digest"),
    ],
)
def test_whatever_does_not_hold_is_401_with_the_reason_and_the_servers_time(client, peer, changes, code):
    response = send(client, peer, "GET", CHANGES, **changes)

    body = response.json()
    assert (response.status_code, body["code"]) == (401, code)
    assert abs(body["server_time"] - time.time()) < 5
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("state", ["pending", "suspended", "revoked", "invited", "diverged"])
def test_only_active_portals_are_served(client, peer, state):
    Peer.objects.update(state=state)

    assert send(client, peer, "GET", CHANGES).status_code == 403


def test_a_key_of_another_portal_or_a_revoked_one_is_refused(client, peer):
    other = FakePortal("cn-44")
    other.signer = signing.Ed25519Signer(other.signer.keyid, other.signer.key)
    peer.signer = other.signer
    assert send(client, peer, "GET", CHANGES).status_code == 401

    PeerKey.objects.update(state="revoked")
    assert send(client, other, "GET", CHANGES).status_code == 401


def test_a_replayed_post_is_refused(client, peer):
    body = json.dumps({"feeds": []}).encode()
    headers = signing.sign_request("POST", BASE + "/fed/v1/notify", body, portal=peer.id, protocol="1.0", signer=peer.signer)
    values = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}

    first = client.generic("POST", "/fed/v1/notify", body, content_type="application/json", **values)
    second = client.generic("POST", "/fed/v1/notify", body, content_type="application/json", **values)

    assert (first.status_code, second.status_code) == (200, 401)
    assert second.json()["code"] == "replay"
    assert Nonce.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (CHANGES + "?since=nonsense", None, 400),
        (CHANGES + "?limit=many", None, 400),
        ("/fed/v1/streams/listings/changes", None, 404),
        ("/fed/v1/streams/decisions/ack", b"[]", 400),
        ("/fed/v1/streams/decisions/ack", b"{", 400),
        ("/fed/v1/streams/decisions/ack", b'{"epoch":"a","seq":-1}', 400),
        ("/fed/v1/streams/decisions/ack", b'{"seq":1}', 400),
        ("/fed/v1/keys", b'{"keys":[{"keyid":"cn-44:x","alg":"ed25519","public_key":"AA=="}]}', 400),
        ("/fed/v1/keys", b'{"keys":5}', 400),
        ("/fed/v1/keys", b"[" * 5000, 400),
    ],
)
def test_bad_requests_are_4xx(client, peer, path, body, status):
    response = send(client, peer, "GET" if body is None else "POST", path, body or b"")

    assert response.status_code == status, response.content


def test_an_acknowledgement_is_kept_and_one_above_our_head_starts_a_new_epoch(client, peer):
    state = sequencer.feed_state("decisions", "cn-33")

    send(client, peer, "POST", "/fed/v1/streams/decisions/ack", json.dumps({"epoch": state.epoch, "seq": 0, "applied": 3}).encode())
    assert Delivery.objects.get().applied == 3
    response = send(client, peer, "POST", "/fed/v1/streams/decisions/ack", json.dumps({"epoch": state.epoch, "seq": 9}).encode())

    assert response.json()["epoch"] != state.epoch
    assert FeedState.objects.get().epoch == response.json()["epoch"]


def test_a_peer_hands_over_its_next_key_with_the_one_it_has(client, peer):
    fresh = signing.Ed25519Signer("cn-33:next", signing.new_key())
    keys = [{"keyid": key.keyid, "alg": "ed25519", "public_key": signing.public_text(key.key)} for key in (peer.signer, fresh)]

    assert send(client, peer, "POST", "/fed/v1/keys", json.dumps({"keys": keys}).encode()).status_code == 200
    peer.signer = fresh
    assert send(client, peer, "GET", CHANGES).status_code == 200


def enrolment(code, portal_id="cn-32", signer=None, **changes):
    signer = signer or signing.Ed25519Signer(f"{portal_id}:k", signing.new_key())
    key = {"keyid": signer.keyid, "alg": "ed25519", "public_key": signing.public_text(signer.key)}
    return signer, json.dumps({"portal": {"id": portal_id, "base_url": "http://js.test"}, "code": code, "key": key} | changes).encode()


def test_enrolment_takes_the_code_once_and_a_person_accepts(client):
    portal = FakePortal("cn-99")
    code = peers.invite("cn-32", name="江苏门户", short_name="江苏")
    portal.id = "cn-32"
    portal.signer, body = enrolment(code)

    first = send(client, portal, "POST", "/fed/v1/enrol", body)
    again = send(client, portal, "POST", "/fed/v1/enrol", body)

    assert first.status_code == 200 and first.json()["portal"]["id"] == "cn"
    assert again.status_code == 403
    assert Peer.objects.get(pk="cn-32").state == "pending"
    assert code not in Invitation.objects.get().code_hash
    assert send(client, portal, "GET", CHANGES).status_code == 403
    peers.accept("cn-32", trusted=True)
    assert send(client, portal, "GET", CHANGES).status_code == 200
    assert Checkpoint.objects.filter(peer_id="cn-32", stream="listings").exists()
    assert Portal.objects.get(pk="cn-32").base_url == "http://js.test"


def test_enrolment_needs_the_signature_of_the_enclosed_key_and_the_invited_id(client):
    portal = FakePortal("cn-99")
    code = peers.invite("cn-32", name="江苏门户")
    portal.id = "cn-32"
    _signer, body = enrolment(code)

    assert send(client, portal, "POST", "/fed/v1/enrol", body).status_code == 401
    portal.signer, body = enrolment(code, "cn-31")
    assert send(client, portal, "POST", "/fed/v1/enrol", body).status_code == 403
    assert client.post("/fed/v1/enrol", b"{}", content_type="application/json").status_code == 400


def test_takedown_by_api_is_for_national_reviewers(client, settings):
    dataset = make_dataset(home_portal="cn-33", status="listed", admission="admitted")
    url = f"/api/v1/datasets/{dataset.uid}/takedown/"

    assert client.post(url, {"reason": "核查"}).status_code in (401, 403)
    client.force_login(make_user())
    assert client.post(url, {"reason": "核查"}).status_code == 403
    client.force_login(make_user(role="reviewer"))
    assert client.post(url, {"reason": ""}).status_code == 422
    assert client.post(url, {"reason": "核查"}).status_code == 201
    assert client.post(url, {"reason": "核查"}).status_code == 409
    assert client.post(f"/api/v1/datasets/{dataset.uid}/restore/", {}).status_code == 201
    settings.PORTAL_ROLE = "local"
    assert client.post(url, {"reason": "核查"}).status_code == 403


@pytest.mark.parametrize("role", [None, "", "reviewer", "admin"])
def test_the_centre_shows_keys_and_actions_to_administrators_only(client, peer, role):
    if role is not None:
        client.force_login(make_user(role=role))

    page = client.get("/federation/")
    action = client.post("/federation/portals/cn-33/", {"action": "suspend"})

    assert page.status_code == 200 and "cn-33" in page.content.decode()
    assert ("立即同步" in page.content.decode()) == (role == "admin")
    assert (Peer.objects.get(pk="cn-33").state == "suspended") == (role == "admin")
    assert action.status_code == {None: 302, "admin": 302}.get(role, 403)
