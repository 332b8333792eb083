"""The streams beside listings and decisions: acknowledgements, counts by day, vocabularies, the directory of portals."""

import datetime
import json
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import AccessRequest, Dataset, DownloadEvent, Portal, Sample, Term
from catalog.services import vocabularies
from federation import feeds, signing
from federation.models import Change, Checkpoint, DailyUsage, Delivery, FeedState, Peer, PeerKey, Quarantine
from federation.protocol import canonical
from federation.services import compaction, decisions, outbox, peers, receive_reference, reference, sequencer, sync, usage
from tests.factories import make_dataset, make_user
from tests.federation.fake_portal import FakePortal, Network
from tests.federation.test_exchange import send

pytestmark = pytest.mark.django_db


def connected(portal):
    network = Network(portal)
    return portal, network


@pytest.fixture
def speaker(request):
    """A portal that publishes the stream the test is marked with."""
    stream = request.param
    national = stream in feeds.FROM_NATIONAL
    portal, network = connected(FakePortal("cn" if national else "cn-33", stream=stream, role="national" if national else "local"))
    yield portal
    network.close()


@pytest.fixture
def local(settings):
    settings.PORTAL_ID, settings.PORTAL_ROLE = "cn-33", "local"
    Portal.objects.filter(is_self=True).update(is_self=False)


def pull(portal):
    return sync.pull_peer(portal.id)[0]


def say(portal, identifier, document, rev=1):
    return portal.add("put", identifier, rev, canonical(document))


def doc_of(stream, identifier):
    return json.loads(bytes(Change.objects.filter(stream=stream, identifier=identifier).latest("rev").doc))


# --- who reads what


def test_each_tier_publishes_and_reads_its_streams(settings):
    assert feeds.read_of("cn-33", "national") == ["listings", "acks", "usage"]
    assert feeds.read_of("cn", "local") == ["decisions", "vocab", "peers"]
    assert feeds.read_of("cn-32", "local") == ["listings"]
    assert feeds.serves("local", "listings", "cn-32") and not feeds.serves("local", "acks", "cn-32") and feeds.serves("local", "usage", "cn")
    assert feeds.readers_of("acks", "", ["cn", "cn-32"]) == {"cn"} and feeds.readers_of("decisions", "cn-32", ["cn-32", "cn-33"]) == {"cn-32"}


def test_a_stream_that_an_older_version_lacks_is_no_failure(settings):
    home, network = connected(FakePortal())
    Checkpoint.objects.create(peer=home.peer, stream="usage")
    home.put()
    try:
        runs = sync.pull_peer("cn-33")
    finally:
        network.close()

    assert [run.stream for run in runs] == ["listings"] and not runs[0].error
    assert Peer.objects.get(pk="cn-33").failures == 0


# --- acknowledgements of decisions


def test_a_local_portal_acknowledges_each_decision_with_what_it_came_to(local):
    national, network = connected(FakePortal("cn", stream="decisions", role="national"))
    own = make_dataset(status="listed", home_portal="cn-33", listed_at=timezone.now())
    unknown = "urn:dataset:cn-33:01890000-0000-7000-8000-000000000000"
    document = {"admission": "admitted", "decision": "admit", "reason": "", "target": {"rev": 1, "hash": ""}}
    national.put(own.identifier, document=document)
    national.put(unknown, document=document)
    try:
        pull(national)
    finally:
        network.close()

    assert doc_of("acks", own.identifier) == {"decision": {"rev": 1, "hash": national.events[0].hash}, "state": "applied"}
    assert doc_of("acks", unknown)["state"] == "parked" and doc_of("acks", unknown)["error"] == "unknown_dataset"


@pytest.mark.parametrize("speaker", ["acks"], indirect=True)
def test_the_national_portal_sees_which_decision_was_applied_and_which_was_not(speaker):
    dataset = make_dataset(home_portal="cn-33", status="listed", admission="pending")
    first = decisions.decide(dataset, "admit", actor=make_user(role="reviewer"))
    second = decisions.decide(dataset, "takedown", actor=make_user(role="reviewer", username="b"), reason="核查")
    say(speaker, dataset.identifier, {"decision": {"rev": 2, "hash": "a" * 64}, "state": "parked", "error": "x", "reason": "不认识"})

    assert pull(speaker).applied == 1

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.acknowledged, second.acknowledged, second.objection) == ("overtaken", "parked", "不认识")
    assert second.acknowledged_at
    say(speaker, dataset.identifier, {"decision": {"rev": 2, "hash": "a" * 64}, "state": "applied"}, rev=2)
    pull(speaker)
    second.refresh_from_db()
    assert (second.acknowledged, second.objection) == ("applied", "")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"decision": {"rev": 0}, "state": "applied"},
        {"decision": {"rev": True}, "state": "applied"},
        {"decision": {"rev": 1}, "state": "liked"},
        {"decision": {"rev": 1}, "state": "applied", "reason": 5},
        {"decision": {"rev": 9}, "state": "applied"},
    ],
)
@pytest.mark.parametrize("speaker", ["acks"], indirect=True)
def test_an_acknowledgement_that_is_none_is_parked(speaker, document):
    say(speaker, speaker.identifier(), document)

    assert pull(speaker).quarantined == 1 and Checkpoint.objects.get().seq == 1


@pytest.mark.parametrize("speaker", ["acks", "usage"], indirect=True)
def test_nobody_speaks_for_another_portal(speaker):
    say(speaker, "urn:dataset:cn-44:01890000-0000-7000-8000-000000000000" if speaker.stream == "acks" else "urn:usage:cn-44:2026-11-24:0", {})

    assert "foreign" in pull(speaker).error


# --- counts by day


def used(dataset, views, downloads, day):
    Dataset.objects.filter(pk=dataset.pk).update(view_count=views)
    sample = Sample.objects.get_or_create(dataset=dataset, name="a.csv", defaults={"state": "ready"})[0]
    for _ in range(downloads):
        event = DownloadEvent.objects.create(sample=sample, consumer="x")
        DownloadEvent.objects.filter(pk=event.pk).update(at=timezone.make_aware(datetime.datetime.combine(day, datetime.time(12))))


def test_a_day_is_counted_and_published_once_however_often(local):
    day = timezone.localdate() - timedelta(days=1)
    dataset = make_dataset(status="listed", home_portal="cn-33", listed_at=timezone.now())
    used(dataset, 7, 2, day)
    request = AccessRequest.objects.create(dataset=dataset, requester=make_user(), purpose="x", due_at=timezone.now())
    AccessRequest.objects.filter(pk=request.pk).update(created_at=timezone.now() - timedelta(days=1))

    for _ in range(3):
        usage.close_day(day)

    assert doc_of("usage", f"urn:usage:cn-33:{day}:0") == {
        "day": str(day), "prefix": "", "datasets": [{"id": dataset.identifier, "views": 7, "downloads": 2, "requests": 1}],
    }  # fmt: skip
    assert Change.objects.filter(stream="usage").count() == 1
    Dataset.objects.filter(pk=dataset.pk).update(view_count=10)
    usage.close_day(day + timedelta(days=1))
    assert DailyUsage.objects.get(day=day + timedelta(days=1)).views == 3
    usage.close_day(day)
    assert DailyUsage.objects.get(day=day).views == 7


@pytest.mark.parametrize("speaker", ["usage"], indirect=True)
def test_counts_are_added_once_and_a_corrected_day_replaces_the_first(speaker):
    one, two = (make_dataset(home_portal="cn-33", status="listed", download_count=5) for _ in range(2))
    day = {"day": "2026-11-24", "prefix": "", "datasets": [{"id": one.identifier, "downloads": 3, "views": 9}, {"id": two.identifier, "requests": 1}]}
    say(speaker, "urn:usage:cn-33:2026-11-24:0", day)
    pull(speaker)
    Checkpoint.objects.update(seq=0, epoch="", chain="")
    pull(speaker)
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.download_count, one.view_count, two.request_count) == (8, 9, 1)

    say(speaker, "urn:usage:cn-33:2026-11-24:0", day | {"datasets": [{"id": one.identifier, "downloads": 4}]}, rev=2)
    pull(speaker)

    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.download_count, one.view_count, two.request_count) == (9, 0, 0)
    assert DailyUsage.objects.count() == 1


@pytest.mark.parametrize(
    "document",
    [
        {"day": "2026-11-24", "datasets": 5},
        {"day": "2026-11-23", "datasets": []},
        {"day": "2026-11-24", "datasets": [{"id": "urn:dataset:cn-44:x", "views": 1}]},
        {"day": "2026-11-24", "datasets": [{"id": "urn:dataset:cn-33:x", "views": -1}]},
        {"day": "2026-11-24", "datasets": [{"id": "urn:dataset:cn-33:x", "views": 10**12}]},
        {"day": "2026-11-24", "datasets": [5]},
        {"day": "2026-11-24", "prefix": "zzzz", "datasets": []},
    ],
)
@pytest.mark.parametrize("speaker", ["usage"], indirect=True)
def test_counts_that_are_none_are_parked(speaker, document):
    say(speaker, "urn:usage:cn-33:2026-11-24:0", document)

    assert pull(speaker).quarantined == 1 and not DailyUsage.objects.exists()


# --- vocabularies


def test_the_national_portal_publishes_its_vocabularies_once_and_what_changes_in_them():
    vocabularies.load_all()
    assert reference.publish_reference() > 10
    assert reference.publish_reference() == 0
    Term.objects.filter(scheme="modality").first().save()
    Term.objects.create(scheme="modality", code="hyperspectral", label="高光谱", position=99)

    assert reference.publish_reference() == 1
    terms = doc_of("vocab", "urn:vocab:cn:modality:0")["terms"]
    assert terms[-1] == {"code": "hyperspectral", "label": "高光谱", "label_en": "", "position": 99, "version": "1", "active": True, "data": {}}


@pytest.mark.parametrize("speaker", ["vocab"], indirect=True)
def test_a_vocabulary_comes_down_releases_what_waited_for_it_and_stands_after_a_restart(speaker, local, django_capture_on_commit_callbacks):
    other, network = connected(FakePortal("cn-32"))
    waiting = other.put(modalities=["hyperspectral"])
    pull(other)
    network.close()
    assert Quarantine.objects.get().identifier == waiting
    terms = [
        {"code": "hyperspectral", "label": "高光谱", "data": {"n": 1}},
        {"code": "text", "label": "文字"},
        {"code": "audio", "label": "声", "active": False},
    ]
    say(speaker, "urn:vocab:cn:modality:0", {"scheme": "modality", "terms": terms})
    again = Network(speaker)

    with django_capture_on_commit_callbacks(execute=True):
        pull(speaker)
    again.close()

    assert Term.objects.get(scheme="modality", code="text").label == "文字" and not Term.objects.get(scheme="modality", code="audio").is_active
    assert Quarantine.objects.get().state == "resolved" and Dataset.objects.filter(identifier=waiting).exists()
    vocabularies.load_all()
    assert Term.objects.get(scheme="modality", code="text").label == "文字"


@pytest.mark.parametrize("speaker", ["vocab"], indirect=True)
def test_a_vocabulary_of_a_later_day_waits_for_its_day(speaker, local, monkeypatch):
    tomorrow = timezone.localdate() + timedelta(days=1)
    say(speaker, "urn:vocab:cn:modality:0", {"scheme": "modality", "effective_from": str(tomorrow), "terms": [{"code": "new", "label": "新"}]})

    assert pull(speaker).applied == 1

    assert not Term.objects.filter(code="new").exists()
    monkeypatch.setattr(receive_reference.timezone, "localdate", lambda: tomorrow)
    assert receive_reference.apply_again(only_due=True) == 1 and Term.objects.filter(code="new").exists()


@pytest.mark.parametrize(
    "document",
    [
        {"scheme": "Bad Scheme", "terms": []},
        {"scheme": "x", "terms": 5},
        {"scheme": "x", "terms": [{"code": "a"}]},
        {"scheme": "x", "terms": [{"code": "a", "label": "a\u0007"}]},
        {"scheme": "x", "terms": [{"code": "a", "label": "a", "position": -1}]},
        {"scheme": "x", "terms": [{"code": "a", "label": "a"}, {"code": "a", "label": "b"}]},
        {"scheme": "x", "terms": [{"code": "a", "label": "a", "parent": "none"}]},
        {"scheme": "x", "effective_from": "soon", "terms": []},
    ],
)
@pytest.mark.parametrize("speaker", ["vocab"], indirect=True)
def test_a_vocabulary_that_is_none_is_parked_and_changes_nothing(speaker, local, document):
    say(speaker, "urn:vocab:cn:x:0", document)

    assert pull(speaker).quarantined == 1 and not Term.objects.filter(scheme="x").exists()


def scheme_of(version, day):
    from quality.services import schemes

    document = schemes.to_document(schemes.active_scheme()) | {"version": version, "effective_from": day.isoformat()}
    return {"evaluation": json.dumps(document, ensure_ascii=False), "version": version, "effective_from": day.isoformat()}


def test_schemes_in_force_are_published_as_text():
    from quality.services import schemes

    row = schemes.active_scheme()
    reference.publish_reference()

    document = doc_of("vocab", f"urn:scheme:cn:{row.version}")
    assert json.loads(document["evaluation"]) == schemes.to_document(row) and document["effective_from"] == row.effective_from.isoformat()


@pytest.mark.parametrize("speaker", ["vocab"], indirect=True)
def test_a_national_scheme_waits_for_its_day_and_then_applies(speaker, local):
    from quality.models import EvaluationScheme
    from quality.services import schemes

    before = schemes.active_scheme()
    today = timezone.localdate()
    say(speaker, "urn:scheme:cn:9.1", scheme_of("9.1", today + timedelta(days=3)))
    say(speaker, "urn:scheme:cn:9.0", scheme_of("9.0", today))
    say(speaker, "urn:scheme:cn:9.2", {"evaluation": "{", "effective_from": str(today)})
    say(speaker, "urn:scheme:cn:9.3", scheme_of("9.3", today) | {"effective_from": "2020-01-01"})
    say(speaker, f"urn:scheme:cn:{before.version}", scheme_of(before.version, today - timedelta(days=9)))

    run = pull(speaker)

    states = dict(EvaluationScheme.objects.values_list("version", "state"))
    assert (run.applied, run.quarantined) == (2, 3)
    assert (states["9.0"], states["9.1"], states[before.version]) == ("active", "waiting", "retired")


# --- the directory


def test_the_directory_follows_what_happens_to_a_portal():
    FakePortal("cn-33")
    peers.accept("cn-33")
    first = doc_of("peers", "urn:portal:cn-33")
    assert (
        first["state"] == "active" and first["keys"][0]["keyid"] == "cn-33:test" and doc_of("peers", "urn:portal:cn")["portal"]["role"] == "national"
    )

    peers.revoke("cn-33")

    last = doc_of("peers", "urn:portal:cn-33")
    assert (last["state"], last["keys"][0]["revoked"]) == ("revoked", True)


def directory(speaker, portal_id, state="active", **changes):
    key = signing.new_key()
    described = {"id": portal_id, "name": "江苏门户", "short_name": "江苏", "role": "local", "base_url": "http://js.test"}
    listed = [{"keyid": f"{portal_id}:k", "alg": "ed25519", "public_key": signing.public_text(key)}]
    return key, say(speaker, f"urn:portal:{portal_id}", {"portal": described, "state": state, "keys": listed} | changes)


@pytest.mark.parametrize("speaker", ["peers"], indirect=True)
def test_a_portal_of_the_directory_is_known_takes_part_once_accepted_and_ends_when_revoked(speaker, local, client):
    key, _identifier = directory(speaker, "cn-32")
    pull(speaker)
    other = Peer.objects.get(pk="cn-32")
    assert other.state == "known" and Portal.objects.get(pk="cn-32").name == "江苏门户"

    asking = FakePortal.without_database()
    asking.id, asking.signer = "cn-32", signing.Ed25519Signer("cn-32:k", key)
    listings = "/fed/v1/streams/listings/changes"
    assert send(client, asking, "GET", listings).status_code == 403
    peers.accept("cn-32")
    assert send(client, asking, "GET", listings).status_code == 200
    assert send(client, asking, "GET", "/fed/v1/streams/acks/changes").status_code == 404
    assert list(Checkpoint.objects.filter(peer=other).values_list("stream", flat=True)) == ["listings"]

    document = json.loads(speaker.events[0].doc)
    say(speaker, "urn:portal:cn-32", document | {"state": "revoked"}, rev=2)
    pull(speaker)
    assert Peer.objects.get(pk="cn-32").state == "revoked" and PeerKey.objects.get(keyid="cn-32:k").state == "revoked"
    assert send(client, asking, "GET", listings).status_code == 401


@pytest.mark.parametrize("speaker", ["peers"], indirect=True)
def test_the_directory_cannot_speak_of_ourselves_nor_give_a_key_of_another(speaker, local):
    directory(speaker, "cn-33")
    directory(speaker, "cn-32", keys=[{"keyid": "cn-31:k", "alg": "ed25519", "public_key": signing.public_text(signing.new_key())}])
    directory(speaker, "cn-31", portal={"id": "cn-30"})
    directory(speaker, "cn-30", state="loved")
    directory(speaker, "cn-34", portal={"id": "cn-34", "base_url": "javascript:alert(1)"})

    run = pull(speaker)

    assert (run.applied, run.quarantined) == (1, 4)
    assert not Peer.objects.filter(pk__in=["cn-33", "cn-32", "cn-31", "cn-30", "cn-34"]).exists()


# --- compaction and the long poll


def test_the_floor_rises_past_what_is_old_and_read_by_all_and_no_further(client, settings):
    settings.PORTAL_ID, settings.PORTAL_ROLE = "cn-33", "local"
    national = FakePortal("cn", role="national", stream="decisions")
    names = [f"urn:dataset:cn-33:{number:04d}" for number in range(4)]
    for rev in (1, 2, 3):
        outbox.write([Change(stream="listings", identifier=name, op="put", rev=rev, hash=f"{rev}" * 64, doc=b"{}") for name in names])
        sequencer.number_all()
    state = FeedState.objects.get(stream="listings")
    assert compaction.compact("listings") == 0
    Change.objects.filter(seq__lte=10).update(ts=timezone.now() - timedelta(days=91))
    assert compaction.compact("listings") == 0  # nobody acknowledged
    Delivery.objects.create(peer=national.peer, stream="listings", epoch=state.epoch, seq=7)

    assert compaction.compact_all() == {"listings": 6}

    state.refresh_from_db()
    assert state.floor == 8 and Change.objects.filter(superseded_by=None).count() == 4
    listings = "/fed/v1/streams/listings"
    assert send(client, national, "GET", f"{listings}/changes?since={state.epoch}:6").status_code == 410
    page = send(client, national, "GET", f"{listings}/changes?since={state.epoch}:7").content
    assert json.loads(page.splitlines()[0])["from"] == 8
    assert len(send(client, national, "GET", f"{listings}/snapshot").content.splitlines()) == 6
    Delivery.objects.update(seq=12)
    compaction.compact("listings")
    state.refresh_from_db()
    assert state.floor == 11  # seq 11 is young


def test_a_long_poll_waits_for_news_and_only_so_many_may(client, monkeypatch):
    home = FakePortal()
    state = sequencer.feed_state("decisions", "cn-33")
    path = f"/fed/v1/streams/decisions/changes?since={state.epoch}:0&wait="
    begun = time.monotonic()
    assert send(client, home, "GET", path + "1").status_code == 200
    assert 0.9 < time.monotonic() - begun < 5

    looks = []

    def sleep(seconds):
        looks.append(seconds)
        FeedState.objects.update(head=1)

    monkeypatch.setattr(sequencer.time, "sleep", sleep)
    begun = time.monotonic()
    send(client, home, "GET", path + "25")
    assert len(looks) == 1 and time.monotonic() - begun < 5

    FeedState.objects.update(head=0)
    monkeypatch.setattr(sequencer, "_waiting", sequencer.threading.BoundedSemaphore(1))
    sequencer._waiting.acquire()
    send(client, home, "GET", path + "25")
    assert len(looks) == 1  # answered at once
    assert send(client, home, "GET", path + "x").status_code == 400
