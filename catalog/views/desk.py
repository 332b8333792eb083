"""Provider desk: what waits for the provider, its datasets, and one dataset with its conversation and actions."""

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import display
from catalog.exceptions import Conflict
from catalog.forms.steps import place
from catalog.listing import to_document
from catalog.models import AccessRequest, AuditEntry, Dataset, Notification, Review, Revision
from catalog.permissions import may_edit
from catalog.services import access, registration, review
from catalog.views.acting import attempt, valid_uid

EXPIRES_SOON = timedelta(days=30)
PER_PAGE = 50


def mine(user):
    """Datasets of the user's own organisations at this portal."""
    return Dataset.objects.own().filter(organization__in=user.organization_ids()).select_related("organization")


def to_do(user) -> list[dict]:
    """What waits for the provider, most urgent first: [{"kind", "text", "dataset", "url"}]."""
    own = mine(user)
    soon = timezone.now().date() + EXPIRES_SOON
    found = [_task("returned", _("退回修改"), row) for row in own.filter(status="returned")[:20]]
    found += [_task("admission", _("国家门户退回"), row) for row in own.filter(admission__in=["returned", "taken_down"])[:20]]
    asked = AccessRequest.objects.filter(dataset__in=own, state__in=["submitted", "second_approval"]).select_related("dataset")
    found += [_task("request", _("使用申请待答复"), row.dataset) for row in asked[:20]]
    found += [_task("stale", _("更新期已到"), row) for row in own.filter(status="listed", update_frequency__in=OVERDUE)[:50] if is_overdue(row, soon)]
    found += [_task("draft", _("草稿未提交"), row) for row in own.filter(status="draft").order_by("-updated_at")[:10]]
    return found


OVERDUE = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "half_yearly": 183, "annual": 366}  # days between promised updates


def is_overdue(dataset, soon) -> bool:
    return dataset.modified is not None and dataset.modified + timedelta(days=OVERDUE[dataset.update_frequency]) < timezone.now().date()


def _task(kind, text, dataset):
    return {"kind": kind, "text": text, "dataset": dataset}


@login_required
def desk(request):
    own = mine(request.user)
    state = request.GET.get("state", "")
    rows = own.filter(status=state) if state in Dataset.Status.values else own
    rows = rows.annotate(has_change=Exists(Revision.objects.filter(dataset=OuterRef("pk"), state__in=["open", "submitted"]))).order_by("-updated_at")
    counts = {row["status"]: row["n"] for row in own.order_by().values("status").annotate(n=Count("pk"))}
    context = {
        "section": "desk",
        "has_organization": bool(request.user.organization_ids()),
        "tasks": to_do(request.user),
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "states": [(value, label, counts[value]) for value, label in Dataset.Status.choices if counts.get(value)],
        "state": state,
        "total": sum(counts.values()),
        "notifications": request.user.notifications.all()[:8],
        "unread": request.user.notifications.filter(read_at=None).count(),
    }
    return render(request, "catalog/desk/desk.html", context)


@login_required
def dataset(request, uid):
    """One own dataset; POST carries `do`: submit, withdraw, delist, suspend, discard, answer, abandon."""
    row = get_object_or_404(mine(request.user) if not request.user.is_portal_admin else Dataset.objects.own(), uid=uid)
    status = 200
    if request.method == "POST":
        error = act(request, row)
        if error is None:
            gone = request.POST.get("do") == "discard"
            return redirect("catalog:desk") if gone else redirect("catalog:desk_dataset", row.uid)
        status = error.status
        row = Dataset.objects.select_related("organization").get(pk=row.pk)
    Notification.objects.filter(user=request.user, read_at=None, url=f"/desk/datasets/{row.uid}/").update(read_at=timezone.now())
    return render(request, "catalog/desk/dataset.html", dataset_context(request, row), status=status)


def act(request, row):
    user, reason = request.user, request.POST.get("reason", "").strip()
    deeds = {
        "submit": (lambda: registration.submit_dataset(row, user=user, change_note=reason), _("已提交审核。")),
        "withdraw": (lambda: registration.withdraw_submission(row, user=user), _("已撤回，可以继续修改。")),
        "delist": (lambda: review.delist_dataset(row, user=user, reason=reason), _("已下架，页面保留标识和原因。")),
        "suspend": (lambda: review.suspend_dataset(row, user=user, reason=reason), _("已暂停。恢复上架由审核员办理。")),
        "discard": (lambda: registration.discard_draft(row, user=user), _("草稿已删除。")),
        "abandon": (lambda: registration.discard_revision(row, user=user), _("变更已放弃，上架的版本不变。")),
        "granted": (lambda: decide(request, row, "granted"), _("已同意，申请人会收到通知。")),
        "refused": (lambda: decide(request, row, "refused"), _("已拒绝，申请人会看到理由。")),
        "answer": (lambda: answer(request, row), _("回复已送达审核员。")),
    }
    work, success = deeds.get(request.POST.get("do"), (lambda: row.require_status("a known action"), ""))
    return attempt(request, work, success)


def decide(request, row, decision):
    """Answer one request for use of this dataset."""
    asked = row.access_requests.filter(uid=valid_uid(request.POST.get("request"))).first()
    if asked is None:
        raise Conflict(_("没有这份申请。"))
    access.decide_request(asked, user=request.user, decision=decision, reason=request.POST.get("reason", ""))


def answer(request, row):
    """A reply in the latest round, on the field that the question hangs on."""
    last = row.reviews.order_by("-id").first()
    if last is None:
        row.require_status("reviewed")
    pointer = request.POST.get("pointer", "")[:200]
    review.add_comment(last, author=request.user, body=request.POST.get("body", ""), pointer=pointer)


def dataset_context(request, row):
    document, revision = registration.editing_document(row)
    rounds = list(row.reviews.select_related("submitted_by", "decided_by").prefetch_related("comments__author", "checks").order_by("-id")[:10])
    for one in rounds:
        one.remarks = [
            {"row": comment, "label": display.field_label(comment.pointer) if comment.pointer else "", "step": place(comment.pointer)}
            for comment in one.comments.all()
        ]
    under_review = any(one.state in Review.OPEN_STATES for one in rounds)
    return {
        "section": "desk",
        "dataset": row,
        "revision": revision,
        "differences": display.differences(to_document(row), document) if revision else [],
        "rounds": rounds,
        "may_edit": may_edit(request.user, row),
        "may_change": registration.is_open_to_edits(row),
        "under_review": under_review,
        "trail": display.trail(AuditEntry.objects.filter(object_id=row.identifier).order_by("-id")[:40])[:20],
        "versions": row.versions.all()[:10],
        "samples": row.samples.all(),
        "requests": row.access_requests.filter(state__in=["submitted", "second_approval"]).select_related("requester", "organization"),
        "entered": request.POST,
    }
