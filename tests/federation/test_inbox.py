"""Pages that are brought, what is kept for an owner that lost it, and what a peer may see of the exchange."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import AuditEntry, Dataset, Portal
from federation import protocol
from federation.models import Change, Checkpoint, Decision, Delivery, FeedState, Peer, Quarantine, SyncRun
from federation.protocol import canonical, digest
from federation.services import custody, decisions, leases, outbox, peers, push, schedule, sequencer, sync
from tests.factories import make_dataset, make_organization, make_user
from tests.federation.fake_portal import FakePortal, Network
from tests.federation.test_exchange import send

pytestmark = pytest.mark.django_db
INBOX = "/fed/v1/inbox/listings"


def bring(client, home, since="", limit=500, *, page=None, packed=True, path=INBOX):
    body = page or home.page(since, limit)
    more = {"Content-Encoding": "gzip"} if packed else {}
    return send(client, home, "POST", path, protocol.compress(body) if packed else body, **more)


def test_pages_that_are_brought_are_taken_like_pulled_ones_once_and_in_their_order(client):
    home = FakePortal()
    names = [home.put() for _ in range(6)]
    bad = home.put(modalities=["hyperspectral"])

    first = bring(client, home, "", 4)
    again = bring(client, home, "", 4)
    second = bring(client, home, "e1:4", packed=False)

    assert (first.status_code, first.json()["seq"], first.json()["applied"]) == (200, 4, 4)
    assert (again.status_code, again.json()["code"], again.json()["epoch"], again.json()["seq"]) == (409, "cursor", "e1", 4)
    assert (second.json()["seq"], second.json()["applied"], second.json()["quarantined"]) == (7, 2, 1)
    assert second.json()["root"]["digest"] == Checkpoint.objects.get().root
    assert Dataset.objects.filter(identifier__in=names).count() == 6 and Quarantine.objects.get().identifier == bad
    assert SyncRun.objects.count() == 2 and Peer.objects.get(pk="cn-33").last_contact
    assert bring(client, home, "e1:7").json()["seq"] == 7


def test_what_is_brought_is_refused_for_the_reasons_a_pulled_page_is(client):
    home = FakePortal()
    home.put()
    page = home.page("", 500)

    assert bring(client, home, page=page[:-9]).json()["code"] == "cut"
    assert bring(client, home, page=b"<html>").status_code == 400
    assert bring(client, home, page=page.replace(b"cn-33:test", b"cn-33:tost")).json()["code"] == "attestation"
    assert bring(client, home, path="/fed/v1/inbox/decisions").status_code == 404
    assert send(client, home, "POST", INBOX, page, **{"Content-Encoding": "br"}).json()["code"] == "coding"
    home.put("urn:dataset:cn-44:01890000-0000-7000-8000-000000000000")
    assert bring(client, home).json()["code"] == "foreign"
    assert not Dataset.objects.exists() and Checkpoint.objects.get().seq == 0


def test_another_history_that_is_brought_ends_in_divergence_and_a_page_at_work_in_a_pause(client):
    home = FakePortal()
    home.put()
    bring(client, home)
    Checkpoint.objects.update(lease_until=timezone.now() + leases.LEASE)
    busy = bring(client, home, "e1:1")
    assert (busy.status_code, busy["Retry-After"]) == (503, "2")
    Checkpoint.objects.update(lease_until=None)
    home.epoch = "e2"

    assert bring(client, home, "e2:1").json()["code"] == "diverged"
    assert Peer.objects.get(pk="cn-33").state == "diverged" and Dataset.objects.published().count() == 1
    assert bring(client, home, "e2:1").status_code == 403


@pytest.fixture
def unreachable(settings):
    """This portal is a local one that cannot be reached; the national portal is a fake."""
    settings.PORTAL_ID, settings.PORTAL_ROLE, settings.PORTAL_UNREACHABLE = "cn-33", "local", True
    Portal.objects.filter(is_self=True).update(is_self=False)
    national = FakePortal("cn", stream="decisions", role="national")
    network = Network(national)
    yield national
    network.close()


def answer_inbox(national, stream="listings"):
    state = sequencer.feed_state(stream)
    national.answers[f"/inbox/{stream}"] = {"epoch": state.epoch, "seq": state.head, "applied": 1}
    return state


def test_a_portal_that_cannot_be_reached_pushes_what_it_publishes_and_waits_for_decisions(unreachable):
    make_dataset(status="listed", home_portal="cn-33", listed_at=timezone.now())
    outbox.publish_all()
    sequencer.number_all()
    for stream in ("listings", "acks", "usage"):
        answer_inbox(unreachable, stream)

    assert sync.notify("cn") is True

    pushed = [body for url, body in unreachable.told if url.endswith("/inbox/listings")]
    assert len(pushed) == 1 and b'"op":"put"' in pushed[0]
    assert Delivery.objects.get(stream="listings").seq == 1
    unreachable.told.clear()
    push.push(unreachable.peer, "listings")
    assert unreachable.told == []
    sync.pull_peer("cn")
    sync.pull_peer("cn")
    assert any("wait=" in url for _method, url in unreachable.requests)


def test_the_receiver_tells_a_pusher_where_it_is(unreachable):
    for _ in range(3):
        make_dataset(status="listed", home_portal="cn-33", listed_at=timezone.now())
    outbox.publish_all()
    sequencer.number_all()
    state = answer_inbox(unreachable)
    problem = json.dumps({"code": "cursor", "epoch": state.epoch, "seq": 2}).encode()
    unreachable.refuse.append((409, {"content-type": "application/problem+json"}, problem))

    assert push.push(unreachable.peer, "listings") == 1

    header = json.loads(unreachable.told[-1][1].splitlines()[0])
    assert header["from"] == 3
    unreachable.refuse += [(409, {"content-type": "application/problem+json"}, problem)] * 9
    Delivery.objects.all().delete()
    assert push.push_logged(unreachable.peer) is False


def test_a_portal_says_when_it_enrols_that_it_cannot_be_reached(client):
    from tests.federation.test_exchange import enrolment

    code = peers.invite("cn-32", name="江苏门户")
    signer, body = enrolment(code)
    body = json.dumps(json.loads(body) | {"portal": {"id": "cn-32", "base_url": "http://js.test", "unreachable": True}}).encode()
    portal = FakePortal.without_database()
    portal.id, portal.signer = "cn-32", signer

    assert send(client, portal, "POST", "/fed/v1/enrol", body).status_code == 200
    peers.accept("cn-32")
    assert Peer.objects.get(pk="cn-32").unreachable and "cn-32" not in schedule.due_peers()


# --- custody


def test_a_portal_gets_what_is_kept_of_it_and_nobody_elses(client):
    home = FakePortal()
    network = Network(home)
    names = sorted(home.put() for _ in range(3))
    home.delete(names[0])
    sync.pull_peer("cn-33")
    network.close()
    Peer.objects.update(state="diverged")

    lines = send(client, home, "GET", "/fed/v1/custody/cn-33").content.splitlines()

    header, events = json.loads(lines[0]), [json.loads(line) for line in lines[1:-1]]
    assert header["stream"] == "custody" and [event["id"] for event in events] == names
    assert [event["op"] for event in events] == ["del", "put", "put"]
    assert all(event["hash"] == digest(canonical(event["doc"])) and event["origin"] == "cn-33" for event in events)
    assert send(client, home, "GET", "/fed/v1/custody/cn-44").status_code == 403
    assert send(client, home, "GET", "/fed/v1/custody/cn-33?after=" + "x" * 200).status_code == 400


def test_reading_goes_on_once_the_owner_has_its_records_and_a_new_name_for_its_feed(client):
    home = FakePortal()
    network = Network(home)
    home.put()
    sync.pull_peer("cn-33")
    home.epoch = "e2"
    sync.pull_peer("cn-33")
    assert Peer.objects.get(pk="cn-33").state == "diverged"

    same = send(client, home, "POST", "/fed/v1/custody/cn-33", json.dumps({"epoch": "e1", "taken": 0}).encode())
    done = send(client, home, "POST", "/fed/v1/custody/cn-33", json.dumps({"epoch": "e2", "taken": 1}).encode())

    assert same.status_code >= 400 and done.status_code == 200
    assert Peer.objects.get(pk="cn-33").state == "active"
    run = sync.pull_peer("cn-33")[0]
    network.close()
    assert (run.error, run.unchanged, Dataset.objects.published().count()) == ("", 1, 1)


def test_after_a_restore_the_owner_takes_its_newer_records_back_and_goes_on_from_their_revisions(settings):
    settings.PORTAL_ID, settings.PORTAL_ROLE = "cn-33", "local"
    Portal.objects.filter(is_self=True).update(is_self=False)
    keeper = FakePortal("cn", stream="decisions", role="national")
    network = Network(keeper)
    writer = FakePortal.without_database()
    organization = make_organization(home_portal="cn-33")
    writer.organization = str(organization.uid)
    old = make_dataset(status="listed", home_portal="cn-33", listed_at=timezone.now(), organization=organization, title="旧的")
    gone = make_dataset(status="listed", home_portal="cn-33", listed_at=timezone.now(), organization=organization)
    outbox.publish_all()
    sequencer.number_all()
    writer.put(old.identifier, rev=4, title="示例：备份之后的第四版")
    lost = writer.put(rev=2, title="示例：备份里没有的")
    writer.delete(gone.identifier, rev=2)
    writer.put(rev=3, organization={"uid": "nonsense"})
    keeper.keeps = list(writer.events)

    taken = custody.take_back(keeper.peer)
    network.close()

    assert (taken.records, taken.tombstones, len(taken.failed)) == (3, 1, 1)
    old.refresh_from_db()
    gone.refresh_from_db()
    assert (old.title, gone.status, Dataset.objects.get(identifier=lost).title) == ("示例：备份之后的第四版", "delisted", "示例：备份里没有的")
    first = Change.objects.filter(identifier=old.identifier, rev=4).get()
    assert first.hash == writer.events[0].hash and first.seq
    assert Change.objects.filter(seq=None).count() == 0
    url, told = keeper.told[-1]
    assert url.endswith("/custody/cn-33") and told["epoch"] == FeedState.objects.get(stream="listings").epoch
    assert AuditEntry.objects.filter(action="federation.taken_back").count() == 3


def test_the_national_portal_takes_its_decisions_back_so_that_no_takedown_is_lost():
    home = FakePortal("cn-33", stream="listings")
    network = Network(home)
    identifier = home.put()
    sync.pull_peer("cn-33")
    dataset = Dataset.objects.get(identifier=identifier)
    assert dataset.is_public
    document = canonical({"admission": "taken_down", "decision": "takedown", "reason": "核查", "target": {"rev": 1, "hash": "a" * 64}})
    event = protocol.Event(7, "put", identifier, "cn", 5, digest(document), "decision/1", timezone.now().isoformat(), document)
    home.keeps = [event]

    taken = custody.take_back(home.peer)

    network.close()
    dataset.refresh_from_db()
    assert taken.records == 1 and (dataset.admission, dataset.is_public) == ("taken_down", False)
    assert Decision.objects.get(identifier=identifier, rev=5).kind == "takedown"
    decisions.restore(dataset, actor=make_user(role="reviewer"))
    assert Decision.objects.filter(identifier=identifier).latest("rev").rev == 6


# --- health


def test_health_tells_cursors_and_how_long_the_oldest_event_waits(client):
    home = FakePortal()
    outbox.write([Change(stream="decisions", audience="cn-33", identifier="urn:dataset:cn-33:x", op="put", rev=1, hash="a" * 64, doc=b"{}")])
    sequencer.number_all()
    Change.objects.update(ts=timezone.now() - timedelta(seconds=90))
    Peer.objects.update(state="diverged")

    seen = send(client, home, "GET", "/fed/v1/health").json()

    assert seen["state"] == "diverged" and seen["cursors"]["listings"]["seq"] == 0
    assert seen["feeds"]["decisions"]["head"] == 1 and 85 < seen["feeds"]["decisions"]["oldest_waiting"] < 200


@pytest.mark.parametrize(("version", "status"), [("1.0", 200), ("1.1", 200), ("1.7", 200), ("2.0", 400), ("", 400)])
def test_the_version_before_is_spoken_and_another_one_is_not(client, version, status):
    from federation import signing

    home, path = FakePortal(), "/fed/v1/streams/decisions/changes"
    headers = signing.sign_request("GET", "http://127.0.0.1:8000" + path, b"", portal="cn-33", protocol=version, signer=home.signer)
    answered = client.get(path, **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()})

    assert answered.status_code == status
    assert client.get("/.well-known/dataset-federation").json()["versions"] == ["1.1", "1.0"]
