"""Page 12, supply and demand: the board, the form, one demand with matches and responses, the desk and the review of demands."""

from dataclasses import replace

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.exceptions import DomainError, ListingInvalid
from catalog.forms.demands import DemandForm, initial_from, initial_of
from catalog.labels import term_choices
from catalog.models import Dataset, Demand, Organization
from catalog.search.addresses import address, query_string
from catalog.search.listing import parse_query
from catalog.services import demand_board, demands
from catalog.views.acting import attempt, valid_uid
from catalog.views.review import reviewers_only
from catalog.views.search_parts import query_words

PER_PAGE = 20
FILTERS = ("q", "sector", "modality", "state", "priority", "region", "sort")


@require_safe
def demand_list(request):
    filters = {name: request.GET.get(name, "").replace("\x00", "").strip()[:100] for name in FILTERS}
    page = Paginator(demand_board.board(**filters), PER_PAGE).get_page(request.GET.get("page"))
    sorts = {"newest": _("最新发布"), "priority": _("优先级"), "deadline": _("截止日期")}
    context = {
        "page": page,
        "total": page.paginator.count,
        "filters": filters,
        "kept": {name: value for name, value in filters.items() if value},
        "sectors": term_choices("sector"),
        "modalities": term_choices("modality"),
        "regions": term_choices("region"),
        "states": [("", _("可以响应的")), ("all", _("全部")), *[(state.value, state.label) for state in Demand.PUBLIC]],
        "priorities": Demand.Priority.choices,
        "sorts": sorts.items(),
        "gap": demand_board.supply_gap(),
    }
    return render(request, "catalog/demands/list.html", context)


@login_required
def demand_new(request):
    """GET takes the parameters of a search that found too little; POST `do` is draft or submit."""
    if request.method != "POST":
        return render(request, "catalog/demands/form.html", {"form": DemandForm(request.user, initial=prefilled(request.GET)), "demand": None})
    return _save(request, None)


def prefilled(params) -> dict:
    try:
        query = parse_query(params)
    except DomainError:
        return {}
    query = replace(query, sort="relevance")
    return initial_from(query, query_words(query), query_string(query)) if query.text or query.filters else {}


@login_required
def demand_edit(request, uid):
    demand = get_object_or_404(Demand.objects.filter(author=request.user, state__in=Demand.EDITABLE), uid=uid)
    if request.method != "POST":
        return render(request, "catalog/demands/form.html", {"form": DemandForm(request.user, initial=initial_of(demand)), "demand": demand})
    return _save(request, demand)


def _save(request, demand):
    form = DemandForm(request.user, request.POST)
    if form.is_valid():
        try:
            organization = form.chosen_organization()
            demand = demands.save_demand(form.values(), user=request.user, demand=demand, organization=organization)
            if request.POST.get("do") == "submit":
                demands.submit_demand(demand, user=request.user)
            return redirect(demand)
        except ListingInvalid as error:
            for found in error.errors:
                name = found["pointer"].strip("/")
                form.add_error(name if name in form.fields else None, found["message"])
        except DomainError as error:
            form.add_error(None, str(error))
    return render(request, "catalog/demands/form.html", {"form": form, "demand": demand}, status=422)


def demand_detail(request, uid):
    """One demand. POST carries `do`: what its author, a provider or a reviewer does; each right is the service's to check."""
    demand = get_object_or_404(Demand.objects.visible_to(request.user).select_related("organization", "author"), uid=uid)
    status, entered = 200, ""
    if request.method == "POST":
        if not request.user.is_authenticated:
            return redirect("login")
        error = act(request, demand)
        if error is None:
            return redirect("catalog:desk_demands") if request.POST.get("do") == "discard" else redirect(demand)
        status, entered = error.status, request.POST.get("body", "") or request.POST.get("outcome", "")
        demand = get_object_or_404(Demand.objects.visible_to(request.user).select_related("organization", "author"), uid=uid)
    return render(request, "catalog/demands/detail.html", detail_context(request, demand) | {"entered": entered}, status=status)


def act(request, demand):
    user, post = request.user, request.POST
    reason = post.get("reason", "")
    deeds = {
        "submit": (lambda: demands.submit_demand(demand, user=user), _("已提交，审核通过后公开。")),
        "withdraw": (lambda: demands.withdraw_demand(demand, user=user), _("已撤回为草稿。")),
        "discard": (lambda: demands.discard_demand(demand, user=user), _("草稿已删除。")),
        "met": (lambda: demands.close_demand(demand, user=user, met=True, outcome=post.get("outcome", "")), _("已结束，结果审核后公开。")),
        "close": (lambda: demands.close_demand(demand, user=user, met=False, outcome=post.get("outcome", "")), _("已结束。")),
        "publish": (lambda: demands.review_demand(demand, reviewer=user, publish=True), _("已公开征集。")),
        "return": (lambda: demands.review_demand(demand, reviewer=user, publish=False, reason=reason), _("已退回。")),
        "publish_outcome": (lambda: demands.review_outcome(demand, reviewer=user, publish=True), _("结果已公开。")),
        "refuse_outcome": (lambda: demands.review_outcome(demand, reviewer=user, publish=False), _("结果没有公开。")),
        "respond": (lambda: respond(request, demand), _("响应已送达发布人。")),
        "accept": (lambda: demands.decide_response(one_response(request, demand), user=user, accept=True, reason=reason), _("已接受。")),
        "decline": (lambda: demands.decide_response(one_response(request, demand), user=user, accept=False, reason=reason), _("已谢绝。")),
        "take_back": (lambda: demands.withdraw_response(one_response(request, demand), user=user), _("响应已撤回。")),
    }
    work, success = deeds.get(post.get("do"), (_unknown, ""))
    return attempt(request, work, success)


def _unknown():
    raise DomainError(_("没有这个操作。"))


def respond(request, demand):
    organization = Organization.objects.filter(uid=valid_uid(request.POST.get("organization"))).first()
    if organization is None:
        raise DomainError(_("请选择以哪个机构响应。"))
    dataset = None
    if request.POST.get("dataset"):
        dataset = Dataset.objects.published().filter(uid=valid_uid(request.POST["dataset"]), organization=organization).first()
        if dataset is None:
            raise DomainError(_("只能提供本机构已公开的数据集。"))
    demands.respond(demand, user=request.user, organization=organization, dataset=dataset, body=request.POST.get("body", "")[:5000])


def one_response(request, demand):
    return get_object_or_404(demands.responses_for(demand, request.user), uid=valid_uid(request.POST.get("response")))


def detail_context(request, demand) -> dict:
    user = request.user
    is_author = user.is_authenticated and user.pk == demand.author_id
    is_reviewer = user.is_authenticated and (user.is_reviewer or user.is_portal_admin) and not is_author
    mine = Organization.objects.filter(pk__in=user.organization_ids("owner", "editor")) if user.is_authenticated else Organization.objects.none()
    mine = mine.exclude(pk=demand.organization_id)
    return {
        "demand": demand,
        "matches": demand_board.matches_of(demand) if demand.is_public else [],
        "responses": demands.responses_for(demand, user),
        "response_count": demand.responses.count(),
        "contact": demands.contact_for(demand, user),
        "outcome": demands.outcome_for(demand, user),
        "is_author": is_author,
        "is_reviewer": is_reviewer,
        "may_edit": is_author and demand.state in Demand.EDITABLE,
        "organizations": mine if demand.is_open and not is_author else [],
        "offers": Dataset.objects.published().filter(organization__in=mine).order_by("title")[:200] if demand.is_open and not is_author else [],
        "search_url": search_url(demand),
    }


def search_url(demand) -> str:
    """The search that finds what is near to this demand."""
    try:
        query = parse_query(QueryDict(demand.query))
    except DomainError:
        return ""
    return address(query) if demand.query else ""


@login_required
def desk_demands(request):
    """One's own demands, and those that datasets of one's organisations match."""
    counted = Demand.objects.annotate(match_count=Count("matches", distinct=True), response_count=Count("responses", distinct=True))
    organizations = request.user.organization_ids()
    fitting = Q(matches__dataset__organization__in=organizations) | Q(responses__organization__in=organizations)
    context = {
        "section": "demands",
        "own": counted.filter(author=request.user).order_by("-updated_at")[:100],
        "fitting": counted.filter(pk__in=Demand.objects.public().filter(fitting).exclude(author=request.user).values("pk"))[:100]
        if organizations
        else [],
    }
    return render(request, "catalog/desk/demands.html", context)


@reviewers_only
def review_demands(request):
    """What waits for a reviewer: demands handed in, and outcomes told at their end."""
    waiting = Demand.objects.filter(state=Demand.State.SUBMITTED).select_related("organization", "author").order_by("updated_at")[:200]
    told = (
        Demand.objects.filter(state__in=(Demand.State.MET, Demand.State.CLOSED), outcome_reviewed_at=None).exclude(outcome="").order_by("updated_at")
    )
    return render(request, "catalog/review/demands.html", {"waiting": waiting, "outcomes": told[:200]})
