"""Review desk: the queue with its deadlines, and one screen with evidence, conversation and decision."""

from datetime import timedelta
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import display
from catalog.exceptions import DomainError, NotAllowed
from catalog.forms.steps import place
from catalog.labels import portal_short
from catalog.listing import to_document
from catalog.models import AuditEntry, Portal, Review, ReviewComment, ReviewVerdict, User
from catalog.permissions import require_review
from catalog.services import review as services
from catalog.views.acting import attempt, number, valid_uid

QUEUE = 60  # rows shown; the rest by filter


def reviewers_only(view):
    @wraps(view)
    @login_required
    def guarded(request, *args, **kwargs):
        if not (request.user.is_reviewer or request.user.is_portal_admin):
            raise PermissionDenied(_("审核台只对审核员开放。"))
        return view(request, *args, **kwargs)

    return guarded


def queue(request) -> dict:
    """Open reviews under the filters of the address, with their counts."""
    open_reviews = Review.objects.filter(state__in=Review.OPEN_STATES)
    now, user = timezone.now(), request.user
    scopes = {
        "all": Q(),
        "mine": Q(assignments__reviewer=user),
        "free": Q(assignments=None),
        "late": Q(due_at__lt=now),
        "second": Q(state=Review.State.AWAITING_SECOND),
    }
    scope = request.GET.get("scope") if request.GET.get("scope") in scopes else "all"
    kind = request.GET.get("kind") if request.GET.get("kind") in Review.Kind.values else ""
    counts = open_reviews.aggregate(
        **{name: Count("pk", filter=rule, distinct=True) if name != "all" else Count("pk", distinct=True) for name, rule in scopes.items()}
    )
    rows = open_reviews.filter(scopes[scope]).filter(**({"kind": kind} if kind else {})).distinct()
    rows = rows.select_related("dataset__organization", "revision").order_by("due_at", "id")[:QUEUE]
    names = {"all": _("全部"), "mine": _("我的"), "free": _("未分派"), "late": _("逾期"), "second": _("待复核")}
    portals = {pk: portal_short(pk, name) for pk, name in Portal.objects.values_list("id", "short_name")}
    return {
        "rows": [due(row, now) | {"review": row, "portal": portals.get(row.dataset.home_portal, row.dataset.home_portal)} for row in rows],
        "scopes": [(name, names[name], counts[name]) for name in scopes],
        "scope": scope,
        "kinds": [("", _("各类")), *Review.Kind.choices],
        "kind": kind,
        "counts": counts,
        "query": request.GET.urlencode(),
        "decided": Review.objects.filter(decided_by=user, decided_at__gte=now - timedelta(days=7)).count(),
    }


def due(row, now) -> dict:
    """How near the deadline is, in words and as a class."""
    left = row.due_at - now
    if left < timedelta(0):
        return {"due": _("逾期 %(days)d 天") % {"days": max(1, -left.days)}, "tone": "late"}
    if timezone.localtime(row.due_at).date() == timezone.localtime(now).date():
        return {"due": timezone.localtime(row.due_at).strftime(_("今天 %H:%M")), "tone": "soon"}
    return {"due": _("剩 %(days)d 天") % {"days": left.days or 1}, "tone": "soon" if left < timedelta(days=2) else ""}


@reviewers_only
def desk(request):
    """The queue with the first item open, so that work begins without a click; POST approves several clean ones."""
    status = 200
    if request.method == "POST":
        status = approve_batch(request)
        if status == 200:
            return redirect(f"{request.path}?{request.GET.urlencode()}")
    waiting = queue(request)
    first = waiting["rows"][0]["review"] if waiting["rows"] else None
    context = {"queue": waiting, "review": None}
    if first and request.GET.get("batch") is None and status == 200:
        context |= review_context(request, Review.objects.get(pk=first.pk))
    return render(request, "catalog/review/desk.html", context | {"batch": request.GET.get("batch") is not None or status != 200}, status=status)


def approve_batch(request) -> int:
    """Approve each ticked review that has no finding at all; the others keep their place and say why."""
    chosen = Review.objects.filter(uid__in=[valid_uid(text) for text in request.POST.getlist("review")], state__in=Review.OPEN_STATES)
    done, refused = 0, 0
    for row in chosen.prefetch_related("checks")[:100]:
        try:
            services.approve_clean(row, reviewer=request.user)
            done += 1
        except DomainError as error:
            refused += 1
            messages.error(request, _("“%(title)s”：%(why)s") % {"title": row.dataset.title, "why": error})
    if done:
        messages.success(request, _("已通过 %(count)d 件。") % {"count": done})
    if not done and not refused:
        messages.error(request, _("请先勾选要通过的登记。"))
    return 200 if done and not refused else 409


@reviewers_only
def review(request, uid):
    """POST carries `do`: start, comment, resolve, assign, verdicts, approve, return, reject."""
    row = get_object_or_404(Review.objects.select_related("dataset__organization", "revision__base", "submitted_by"), uid=uid)
    status = 200
    if request.method == "POST":
        error = act(request, row)
        if error is None:
            return redirect(f"{request.path}?{request.GET.urlencode()}" if request.GET else request.path)
        status = error.status
        row.refresh_from_db()
    return render(request, "catalog/review/desk.html", {"queue": queue(request)} | review_context(request, row), status=status)


def act(request, row):
    user, post = request.user, request.POST
    reason = post.get("reason", "").strip()
    deeds = {
        "start": (lambda: services.start_review(row, reviewer=user), _("已领取。")),
        "assign": (lambda: services.assign_review(row, reviewer=chosen_reviewer(post), by=user), _("已分派。")),
        "comment": (
            lambda: services.add_comment(row, author=user, body=post.get("body", ""), pointer=post.get("pointer", "")[:200]),
            _("意见已记下。"),
        ),
        "resolve": (lambda: services.resolve_comment(row, comment_pk=number(post.get("comment")), user=user), ""),
        "verdicts": (lambda: give_verdicts(row, user, post), _("各部分意见已记下。")),
        "approve": (lambda: (give_verdicts(row, user, post), services.approve_review(row, reviewer=user, reason=reason)), _("已通过。")),
        "return": (lambda: services.return_review(row, reviewer=user, reason=reason), _("已退回，提供方会收到理由。")),
        "reject": (lambda: services.reject_review(row, reviewer=user, reason=reason), _("已驳回。")),
    }
    work, success = deeds.get(post.get("do"), (lambda: refuse_unknown(), ""))
    return attempt(request, work, success)


def refuse_unknown():
    raise NotAllowed(_("没有这种操作。"))


def chosen_reviewer(post):
    person = User.objects.filter(pk=number(post.get("reviewer")), is_active=True).first()
    if person is None:
        raise NotAllowed(_("请选择一位审核员。"))
    return person


def give_verdicts(row, user, post):
    for part in ReviewVerdict.Part.values:
        if (verdict := post.get(f"verdict-{part}")) in ReviewVerdict.Verdict.values:
            note = post.get(f"note-{part}", "").strip() or post.get("reason", "").strip()
            services.give_verdict(row, part=part, verdict=verdict, reviewer=user, note=note)


def review_context(request, row):
    dataset = row.dataset
    document = row.revision.document if row.revision else to_document(dataset)
    before = row.revision.base.document if row.revision and row.revision.base else {}
    previous = dataset.reviews.filter(pk__lt=row.pk)
    changes = display.differences(before, document) if before else []
    why_not = ""
    try:
        require_review(request.user, row)
    except DomainError as error:
        why_not = str(error)
    comments = ReviewComment.objects.filter(review__dataset=dataset).select_related("author", "review")
    verdicts = {found.part: found for found in row.verdicts.filter(reviewer=request.user)}
    checks = list(row.checks.all())
    return {
        "review": row,
        "dataset": dataset,
        "document": document,
        "is_open": row.state in Review.OPEN_STATES,
        "why_not": why_not,
        "differences": changes,
        "unchanged": len(list(display.rows(document))) - len(changes),
        "rows": [found | {"markdown": found["name"] == "description"} for found in display.rows(document)],
        "comments": [{"row": found, "label": display.field_label(found.pointer) if found.pointer else ""} for found in comments],
        "unresolved": sum(found.resolved_at is None for found in comments),
        "checks": [{"row": found, "label": display.field_label(found.pointer), "place": place(found.pointer)} for found in checks],
        "check_counts": {name: sum(found.severity == name for found in checks) for name in ("error", "warning", "info")},
        "verdicts": [(value, label, verdicts.get(value)) for value, label in ReviewVerdict.Part.choices],
        "others": row.verdicts.exclude(reviewer=request.user).select_related("reviewer"),
        "assigned": row.assignments.select_related("reviewer"),
        "reviewers": reviewers_for(row) if request.user.is_portal_admin or request.user.is_reviewer else [],
        "needs_second": (document.get("security_level") or dataset.security_level) == "important" or dataset.security_level == "important",
        "samples": dataset.samples.all(),
        "trail": display.trail(AuditEntry.objects.filter(object_id=dataset.identifier).select_related("actor").order_by("-id")[:30])[:10],
        "previous_rounds": previous.count(),
        "portal_row": Portal.objects.filter(pk=dataset.home_portal).first(),
        "entered": request.POST,
        "pointers": [(found["pointer"], found["label"]) for found in display.rows(document)],
    }


def reviewers_for(row):
    """People who may take it: reviewers that are not of the provider's organisation."""
    people = User.objects.filter(Q(groups__permissions__codename="review_dataset") | Q(is_superuser=True), is_active=True)
    return people.exclude(pk=row.submitted_by_id).exclude(memberships__organization=row.dataset.organization_id).distinct()[:50]
