"""Users' ratings and complaints: verified recipients only, ten at least, and what three complaints or one security report set off."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import DownloadEvent, Feedback, Notification, Sample
from catalog.services.usage import give_feedback
from quality.models import Case
from quality.services import appeals
from quality.services.inputs import inputs_of
from quality.services.triggers import open_reasons
from tests.factories import make_member, make_organization, make_user
from tests.quality.panel.people import make_listed

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset():
    dataset = make_listed()
    Sample.objects.create(dataset=dataset, name="a.csv", sha256="a" * 64, state="ready")
    return dataset


def recipient(dataset, organization=None):
    person = make_member(organization or make_organization(), "viewer")
    DownloadEvent.objects.create(sample=dataset.samples.first(), user=person, consumer="x")
    return person


def rate(dataset, person, stars, hours=0):
    row = give_feedback(dataset, user=person, kind="rating", body="", rating=stars)
    Feedback.objects.filter(pk=row.pk).update(created_at=timezone.now() + timedelta(hours=hours))


def user_opinions(dataset):
    return [row for row in inputs_of([dataset])[dataset.pk].opinions if row.source == "user"]


def test_ten_verified_recipients_are_heard_and_nine_are_not(dataset):
    for place in range(9):
        rate(dataset, recipient(dataset), 5, hours=2 * place)
    rate(dataset, make_user(), 1, hours=40)  # never held the data
    assert user_opinions(dataset) == []

    rate(dataset, recipient(dataset), 5, hours=60)
    found = user_opinions(dataset)

    assert asked(dataset, "opinions")
    assert {row.n for row in found} == {10} and {row.indicator for row in found} >= {"0101", "0304"}
    assert found[0].value == pytest.approx(25 * ((50 + 10 * (51 / 11)) / 20 - 1), abs=0.01)  # pseudo-votes at the sector's mean


def test_colleagues_within_an_hour_count_once(dataset):
    together = make_organization()
    for place in range(12):
        rate(dataset, recipient(dataset, together), 5, hours=place / 60)

    assert user_opinions(dataset) == []


def complain(dataset, person, **fields):
    return give_feedback(dataset, user=person, kind="problem", body="第三列缺失一半。", **fields)


def asked(dataset, reason):
    return reason in open_reasons(dataset)


def test_three_verified_complaints_set_off_a_run(dataset):
    complain(dataset, make_user())
    person = recipient(dataset)
    complain(dataset, person), complain(dataset, person), complain(dataset, recipient(dataset))
    assert not asked(dataset, "complaints") and Case.objects.filter(kind="remedy").count() == 3

    complain(dataset, recipient(dataset))
    assert asked(dataset, "complaints")


def test_one_security_report_sets_off_a_run_and_stays_unpublished(dataset):
    reviewer = make_user(role="reviewer")
    row = complain(dataset, make_user(), is_security=True)

    assert asked(dataset, "security") and not row.is_public
    assert Notification.objects.filter(user=reviewer, kind="quality.security").exists()


def test_a_remedy_is_tracked_to_its_end(dataset):
    person, provider = recipient(dataset), make_member(dataset.organization)
    feedback = complain(dataset, person)
    case = feedback.remedy
    case = appeals.advance_remedy(case, "working", actor=provider, reason="已排查")
    case = appeals.advance_remedy(case, "done", actor=provider, reason="第 2 版已补齐。")
    case = appeals.advance_remedy(case, "closed", actor=person, reason="确认")
    feedback.refresh_from_db()

    assert case.is_ended and feedback.answer == "第 2 版已补齐。" and feedback.closed_at
    assert [row.after for row in case.events.all()] == ["open", "working", "done", "closed"]
