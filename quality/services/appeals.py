"""Appeals of a provider against its grade, and quality problems returned to it until they are closed."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.exceptions import Conflict, NotAllowed
from catalog.models import Dataset, Feedback, User
from catalog.permissions import may_edit
from quality.indicators.registry import CODES
from quality.models import Case, ExpertRound
from quality.permissions import require_evaluator
from quality.services import cases, reruns, rounds, triggers
from quality.services.evaluation import latest_run


@transaction.atomic
def file_appeal(dataset: Dataset, *, by: User, statement: str, indicator: str = "", attachment=None) -> Case:
    """By the provider's owner or editor, against the latest finished run; one open appeal a dataset."""
    if not (may_edit(by, dataset) and dataset.organization_id in by.organization_ids("owner", "editor")):
        raise NotAllowed(_("只有提供方的编辑或负责人可以申诉。"))
    run = latest_run(dataset)
    if run is None:
        raise Conflict(_("还没有评测结果，不能申诉。"))
    if indicator and indicator not in CODES:
        raise Conflict(_("没有这个指标。"))
    data = {"grade": run.final_grade, "score": str(run.raw_score), "report": run.number}
    try:
        with transaction.atomic():
            return cases.open_case("appeal", organization=dataset.organization, statement=statement, actor=by, attachment=attachment,
                                   dataset=dataset, evaluation=run, indicator=indicator, data=data)  # fmt: skip
    except IntegrityError as error:
        raise Conflict(_("这个数据集已经有一件申诉在办。")) from error


@transaction.atomic
def start_review(case: Case, *, by: User, reason: str) -> ExpertRound | None:
    """Other raters score again; without an expert round to review there is nothing to draw them against, the machine's part is run again."""
    case = cases.move(case, "reviewing", actor=by, reason=reason)
    checked = counting_round(case.dataset)
    if checked is not None:
        Case.objects.filter(pk=case.pk).update(round=checked)
        case.round = checked
    return rounds.start_round(case.dataset, by=by, goal=ExpertRound.Goal.APPEAL, indicators=checked.indicators if checked else (), case=case,
                              without=frozenset(checked.assignments.values_list("expert_id", flat=True)) if checked else frozenset())  # fmt: skip


@transaction.atomic
def decide(case: Case, *, by: User, is_upheld: bool, reason: str, attachment=None) -> Case:
    """Maintained or corrected, published with its reason. Upheld: the review's scores stand for the first ones, and the grade is worked out anew."""
    case = cases.locked(case)
    review = case.rounds.filter(goal=ExpertRound.Goal.APPEAL).first()
    if review is None or review.state != ExpertRound.State.CLOSED:
        raise Conflict(_("复核的专家评分还没有完成。"))
    case = cases.move(case, "upheld" if is_upheld else "maintained", actor=by, reason=reason, attachment=attachment)
    if is_upheld:
        if case.round:
            reruns.replace(case.round, review, why=case.number)
        else:
            ExpertRound.objects.filter(pk=review.pk).update(counts=True)
        triggers.ask(case.dataset, "appeal", at_once=True)
    return case


def counting_round(dataset: Dataset) -> ExpertRound | None:
    return dataset.expert_rounds.filter(state=ExpertRound.State.CLOSED, counts=True).order_by("-closed_at", "-id").first()


@transaction.atomic
def open_remedy(dataset: Dataset, *, by: User | None, statement: str, indicator: str = "", feedback: Feedback | None = None) -> Case:
    """Return a quality problem to the provider, from an evaluator or from a verified complaint (then `by` is its author)."""
    if feedback is None:
        require_evaluator(by, dataset.organization_id)
    if dataset.is_remote:
        raise Conflict(_("这个数据集由来源门户管理，请在那里反映问题。"))
    if indicator and indicator not in CODES:
        raise Conflict(_("没有这个指标。"))
    return cases.open_case("remedy", organization=dataset.organization, statement=statement, actor=by, dataset=dataset, indicator=indicator,
                           evaluation=latest_run(dataset), feedback=feedback)  # fmt: skip


@transaction.atomic
def advance_remedy(case: Case, to: str, *, actor: User, reason: str, attachment=None) -> Case:
    """A step of a remedy; what the provider says it has done answers the complaint, and the end closes it (R42, R61)."""
    case = cases.move(case, to, actor=actor, reason=reason, attachment=attachment)
    if case.feedback_id and to in ("done", "declined"):
        Feedback.objects.filter(pk=case.feedback_id).update(answer=reason, answered_at=timezone.now())
    if case.feedback_id and to == "closed":
        Feedback.objects.filter(pk=case.feedback_id).update(closed_at=timezone.now())
    if to == "closed":
        triggers.ask(case.dataset, "request")
    return case
