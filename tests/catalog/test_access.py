from datetime import UTC, datetime

import pytest

from catalog.exceptions import Conflict, InvalidTransition, ListingInvalid, NotAllowed
from catalog.models import AccessRequest, AuditEntry, Dataset
from catalog.services.access import decide_request, request_access, workdays_after
from tests.factories import make_dataset, make_member, make_user

pytestmark = pytest.mark.django_db
PURPOSE = "训练路面病害识别模型并发表评测结果"


def listed(**fields):
    return make_dataset(status=Dataset.Status.LISTED, **fields)


def test_workdays_skip_weekends():
    friday = datetime(2026, 11, 20, 10, tzinfo=UTC)

    assert workdays_after(friday, 5) == datetime(2026, 11, 27, 10, tzinfo=UTC)
    assert workdays_after(friday, 1).weekday() == 0


@pytest.mark.parametrize("fields", [{"openness": "closed"}, {"status": "draft"}, {"home_portal": "cn-33", "admission": "admitted"}])
def test_asking_is_refused_where_it_makes_no_sense(fields):
    dataset = make_dataset(**({"status": "listed"} | fields))

    with pytest.raises(NotAllowed):
        request_access(dataset, user=make_user(), purpose=PURPOSE)


def test_one_waits_for_the_answer_before_asking_again():
    dataset, user = listed(), make_user()
    request = request_access(dataset, user=user, purpose=PURPOSE)

    with pytest.raises(Conflict):
        request_access(dataset, user=user, purpose=PURPOSE)

    decide_request(request, user=make_member(dataset.organization), decision="refused", reason="用途不符")
    assert request_access(dataset, user=user, purpose=PURPOSE).pk != request.pk


def test_a_grant_has_scope_and_expiry_and_tells_the_requester():
    dataset, user = listed(), make_user()
    request = request_access(dataset, user=user, purpose=PURPOSE)

    decided = decide_request(request, user=make_member(dataset.organization), decision="granted", scope="仅训练", days=30)

    assert decided.state == "granted" and decided.scope == "仅训练" and (decided.expires_at - decided.decided_at).days == 30
    assert user.notifications.filter(kind="access.granted").exists()
    assert AuditEntry.objects.filter(action="access.granted", object_id=dataset.identifier).exists()


def test_strangers_viewers_and_the_requester_do_not_decide():
    dataset = listed()
    user = make_user()
    request = request_access(dataset, user=user, purpose=PURPOSE)

    for person in (user, make_user(), make_member(dataset.organization, role="viewer"), make_user(role="reviewer")):
        with pytest.raises(NotAllowed):
            decide_request(request, user=person, decision="granted")


def test_important_data_need_two_people():
    dataset = listed(security_level="important")
    first, second = make_member(dataset.organization), make_member(dataset.organization)
    request = request_access(dataset, user=make_user(), purpose=PURPOSE)

    request = decide_request(request, user=first, decision="granted")
    assert request.state == AccessRequest.State.SECOND_APPROVAL
    with pytest.raises(NotAllowed):
        decide_request(request, user=first, decision="granted")

    assert decide_request(request, user=second, decision="granted").state == "granted"


def test_a_refusal_says_why_and_a_decision_is_made_once():
    dataset = listed()
    owner = make_member(dataset.organization)
    request = request_access(dataset, user=make_user(), purpose=PURPOSE)
    with pytest.raises(ListingInvalid):
        decide_request(request, user=owner, decision="refused")

    decide_request(request, user=owner, decision="granted")

    with pytest.raises(InvalidTransition):
        decide_request(request, user=owner, decision="granted")
    assert decide_request(request, user=owner, decision="revoked", reason="违反约定").state == "revoked"
