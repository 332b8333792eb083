"""Reconciliation: digests kept by the sequencer, found by descent, repaired from signed events. I1, I2, I3, I5."""

import json
import time

import pytest
from django.core.management import CommandError, call_command

from catalog.models import AuditEntry, Dataset
from federation import digests
from federation.models import Bucket, Change, Checkpoint, Delivery, FeedState, Quarantine, RemoteRecord
from federation.protocol import canonical, digest
from federation.services import outbox, reconcile, sequencer, sync
from tests.federation.fake_portal import FakePortal, Network, sha256
from tests.federation.test_exchange import send

pytestmark = pytest.mark.django_db


@pytest.fixture
def home():
    portal = FakePortal()
    network = Network(portal)
    yield portal
    network.close()


def change(identifier, rev, op="put", text="a"):
    doc = None if op == "purge" else canonical({"text": text})
    return Change(stream="listings", identifier=identifier, op=op, rev=rev, hash=digest(doc), doc=doc)


def test_the_sequencer_keeps_the_digests_of_the_current_state_however_it_came_about():
    names = [f"urn:dataset:cn:{number:04d}" for number in range(60)]
    outbox.write([change(name, 1) for name in names])
    sequencer.number_all()
    outbox.write([change(name, 2, text="b") for name in names[:20]] + [change(name, 3, text="c") for name in names[:5]])
    sequencer.number_all()
    outbox.write([change(name, 2, "del") for name in names[40:50]] + [change(names[50], 2, "purge")])
    sequencer.number_all()

    state = FeedState.objects.get(stream="listings")
    current = Change.objects.filter(superseded_by__isnull=True).values_list("op", "identifier", "rev", "hash")
    value, buckets = 0, {}
    for op, name, rev, hash_ in current:
        one = int(sha256(f"{op} {name} {rev} {hash_}".encode()), 16)
        value ^= one
        kept = buckets.setdefault(int(sha256(name.encode())[:3], 16), [0, 0])
        kept[0], kept[1] = kept[0] + 1, kept[1] ^ one

    assert (state.records, state.root) == (60, f"{value:064x}")
    assert {row.number: [row.records, int(row.digest, 16)] for row in Bucket.objects.all()} == buckets


def test_reader_and_owner_arrive_at_the_same_root_and_it_rides_on_the_acknowledgement(home):
    first = home.put()
    home.put(modalities=["hyperspectral"])
    for _ in range(30):
        home.put()
    home.delete(first)

    sync.pull_peer("cn-33")

    checkpoint = Checkpoint.objects.get()
    theirs = home.recon("", 1)
    assert checkpoint.records == 31 == theirs["records"] - 1  # one is parked
    assert home.told[-1][1]["root"] == {"records": 31, "digest": checkpoint.root}
    report = reconcile.reconcile(home.peer, "listings")
    assert (report.explained, report.differing, report.agrees) == (1, [], True)


def spoil_hash(identifier):
    RemoteRecord.objects.filter(identifier=identifier).update(hash="f" * 64)


def spoil_revision(identifier):
    RemoteRecord.objects.filter(identifier=identifier).update(rev=9)


def lose_record(identifier):
    RemoteRecord.objects.filter(identifier=identifier).delete()


def lose_listing(identifier):
    Dataset.objects.filter(identifier=identifier).update(current_version=None)
    Dataset.objects.get(identifier=identifier).delete()


def old_listing(identifier):
    Dataset.objects.filter(identifier=identifier).update(rev=0, title="旧的")


@pytest.mark.parametrize("spoil", [spoil_hash, spoil_revision, lose_record, lose_listing, old_listing])
def test_one_wrong_record_is_found_and_repaired_in_four_requests_and_64_kilobytes(home, spoil):
    names = [home.put(title=f"示例：第 {number} 个") for number in range(300)]
    sync.pull_peer("cn-33")
    title = Dataset.objects.get(identifier=names[123]).title
    spoil(names[123])
    home.requests.clear()

    report = reconcile.reconcile(home.peer, "listings")

    assert (report.differing, report.repaired, report.agrees) == ([names[123]], [names[123]], True)
    assert report.requests == len(home.requests) <= 4 and report.bytes <= 64 * 1024
    assert Dataset.objects.get(identifier=names[123]).title == title
    assert reconcile.reconcile(home.peer, "listings").differing == []
    checkpoint = Checkpoint.objects.get()
    assert (checkpoint.root, checkpoint.reconciled["requests"]) == (home.recon("", 1)["digest"], 1)
    assert AuditEntry.objects.filter(action="federation.repaired", object_id=names[123]).count() == 1


def test_a_root_that_does_not_fit_wakes_the_repair(home, monkeypatch, django_capture_on_commit_callbacks):
    names = [home.put() for _ in range(5)]
    sync.pull_peer("cn-33")
    lose_record(names[0])
    Checkpoint.objects.update(records=4, root="1" * 64)
    home.put()
    theirs = home.recon("", 1)
    home.answers["/ack"] = {"epoch": home.epoch, "head": 6, "root": {"records": 6, "digest": theirs["digest"]}}

    with django_capture_on_commit_callbacks(execute=True):
        sync.pull_peer("cn-33")

    assert RemoteRecord.objects.filter(identifier=names[0]).exists()
    assert Checkpoint.objects.get().root == theirs["digest"]


def test_what_the_owner_does_not_name_is_told_and_never_deleted(home):
    names = [home.put() for _ in range(3)]
    sync.pull_peer("cn-33")
    RemoteRecord.objects.filter(identifier=names[0]).update(identifier="urn:dataset:cn-33:01890000-0000-7000-8000-000000000000")

    report = reconcile.reconcile(home.peer, "listings")

    assert report.unknown_there == ["urn:dataset:cn-33:01890000-0000-7000-8000-000000000000"] and not report.agrees
    assert report.repaired == [names[0]] and Dataset.objects.published().count() == 3


def test_a_newer_revision_here_is_not_overwritten_and_equal_ones_that_differ_are_parked(home):
    newer, other = home.put(rev=2), home.put(rev=2)
    sync.pull_peer("cn-33")
    home.events[0] = home.events[0].__class__(**home.events[0].__dict__ | {"rev": 1, "hash": digest(b"{}"), "doc": b"{}"})
    changed = canonical({"listing": home.listing(title="示例：另一个"), "quality": {}, "status": "listed"})
    home.events[1] = home.events[1].__class__(**home.events[1].__dict__ | {"hash": digest(changed), "doc": changed})

    report = reconcile.reconcile(home.peer, "listings")

    assert report.ours_newer == [newer] and Dataset.objects.get(identifier=newer).rev == 2
    assert Quarantine.objects.get(identifier=other).error == "equivocation"
    assert not report.agrees


def test_a_feed_that_is_not_read_to_its_end_is_not_compared(home):
    home.put()
    sync.pull_peer("cn-33")
    home.put()

    with pytest.raises(reconcile.Behind):
        reconcile.reconcile(home.peer, "listings")
    assert Checkpoint.objects.get().lease_until is None


@pytest.mark.parametrize(
    "answer",
    [{"nodes": 5}, {"nodes": {"0": 5}}, {"nodes": {}, "records": "x"}, {"portal": "cn-44"}, {"nodes": {str(n): [1, "a"] for n in range(300)}}],
)
def test_an_answer_that_is_none_is_a_failure_and_no_loop(home, answer):
    for _ in range(3):
        home.put()
    sync.pull_peer("cn-33")
    genuine = home.recon
    home.recon = lambda prefix, depth: genuine(prefix, depth) | {"digest": "2" * 64} | answer
    home.requests.clear()

    assert reconcile.reconcile_logged("cn-33", "listings") is None
    assert len(home.requests) < 20 and Dataset.objects.published().count() == 3 and Checkpoint.objects.get().lease_until is None


def test_the_endpoint_descends_and_lists_a_bucket(client):
    home = FakePortal()
    names = [f"urn:dataset:cn-33:{number:04d}" for number in range(40)]
    outbox.write([Change(stream="decisions", audience="cn-33", identifier=name, op="put", rev=1, hash=digest(b"{}"), doc=b"{}") for name in names])
    sequencer.number_all()
    home.stream, home.id, home.epoch = "decisions", "cn-33", FeedState.objects.get().epoch
    for name in names:
        home.add("put", name, 1, b"{}")

    def ask(query):
        return send(client, home, "GET", f"/fed/v1/streams/decisions/recon{query}")

    bucket = digests.prefix_of(names[0])
    for query, prefix, depth in (("", "", 1), ("?depth=2", "", 2), (f"?prefix={bucket[0]}&depth=2", bucket[0], 2), (f"?prefix={bucket}", bucket, 1)):
        assert ask(query).json() == home.recon(prefix, depth) | {"portal": "cn"}
    assert ask("?prefix=xyz").status_code == ask("?prefix=0000").status_code == ask("?depth=3").status_code == 400
    assert send(client, home, "GET", "/fed/v1/streams/listings/recon").status_code == 404


def test_the_owner_keeps_what_a_reader_holds_and_answers_with_its_own_root(client):
    home = FakePortal()
    state = sequencer.feed_state("decisions", "cn-33")
    body = {"epoch": state.epoch, "seq": 0, "root": {"records": 2, "digest": "a" * 64}}

    answered = send(client, home, "POST", "/fed/v1/streams/decisions/ack", json.dumps(body).encode())

    assert answered.json()["root"] == {"records": 0, "digest": "0" * 64}
    assert (Delivery.objects.get().records, Delivery.objects.get().root) == (2, "a" * 64)
    for wrong in (5, {"records": -1, "digest": "a"}, {"records": 1}):
        assert send(client, home, "POST", "/fed/v1/streams/decisions/ack", json.dumps(body | {"root": wrong}).encode()).status_code == 400


def test_the_command_pulls_compares_and_ends_with_1_while_something_differs(home, capsys):
    names = [home.put() for _ in range(4)]
    call_command("reconcile", "cn-33", "--json")
    assert json.loads(capsys.readouterr().out)["agrees"] is True

    lose_record(names[0])
    with pytest.raises(CommandError):
        call_command("reconcile", "cn-33", "--look-only")
    call_command("reconcile", "cn-33")
    assert "repaired" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no active portal"):
        call_command("reconcile", "cn-99")


def test_many_records_are_summed_in_moments():
    rows = [("put", f"urn:dataset:cn-33:{number}", 1, "a" * 64) for number in range(20_000)]
    begun = time.perf_counter()
    nodes = digests.tree(rows)

    assert nodes[""].records == 20_000 and len(nodes) > 4000
    assert time.perf_counter() - begun < 5
