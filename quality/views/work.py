"""Where experts and evaluators work: the desk, a scoring form, a round, an adjudication."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from catalog.exceptions import NotAllowed
from catalog.models import Dataset
from catalog.views.acting import attempt
from quality.models import Adjudication, Case, ExpertAssignment, ExpertRound, Indicator, LabelAudit
from quality.panel import aggregation
from quality.permissions import belongings, expert_of, is_evaluator, is_supervisor
from quality.report import report
from quality.services import raters, rounds
from quality.views.reading import evaluators_only, of_visible

SHOWN = 50
State = ExpertAssignment.State


@login_required
def desk(request):
    """What waits for this person: scores to give, labels to judge, rounds to lead, differences to adjudicate."""
    user, expert = request.user, expert_of(request.user)
    if not (expert or is_evaluator(user)):
        raise PermissionDenied(_("评测台只对专家、评测员和监督人员开放。"))
    visible, foreign = Dataset.objects.visible_to(user), belongings(user)
    context = {"expert": expert, "is_evaluator": is_evaluator(user), "is_supervisor": is_supervisor(user), "page_name": "desk"}
    rows = ExpertAssignment.objects.filter(expert=expert, round__dataset__in=visible).select_related("round__dataset__organization") if expert else []
    open_ = Q(state=State.ASSIGNED, round__state="scoring") | Q(state=State.SUBMITTED, round__state="discussion")
    context["assignments"] = rows.filter(open_).order_by("round__due_at")[:SHOWN] if expert else []
    context["done"] = rows.filter(state=State.SUBMITTED).exclude(open_).order_by("-submitted_at")[:10] if expert else []
    audits = LabelAudit.objects.filter(state=LabelAudit.State.OPEN, dataset__in=visible).exclude(dataset__organization__in=foreign)
    context["audits"] = audits.select_related("dataset").annotate(judged=Count("items", filter=~Q(items__verdict="")))[:SHOWN]
    if is_evaluator(user):
        leading = ExpertRound.objects.filter(state__in=ExpertRound.OPEN_STATES, dataset__in=visible).exclude(dataset__organization__in=foreign)
        waiting = Count("assignments", filter=Q(assignments__state=State.ASSIGNED))
        context["rounds"] = leading.select_related("dataset", "body__organization").annotate(waiting=waiting).order_by("due_at")[:SHOWN]
        differing = Adjudication.objects.filter(state=Adjudication.State.OPEN, round__dataset__in=visible)
        context["adjudications"] = differing.exclude(round__dataset__organization__in=foreign).select_related("round__dataset")[:SHOWN]
        context["cases"] = Case.objects.exclude(state__in=Case.ENDED).exclude(kind="remedy").select_related("organization").order_by("due_at")[:10]
    return render(request, "quality/people/desk.html", context)


def evidence(dataset, codes, automatic) -> list[dict]:
    """Each indicator with what the machine found, as the report shows it."""
    found = {row["code"]: row for row in report(dataset).get("indicators", [])}
    names = {row.code: row for row in Indicator.objects.filter(code__in=codes)}
    return [{"code": code, "name": names[code].name, "found": found.get(code), "automatic": automatic.get(code)} for code in codes if code in names]


@login_required
def assignment(request, uid):
    """The scoring form of the expert it was given to; nobody else opens it. POST carries `do`: submit, decline."""
    rows = ExpertAssignment.objects.select_related("expert__user", "round__dataset__organization", "round__body__organization")
    row = of_visible(request, rows, uid, "round__dataset")
    if row.expert.user_id != request.user.pk:
        raise Http404
    status, codes = 200, row.round.indicators
    if request.method == "POST":
        given = {code: (request.POST.get(f"score-{code}", ""), request.POST.get(f"reason-{code}", "")) for code in codes}
        deeds = {
            "submit": (lambda: rounds.submit_scores(row, user=request.user, scores=given), _("评分已提交。")),
            "decline": (lambda: rounds.decline(row, user=request.user, reason=request.POST.get("reason", ""),
                                               has_interest=request.POST.get("interest") == "on"), _("已回避，由其他专家接替。")),
        }  # fmt: skip
        work, success = deeds.get(request.POST.get("do"), (refuse_unknown, ""))
        if (error := attempt(request, work, success)) is None:
            return redirect("quality:desk")
        status = error.status
    row.refresh_from_db()
    blind = rounds.is_blind(row.round)
    scores = {score.indicator: score for score in row.scores.all()}
    items = [
        item | {
            "score": request.POST.get(f"score-{item['code']}", scores[item["code"]].score if item["code"] in scores else ""),
            "reason": request.POST.get(f"reason-{item['code']}", scores[item["code"]].reason if item["code"] in scores else ""),
        }
        for item in evidence(row.round.dataset, codes, row.round.automatic)
    ]  # fmt: skip
    context = {
        "row": row, "round": row.round, "dataset": row.round.dataset, "items": items, "blind": blind, "page_name": "desk",
        "may_score": row.round.is_open and (row.state == State.ASSIGNED or (row.state == State.SUBMITTED and row.round.state == "discussion")),
        "others": [] if blind else side_by_side(row.round, mine=row),
    }  # fmt: skip
    return render(request, "quality/people/assignment.html", context, status=status)


def refuse_unknown():
    raise NotAllowed(_("没有这种操作。"))


def side_by_side(round_, mine=None) -> list[dict]:
    """One row an indicator: every rater's score with its reason, raters by letter, the range and what the machine gave."""
    sheets = list(round_.assignments.filter(state=State.SUBMITTED).prefetch_related("scores").select_related("expert__user"))
    table = [{score.indicator: score for score in sheet.scores.all()} for sheet in sheets]
    names = dict(Indicator.objects.filter(code__in=round_.indicators).values_list("code", "name"))
    rulings = {row.indicator: row for row in round_.adjudications.all()}
    out = []
    for code in round_.indicators:
        given = [
            {"letter": chr(65 + place), "score": scores.get(code), "is_mine": mine is not None and sheets[place].pk == mine.pk}
            for place, scores in enumerate(table)
        ]
        values = [float(cell["score"].score) for cell in given if cell["score"]]
        found = aggregation.aggregate(values) if values else None
        out.append(
            {
                "code": code,
                "name": names.get(code, code),
                "given": given,
                "found": found,
                "automatic": round_.automatic.get(code),
                "ruling": rulings.get(code),
            }
        )
    return out


@evaluators_only
def round_page(request, uid):
    """A round as its leader sees it: who is waited for while blind, every score afterwards. POST carries `do`: add, conclude, void."""
    round_ = of_visible(request, ExpertRound.objects.select_related("dataset__organization", "body__organization", "case"), uid)
    if round_.dataset.organization_id in belongings(request.user):
        raise PermissionDenied(_("这是您所在机构的数据集，评分完成前后都由其他人处理。"))
    status = 200
    if request.method == "POST":
        reason = request.POST.get("reason", "")
        deeds = {
            "add": (lambda: rounds.add_rater(round_, by=request.user), _("已加派一位专家。")),
            "conclude": (lambda: rounds.conclude(round_, by=request.user, reason=reason), _("已结束讨论。")),
            "void": (lambda: rounds.void_round(round_, by=request.user, reason=reason), _("已作废。")),
        }
        work, success = deeds.get(request.POST.get("do"), (refuse_unknown, ""))
        if (error := attempt(request, work, success)) is None:
            return redirect(request.path)
        status = error.status
        round_.refresh_from_db()
    blind = rounds.is_blind(round_)
    context = {
        "round": round_, "dataset": round_.dataset, "blind": blind, "page_name": "desk", "is_supervisor": is_supervisor(request.user),
        "assignments": round_.assignments.select_related("expert__user", "expert__organization", "expert__body__organization"),
        "table": [] if blind else side_by_side(round_), "alpha": None if blind else raters.round_alpha(round_),
        "excluded": rounds.why_not(round_.excluded),
    }  # fmt: skip
    return render(request, "quality/people/round.html", context, status=status)


@evaluators_only
def adjudication(request, uid):
    row = of_visible(request, Adjudication.objects.select_related("round__dataset__organization"), uid, "round__dataset")
    if row.round.dataset.organization_id in belongings(request.user):
        raise PermissionDenied(_("这是您所在机构的数据集，请由其他人裁定。"))
    status = 200
    if request.method == "POST":
        post = request.POST
        error = attempt(request, lambda: rounds.adjudicate(row, by=request.user, choice=post.get("choice", ""), reason=post.get("reason", ""),
                                                           value=post.get("value")), _("已裁定，将重新计算得分。"))  # fmt: skip
        if error is None:
            return redirect(request.path)
        status = error.status
        row.refresh_from_db()
    found = [item for item in side_by_side(row.round) if item["code"] == row.indicator]
    machine = evidence(row.round.dataset, [row.indicator], row.round.automatic) or [None]
    context = {
        "row": row, "round": row.round, "dataset": row.round.dataset, "page_name": "desk", "choices": Adjudication.Choice.choices,
        "item": found[0] if found else None, "machine": machine[0], "entered": request.POST,
    }  # fmt: skip
    return render(request, "quality/people/adjudication.html", context, status=status)
