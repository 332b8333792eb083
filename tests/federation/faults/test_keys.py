"""Keys that are wrong, gone or another's; messages that come again; hints without end."""

import json

import pytest

from catalog.models import Dataset
from federation import signing
from federation.models import Nonce, Peer, PeerKey
from federation.services import peers, sync
from tests.federation.fake_portal import FakePortal
from tests.federation.faults.conftest import cursor, pull
from tests.federation.faults.marks import fault
from tests.federation.test_exchange import BASE, CHANGES, send


def refused(client, portal, code: str):
    response = send(client, portal, "GET", CHANGES)
    assert (response.status_code, response.json()["code"]) == (401, code)


@fault("F38", "I3", "signed with a wrong key")
def test_f38_a_wrong_key(home, client, caplog):
    home.put()
    home.signer = signing.Ed25519Signer(home.signer.keyid, signing.new_key())  # the registered name, another key

    refused(client, home, "signature")
    assert "signature" in caplog.text and "cn-33" in caplog.text
    assert pull().error and not Dataset.objects.exists() and cursor() == 0


@fault("F39", "I3", "signed with a revoked key")
def test_f39_a_revoked_key(home, client):
    home.put()
    PeerKey.objects.update(state="revoked")

    refused(client, home, "key")
    assert pull().error and not Dataset.objects.exists()


@fault("F39", "I3", "signed with a revoked key")
def test_f39_a_revoked_key_does_not_come_back_by_being_named_again(home, client):
    fresh = signing.Ed25519Signer("cn-33:fresh", signing.new_key())
    PeerKey.objects.create(peer=home.peer, keyid=fresh.keyid, public_key=signing.public_text(fresh.key))
    old = home.signer
    PeerKey.objects.filter(keyid=old.keyid).update(state="revoked")
    home.signer = fresh
    documents = [{"keyid": s.keyid, "alg": "ed25519", "public_key": signing.public_text(s.key)} for s in (fresh, old)]

    assert send(client, home, "POST", "/fed/v1/keys", json.dumps({"keys": documents}).encode()).status_code == 200
    home.signer = old
    refused(client, home, "key")


@fault("F40", "I1 I3", "keys change in the middle of a pull")
def test_f40_a_rotation_in_the_middle_of_a_pull_loses_no_page(home):
    from tests.federation.test_commands import Rotated

    home.page_size = 2
    for _ in range(10):
        home.put()
    genuine = home.page

    def rotate_at_the_third(since, limit):
        if since.endswith(":4") and home.signer.keyid == "cn-33:test":
            Rotated(home)
        return genuine(since, limit)

    home.page = rotate_at_the_third
    errors = []
    while cursor() < 10 and len(errors) < 4:
        errors.append(pull().error)

    assert cursor() == 10 and Dataset.objects.count() == 10, errors
    assert home.signer.keyid == "cn-33:fresh" and PeerKey.objects.get(keyid="cn-33:fresh").is_valid


@fault("F40", "I1 I3", "keys change in the middle of a pull")
def test_f40_both_change_their_keys_out_of_each_others_sight(tmp_path, db):
    """Neither knows the key of the other: a request is refused for its key, and so no answer comes from which to learn."""
    from federation.services import keys
    from tests.federation.world import World

    with World(tmp_path, ("cn", "cn-33")) as world:
        identifier = world["cn-33"].lists("示例：换钥之后")
        for portal in world.portals.values():
            with portal:
                keys.finish_rotation(keys.prepare_rotation())

        world.settle()

        assert world["cn"].sees(identifier)["public"] and world.verdict() == []


@fault("F41", "I3", "the key id of another portal")
def test_f41_the_key_of_another_portal(home, client):
    other = FakePortal("cn-44")
    home.put()
    home.signer = other.signer

    refused(client, home, "key")
    assert pull().error and not Dataset.objects.exists()


@fault("F41", "I3", "the key id of another portal")
def test_f41_a_portal_cannot_register_a_key_under_anothers_name(home, client):
    FakePortal("cn-44")
    stolen = {"keyid": "cn-44:more", "alg": "ed25519", "public_key": signing.public_text(signing.new_key())}

    assert send(client, home, "POST", "/fed/v1/keys", json.dumps({"keys": [stolen]}).encode()).status_code == 400
    assert not PeerKey.objects.filter(keyid="cn-44:more").exists()


def note(portal, body=b'{"feeds":[]}', path="/fed/v1/notify"):
    """A signed POST, to be sent as often as one likes."""
    headers = signing.sign_request("POST", BASE + path, body, portal=portal.id, protocol="1.0", signer=portal.signer)
    values = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return lambda client: client.generic("POST", path, body, content_type="application/json", **values)


@fault("F42", "I2 I3", "a POST is replayed")
def test_f42_a_replayed_post(home, client):
    again = note(home)

    assert [again(client).status_code for _ in range(3)] == [200, 401, 401]
    assert again(client).json()["code"] == "replay"


@fault("F42", "I2 I3", "a POST is replayed")
def test_f42_a_post_sent_to_another_address_or_with_another_body(home, client):
    body = b'{"feeds":[]}'
    headers = signing.sign_request("POST", BASE + "/fed/v1/notify", body, portal="cn-33", protocol="1.0", signer=home.signer)
    values = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}

    assert client.generic("POST", "/fed/v1/keys", body, content_type="application/json", **values).status_code == 401
    assert client.generic("POST", "/fed/v1/notify", b'{"feeds":[1]}', content_type="application/json", **values).status_code == 401


@fault("F43", "I6 I10", "hints without end")
def test_f43_any_number_of_hints_costs_one_pull(home, client, monkeypatch):
    woken = []
    monkeypatch.setattr("federation.tasks.wake", lambda task, *arguments: woken.append(arguments))
    peers.accept("cn-33")
    sync.pull_due_peer("cn-33")
    woken.clear()

    answers = [note(home)(client).status_code for _ in range(200)]

    assert set(answers) <= {200, 429} and 200 in answers
    assert woken == [("cn-33",)], "a hint for what is due already woke a worker again"
    assert sum(sync.request_pull("cn-33") for _ in range(10_000)) == 0


@fault("F44", "I2 I3", "the table of nonces is lost")
def test_f44_without_the_nonces_a_replay_changes_nothing(home, client):
    """The window of a signature is 2 minutes; within it every POST says what holds anyway, so that twice is once."""
    from federation.models import Delivery, FeedState

    FeedState.objects.create(stream="decisions", audience="cn-33", epoch="a1", head=4, chain="0" * 64)
    body = json.dumps({"epoch": "a1", "seq": 3, "applied": 2, "quarantined": 0}).encode()
    older = note(home, json.dumps({"epoch": "a1", "seq": 2, "applied": 2, "quarantined": 0}).encode(), "/fed/v1/streams/decisions/ack")
    again = note(home, body, "/fed/v1/streams/decisions/ack")
    assert older(client).status_code == again(client).status_code == 200
    Nonce.objects.all().delete()

    assert again(client).status_code == 200
    assert list(Delivery.objects.values_list("seq", flat=True)) == [3]
    assert FeedState.objects.get().epoch == "a1" and Peer.objects.get(pk="cn-33").state == "active"
    assert again(client).status_code == 401, "nonces are kept again"
    with pytest.raises(AssertionError):  # what is too old is refused without the table
        assert send(client, home, "GET", CHANGES, now=1_700_000_000).status_code == 200
