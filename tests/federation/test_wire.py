"""What goes over the wire: coding, digest of the bytes as received, floor and snapshot, acknowledgements, gaps, leases."""

import gzip
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import AuditEntry, Dataset
from federation import protocol
from federation.models import Checkpoint, Delivery, FeedState, Peer, Quarantine, RemoteRecord, SyncRun
from federation.services import acks, leases, sync
from tests.federation.fake_portal import FakePortal, Network
from tests.federation.test_exchange import CHANGES, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def home():
    portal = FakePortal()
    network = Network(portal)
    yield portal
    network.close()


def pull(portal) -> SyncRun:
    return sync.pull_peer(portal.id)[0]


@pytest.mark.parametrize(
    ("asked", "coding"),
    [
        (None, None),
        ("identity", None),
        ("gzip", "gzip"),
        ("br, gzip;q=0.5", "gzip"),
        ("GZIP", "gzip"),
        ("gzip;q=0", None),
        ("gzip; q=0.0", None),
        ("*", None),
    ],
)
def test_a_page_is_gzipped_only_when_asked_and_the_digest_is_of_the_bytes_sent(client, asked, coding):
    import base64
    import hashlib

    home = FakePortal()
    response = send(client, home, "GET", CHANGES, **({"Accept-Encoding": asked} if asked else {}))

    assert response.status_code == 200
    assert response["Content-Type"] == "application/vnd.dataset-federation+ndjson"
    assert response.get("Content-Encoding") == coding and "Accept-Encoding" in response["Vary"]
    assert response["Content-Digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(response.content).digest()).decode()}:"
    assert (gzip.decompress(response.content) if coding else response.content).startswith(b'{"fed":"1.0"')


def test_a_page_is_read_packed_and_unpacked(home):
    home.put()
    assert pull(home).applied == 1

    home.put()
    home.rename = lambda headers: {name: value for name, value in headers.items() if name != "content-encoding"}
    home.pack = lambda body: body

    assert pull(home).applied == 1


def five_times(body):
    for _ in range(5):
        body = gzip.compress(body)
    return body


@pytest.mark.parametrize(
    ("pack", "coding", "reason"),
    [
        (lambda body: gzip.compress(b"0" * (protocol.MAX_PAGE_BYTES + 1)), "gzip", "too_large"),
        (five_times, "gzip, gzip, gzip, gzip, gzip", "coding"),
        (five_times, "gzip", "cut"),
        (lambda body: body, "br", "coding"),
        (lambda body: gzip.compress(body)[:-20], "gzip", "cut"),
        (lambda body: gzip.compress(body) + gzip.compress(body), "gzip", "cut"),
        (lambda body: body, "gzip", "gzip"),
        (lambda body: gzip.compress(body), "", "ProtocolError"),
    ],
)
def test_a_page_in_any_other_coding_is_dropped_whole(home, pack, coding, reason):
    home.put()
    home.pack, home.rename = pack, lambda headers: headers | {"content-encoding": coding}

    run = pull(home)

    assert reason in run.error and not Dataset.objects.exists() and Checkpoint.objects.get().seq == 0


def test_a_page_altered_on_the_way_fails_its_content_digest(home):
    home.put()
    genuine = home.handle

    def alter(method, url, headers, body):
        answer = genuine(method, url, headers, body)
        return type(answer)(answer.status, answer.headers, answer.content[:-1] + b"\x01")

    home.handle = alter

    assert "digest" in pull(home).error and not Dataset.objects.exists()


def test_below_the_floor_the_snapshot_is_taken_and_changes_go_on_from_its_as_of(home):
    kept = [home.put() for _ in range(3)]
    pull(home)
    gone = home.put()
    home.delete(gone)
    home.put(kept[0], rev=2, title="示例：第二版")
    for _ in range(4):
        home.put()
    home.floor, home.page_size = 6, 3

    run = pull(home)

    assert run.error == "" and Checkpoint.objects.get().seq == len(home.events) == 10
    assert Dataset.objects.get(identifier=kept[0]).title == "示例：第二版"
    assert Dataset.objects.published().count() == 7
    assert RemoteRecord.objects.get(identifier=gone).op == "del"
    home.put()
    assert pull(home).applied == 1 and Peer.objects.get(pk="cn-33").state == "active"
    assert SyncRun.objects.filter(gaps__gt=0).count() == 0


def test_a_snapshot_of_another_history_changes_nothing(home):
    home.put()
    pull(home)
    home.floor, home.epoch = 5, "e2"

    pull(home)

    assert Peer.objects.get(pk="cn-33").state == "diverged" and Dataset.objects.published().count() == 1


def test_the_server_answers_410_below_the_floor_and_serves_the_snapshot(client):
    home = FakePortal()
    FeedState.objects.create(stream="decisions", audience="cn-33", epoch="a1", head=4, floor=4, chain="0" * 64)

    gone = send(client, home, "GET", CHANGES + "?since=a1:1")
    whole = send(client, home, "GET", "/fed/v1/streams/decisions/snapshot")

    assert (gone.status_code, gone.json()["code"]) == (410, "below_floor")
    assert whole.status_code == 200 and b'"as_of":4' in whole.content
    assert send(client, home, "GET", CHANGES + "?since=a1:4").status_code == 200
    assert send(client, home, "GET", "/fed/v1/streams/decisions/snapshot?after=" + "x" * 200).status_code == 400
    assert send(client, home, "GET", "/fed/v1/streams/decisions/snapshot?limit=x").status_code == 400


def test_a_jump_in_rev_is_told_and_overtaken_or_parked_revisions_are_no_jump(home):
    jumps, overtaken, parked = home.put(), home.put(), home.put()
    pull(home)
    home.add("put", overtaken, 2, None, hash="0" * 64, superseded_by=8)
    home.put(parked, rev=2, modalities=["hyperspectral"])
    pull(home)
    home.put(jumps, rev=4)
    home.put(parked, rev=3)
    home.put(overtaken, rev=3)

    run = pull(home)

    assert (run.applied, run.gaps) == (3, 1)
    entry = AuditEntry.objects.get(action="federation.revision_gap")
    assert (entry.object_id, entry.data["after"], entry.data["rev"]) == (jumps, 1, 4)


def test_an_acknowledgement_names_what_is_parked_and_the_audit_root(home):
    bad = home.put(modalities=["hyperspectral"])
    pull(home)

    url, body = home.told[-1]
    assert url.endswith("/streams/listings/ack") and body["quarantined"] == 1
    assert body["parked"][0]["id"] == bad and "modalities" in body["parked"][0]["reason"]
    assert body["audit"] == acks.audit_root()
    pull(home)
    assert len(home.told) == 1


def test_an_acknowledgement_that_did_not_arrive_or_is_out_of_date_is_sent_again(home):
    home.put(modalities=["hyperspectral"])
    genuine = home.handle
    home.handle = lambda method, url, headers, body: (
        type(genuine(method, url, headers, body))(503, {}, b"") if method == "POST" else genuine(method, url, headers, body)
    )
    pull(home)
    home.handle, home.told[:] = genuine, []
    pull(home)
    sync.refuse_quarantine(list(Quarantine.objects.all()))
    pull(home)

    assert [body["quarantined"] for _url, body in home.told] == [1, 0]


def test_what_a_reader_parked_is_kept_for_the_owner_and_a_shrunken_audit_chain_is_noticed(client):
    import json

    home = FakePortal()
    body = {"epoch": "a1", "seq": 0, "quarantined": 1, "audit": {"entries": 9, "hash": "a" * 64}}
    body["parked"] = [{"id": "urn:dataset:cn:x", "rev": 2, "state": "held", "error": "level", "reason": "说明\u0007<script>"}]
    path = "/fed/v1/streams/decisions/ack"

    assert send(client, home, "POST", path, json.dumps(body).encode()).status_code == 200
    assert Delivery.objects.get().parked[0]["reason"] == "说明<script>"
    assert acks.parked_elsewhere()[0]["state"] == "held"
    body["audit"] = {"entries": 8, "hash": "b" * 64}
    send(client, home, "POST", path, json.dumps(body).encode())
    assert AuditEntry.objects.filter(action="federation.audit_root_went_back").count() == 1
    for wrong in ({"parked": [5]}, {"parked": [{}]}, {"parked": [body["parked"][0]] * 51}, {"audit": 5}, {"audit": {"entries": "9", "hash": "a"}}):
        assert send(client, home, "POST", path, json.dumps(body | wrong).encode()).status_code == 400


def test_a_page_that_comes_slowly_keeps_its_lease(home, monkeypatch):
    """The beat itself runs on another connection: here its renewals are counted; faults/test_workers.py shows them hold."""
    renewed = []
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.15))
    monkeypatch.setattr(leases, "renew", lambda checkpoint: renewed.append(timezone.now()))
    genuine = home.page
    home.page = lambda since, limit: (time.sleep(0.4), genuine(since, limit))[1]
    home.put()

    assert pull(home).applied == 1
    assert len(renewed) >= 5
