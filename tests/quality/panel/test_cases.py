"""Supervision as a machine: every step that is not allowed is refused, nobody judges their own, each step is an event for good."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from catalog.exceptions import Conflict, InvalidTransition, ListingInvalid, NotAllowed
from catalog.models import AuditEntry, Membership, Notification
from catalog.services import audit
from quality.models import Case, CaseEvent, EvaluationBody, ExpertRound
from quality.services import appeals, cases, reruns, rounds
from quality.services.evaluation import evaluate_dataset
from quality.services.inputs import inputs_of
from quality.services.triggers import open_reasons
from tests.conftest import case_events
from tests.factories import make_member, make_organization, make_user
from tests.quality.panel.people import make_body, make_expert, make_listed, score_all

pytestmark = pytest.mark.django_db
BEFORE = {kind: {*flow, *(to for steps in flow.values() for to in steps)} for kind, flow in cases.FLOW.items()}
ALL = [(kind, before, after) for kind, states in BEFORE.items() for before in states for after in Case.State.values]


def make_case(kind, state=None, **fields):
    dataset = fields.pop("dataset", None) or make_listed()
    organization = dataset.organization if kind in ("appeal", "remedy") else make_organization(kind="evaluator")
    case = cases.open_case(kind, organization=fields.pop("organization", organization), statement="内容", actor=None, dataset=dataset, **fields)
    if state:
        Case.objects.filter(pk=case.pk).update(state=state)
        case.refresh_from_db()
    return case


def test_every_step_outside_the_flow_is_refused():
    table = {kind: make_case(kind) for kind in cases.FLOW}
    actors = [make_user(role="reviewer"), make_user(role="admin"), None]
    wrong = []
    for kind, before, after in ALL:
        if after in cases.FLOW[kind].get(before, {}):
            continue
        Case.objects.filter(pk=table[kind].pk).update(state=before)
        for actor in actors:
            try:
                cases.move(table[kind], after, actor=actor, reason="x")
                wrong.append((kind, before, after))
            except InvalidTransition:
                pass

    assert wrong == []
    assert len(ALL) > 300


@pytest.mark.parametrize(
    ("kind", "state", "to"),
    [(kind, before, after) for kind, flow in cases.FLOW.items() for before, steps in flow.items() for after in steps],
)
def test_each_step_is_only_for_whom_it_is(kind, state, to):
    case = make_case(kind, state)
    Case.objects.filter(pk=case.pk).update(due_at=timezone.now() - timedelta(days=1))
    case.refresh_from_db()
    who = cases.FLOW[kind][state][to]
    own_reviewer = make_member(case.organization, "viewer")
    own_reviewer.groups.add(make_user(role="reviewer").groups.first())
    concerned, evaluator = make_member(case.organization, "editor"), make_user(role="evaluator")
    people = {"supervisor": make_user(role="reviewer"), "concerned": concerned, "reporter": evaluator}

    for role, person in people.items():
        allowed = role in who or (role == "supervisor" and "reporter" in who)
        assert (to in cases.steps(case, person)) == allowed, role
    for stranger in (make_user(), make_member(case.organization, "viewer"), own_reviewer, *([None] if "system" not in who else [])):
        with pytest.raises(NotAllowed):
            cases.move(case, to, actor=stranger, reason="x")
    case.refresh_from_db()
    assert case.state == state


def test_a_supervisor_of_the_datasets_provider_stays_out_of_a_case_against_a_body():
    case = make_case("spot_check")
    reviewer = make_user(role="reviewer")
    Membership.objects.create(user=reviewer, organization=case.dataset.organization, role="viewer")

    with pytest.raises(NotAllowed):
        cases.move(case, "rerun", actor=reviewer, reason="x")


def test_each_step_has_its_event_audit_entry_and_notice():
    case = make_case("appeal")
    provider = make_member(case.organization)
    reviewer = make_user(role="reviewer")
    proof = SimpleUploadedFile("证明.pdf", b"%PDF-1.4 proof")
    cases.move(case, "accepted", actor=reviewer, reason="材料齐全", attachment=proof)

    first, second = case.events.all()

    assert [(row.before, row.after, row.actor) for row in (first, second)] == [("", "filed", None), ("filed", "accepted", reviewer)]
    assert second.attachment_name == "证明.pdf" and second.attachment.read() == b"%PDF-1.4 proof"
    entry = AuditEntry.objects.get(pk=second.audit_id)
    assert (entry.action, entry.data["reason"], entry.data["attachment"]) == ("quality.appeal.accepted", "材料齐全", second.attachment_sha256)
    assert audit.verify()[1] == ""
    assert Notification.objects.filter(user=provider, kind="quality.appeal", url=f"/quality/cases/{case.uid}/").exists()
    assert not Notification.objects.filter(user=reviewer).filter(text__contains="已受理").exists()


@pytest.mark.parametrize("upload", [("x.html", b"<html><script>"), ("x.exe", b"MZ\x90"), ("x.pdf", b"text")])
def test_a_hostile_attachment_is_refused_and_nothing_happens(upload):
    case = make_case("appeal")

    with pytest.raises(ListingInvalid):
        cases.move(case, "accepted", actor=make_user(role="reviewer"), reason="x", attachment=SimpleUploadedFile(*upload))

    case.refresh_from_db()
    assert case.state == "filed" and case.events.count() == 1


def test_a_step_without_a_reason_is_refused():
    with pytest.raises(ListingInvalid):
        cases.move(make_case("appeal"), "accepted", actor=make_user(role="reviewer"), reason=" \n")


@pytest.mark.sqlite
def test_events_can_be_neither_changed_nor_deleted():
    case = make_case("appeal")
    with connection.cursor() as cursor:
        for statement in case_events.SQLITE:
            cursor.execute(statement)
    for work in (lambda rows: rows.update(reason="x"), lambda rows: rows._raw_delete("default")):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            work(CaseEvent.objects.filter(case=case))


def test_a_missed_deadline_is_told_once_and_again_after_the_next():
    case = make_case("rectification")
    member = make_member(case.organization)
    Case.objects.filter(pk=case.pk).update(due_at=timezone.now() - timedelta(minutes=1))

    assert (cases.warn_overdue(), cases.warn_overdue()) == (1, 0)
    assert Notification.objects.filter(user=member, kind="quality.overdue").count() == 1

    cases.move(case, "correcting", actor=member, reason="收到")
    Case.objects.filter(pk=case.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    assert cases.warn_overdue() == 1


def test_a_body_is_suspended_only_after_its_limit():
    reviewer = make_user(role="reviewer")
    case = make_case("rectification", "correcting")

    with pytest.raises(InvalidTransition, match="期限还没有到"):
        cases.move(case, "suspended", actor=reviewer, reason="x")


# --- appeals -----------------------------------------------------------------------------------


@pytest.fixture
def graded():
    for _place in range(6):
        make_expert()
    dataset = make_listed()
    evaluate_dataset(dataset)
    round_ = rounds.start_round(dataset, by=make_user(role="evaluator"), indicators=["0205", "0206", "0304"], seed=3)
    score_all(round_, [40, 45, 50])
    return dataset


def test_only_the_provider_appeals_and_once_at_a_time(graded):
    provider = make_member(graded.organization, "editor")
    for stranger in (make_user(), make_member(graded.organization, "viewer"), make_user(role="admin")):
        with pytest.raises(NotAllowed):
            appeals.file_appeal(graded, by=stranger, statement="不服")

    case = appeals.file_appeal(graded, by=provider, statement="0205 的合同已经补齐。", indicator="0205")

    assert case.data["grade"] == graded.evaluations.first().final_grade
    with pytest.raises(Conflict):
        appeals.file_appeal(graded, by=provider, statement="再诉")
    with pytest.raises(Conflict):
        appeals.file_appeal(make_listed(organization=graded.organization), by=provider, statement="还没有评测")


def test_an_appeal_is_reviewed_by_other_raters_and_upheld_their_scores_stand(graded):
    first = graded.expert_rounds.get()
    reviewer = make_user(role="reviewer")
    case = appeals.file_appeal(graded, by=make_member(graded.organization), statement="合同已经补齐。")
    cases.move(case, "accepted", actor=reviewer, reason="受理")
    review = appeals.start_review(case, by=reviewer, reason="由其他专家复核")
    with pytest.raises(Conflict, match="还没有完成"):
        appeals.decide(case, by=reviewer, is_upheld=True, reason="x")

    before, after = ({row.expert_id for row in each.assignments.all()} for each in (first, review))
    assert before.isdisjoint(after)
    score_all(review, [78, 80, 82])
    assert {row.value for row in inputs_of([graded])[graded.pk].opinions} == {45.0}  # nothing changes before the decision

    appeals.decide(case, by=reviewer, is_upheld=True, reason="证据成立，更正。")

    case.refresh_from_db()
    assert (case.state, case.result) == ("upheld", "证据成立，更正。")
    assert {row.value for row in inputs_of([graded])[graded.pk].opinions} == {80.0}
    assert "appeal" in open_reasons(graded)


def test_maintained_leaves_the_first_scores(graded):
    reviewer = make_user(role="reviewer")
    case = appeals.file_appeal(graded, by=make_member(graded.organization), statement="不服")
    cases.move(case, "accepted", actor=reviewer, reason="受理")
    score_all(appeals.start_review(case, by=reviewer, reason="复核"), [45, 50, 50])
    appeals.decide(case, by=reviewer, is_upheld=False, reason="复核结果相近，维持。")

    assert {row.value for row in inputs_of([graded])[graded.pk].opinions} == {45.0}


# --- spot checks -------------------------------------------------------------------------------


@pytest.fixture
def checked():
    """A body whose round scored 90 what others score 70, and the experts of another body."""
    body, other = make_body(), make_body()
    for _place in range(4):
        make_expert(body), make_expert(other)
    dataset = make_listed()
    evaluate_dataset(dataset)
    round_ = rounds.start_round(dataset, by=make_user(role="evaluator"), body=body, indicators=["0205", "0206", "0304"], seed=3)
    score_all(round_, [88, 90, 90])
    ExpertRound.objects.filter(pk=round_.pk).update(closed_at=reruns.bounds(reruns.previous_quarter())[0] + timedelta(days=3))
    round_.refresh_from_db()
    return round_


def test_the_quarter_is_drawn_once_by_the_rule(checked):
    quarter = reruns.previous_quarter()

    made = reruns.draw_spot_checks(quarter, seed=5)

    assert [case.round for case in made] == [checked] and made[0].organization == checked.body.organization
    assert made[0].data["seed"] == 5
    assert reruns.draw_spot_checks(quarter) == []
    assert AuditEntry.objects.get(action="quality.spot_checks.drawn").data["cases"] == [str(made[0].uid)]


def test_quarters():
    day = timezone.localdate().replace(year=2026, month=1, day=5)
    assert (reruns.quarter_of(day), reruns.previous_quarter(day)) == ("2026Q1", "2025Q4")
    start, end = reruns.bounds("2026Q4")
    assert (timezone.localtime(start).date().isoformat(), timezone.localtime(end).date().isoformat()) == ("2026-10-01", "2027-01-01")


def test_a_deviation_becomes_a_finding_and_ends_in_a_suspended_body(checked):
    reviewer = make_user(role="reviewer")
    case = reruns.draw_spot_checks(reruns.previous_quarter())[0]
    rerun = reruns.start_rerun(case, by=reviewer)
    assert not any(row.expert.body_id == checked.body_id for row in rerun.assignments.select_related("expert"))
    score_all(rerun, [68, 70, 72])

    case.refresh_from_db()
    assert (case.state, case.data["points"], case.data["grade_before"], case.data["grade_after"]) == ("finding", "20.00", "A", "C")
    assert {row.value for row in inputs_of([checked.dataset])[checked.dataset_id].opinions} == {70.0}

    with pytest.raises(Conflict):
        reruns.order_rectification(case, by=reviewer, reason="限期整改", due_at=timezone.now() - timedelta(days=1))
    notice = reruns.order_rectification(case, by=reviewer, reason="限期整改", due_at=timezone.now() + timedelta(days=10))
    member = make_member(checked.body.organization)
    notice = reruns.advance_rectification(notice, "correcting", actor=member, reason="已收到")
    assert (notice.due_at - timezone.now()).days in (9, 10)
    notice = reruns.advance_rectification(notice, "rechecking", actor=member, reason="已重新培训评测员")
    reruns.advance_rectification(notice, "suspended", actor=reviewer, reason="复查仍有偏差")

    case.refresh_from_db()
    assert case.state == "resolved"
    assert EvaluationBody.objects.get(pk=checked.body_id).state == "suspended"


def test_a_close_rerun_is_clean_and_changes_nothing(checked):
    case = reruns.draw_spot_checks(reruns.previous_quarter())[0]
    score_all(reruns.start_rerun(case, by=make_user(role="reviewer")), [90, 91, 92])

    case.refresh_from_db()
    assert case.state == "clean"
    assert {row.value for row in inputs_of([checked.dataset])[checked.dataset_id].opinions} == {90.0}


def test_the_checked_body_does_not_draw_its_own_rerun(checked):
    case = reruns.draw_spot_checks(reruns.previous_quarter())[0]
    own = make_user(role="reviewer")
    Membership.objects.create(user=own, organization=checked.body.organization, role="viewer")

    with pytest.raises(NotAllowed):
        reruns.start_rerun(case, by=own)
