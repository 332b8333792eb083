"""Bulk registration: one file, a dry run first, errors line by line, all or nothing."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from catalog.exceptions import DomainError
from catalog.services.from_files import SHOWN, register_file
from catalog.views.acting import attempt, valid_uid
from catalog.views.register import fail, writable_organizations


@login_required
def bulk(request):
    """`do`: check (dry run), register, or errors (the dry run's findings as a CSV file)."""
    organizations = writable_organizations(request.user)
    outcome, status = None, 200
    if request.method == "POST":
        kept = []
        error = attempt(request, lambda: kept.append(run(request, organizations)))
        outcome = kept[0] if kept else None
        if outcome is not None and request.POST.get("do") == "errors":
            return as_file(outcome)
        if outcome is not None and outcome.is_done:
            done = _("已登记：新建 %(created)d 条草稿，更新 %(updated)d 条，%(same)d 条没有变化。")
            messages.success(request, done % {"created": outcome.created, "updated": outcome.updated, "same": outcome.unchanged})
            return redirect("catalog:desk")
        status = error.status if isinstance(error, DomainError) else 422 if outcome.errors else 200
    context = {
        "organizations": organizations,
        "outcome": outcome,
        "shown": outcome.errors[:SHOWN] if outcome else [],
        "entered": request.POST,
    }
    return render(request, "catalog/register/bulk.html", context, status=status)


def run(request, organizations):
    organization = organizations.filter(uid=valid_uid(request.POST.get("organization"))).first()
    if organization is None:
        fail("/organization", _("请选择一个您可以代表的机构。"))
    upload = request.FILES.get("file")
    if upload is None:
        fail("/file", _("请选择一个文件。浏览器不会替您记住文件，试运行之后要再选一次。"))
    return register_file(upload, organization=organization, user=request.user, dry_run=request.POST.get("do") != "register")


def as_file(outcome):
    response = HttpResponse(outcome.as_csv(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="errors.csv"'
    return response
