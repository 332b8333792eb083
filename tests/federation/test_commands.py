"""manage.py portal and verify_audit: what an operator types, and what happens when a peer cannot be reached."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone

from catalog.models import AuditEntry
from catalog.services import audit
from federation import signing
from federation.models import OwnKey, Peer, PeerKey
from federation.services import client, keys
from federation.services.client import PeerError
from federation.transport import Answer, LoopbackTransport, use_transport
from tests.federation.fake_portal import FakePortal, Network
from tests.federation.test_exchange import CHANGES, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def homes():
    portals = [FakePortal("cn-33"), FakePortal("cn-44")]
    network = Network(*portals)
    yield portals
    network.close()


def portal(*arguments):
    out, errors = StringIO(), StringIO()
    call_command("portal", *arguments, stdout=out, stderr=errors)
    return out.getvalue().strip(), errors.getvalue()


def test_rotation_goes_through_while_a_peer_cannot_be_reached_and_the_old_key_stays_for_seven_days(homes):
    old = keys.current_key()
    homes[1].down = True

    keyid, missed = portal("rotate")

    assert keyid == keys.current_key().keyid != old.keyid
    assert "cn-44" in missed and "cn-33" not in missed
    url, body = homes[0].told[0]
    assert url.endswith("/fed/v1/keys") and [key["keyid"] for key in body["keys"]] == [old.keyid, keyid]
    left = OwnKey.objects.get(pk=old.pk).valid_until - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


def test_the_list_of_keys_is_attested_by_every_valid_key(homes, client):
    old = keys.current_key()
    portal("rotate")

    document = client.get("/fed/v1/keys").json()

    known = {old.keyid: ("ed25519", old.public_key)}
    data = keys.canonical({name: value for name, value in document.items() if name != "att"})
    assert len(document["att"]) == len(document["keys"]) == 2
    old_one = next(item for item in document["att"] if item["keyid"] == old.keyid)
    signing.verify_attestation(data, old_one, known.get, signing.KEYS)
    with pytest.raises(signing.SignatureRefused):
        signing.verify_attestation(data, old_one, known.get)  # not good as the trailer of a page


class Rotated:
    """A peer that changed its key while we could not be reached: answers are signed by the new one."""

    def __init__(self, home, **changes):
        self.home, self.old, self.changes = home, home.signer, changes
        home.signer = signing.Ed25519Signer(f"{home.id}:fresh", signing.new_key())
        self.attesting = [self.old]
        use_transport(LoopbackTransport(self.handle))

    def document(self):
        now = timezone.now()
        named = [(self.home.signer, None), (self.old, (now + timedelta(days=7)).isoformat())]
        records = [{"keyid": s.keyid, "alg": "ed25519", "public_key": signing.public_text(s.key), "valid_until": until} for s, until in named]
        body = {"portal": self.home.id, "created": int(now.timestamp()), "keys": records} | self.changes
        return body | {"att": [signing.attest(signer, keys.canonical(body), signing.KEYS) for signer in self.attesting]}

    def handle(self, method, url, headers, body):
        if url.endswith("/fed/v1/keys") and method == "GET":
            return Answer(200, {}, json.dumps(self.document()).encode())
        return self.home.handle(method, url, headers, body)


def test_a_peers_new_key_is_learned_at_the_next_contact_because_the_old_one_attests_it(homes):
    rotated = Rotated(homes[0])

    assert client.call(Peer.objects.get(pk="cn-33"), "GET", "/fed/v1/health").status == 200

    assert PeerKey.objects.get(keyid="cn-33:fresh").is_valid
    assert PeerKey.objects.get(keyid=rotated.old.keyid).valid_until is not None


@pytest.mark.parametrize(
    "changes",
    [{"portal": "cn-44"}, {"created": 0}, {"keys": 5}, {"keys": [{"keyid": "cn-44:x", "alg": "ed25519", "public_key": "AA=="}]}, {"created": "x"}],
)
def test_a_list_of_keys_that_is_not_fresh_or_not_the_peers_teaches_nothing(homes, changes):
    Rotated(homes[0], **changes)

    with pytest.raises(PeerError, match="key"):
        client.call(Peer.objects.get(pk="cn-33"), "GET", "/fed/v1/health")
    assert not PeerKey.objects.filter(keyid="cn-33:fresh").exists()


def test_a_list_of_keys_attested_by_an_unknown_or_revoked_key_teaches_nothing(homes):
    rotated = Rotated(homes[0])
    rotated.attesting = [homes[0].signer, homes[1].signer]
    with pytest.raises(PeerError):
        client.call(Peer.objects.get(pk="cn-33"), "GET", "/fed/v1/health")

    rotated.attesting = [rotated.old]
    PeerKey.objects.filter(keyid=rotated.old.keyid).update(state="revoked")
    with pytest.raises(PeerError):
        client.call(Peer.objects.get(pk="cn-33"), "GET", "/fed/v1/health")


def test_a_request_by_the_rotated_key_is_believed_once_it_is_learned(homes):
    Rotated(homes[0])
    browser = Client()

    assert send(browser, homes[0], "GET", CHANGES).status_code == 401
    client.call(Peer.objects.get(pk="cn-33"), "GET", "/fed/v1/health")
    assert send(browser, homes[0], "GET", CHANGES).status_code == 200


def test_invite_prints_the_code_alone_and_refuses_what_no_portal_is_called(settings):
    code, _errors = portal("invite", "cn-31", "--name", "上海门户")
    assert len(code) == 32 and code not in str(Peer.objects.get(pk="cn-31").invitations.values())

    for wrong in ("CN-31", "cn", "cn-3x", "x" * 80):
        with pytest.raises(CommandError):
            portal("invite", wrong, "--name", "门户")
    settings.PORTAL_ROLE = "local"
    with pytest.raises(CommandError, match="国家门户"):
        portal("invite", "cn-32", "--name", "江苏门户")


def test_accept_suspend_revoke_list_and_keys(homes):
    with pytest.raises(CommandError):
        portal("accept", "cn-99")
    assert "suspended" in portal("suspend", "cn-33")[0]
    assert "trusted" in portal("accept", "cn-33", "--trusted")[0]
    listed = portal("list")[0].splitlines()
    assert [line.split("\t")[:2] for line in listed] == [["cn-33", "ok"], ["cn-44", "ok"]]
    assert portal("keys")[0].count("ed25519") == 3
    portal("revoke", "cn-33")
    assert not PeerKey.objects.get(peer_id="cn-33").is_valid
    with pytest.raises(CommandError):
        portal("accept", "cn-33")


def test_enrol_says_why_it_failed():
    before = use_transport(LoopbackTransport(lambda *arguments: Answer(404, {}, b"<html>")))
    try:
        with pytest.raises(CommandError, match="404"):
            portal("enrol", "https://nowhere.example", "--code", "x")
    finally:
        use_transport(before)


def verify_audit(*arguments):
    out, errors = StringIO(), StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=out, stderr=errors)
        return 0, out.getvalue(), errors.getvalue()
    except CommandError as error:
        return error.returncode, out.getvalue(), str(error)


def entries(count=30):
    with transaction.atomic():
        return audit.append_many([("示例.动作", ("catalog.Dataset", f"urn:{number}"), {"n": number}) for number in range(count)])


def test_verify_audit_reads_a_whole_chain_and_says_that_nothing_was_compared():
    rows = entries()

    code, out, _errors = verify_audit("--offline")

    assert code == 0 and f"root {rows[-1].pk}:{rows[-1].entry_hash}" in out
    assert "cut off at the end would not show" in out


@pytest.mark.parametrize("change", ["altered", "removed", "swapped"])
def test_verify_audit_names_the_first_bad_entry_and_ends_with_1(change):
    rows = entries()
    if change == "altered":
        AuditEntry.objects.filter(pk=rows[7].pk).update(data={"n": 99})
    elif change == "removed":
        AuditEntry.objects.filter(pk=rows[7].pk).delete()
    else:
        AuditEntry.objects.filter(pk=rows[7].pk).update(action="一", data=rows[8].data)
        AuditEntry.objects.filter(pk=rows[8].pk).update(action="二", data=rows[7].data)

    code, out, error = verify_audit("--json", "--offline")

    assert code == 1 and f"entry {rows[7].pk} " in error
    assert json.loads(out)["ok"] is False


def test_a_root_kept_elsewhere_shows_a_chain_that_was_cut_or_rewritten(homes, client):
    rows = entries()
    homes[0].health = {"entries": rows[-1].pk, "hash": rows[-1].entry_hash}
    code, out, _error = verify_audit()
    assert code == 0 and f"cn-33 keeps {rows[-1].pk} entries: the same" in out and "cn-44" in out

    AuditEntry.objects.filter(pk__gt=rows[-5].pk).delete()
    code, _out, error = verify_audit()
    assert code == 1 and "cn-33: the chain was cut" in error
    assert verify_audit("--offline")[0] == 0
    assert verify_audit("--offline", "--against", f"{rows[-1].pk}:{rows[-1].entry_hash}")[0] == 1
    assert verify_audit("--offline", "--against", f"{rows[3].pk}:{rows[3].entry_hash}")[0] == 0
    homes[0].health = {"entries": rows[3].pk, "hash": "0" * 64}
    assert "rewritten" in verify_audit()[2]
    assert verify_audit("--against", "x")[0] == 1


def test_health_tells_a_portal_the_root_it_last_sent(homes, client):
    root = {"entries": 12, "hash": "c" * 64}
    body = json.dumps({"epoch": "a1", "seq": 0, "audit": root}).encode()

    send(client, homes[0], "POST", "/fed/v1/streams/decisions/ack", body)

    assert send(client, homes[0], "GET", "/fed/v1/health").json()["audit"] == root
    assert send(client, homes[1], "GET", "/fed/v1/health").json()["audit"]["entries"] == 0
