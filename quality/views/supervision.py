"""Supervision: the public history and register of bodies, the supervisors' lists, and one page for each case."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from catalog.exceptions import ListingInvalid
from catalog.labels import term_label, terms
from catalog.models import Dataset, Organization, User
from catalog.views.acting import attempt, number, valid_uid
from quality.indicators.registry import CODES
from quality.models import Case, CaseEvent, EvaluationBody, Expert
from quality.permissions import is_evaluator, is_supervisor
from quality.services import appeals, cases, raters, registers, reruns
from quality.views.reading import codes, day, end_of_day, evaluators_only
from quality.views.work import refuse_unknown

PUBLIC = {  # a spot check is made public by its outcome, an appeal by its decision, a rectification from its notice on
    "spot_check": ("clean", "finding", "resolved"),
    "appeal": ("refused", "maintained", "upheld"),
    "rectification": ("notified", "correcting", "rechecking", "passed", "suspended"),
}
PER_PAGE = 30
VERBS = {  # what the button of a step says
    "rerun": gettext_lazy("开始复评"),
    "resolved": gettext_lazy("办结"),
    "accepted": gettext_lazy("受理"),
    "refused": gettext_lazy("不予受理"),
    "withdrawn": gettext_lazy("撤回"),
    "reviewing": gettext_lazy("开始复核"),
    "maintained": gettext_lazy("维持原评"),
    "upheld": gettext_lazy("申诉成立，更正"),
    "correcting": gettext_lazy("开始整改"),
    "rechecking": gettext_lazy("提交复查"),
    "passed": gettext_lazy("复查通过"),
    "suspended": gettext_lazy("暂停资格"),
    "open": gettext_lazy("重新打开"),
    "working": gettext_lazy("开始处理"),
    "done": gettext_lazy("处理完，请确认"),
    "declined": gettext_lazy("说明理由，不处理"),
    "closed": gettext_lazy("确认，关闭"),
}


def is_public(case: Case) -> bool:
    return case.state in PUBLIC.get(case.kind, ())


def titled(user, rows) -> list[dict]:
    """Cases with their dataset where the reader may see it; what has left the catalogue is not named."""
    rows = list(rows)
    seen = set(Dataset.objects.visible_to(user).filter(pk__in=[row.dataset_id for row in rows if row.dataset_id]).values_list("pk", flat=True))
    return [{"case": row, "dataset": row.dataset if row.dataset_id in seen else None} for row in rows]


def history(request):
    """Open to everybody: decided appeals, spot checks, rectifications with their course."""
    kind = request.GET.get("kind") if request.GET.get("kind") in PUBLIC else ""
    wanted = {kind: PUBLIC[kind]} if kind else PUBLIC
    rows = Case.objects.none()
    for name, states in wanted.items():
        rows |= Case.objects.filter(kind=name, state__in=states)
    page = Paginator(rows.select_related("dataset", "organization").order_by("-id"), PER_PAGE).get_page(request.GET.get("page"))
    counts = dict(Case.objects.filter(kind="remedy").values_list("state").annotate(n=Count("pk")).order_by())
    context = {
        "page": page, "rows": titled(request.user, page.object_list), "kind": kind, "page_name": "supervision", "open_to": access(request),
        "kinds": [("", _("全部")), *((name, label) for name, label in Case.Kind.choices if name in PUBLIC)],
        "remedies": sum(counts.values()), "remedies_closed": counts.get("closed", 0),
    }  # fmt: skip
    return render(request, "quality/people/supervision.html", context)


def access(request) -> dict:
    return {"evaluator": is_evaluator(request.user), "supervisor": is_supervisor(request.user)}


@evaluators_only
def case_list(request):
    """All cases of a kind; supervisors draw the spot checks of a quarter here."""
    status = 200
    if request.method == "POST":
        quarter = request.POST.get("quarter", "")
        error = attempt(request, lambda: drawn(request, quarter))
        if error is None:
            return redirect(request.get_full_path())
        status = error.status
    kind = request.GET.get("kind") if request.GET.get("kind") in Case.Kind.values else "spot_check"
    is_open = request.GET.get("ended") is None
    rows = Case.objects.filter(kind=kind).select_related("dataset", "organization", "round")
    rows = rows.exclude(state__in=Case.ENDED).order_by("due_at") if is_open else rows.filter(state__in=Case.ENDED)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    open_counts = dict(Case.objects.exclude(state__in=Case.ENDED).values_list("kind").annotate(n=Count("pk")).order_by())
    today = timezone.localdate()
    context = {
        "page": page, "rows": titled(request.user, page.object_list), "kind": kind, "is_open": is_open, "page_name": "cases",
        "kinds": [(value, label, open_counts.get(value, 0)) for value, label in Case.Kind.choices], "open_to": access(request),
        "quarters": [reruns.previous_quarter(today), reruns.quarter_of(today)],
    }  # fmt: skip
    return render(request, "quality/people/cases.html", context, status=status)


def drawn(request, quarter):
    today = timezone.localdate()
    if quarter not in (reruns.previous_quarter(today), reruns.quarter_of(today)):
        refuse_unknown()
    made = reruns.draw_spot_checks(quarter, by=request.user)
    messages.success(request, _("已抽中 %(count)d 项评测。") % {"count": len(made)} if made else _("这一季度按规则要抽的都已抽中。"))


def opened(request, uid) -> tuple[Case, Dataset | None, bool]:
    """(case, its dataset where the reader may see it, whether the reader is a party); 404 for whom it does not concern."""
    case = get_object_or_404(Case.objects.select_related("dataset__organization", "organization", "round", "parent", "feedback"), uid=uid)
    party = cases.is_party(case, request.user)
    if not (party or is_public(case)):
        raise Http404
    dataset = titled(request.user, [case])[0]["dataset"]
    if case.dataset and dataset is None and (case.dataset.listed_at is None or case.dataset.is_remote):
        raise Http404  # was never on offer here: answers as if there were no such case
    return case, dataset, party


def case(request, uid):
    """One case with its course. POST carries `to` (the next state) or `do`: order."""
    row, dataset, party = opened(request, uid)
    status = 200
    if request.method == "POST":
        if not request.user.is_authenticated:
            return redirect(f"/accounts/login/?next={request.path}")
        error = attempt(request, lambda: step(request, row), _("已记下。"))
        if error is None:
            return redirect(request.path)
        status = error.status
        row.refresh_from_db()
    can_order = row.kind == "spot_check" and row.state == "finding" and is_supervisor(request.user) and not row.children.exists()
    reruns_ = row.rounds.select_related("body__organization") if party else []
    context = {
        "case": row, "dataset": dataset, "party": party, "events": row.events.select_related("actor"),
        "page_name": "cases" if party else "supervision",
        "steps": [(to, VERBS[to]) for to in cases.steps(row, request.user)] if request.user.is_authenticated else [],
        "can_order": can_order, "rounds": reruns_, "children": row.children.all(), "open_to": access(request), "entered": request.POST,
        "flow": flow(row),
    }  # fmt: skip
    return render(request, "quality/people/case.html", context, status=status)


def flow(row: Case) -> list[dict]:
    """The way of such a case, for the strip at the top: states passed, the present one, what may follow."""
    passed = [event.after for event in row.events.all()]
    following = [] if row.is_ended else list(cases.FLOW[row.kind].get(row.state, {}))
    steps = [{"label": Case.State(state).label, "now": place == len(passed) - 1} for place, state in enumerate(passed)]
    return steps + [{"label": Case.State(state).label, "next": True} for state in following]


def step(request, row: Case):
    post, user = request.POST, request.user
    to, reason, attachment = post.get("to", ""), post.get("reason", ""), request.FILES.get("attachment")
    if post.get("do") == "order":
        return reruns.order_rectification(row, by=user, reason=reason, due_at=end_of_day(post.get("due", ""), "/due"), attachment=attachment)
    due_at = end_of_day(post["due"], "/due") if post.get("due") else None
    if (row.kind, to) == ("spot_check", "rerun"):
        return reruns.start_rerun(row, by=user, reason=reason)
    if (row.kind, to) == ("appeal", "reviewing"):
        return appeals.start_review(row, by=user, reason=reason)
    if row.kind == "appeal" and to in ("maintained", "upheld"):
        return appeals.decide(row, by=user, is_upheld=to == "upheld", reason=reason, attachment=attachment)
    if row.kind == "rectification":
        return reruns.advance_rectification(row, to, actor=user, reason=reason, attachment=attachment, due_at=due_at)
    if row.kind == "remedy":
        return appeals.advance_remedy(row, to, actor=user, reason=reason, attachment=attachment)
    return cases.move(row, to, actor=user, reason=reason, attachment=attachment, due_at=due_at)


@require_safe
@login_required
def attachment(request, uid, pk):
    """A file of a step, for the parties only, never shown within the page."""
    row, _dataset, party = opened(request, uid)
    event = get_object_or_404(CaseEvent.objects.exclude(attachment=""), case=row, pk=pk)
    if not party:
        raise Http404
    try:
        content = event.attachment.open("rb")
    except OSError as error:
        raise Http404(_("附件暂时读不到，请稍后再试或告知管理员。")) from error
    answer = FileResponse(content, as_attachment=True, filename=event.attachment_name)
    answer["Content-Type"] = "application/octet-stream"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def bodies(request):
    """The public register of evaluation bodies; supervisors add, renew and suspend entries."""
    status = 200
    if request.method == "POST":
        if not request.user.is_authenticated:
            return redirect(f"/accounts/login/?next={request.path}")
        error = attempt(request, lambda: change_body(request), _("登记已更新。"))
        if error is None:
            return redirect(request.path)
        status = error.status
    rows = EvaluationBody.objects.select_related("organization").annotate(
        expert_count=Count("experts", distinct=True), round_count=Count("rounds", distinct=True)
    )
    organizations = Organization.objects.filter(kind="evaluator", evaluation_body=None)[:200] if is_supervisor(request.user) else []
    context = {"rows": [scope(row) for row in rows], "organizations": organizations, "open_to": access(request), "page_name": "bodies",
               "sectors": list(terms().get("sector", {}).items()), "entered": request.POST, "states": Expert.State.choices}  # fmt: skip
    return render(request, "quality/people/bodies.html", context, status=status)


def scope(row) -> dict:
    return {"row": row, "sectors": [term_label("sector", code) for code in row.sectors], "indicators": row.indicators}


def change_body(request):
    post, user = request.POST, request.user
    if post.get("do") == "state":
        body = get_object_or_404(EvaluationBody, uid=valid_uid(post.get("body")))
        return registers.set_state(body, post.get("state", ""), by=user, reason=post.get("reason", ""))
    organization = get_object_or_404(Organization, pk=number(post.get("organization")))
    return registers.register_body(organization, by=user, valid_from=day(post.get("valid_from"), "/valid_from"), note=post.get("note", "")[:2000],
                                   valid_until=day(post.get("valid_until"), "/valid_until"), sectors=codes(request, "sectors"),
                                   indicators=codes(request, "indicators"), is_accredited=post.get("accredited") == "on")  # fmt: skip


@evaluators_only
def experts(request):
    """The register of experts with what their work shows; supervisors add and renew entries."""
    status = 200
    if request.method == "POST":
        error = attempt(request, lambda: change_expert(request), _("登记已更新。"))
        if error is None:
            return redirect(request.path)
        status = error.status
    context = {
        "rows": [scope(one.expert) | {"standing": one} for one in raters.standings()], "open_to": access(request), "page_name": "experts",
        "bodies": EvaluationBody.objects.select_related("organization"), "sectors": list(terms().get("sector", {}).items()),
        "indicators": CODES, "entered": request.POST, "states": Expert.State.choices,
    }  # fmt: skip
    return render(request, "quality/people/experts.html", context, status=status)


def change_expert(request):
    post, user = request.POST, request.user
    if post.get("do") == "state":
        expert = get_object_or_404(Expert, uid=valid_uid(post.get("expert")))
        return registers.set_state(expert, post.get("state", ""), by=user, reason=post.get("reason", ""))
    person = User.objects.filter(username=post.get("username", "").strip(), is_active=True).first()
    if person is None:
        raise ListingInvalid([{"pointer": "/username", "code": "unknown", "message": _("没有这个用户名。")}])
    body = EvaluationBody.objects.filter(uid=valid_uid(post.get("body"))).first()
    organization = person.organizations.first()
    return registers.register_expert(person, by=user, valid_from=day(post.get("valid_from"), "/valid_from"), body=body, organization=organization,
                                     valid_until=day(post.get("valid_until"), "/valid_until"), sectors=codes(request, "sectors"),
                                     indicators=codes(request, "indicators"), note=post.get("note", "")[:2000])  # fmt: skip
