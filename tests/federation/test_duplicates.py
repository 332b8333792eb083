"""One dataset listed by two portals: found by file, identifier, or title with provider; decided by a person, never silently."""

import pytest
from django.utils import timezone

from catalog.exceptions import InvalidTransition, ListingInvalid, NotAllowed
from catalog.models import AuditEntry, Dataset, Organization, Resource
from federation.models import Conflict, Decision, DuplicateKey
from federation.services import duplicates
from tests.factories import make_dataset, make_organization, make_user

pytestmark = pytest.mark.django_db


def listed(portal, title="示例：路面病害图像", *, provider="示例交通科技", sha256="", url="", **values):
    organization = Organization.objects.filter(name=provider, home_portal=portal).first() or make_organization(name=provider, home_portal=portal)
    dataset = make_dataset(
        status="listed", home_portal=portal, admission="admitted", listed_at=timezone.now(), title=title, organization=organization, **values
    )
    if sha256 or url:
        Resource.objects.create(dataset=dataset, name="a.csv", kind="file", sha256=sha256, download_url=url)
    return dataset


def found():
    duplicates.scan()
    return {(row.first, row.second): row.kinds for row in Conflict.objects.all()}


def pair(one, two):
    return min(one.identifier, two.identifier), max(one.identifier, two.identifier)


def test_the_same_file_address_doi_or_title_shows_and_within_one_portal_nothing_does():
    by_file = listed("cn-33", "甲数据集合", sha256="a" * 64), listed("cn-32", "乙数据集合", provider="别家", sha256="A" * 64)
    by_doi = listed("cn-33", "丙数据集合", citation="见 10.1234/abc.5。"), listed("cn-32", "丁数据集合", landing_page="https://doi.org/10.1234/ABC.5")
    by_title = listed("cn-33", "路面病害 图像（一）"), listed("ind-traffic", "路面病害圖像(一)")
    listed("cn-33", "路面病害图像（二）")
    listed("cn-33", "路面病害图像（二）")
    listed("cn-32", "路面病害图像（三）", provider="另一家", url="https://a.example/")
    listed("cn-33", "路面病害图像（四）", provider="第四家", url="https://a.example")

    assert found() == {pair(*by_file): ["file"], pair(*by_doi): ["identifier"], pair(*by_title): ["title"]}
    assert AuditEntry.objects.filter(action="federation.conflict_found").count() == 3


def test_a_walk_takes_up_what_changed_and_asks_nobody_twice():
    one, two = listed("cn-33", "甲数据集合"), listed("cn-32", "乙数据集合")
    assert found() == {}
    Dataset.objects.filter(pk=two.pk).update(title="甲数据集合", updated_at=timezone.now())
    assert found() == {pair(one, two): ["title"]}
    row = Conflict.objects.get()
    duplicates.decide(row, "dismiss", actor=make_user(role="reviewer"))
    Dataset.objects.update(updated_at=timezone.now())

    assert duplicates.scan() == 0 and Conflict.objects.get().state == "dismissed"
    assert DuplicateKey.objects.filter(identifier=one.identifier).count() == 1


def test_a_mark_that_a_crowd_bears_says_nothing():
    for number in range(duplicates.CROWD + 1):
        listed(f"cn-{number + 10}", f"第{number}个数据集合", provider=f"第{number}家", sha256="b" * 64)

    assert found() == {}


@pytest.fixture
def conflict():
    one, two = listed("cn-33", sha256="c" * 64), listed("cn-32", sha256="c" * 64)
    duplicates.scan()
    return Conflict.objects.get(), one, two


def test_a_link_names_both_and_can_be_opened_again(conflict):
    row, one, two = conflict
    reviewer = make_user(role="reviewer")

    duplicates.decide(row, "link", actor=reviewer, note="同一份")

    assert duplicates.linked(one.identifier) == [two.identifier] and duplicates.linked(two.identifier) == [one.identifier]
    with pytest.raises(InvalidTransition):
        duplicates.decide(row, "link", actor=reviewer)
    duplicates.decide(row, "reopen", actor=reviewer)
    assert duplicates.linked(one.identifier) == []


def test_a_merge_keeps_one_and_sends_the_other_back_with_the_reason(conflict):
    row, one, two = conflict
    reviewer = make_user(role="reviewer")
    with pytest.raises(ListingInvalid):
        duplicates.decide(row, "merge", actor=reviewer, keep="urn:dataset:cn:x")

    duplicates.decide(row, "merge", actor=reviewer, keep=one.identifier, note="内容一致")

    one.refresh_from_db()
    two.refresh_from_db()
    decision = Decision.objects.get(identifier=two.identifier)
    assert (one.admission, two.admission) == ("admitted", "returned")
    assert one.identifier in decision.reason and "内容一致" in decision.reason
    assert AuditEntry.objects.filter(action="federation.conflict_merge").exists()


def test_only_national_reviewers_decide_and_only_what_there_is(conflict, settings):
    row = conflict[0]
    with pytest.raises(NotAllowed):
        duplicates.decide(row, "dismiss", actor=make_user())
    with pytest.raises(ListingInvalid):
        duplicates.decide(row, "forget", actor=make_user(role="reviewer"))
    settings.PORTAL_ROLE = "local"
    with pytest.raises(NotAllowed):
        duplicates.decide(row, "dismiss", actor=make_user(role="admin", username="a2"))
    assert Conflict.objects.get().state == "open"
