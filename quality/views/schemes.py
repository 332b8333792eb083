"""Pages of staff: the schemes there are, and one of them, edited while nothing used it, tried and activated."""

import datetime

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from catalog.exceptions import ListingInvalid
from catalog.models import AuditEntry
from catalog.views.acting import attempt
from quality.forms import from_post, sections
from quality.indicators.registry import CODES
from quality.models import EvaluationScheme, Indicator
from quality.services import editing, evaluation, schemes, trying
from quality.services.schemes import to_document
from quality.words import told


def staff_only(view):
    @login_required
    def guarded(request, *args, **kwargs):
        if not request.user.is_portal_admin:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@staff_only
@require_http_methods(["GET", "POST"])
def listing(request):
    if request.method == "POST":
        source = get_object_or_404(EvaluationScheme, version=request.POST.get("from", ""))
        made = []
        error = attempt(request, lambda: made.append(editing.copy(source, version=request.POST.get("version", ""), actor=request.user)))
        if error is None:
            return redirect("quality:scheme", version=made[0].version)
    rows = EvaluationScheme.objects.prefetch_related("profiles")
    return render(request, "quality/schemes.html", {"schemes": rows, "entered": request.POST.get("version", "")}, status=200)


@staff_only
@require_http_methods(["GET", "POST"])
def scheme(request, version):
    row = get_object_or_404(EvaluationScheme.objects.prefetch_related("profiles"), version=version)
    document, errors, status = to_document(row), [], 200
    if request.method == "POST":
        document, error = act(request, row, document)
        if error is None:
            return redirect("quality:scheme", version=row.version)
        errors, status = (error.errors if isinstance(error, ListingInvalid) else []), error.status
    job = trying.latest(row)
    context = {
        "scheme": row,
        "document": document,
        "profiles": profiles(document),
        "sections": sections(document),
        "errors": errors,
        "can_edit": row.state == "draft" and not schemes.is_used(row),
        "job": job,
        "dry": job.result if job and job.state == "done" else None,
        "is_current_trial": bool(job and job.state == "done" and (job.result or {}).get("sha256") == row.sha256),
        "today": timezone.localdate().isoformat(),
        "trail": AuditEntry.objects.filter(action__startswith="scheme.", data__version=row.version).order_by("-id")[:20],
        "catalogue": evaluation.candidates().count(),
    }
    return render(request, "quality/scheme.html", context, status=status)


def act(request, row, document):
    """(document as entered, error): POST carries `do`: save, add, remove, try, schedule, withdraw."""
    do, user = request.POST.get("do", ""), request.user
    if do == "save":
        document = from_post(request.POST, document)
        return document, attempt(request, lambda: editing.save(row, document, actor=user), _("草案已保存。"))
    if do == "add":
        document = with_profile(document, request.POST)
        return document, attempt(request, lambda: editing.save(row, document, actor=user), _("权重方案已添加，先与所选方案相同。"))
    if do.startswith("remove:"):
        document = document | {"profiles": [item for item in document["profiles"] if item["code"] != do[7:]]}
        return document, attempt(request, lambda: editing.save(row, document, actor=user), _("权重方案已删除。"))
    if do == "try":
        return document, attempt(request, lambda: trying.start(row), _("试运行已排队，完成后在这里列出会变的等级。"))
    if do == "withdraw":
        return document, attempt(request, lambda: editing.withdraw(row, actor=user), _("已撤回为草案。"))
    return document, attempt(request, lambda: schedule(row, request.POST, user), _("方案已排定；到期自动启用，并对全部数据集复评。"))


def schedule(row, post, user):
    try:
        day = datetime.date.fromisoformat(post.get("effective_from", ""))
    except ValueError as error:
        raise ListingInvalid([{"pointer": "/effective_from", "code": "invalid", "message": _("生效日期应写成 2026-01-31 的样子。")}]) from error
    editing.schedule(row, effective_from=day, reason=post.get("reason", ""), actor=user)


def with_profile(document: dict, post) -> dict:
    source = next((item for item in document["profiles"] if item["code"] == post.get("like")), document["profiles"][0])
    applies = {
        name: [part for part in post.get(name, "").replace("，", ",").replace(" ", ",").split(",") if part] for name in ("sectors", "model_stages")
    }
    new = {"code": post.get("code", "").strip(), "name": post.get("name", "").strip(), "weights": dict(source["weights"]),
           "applies_to": {name: codes for name, codes in applies.items() if codes}}  # fmt: skip
    return document | {"profiles": [*document["profiles"], new]}


def profiles(document: dict) -> list[dict]:
    """Rows of the table of weights: indicators down, profiles across."""
    names = dict(Indicator.objects.filter(parent__isnull=False).values_list("code", "name"))
    rows = [{"code": code, "name": names.get(code, code),
             "cells": [{"name": f"w.{number}.{code}", "value": profile["weights"].get(code, 0), "label": f"{told(profile['name'])} {code}"}
                       for number, profile in enumerate(document["profiles"])]} for code in CODES]  # fmt: skip
    sums = [sum(value for value in profile["weights"].values() if isinstance(value, int)) for profile in document["profiles"]]
    return {"rows": rows, "sums": sums, "heads": document["profiles"]}
