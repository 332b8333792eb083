"""Pulling listings at the national portal: the rules of rev and hash, I1 to I7 and I9."""

import pytest
from django.utils import timezone

from catalog.models import AuditEntry, Dataset, Review
from catalog.services import audit
from federation.models import Change, Checkpoint, Decision, Peer, Quarantine, RemoteRecord, SyncRun
from federation.protocol import canonical
from federation.services import decisions, leases, sequencer, sync
from federation.transport import Answer
from tests.factories import make_dataset, make_user
from tests.federation.fake_portal import FakePortal, Network

pytestmark = pytest.mark.django_db


@pytest.fixture
def home():
    portal = FakePortal()
    network = Network(portal)
    yield portal
    network.close()


@pytest.fixture
def untrusted():
    portal = FakePortal(trusted=False)
    network = Network(portal)
    yield portal
    network.close()


def pull(portal) -> SyncRun:
    return sync.pull_peer(portal.id)[0]


def test_a_trusted_portals_listing_is_on_offer_with_a_decision_that_travels(home):
    identifier = home.put(title="示例：雷达回波序列")

    run = pull(home)

    dataset = Dataset.objects.get(identifier=identifier)
    assert (run.applied, run.error) == (1, "")
    assert (dataset.title, dataset.admission, dataset.rev, dataset.is_public) == ("示例：雷达回波序列", "admitted", 1, True)
    assert dataset.documentation_score == 60
    change = Change.objects.get(stream="decisions", audience="cn-33", identifier=identifier)
    assert b'"admission":"admitted"' in bytes(change.doc)
    assert AuditEntry.objects.filter(action="federation.applied", object_id=identifier).count() == 1
    assert audit.verify()[1] == ""


def test_other_portals_listings_wait_for_a_national_review_and_its_approval_admits_them(untrusted):
    identifier = untrusted.put()
    pull(untrusted)
    dataset = Dataset.objects.get(identifier=identifier)
    review = Review.objects.get(dataset=dataset)

    from catalog.services.review import approve_review

    assert (dataset.admission, dataset.is_public, review.kind) == ("pending", False, "national")
    approve_review(review, reviewer=make_user(role="reviewer"))

    dataset.refresh_from_db()
    assert dataset.is_public
    assert Decision.objects.get(identifier=identifier).kind == "admit"


def test_the_same_page_ten_times_gives_the_state_of_once(home):
    identifiers = [home.put(rev=3, resources=[]) for _ in range(20)]
    pull(home)
    state = list(Dataset.objects.order_by("identifier").values_list("identifier", "rev", "document_hash", "serial"))
    entries = AuditEntry.objects.count()

    for _ in range(10):
        Checkpoint.objects.update(seq=0, epoch="", chain="")
        run = pull(home)
        assert (run.applied, run.unchanged) == (0, 20)

    assert list(Dataset.objects.order_by("identifier").values_list("identifier", "rev", "document_hash", "serial")) == state
    assert AuditEntry.objects.count() == entries
    assert RemoteRecord.objects.filter(identifier__in=identifiers).count() == 20


def test_a_higher_revision_writes_and_a_lower_one_does_nothing(home):
    identifier = home.put(rev=5, title="示例：第五版")
    home.put(identifier, rev=7, title="示例：第七版")
    home.put(identifier, rev=6, title="示例：第六版")

    pull(home)

    assert Dataset.objects.get(identifier=identifier).title == "示例：第七版"


@pytest.mark.parametrize("cut", [lambda body: body[:-40], lambda body: body[: len(body) // 2], lambda body: b"<html>200</html>", lambda body: b""])
def test_a_page_cut_or_replaced_leaves_cursor_and_data_alone(home, cut):
    home.put()
    home.spoil = cut

    run = pull(home)

    assert run.error and not Dataset.objects.exists()
    assert Checkpoint.objects.get().seq == 0
    assert Peer.objects.get(pk="cn-33").next_due > timezone.now()
    home.spoil = lambda body: body
    assert pull(home).applied == 1


def test_another_portals_identifier_refuses_the_page(home):
    home.put()
    home.put("urn:dataset:cn-44:01890000-0000-7000-8000-000000000000")

    run = pull(home)

    assert "foreign" in run.error
    assert not Dataset.objects.exists() and Checkpoint.objects.get().seq == 0


def test_our_own_dataset_cannot_be_written_by_a_peer(home):
    own = make_dataset(status="listed", listed_at=timezone.now())
    home.put(own.identifier, title="不该出现")

    assert "foreign" in pull(home).error
    own.refresh_from_db()
    assert own.title != "不该出现"


def test_a_uid_of_another_portals_dataset_parks_the_record_and_the_rest_goes_on(home):
    other = make_dataset(home_portal="cn-44", status="listed")
    stolen = home.put(f"urn:dataset:cn-33:{other.uid}")
    good = home.put()

    run = pull(home)

    assert (run.applied, run.quarantined) == (1, 1)
    assert Quarantine.objects.get().identifier == stolen
    assert Dataset.objects.get(uid=other.uid).home_portal == "cn-44"
    assert Dataset.objects.filter(identifier=good).exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"modalities": ["hyperspectral"]}, "modalities"),
        ({"title": ""}, "title"),
        ({"title": 5}, "title"),
        ({"security_level": "core"}, "level"),
        ({"security_level": "important"}, "level"),
        ({"organization": {"name": "无标识"}}, "organization"),
        ({"organization": None}, "organization"),
        ({"summary": "控制\u0000字符"}, "NUL"),
        ({"resources": [{"name": "没有标识"}]}, "resources"),
        ({"samples": "三个"}, "samples"),
        ({"issued": "昨天"}, "issued"),
        ({"record_count": -1}, "record_count"),
    ],
)
def test_a_bad_record_is_parked_with_its_reason_and_the_cursor_moves_on(home, changes, reason):
    bad, good = home.put(**changes), home.put()

    run = pull(home)

    assert (run.applied, run.quarantined, run.error) == (1, 1, "")
    row = Quarantine.objects.get(identifier=bad)
    assert reason in f"{row.error} {row.reason}" and bytes(row.event)
    assert Checkpoint.objects.get().seq == 2
    assert Dataset.objects.filter(identifier=good).exists()


def test_unknown_fields_are_kept_and_unknown_critical_ones_park(home):
    kept = home.put(document={"listing": home.listing() | {"from_the_future": {"a": 1}}, "quality": {}, "status": "listed", "new": 1})
    identifier = home.identifier()
    home.add("put", identifier, 1, canonical({"listing": home.listing(), "status": "listed"}), crit=("embargo",))

    pull(home)

    assert b"from_the_future" in bytes(RemoteRecord.objects.get(identifier=kept).doc)
    assert Quarantine.objects.get(identifier=identifier).error == "crit"


def test_equal_revision_with_other_content_is_parked_and_both_are_kept(home):
    identifier = home.put(rev=2, title="示例：甲")
    pull(home)
    home.put(identifier, rev=2, title="示例：乙")

    run = pull(home)

    assert run.quarantined == 1
    assert Quarantine.objects.get().error == "equivocation"
    assert Dataset.objects.get(identifier=identifier).title == "示例：甲"


def test_a_document_that_is_not_its_hash_is_parked(home):
    home.add("put", home.identifier(), 1, canonical({"listing": home.listing()}), hash="0" * 64)

    pull(home)

    assert Quarantine.objects.get().error == "hash"


def test_a_parked_record_is_settled_by_the_next_good_revision_or_a_retry(home):
    from catalog.models import Term

    first, second = home.put(modalities=["hyperspectral"]), home.put(modalities=["hyperspectral"])
    pull(home)
    home.put(first, rev=2)
    pull(home)
    Term.objects.create(scheme="modality", code="hyperspectral", label="高光谱")

    assert sync.retry_quarantine(Quarantine.objects.filter(state="parked")) == 1
    assert set(Quarantine.objects.values_list("state", flat=True)) == {"resolved"}
    assert Dataset.objects.get(identifier=second).modalities == ["hyperspectral"]


def test_a_tombstone_hides_the_listing_and_keeps_its_reason(home):
    identifier = home.put()
    pull(home)
    home.delete(identifier, reason="权属有争议")

    pull(home)

    dataset = Dataset.objects.get(identifier=identifier)
    assert (dataset.status, dataset.status_reason, dataset.is_public) == ("delisted", "权属有争议", False)


def test_a_purge_leaves_no_copy(home):
    identifier = home.put()
    pull(home)
    home.add("purge", identifier, 2, None)

    run = pull(home)

    assert run.applied == 1 and not Dataset.objects.filter(identifier=identifier).exists()
    assert RemoteRecord.objects.get(identifier=identifier).doc is None
    home.put(identifier, rev=1)
    assert pull(home).unchanged == 1


def test_a_takedown_survives_replay_and_every_new_put_of_the_listing(home):
    identifier = home.put()
    pull(home)
    decisions.take_down(Dataset.objects.get(identifier=identifier), actor=make_user(role="reviewer"), reason="样例含电话号码")
    home.put(identifier, rev=2, title="示例：改名再来")
    home.delete(identifier, rev=3)
    home.put(identifier, rev=4, title="示例：下架又上架")

    pull(home)
    Checkpoint.objects.update(seq=0, epoch="", chain="")
    pull(home)
    Dataset.objects.filter(identifier=identifier).update(current_version=None)
    Dataset.objects.get(identifier=identifier).delete()
    RemoteRecord.objects.filter(identifier=identifier).delete()
    Checkpoint.objects.update(seq=0, epoch="", chain="")
    pull(home)

    dataset = Dataset.objects.get(identifier=identifier)
    assert (dataset.admission, dataset.is_public) == ("taken_down", False)
    decisions.restore(dataset, actor=make_user(role="reviewer"))
    dataset.refresh_from_db()
    assert dataset.is_public


def test_a_flood_of_tombstones_is_held_for_a_person(home):
    identifiers = [home.put() for _ in range(80)]
    pull(home)
    for identifier in identifiers[:60]:
        home.delete(identifier)

    run = pull(home)

    assert (run.held, Dataset.objects.published().count()) == (60, 80)
    released, refused = list(Quarantine.objects.filter(state="held")[:10]), list(Quarantine.objects.filter(state="held")[10:])
    assert sync.retry_quarantine(released) == 10
    assert sync.refuse_quarantine(refused) == 50
    assert Dataset.objects.published().count() == 70
    Checkpoint.objects.update(seq=0, epoch="", chain="")
    pull(home)
    assert Dataset.objects.published().count() == 70


def test_a_flood_of_erasures_is_held_as_well(home):
    identifiers = [home.put() for _ in range(80)]
    pull(home)
    for identifier in identifiers[:51]:
        home.add("purge", identifier, 2, None)

    run = pull(home)

    assert (run.held, Dataset.objects.published().count()) == (51, 80)
    assert sync.retry_quarantine(list(Quarantine.objects.filter(state="held"))[:3]) == 3
    assert Dataset.objects.count() == 77


def test_fifty_tombstones_go_through(home):
    identifiers = [home.put() for _ in range(60)]
    pull(home)
    for identifier in identifiers[:50]:
        home.delete(identifier)

    assert pull(home).held == 0
    assert Dataset.objects.published().count() == 10


@pytest.mark.parametrize("change", ["epoch", "head", "chain"])
def test_another_history_stops_the_exchange_and_deletes_nothing(home, change):
    for _ in range(5):
        home.put()
    pull(home)
    if change == "epoch":
        home.epoch, home.events = "e2", home.events[:1]
    elif change == "head":
        home.events = home.events[:2]
    else:
        home.events[0] = home.events[1]

    run = pull(home)

    assert run.error and Peer.objects.get(pk="cn-33").state == "diverged"
    assert Dataset.objects.published().count() == 5
    assert sync.due_peers() == []


def test_after_divergence_a_person_has_the_feed_read_anew(home):
    identifiers = [home.put(rev=2) for _ in range(3)]
    pull(home)
    home.epoch, home.events = "e2", []
    home.put(identifiers[0], rev=1, title="示例：备份里的旧版")
    home.put(identifiers[1], rev=3, title="示例：新版")
    pull(home)

    from federation.services import peers

    sync.read_anew("cn-33")
    peers.accept("cn-33")
    pull(home)

    assert Dataset.objects.published().count() == 3
    assert Dataset.objects.get(identifier=identifiers[0]).rev == 2
    assert Dataset.objects.get(identifier=identifiers[1]).title == "示例：新版"


def test_a_stale_worker_cannot_commit(home, monkeypatch):
    home.put()
    import uuid

    monkeypatch.setattr(sync, "step", lambda name: name == "parsed" and Checkpoint.objects.update(fencing_token=uuid.uuid4()))

    run = pull(home)

    assert "LeaseLost" in run.error
    assert not Dataset.objects.exists() and Checkpoint.objects.get().seq == 0


def test_two_workers_on_one_peer_give_one_pull(home):
    home.put()
    Checkpoint.objects.update(lease_until=timezone.now() + leases.LEASE)

    assert sync.pull_peer("cn-33") == []


def test_an_unsigned_or_wrongly_signed_answer_is_not_read(home):
    home.put()
    genuine = home.handle

    def strip(method, url, headers, body):
        answer = genuine(method, url, headers, body)
        return Answer(answer.status, {name: value for name, value in answer.headers.items() if name != "signature"}, answer.content)

    home.handle = strip
    assert "signed" in pull(home).error and not Dataset.objects.exists()


def test_a_revoked_key_ends_the_exchange(home):
    home.put()
    home.peer.keys.update(state="revoked")

    assert pull(home).error and not Dataset.objects.exists()


def test_a_dead_peer_backs_off_and_never_gives_up(home):
    home.down = True
    waits = []
    for _ in range(12):
        before = timezone.now()
        pull(home)
        waits.append((Peer.objects.get(pk="cn-33").next_due - before).total_seconds())

    assert waits[0] < 10 and 700 < waits[-1] < 1100


def test_ten_thousand_hints_cost_one_pull(home):
    Peer.objects.update(next_due=timezone.now() + sync.INTERVAL)

    assert [sync.request_pull("cn-33") for _ in range(100)].count(True) == 1


def test_nothing_new_is_one_small_request(home):
    pull(home)
    home.requests.clear()

    run = pull(home)

    assert len(home.requests) == 1 and run.bytes < 1500
    assert not SyncRun.objects.filter(received=0, error="").exists()


def test_a_feed_of_many_pages_arrives_whole_and_is_acknowledged(home):
    home.page_size = 7
    for _ in range(50):
        home.put()

    run = pull(home)

    assert (run.pages, run.applied, Dataset.objects.count()) == (8, 50, 50)
    assert home.requests[-1] == ("POST", "http://cn-33.test/fed/v1/streams/listings/ack")


def test_a_decision_of_the_national_portal_shows_at_the_owner(settings):
    settings.PORTAL_ID, settings.PORTAL_ROLE = "cn-33", "local"
    national = FakePortal("cn", stream="decisions", role="national")
    network = Network(national)
    own = make_dataset(status="listed", listed_at=timezone.now())
    document = {"admission": "taken_down", "decision": "takedown", "reason": "核查", "target": {"rev": 1, "hash": ""}}
    national.put(own.identifier, document=document)
    national.put("urn:dataset:cn-33:01890000-0000-7000-8000-000000000000", document=document)
    national.put("urn:dataset:cn-44:01890000-0000-7000-8000-000000000000", document=document)
    try:
        run = sync.pull_peer("cn")[0]
    finally:
        network.close()

    own.refresh_from_db()
    assert (own.admission, own.is_public, own.admission_reason) == ("taken_down", False, "核查")
    assert (run.applied, run.quarantined, run.unchanged) == (1, 1, 1)
    assert Quarantine.objects.get().error == "unknown_dataset"


def test_a_grade_given_nationally_comes_down_and_goes_no_further(settings, home):
    identifier = home.put()
    pull(home)
    from decimal import Decimal

    from catalog.services.datasets import publish_grade

    dataset = Dataset.objects.get(identifier=identifier)
    publish_grade(dataset, grade="B", score=Decimal("80.50"), assurance="L1", documentation_score=70, source="national")
    publish_grade(dataset, grade="B", score=Decimal("80.50"), assurance="L1", documentation_score=70, source="national")
    home.put(identifier, rev=2, document={"listing": home.listing(), "quality": {"grade": "A", "score": "99.00"}, "status": "listed"})
    pull(home)

    graded = Decision.objects.get(identifier=identifier, kind="grade")
    dataset.refresh_from_db()
    assert graded.admission == "admitted" and graded.grade["score"] == "80.50"
    assert (dataset.grade, dataset.grade_source) == ("B", "national")
    sequencer.number_all()
    assert Change.objects.filter(stream="decisions", superseded_by__isnull=True).count() == 1
