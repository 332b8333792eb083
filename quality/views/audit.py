"""The audit desk: one label at a time, by mouse, key or thumb."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from catalog.views.acting import attempt, number
from quality.models import AuditItem, LabelAudit
from quality.permissions import is_evaluator
from quality.services import audits
from quality.views.reading import of_visible


@login_required
def audit(request, uid):
    """?n=POSITION opens an item, else the next that nobody has judged. POST carries `verdict`, or `do`: void."""
    row = of_visible(request, LabelAudit.objects.select_related("dataset__organization", "created_by"), uid)
    if not audits.may_judge(row, request.user):
        raise PermissionDenied(_("这次核查不由您来做。"))
    status, position = 200, number(request.POST.get("n") or request.GET.get("n"))
    if request.method == "POST":
        post = request.POST
        if post.get("do") == "void":
            error = attempt(request, lambda: audits.void_audit(row, by=request.user, reason=post.get("reason", "")), _("已作废。"))
        else:
            error = attempt(
                request, lambda: audits.judge(row, position=position, verdict=post.get("verdict", ""), note=post.get("note", ""), by=request.user)
            )
        if error is None:
            return redirect(request.path)
        status = error.status
    row.refresh_from_db()
    waiting = row.items.filter(verdict="")
    item = row.items.filter(position=position).first() or waiting.first() or row.items.first()
    judged = row.size - waiting.count()
    context = {
        "audit": row, "dataset": row.dataset, "item": item, "judged": judged, "found": audits.outcome(row) if judged else None,
        "percent": 100 * judged // row.size if row.size else 0, "verdicts": AuditItem.Verdict.choices, "page_name": "desk",
        "is_open": row.state == LabelAudit.State.OPEN, "is_evaluator": is_evaluator(request.user),
        "previous": item.position - 1 if item else 0, "next": item.position + 1 if item and item.position < row.size else 0,
    }  # fmt: skip
    return render(request, "quality/people/audit.html", context, status=status)
