"""Decisions bound to what was looked at, late acknowledgements, and takedowns that readers of one tier see."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Dataset, Notification, Portal, Review
from catalog.services.review import approve_review
from federation.models import Change, Decision, Delivery
from federation.services import decisions, outbox, sequencer, sync
from tests.factories import make_dataset, make_member, make_user
from tests.federation.fake_portal import FakePortal, Network

pytestmark = pytest.mark.django_db


@pytest.fixture
def home():
    portal = FakePortal(trusted=False)
    network = Network(portal)
    yield portal
    network.close()


def pull(portal):
    return sync.pull_peer(portal.id)[0]


@pytest.fixture
def admitted(home):
    identifier = home.put(title="示例：路面病害图像", keywords=["甲"])
    pull(home)
    approve_review(Review.objects.get(), reviewer=make_user(role="reviewer"))
    assert Dataset.objects.get().is_public
    return identifier


def test_an_admission_names_the_revision_and_hash_that_was_looked_at(home, admitted):
    decision = Decision.objects.get(kind="admit")
    document = json.loads(bytes(Change.objects.get(stream="decisions", rev=decision.rev).doc))

    assert document["target"] == {"rev": 1, "hash": home.events[0].hash}


@pytest.mark.parametrize(
    "changes", [{"title": "另一个数据集"}, {"has_personal_information": True}, {"modalities": ["text"]}, {"allowed_scope": "另有规定"}]
)
def test_a_material_change_lets_an_admission_lapse_and_a_review_opens(home, admitted, changes):
    home.put(admitted, rev=2, **{"title": "示例：路面病害图像", "keywords": ["甲"]} | changes)

    assert pull(home).applied == 1

    dataset = Dataset.objects.get()
    assert (dataset.admission, dataset.is_public) == ("pending", False)
    assert Decision.objects.get(kind="admit").lapsed_at and Decision.objects.get(kind="lapse").admission == "pending"
    assert Review.objects.filter(state__in=Review.OPEN_STATES, kind="national").count() == 1
    home.put(admitted, rev=3, title="又一个")
    pull(home)
    assert Decision.objects.filter(kind="lapse").count() == 1
    approve_review(Review.objects.get(state__in=Review.OPEN_STATES), reviewer=make_user(role="reviewer", username="r2"))
    assert Dataset.objects.get().is_public


@pytest.mark.parametrize("changes", [{"keywords": ["乙"]}, {"contact_phone": "010-1"}, {"summary": "改写了的摘要"}, {"record_count": 99}])
def test_other_changes_leave_the_admission_alone(home, admitted, changes):
    home.put(admitted, rev=2, **{"title": "示例：路面病害图像", "keywords": ["甲"]} | changes)

    pull(home)

    assert Dataset.objects.get().is_public and not Decision.objects.filter(kind="lapse").exists()


def test_files_are_material_and_a_takedown_never_lapses(home, admitted):
    from catalog.ids import new_uid

    decisions.take_down(Dataset.objects.get(), actor=make_user(role="reviewer", username="r2"), reason="核查")
    file = {"uid": str(new_uid()), "name": "a.csv", "kind": "file", "sha256": "a" * 64}

    home.put(admitted, rev=2, resources=[file])
    pull(home)

    assert Dataset.objects.get().admission == "taken_down" and not Decision.objects.filter(kind="lapse").exists()


def test_a_trusted_portals_listings_do_not_lapse():
    home = FakePortal()
    network = Network(home)
    identifier = home.put()
    pull(home)
    home.put(identifier, rev=2, title="另一个")
    pull(home)
    network.close()

    assert Dataset.objects.get().is_public and not Decision.objects.filter(kind="lapse").exists()


def test_decisions_that_nobody_acknowledges_in_time_are_named(home, admitted):
    sequencer.number_all()
    assert decisions.overdue() == []
    Decision.objects.update(decided_at=timezone.now() - timedelta(minutes=16))

    assert [row.kind for row in decisions.overdue()] == ["admit"]
    Decision.objects.update(acknowledged_at=timezone.now(), acknowledged="parked")
    assert decisions.overdue() == []
    Decision.objects.update(acknowledged_at=None)
    state = sequencer.feed_state("decisions", "cn-33")
    Delivery.objects.create(peer=home.peer, stream="decisions", epoch=state.epoch, seq=state.head)
    assert decisions.overdue() == []


def test_providers_see_a_lapse_and_a_grade_at_once(settings):
    settings.PORTAL_ID, settings.PORTAL_ROLE = "cn-33", "local"
    Portal.objects.filter(is_self=True).update(is_self=False)
    national = FakePortal("cn", stream="decisions", role="national")
    network = Network(national)
    own = make_dataset(status="listed", home_portal="cn-33", listed_at=timezone.now(), admission="admitted")
    make_member(own.organization)
    grade = {"grade": "B", "score": "81.00", "assurance": "L2", "documentation_score": 70}
    base = {"admission": "admitted", "reason": "", "target": {"rev": 1, "hash": ""}}
    national.put(own.identifier, document=base | {"decision": "grade", "grade": grade})
    pull(national)
    first = Notification.objects.get()
    national.put(own.identifier, rev=2, document=base | {"decision": "lapse", "admission": "pending", "reason": "有实质变化", "grade": grade})
    pull(national)
    network.close()

    own.refresh_from_db()
    assert "B" in first.text and first.kind == "decision.grade"
    assert (own.admission, own.grade, Notification.objects.count()) == ("pending", "B", 2)


def test_a_takedown_reaches_readers_of_the_same_tier_through_the_owner(settings):
    settings.PORTAL_ID, settings.PORTAL_ROLE = "cn-33", "local"
    Portal.objects.filter(is_self=True).update(is_self=False)
    own = make_dataset(status="listed", home_portal="cn-33", listed_at=timezone.now(), admission="admitted")
    outbox.publish_all()
    Dataset.objects.filter(pk=own.pk).update(admission="taken_down")
    own.refresh_from_db()
    outbox.record([own])
    said = json.loads(bytes(Change.objects.get(identifier=own.identifier, rev=2).doc))
    assert said["admission"] == "taken_down"

    neighbour = FakePortal("cn-32")
    network = Network(neighbour)
    identifier = neighbour.put()
    pull(neighbour)
    assert Dataset.objects.get(identifier=identifier).is_public
    document = json.loads(neighbour.events[0].doc)
    neighbour.put(identifier, rev=2, document=document | {"admission": "taken_down"})
    pull(neighbour)
    assert not Dataset.objects.get(identifier=identifier).is_public
    neighbour.put(identifier, rev=3, document=document)
    pull(neighbour)
    network.close()
    assert Dataset.objects.get(identifier=identifier).is_public


def test_what_an_owner_says_of_a_takedown_does_not_outlast_the_national_restore(home, admitted):
    dataset, reviewer = Dataset.objects.get(), make_user(role="reviewer", username="r2")
    decisions.take_down(dataset, actor=reviewer, reason="核查")
    decisions.restore(dataset, actor=reviewer)
    document = json.loads(home.events[0].doc)
    home.put(admitted, rev=2, document=document | {"admission": "taken_down"})  # the restore has not come down yet

    pull(home)

    assert Dataset.objects.get().is_public
