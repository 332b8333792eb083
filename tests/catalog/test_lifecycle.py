"""The listing lifecycle of PRODUCT.md: what is allowed, everything else refused, and each step on the audit trail."""

import datetime

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from catalog.exceptions import Conflict, DomainError, InvalidTransition, ListingInvalid, NotAllowed
from catalog.models import AuditEntry, Dataset, Membership, Review, Revision, Version
from catalog.services import audit, checks, registration, review
from catalog.services.versions import compare_documents, record_version
from catalog.tasks import end_public_notices
from tests.conftest import append_only
from tests.factories import COMPLETE, make_dataset, make_member, make_organization, make_user

pytestmark = pytest.mark.django_db
STATES = Dataset.Status.values


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def editor(organization):
    return make_member(organization, "editor")


@pytest.fixture
def reviewer():
    return make_user(role="reviewer")


@pytest.fixture
def draft(organization, editor):
    return registration.create_dataset(COMPLETE, organization=organization, user=editor)


@pytest.fixture
def round_(draft, editor):
    return registration.submit_dataset(draft, user=editor)


@pytest.fixture
def listed(round_, reviewer):
    review.approve_review(round_, reviewer=reviewer)
    return Dataset.objects.get(pk=round_.dataset_id)


def fresh(dataset):
    return Dataset.objects.get(pk=dataset.pk)


def actions(dataset):
    return list(AuditEntry.objects.filter(object_id=dataset.identifier).values_list("action", flat=True))


# --- the matrix: every state × every action, generated
def open_round(dataset):
    """The open round such a state would have, or a decided one."""
    state = "open" if dataset.status in ("submitted", "in_review") else "approved"
    return Review.objects.create(dataset=dataset, state=state, due_at=timezone.now())


DEEDS = {
    "edit": lambda d, editor, reviewer: registration.update_dataset(d, {"summary": "新"}, user=editor),
    "submit": lambda d, editor, reviewer: registration.submit_dataset(d, user=editor),
    "withdraw": lambda d, editor, reviewer: registration.withdraw_submission(d, user=editor),
    "discard": lambda d, editor, reviewer: registration.discard_draft(d, user=editor),
    "start": lambda d, editor, reviewer: review.start_review(d.reviews.get(), reviewer=reviewer),
    "approve": lambda d, editor, reviewer: review.approve_review(d.reviews.get(), reviewer=reviewer),
    "return": lambda d, editor, reviewer: review.return_review(d.reviews.get(), reviewer=reviewer, reason="缺材料"),
    "reject": lambda d, editor, reviewer: review.reject_review(d.reviews.get(), reviewer=reviewer, reason="不属于数据集"),
    "object": lambda d, editor, reviewer: review.object_to_notice(d, reviewer=reviewer, reason="异议成立"),
    "list": lambda d, editor, reviewer: review.list_dataset(d, user=reviewer),
    "suspend": lambda d, editor, reviewer: review.suspend_dataset(d, user=editor, reason="核实中"),
    "resume": lambda d, editor, reviewer: review.resume_dataset(d, user=reviewer),
    "delist": lambda d, editor, reviewer: review.delist_dataset(d, user=editor, reason="不再提供"),
}
ALLOWED = {
    "edit": {"draft": "draft", "returned": "returned", "listed": "listed", "suspended": "suspended"},
    "submit": {"draft": "submitted", "returned": "submitted"},
    "withdraw": {"submitted": "draft", "in_review": "draft"},
    "discard": {"draft": None, "returned": None},
    "start": {"submitted": "in_review", "in_review": "in_review"},
    "approve": {"submitted": "listed", "in_review": "listed"},
    "return": {"submitted": "returned", "in_review": "returned"},
    "reject": {"submitted": "rejected", "in_review": "rejected"},
    "object": {"public_notice": "returned"},
    "list": {"submitted": "listed", "in_review": "listed", "public_notice": "listed"},
    "suspend": {"listed": "suspended"},
    "resume": {"suspended": "listed"},
    "delist": {"listed": "delisted", "suspended": "delisted"},
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("state", STATES)
def test_every_transition_is_the_allowed_one_or_refused_without_a_trace(state, deed, organization, editor, reviewer):
    dataset = make_dataset(organization=organization, status=state, title=COMPLETE["title"])
    open_round(dataset)
    entries = AuditEntry.objects.count()

    if state in ALLOWED[deed]:
        DEEDS[deed](dataset, editor, reviewer)
        after = Dataset.objects.filter(pk=dataset.pk).values_list("status", flat=True).first()
        assert after == ALLOWED[deed][state]
        assert AuditEntry.objects.count() > entries
    else:
        with pytest.raises(DomainError), transaction.atomic():
            DEEDS[deed](dataset, editor, reviewer)
        assert fresh(dataset).status == state
        assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("state", STATES)
def test_a_step_that_is_rolled_back_leaves_no_state_and_no_entry(state, deed, organization, editor, reviewer):
    if state not in ALLOWED[deed]:
        return
    dataset = make_dataset(organization=organization, status=state, title=COMPLETE["title"])
    open_round(dataset)
    entries = AuditEntry.objects.count()

    with pytest.raises(RuntimeError), transaction.atomic():
        DEEDS[deed](dataset, editor, reviewer)
        raise RuntimeError("power cut")

    assert fresh(dataset).status == state
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize("deed", ["edit", "submit", "withdraw", "discard", "suspend", "delist"])
def test_strangers_do_nothing_to_a_listing(deed, organization, reviewer):
    state = next(iter(ALLOWED[deed]))
    dataset = make_dataset(organization=organization, status=state, title=COMPLETE["title"])
    open_round(dataset)

    for stranger in (make_user(), make_member(make_organization()), make_member(organization, "viewer")):
        with pytest.raises(NotAllowed), transaction.atomic():
            DEEDS[deed](dataset, stranger, reviewer)

    assert fresh(dataset).status == state


@pytest.mark.parametrize("deed", ["start", "approve", "return", "reject", "resume"])
def test_only_reviewers_decide(deed, organization, editor):
    state = next(iter(ALLOWED[deed]))
    dataset = make_dataset(organization=organization, status=state, title=COMPLETE["title"])
    open_round(dataset)

    with pytest.raises(NotAllowed), transaction.atomic():
        DEEDS[deed](dataset, editor, editor)

    assert fresh(dataset).status == state


@pytest.mark.parametrize("deed", ["suspend", "delist", "resume"])
def test_a_listing_of_another_portal_is_its_owners_alone(deed, organization, editor, reviewer):
    state = next(iter(ALLOWED[deed]))
    dataset = make_dataset(organization=organization, status=state, home_portal="cn-44")

    with pytest.raises(NotAllowed):
        DEEDS[deed](dataset, editor, reviewer)


# --- review
@pytest.mark.parametrize("tie", ["submitter", "creator", "member"])
def test_nobody_approves_a_listing_of_their_own(tie, organization):
    own = make_user(role="reviewer")
    membership = Membership.objects.create(user=own, organization=organization, role="editor")
    other = make_member(organization, "editor")
    own = type(own).objects.get(pk=own.pk)
    creator = own if tie == "creator" else other
    dataset = registration.create_dataset(COMPLETE, organization=organization, user=creator)
    round_ = registration.submit_dataset(dataset, user=own if tie == "submitter" else other)
    if tie != "member":
        membership.delete()

    with pytest.raises(NotAllowed, match="不能审核自己"):
        review.approve_review(round_, reviewer=type(own).objects.get(pk=own.pk))

    assert fresh(dataset).status == "submitted"


def test_important_data_need_two_different_reviewers(organization, editor, reviewer):
    dataset = registration.create_dataset(COMPLETE | {"security_level": "important"}, organization=organization, user=editor)
    round_ = registration.submit_dataset(dataset, user=editor)

    review.approve_review(round_, reviewer=reviewer)
    assert fresh(dataset).status == "submitted"
    with pytest.raises(NotAllowed, match="另一位"):
        review.approve_review(round_, reviewer=reviewer)
    review.approve_review(round_, reviewer=make_user(role="reviewer"))

    assert fresh(dataset).status == "listed"
    assert "review.first_approval" in actions(dataset)


def test_lowering_the_level_needs_two_reviewers_as_well(organization, editor, reviewer):
    dataset = make_dataset(organization=organization, status="listed", security_level="important")
    registration.update_dataset(dataset, {"security_level": "general"}, user=editor)
    round_ = registration.submit_dataset(dataset, user=editor, change_note="降级")

    review.approve_review(round_, reviewer=reviewer)

    assert fresh(dataset).security_level == "important"


def test_core_data_are_refused_and_the_database_agrees(organization, editor):
    dataset = registration.create_dataset(COMPLETE | {"security_level": "core"}, organization=organization, user=editor)

    with pytest.raises(ListingInvalid, match="核心数据"):
        registration.submit_dataset(dataset, user=editor)
    with pytest.raises(DatabaseError), transaction.atomic():
        Dataset.objects.filter(pk=dataset.pk).update(status="listed")


def test_a_returned_listing_comes_back_with_its_conversation(round_, editor, reviewer):
    review.add_comment(round_, author=reviewer, body="请写清权利依据", pointer="/rights_basis")
    review.return_review(round_, reviewer=reviewer, reason="权利依据不清")
    dataset = fresh(round_.dataset)

    registration.update_dataset(dataset, {"rights_basis": "采集合同 2026-3"}, user=editor)
    second = registration.submit_dataset(dataset, user=editor)

    assert (second.round, fresh(dataset).status_reason) == (2, "")
    assert round_.comments.count() == 1


@pytest.mark.parametrize("refuse", [review.return_review, review.reject_review])
def test_a_refusal_gives_its_reason(refuse, round_, reviewer):
    with pytest.raises(ListingInvalid, match="理由"):
        refuse(round_, reviewer=reviewer, reason="  ")

    assert fresh(round_.dataset).status == "submitted"


def test_a_decided_round_is_not_decided_again(round_, reviewer):
    review.approve_review(round_, reviewer=reviewer)

    with pytest.raises(ListingInvalid, match="已经有结论"):
        review.return_review(round_, reviewer=reviewer, reason="反悔")


def test_the_provider_hears_of_every_decision(round_, editor, reviewer):
    review.return_review(round_, reviewer=reviewer, reason="缺材料")

    assert "退回" in editor.notifications.get().text


def test_a_clean_approval_refuses_what_has_findings(round_, reviewer):
    assert round_.checks.filter(severity="warning").exists()

    with pytest.raises(Conflict):
        review.approve_clean(round_, reviewer=reviewer)


# --- public notice
def test_public_notice_lasts_its_days_and_then_lists(settings, round_, reviewer):
    settings.PORTAL_PUBLIC_NOTICE_DAYS = 5
    review.approve_review(round_, reviewer=reviewer)
    dataset = fresh(round_.dataset)
    assert dataset.status == "public_notice"
    assert dataset.notice_until > timezone.now() + datetime.timedelta(days=4)

    assert end_public_notices() == 0
    Dataset.objects.filter(pk=dataset.pk).update(notice_until=timezone.now())
    assert (end_public_notices(), end_public_notices()) == (1, 0)

    dataset = fresh(dataset)
    assert (dataset.status, dataset.current_version.number) == ("listed", 1)


def test_the_schedule_ends_public_notices():
    from config.celery import app

    assert "catalog.tasks.end_public_notices" in {entry["task"] for entry in app.conf.beat_schedule.values()}


def test_an_upheld_objection_returns_the_listing(settings, round_, reviewer):
    settings.PORTAL_PUBLIC_NOTICE_DAYS = 5
    review.approve_review(round_, reviewer=reviewer)

    review.object_to_notice(fresh(round_.dataset), reviewer=reviewer, reason="第三方主张权利")

    dataset = fresh(round_.dataset)
    assert (dataset.status, dataset.status_reason) == ("returned", "第三方主张权利")


# --- versions
class Raw:
    """Stands in for a schema editor, which SQLite refuses inside a transaction."""

    connection = connection

    def execute(self, statement, params=None):
        with connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_listing_has_a_version_with_note_person_and_time(listed, editor):
    version = listed.current_version

    assert (version.number, version.change_note, version.responsible_user) == (1, "首次上架", editor)
    assert version.recorded_at is not None
    assert version.document["title"] == COMPLETE["title"]


def test_the_database_refuses_to_change_a_version(listed):
    append_only.create(None, Raw())

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_version SET change_note = 'x'")


def test_an_unchanged_document_makes_no_second_version(listed, editor):
    record_version(listed, change_note="没有变化", user=editor)

    assert listed.versions.count() == 1


def test_the_old_version_stays_visible_while_the_change_is_reviewed(listed, editor, reviewer):
    revision = registration.update_dataset(listed, {"summary": "新摘要"}, user=editor)
    assert isinstance(revision, Revision)
    round_ = registration.submit_dataset(listed, user=editor, change_note="更新摘要")

    shown = fresh(listed)
    assert (shown.status, shown.summary) == ("listed", COMPLETE["summary"])
    assert shown in Dataset.objects.visible_to(None)
    review.approve_review(round_, reviewer=reviewer)

    changed = fresh(listed)
    assert (changed.summary, changed.current_version.number, changed.current_version.change_note) == ("新摘要", 2, "更新摘要")
    old, new = Version.objects.filter(dataset=listed).order_by("number")
    assert [change["field"] for change in compare_documents(old.document, new.document)] == ["summary"]


def test_a_change_needs_a_note(listed, editor):
    registration.update_dataset(listed, {"summary": "新摘要"}, user=editor)

    with pytest.raises(ListingInvalid, match="更新了什么"):
        registration.submit_dataset(listed, user=editor)


def test_a_change_is_not_edited_while_it_is_reviewed(listed, editor):
    registration.update_dataset(listed, {"summary": "新摘要"}, user=editor)
    registration.submit_dataset(listed, user=editor, change_note="更新摘要")

    with pytest.raises(ListingInvalid, match="还在审核"):
        registration.update_dataset(listed, {"summary": "又改"}, user=editor)


def test_a_rejected_change_ends_and_the_listing_stays(listed, editor, reviewer):
    registration.update_dataset(listed, {"summary": "新摘要"}, user=editor)
    round_ = registration.submit_dataset(listed, user=editor, change_note="更新摘要")

    review.reject_review(round_, reviewer=reviewer, reason="与事实不符")

    assert (fresh(listed).status, fresh(listed).summary) == ("listed", COMPLETE["summary"])
    assert listed.revisions.get().state == "discarded"


def test_an_abandoned_change_leaves_the_listing(listed, editor):
    registration.update_dataset(listed, {"summary": "新摘要"}, user=editor)

    registration.discard_revision(listed, user=editor)

    assert registration.editing_document(fresh(listed))[1] is None
    with pytest.raises(Conflict):
        registration.discard_revision(listed, user=editor)


# --- leaving
def test_delisting_leaves_a_tombstone_and_ends_the_open_change(listed, editor, reviewer):
    registration.update_dataset(listed, {"summary": "新摘要"}, user=editor)
    round_ = registration.submit_dataset(listed, user=editor, change_note="更新摘要")

    review.delist_dataset(listed, user=editor, reason="授权到期")

    gone = fresh(listed)
    assert gone in Dataset.objects.tombstones()
    assert gone not in Dataset.objects.visible_to(None)
    assert (gone.status_reason, gone.identifier) == ("授权到期", listed.identifier)
    round_.refresh_from_db()
    assert round_.state == "withdrawn"
    with pytest.raises(ListingInvalid):
        review.approve_review(round_, reviewer=reviewer)


def test_a_listed_dataset_cannot_be_discarded_after_a_return(listed, editor):
    Dataset.objects.filter(pk=listed.pk).update(status="returned")

    with pytest.raises(InvalidTransition):
        registration.discard_draft(listed, user=editor)


def test_the_whole_way_is_on_the_trail_and_the_chain_holds(round_, editor, reviewer):
    review.start_review(round_, reviewer=reviewer)
    review.approve_review(round_, reviewer=reviewer)
    dataset = fresh(round_.dataset)
    review.suspend_dataset(dataset, user=editor, reason="核实")
    review.resume_dataset(dataset, user=reviewer)
    review.delist_dataset(dataset, user=editor, reason="到期")

    told = actions(dataset)
    for action in ("created", "submitted", "listed", "suspended", "resumed", "delisted"):
        assert f"dataset.{action}" in told
    assert audit.verify()[1] == ""


# --- automatic checks
def codes(dataset, **changes):
    return {(found["code"], found["severity"]) for found in checks.check_listing(dataset, COMPLETE | changes)}


@pytest.mark.parametrize("name", checks.REQUIRED)
def test_a_missing_required_field_is_an_error_at_its_place(draft, name):
    document = {key: value for key, value in COMPLETE.items() if key != name}

    errors = [found for found in checks.check_listing(draft, document) if found["severity"] == "error"]

    assert [found["pointer"] for found in errors] == [f"/{name}"]


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({"description": "联系人身份证号11010519491231002X"}, "personal_information", "error"),
        ({"documentation": {"limitations": {"text": "11010519491231002X"}}}, "personal_information", "error"),
        ({"keywords": ["password=hunter2hunter2"]}, "secret", "error"),
        ({"summary": "-----BEGIN RSA PRIVATE KEY-----"}, "secret", "error"),
        ({"summary": "致电 13812345678"}, "mobile_number", "warning"),
        ({"landing_page": "javascript:alert(1)"}, "link", "error"),
        ({"resources": [{"name": "a", "access_url": "ftp:/x"}]}, "link", "error"),
        ({"resources": [{"name": "a"}]}, "format", "warning"),
        ({"security_level": "core"}, "core_data", "error"),
        ({"has_personal_information": True}, "deidentification", "error"),
        ({"is_synthetic": True}, "synthetic_method", "error"),
        ({"has_holding_right": False}, "rights", "warning"),
        ({}, "rights_evidence", "warning"),
        ({"contact_email": "nobody"}, "email", "error"),
        ({"title": "数据\u200b集"}, "hidden_character", "warning"),
        ({"title": "pаypal"}, "homoglyph", "warning"),
        ({}, "no_files", "warning"),
    ],
)
def test_what_a_reviewer_would_trip_over_is_found(draft, changes, code, severity):
    assert (code, severity) in codes(draft, **changes)


def test_an_order_number_is_no_identity_number(draft):
    assert ("personal_information", "error") not in codes(draft, description="订单 110105194912310021")


def test_a_phone_number_given_as_contact_is_no_finding(draft):
    assert ("mobile_number", "warning") not in codes(draft, contact_phone="13812345678")


def test_the_same_title_of_the_same_provider_blocks_and_a_similar_one_warns(draft, organization):
    make_dataset(organization=organization, status="listed", title=COMPLETE["title"])
    assert ("duplicate_title", "error") in codes(draft)

    assert ("similar_title", "warning") in codes(draft, title=COMPLETE["title"] + "集")


def test_the_same_title_on_another_portal_is_shown_to_the_reviewer(draft, organization):
    make_dataset(status="listed", admission="admitted", title=COMPLETE["title"], home_portal="cn-44")

    assert ("duplicate_title", "warning") in codes(draft)


@pytest.mark.parametrize(("state", "code", "severity"), [("blocked", "blocked_sample", "error"), ("pending", "pending_sample", "warning")])
def test_samples_that_are_not_ready_are_told(draft, state, code, severity):
    draft.samples.create(name="a.csv", state=state, state_reason="第 2 行有身份证号码", sha256="1" * 64)

    assert (code, severity) in codes(draft)


def test_important_data_with_a_sample_are_blocked(draft):
    draft.samples.create(name="a.csv", state="pending", sha256="1" * 64)

    assert ("important_sample", "error") in codes(draft, security_level="important")


def test_a_dead_link_is_shown(draft):
    draft.resources.create(name="数据", access_url="https://example.org/x", link_status=404)

    assert ("dead_link", "warning") in codes(draft)
