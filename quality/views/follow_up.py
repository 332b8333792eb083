"""A dataset's evaluation as work: manifest and draws, rounds, label audits, appeals and remedies, with the forms of each role."""

import csv
import re

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.cells import inert
from catalog.exceptions import ListingInvalid
from catalog.models import Dataset, Sample
from catalog.permissions import may_edit, sees_whole
from catalog.views.acting import attempt, number, valid_uid
from quality.indicators.registry import CODES
from quality.models import EvaluationBody, ExpertRound, Indicator, SampleDraw
from quality.panel import acceptance
from quality.permissions import belongings, is_evaluator
from quality.services import appeals, audits, cases, manifests, rounds
from quality.services.evaluation import is_evaluated, latest_run
from quality.services.schemes import active_scheme
from quality.views.reading import codes
from quality.views.supervision import is_public
from quality.views.work import refuse_unknown

SHOWN = 20


def follow_up(request, uid):
    """Open to whoever sees the dataset; POST carries `do`: manifest, draw, hand_in, void_draw, round, audit, appeal, remedy."""
    dataset = get_object_or_404(Dataset.objects.visible_to(request.user).select_related("organization"), uid=uid)
    status = 200
    if request.method == "POST":
        if not request.user.is_authenticated:
            return redirect(f"/accounts/login/?next={request.path}")
        error = attempt(request, lambda: act(request, dataset), _("已记下。"))
        if error is None:
            return redirect(request.path)
        status = error.status
    return render(request, "quality/people/follow_up.html", context_of(request, dataset), status=status)


def context_of(request, dataset) -> dict:
    user = request.user
    own = user.is_authenticated and may_edit(user, dataset) and dataset.organization_id in user.organization_ids("owner", "editor")
    evaluator = is_evaluator(user) and dataset.organization_id not in belongings(user)
    found = [row for row in dataset.quality_cases.select_related("organization").order_by("-id") if cases.is_party(row, user) or is_public(row)]
    known = rounds.expert_indicators(active_scheme().content) if evaluator else []
    samples = [row for row in dataset.samples.filter(state=Sample.State.READY) if audits.columns(row)] if evaluator else []
    whole = sees_whole(user, dataset)
    return {
        "dataset": dataset, "own": own, "evaluator": evaluator, "whole": whole,
        "manifests": [manifest_row(row, own, evaluator) for row in dataset.manifests.prefetch_related("draws")[:SHOWN]] if whole else [],
        "rounds": dataset.expert_rounds.exclude(goal=ExpertRound.Goal.GOLD).select_related("body__organization")[:SHOWN] if whole else [],
        "audits": dataset.label_audits.all()[:SHOWN] if whole else [],
        "cases": found[:SHOWN], "run": latest_run(dataset), "may_evaluate": evaluator and is_evaluated(dataset),
        "appealing": cases.dataset_open_appeal(dataset), "indicators": Indicator.objects.filter(parent__isnull=False),
        "rated": list(Indicator.objects.filter(code__in=known)) if known else [],
        "bodies": [row for row in EvaluationBody.objects.select_related("organization") if row.is_valid] if evaluator else [],
        "plans": [(f"{c}-{n}", percent, c, n) for percent, plans in acceptance.PLANS.items() for c, n in plans],
        "samples": [{"row": row, "columns": audits.columns(row)} for row in samples], "entered": request.POST,
    }  # fmt: skip


def manifest_row(row, own: bool, evaluator: bool) -> dict:
    draws = list(row.draws.all())
    open_ = any(draw.state == SampleDraw.State.OPEN for draw in draws)
    return {"row": row, "draws": [{"row": draw, "distance": manifests.distance(draw)} for draw in draws],
            "may_draw": not open_ and (evaluator or (own and not draws))}  # fmt: skip


def act(request, dataset):
    post, user, files = request.POST, request.user, request.FILES
    if post.get("do") == "manifest":
        return manifests.lock_manifest(dataset, required_file(files), by=user)
    if post.get("do") == "draw":
        row = get_object_or_404(dataset.manifests, uid=valid_uid(post.get("manifest")))
        return manifests.draw_items(row, by=user, size=number(post.get("size")), is_stratified=post.get("stratified") == "on")
    if post.get("do") in ("hand_in", "void_draw"):
        draw = get_object_or_404(SampleDraw, manifest__dataset=dataset, uid=valid_uid(post.get("draw")))
        if post["do"] == "void_draw":
            return manifests.void_draw(draw, by=user, reason=post.get("reason", ""))
        return manifests.hand_in(draw, files.getlist("files"), by=user)
    if post.get("do") == "round":
        body = EvaluationBody.objects.filter(uid=valid_uid(post.get("body"))).first()
        goal = post.get("goal") if post.get("goal") in ("listing", "periodic", "gold") else "listing"
        gold = expected(post.get("gold", "")) if goal == "gold" else None
        return rounds.start_round(dataset, by=user, goal=goal, gold=gold, body=body, scenario=post.get("scenario", ""),
                                  indicators=codes(request, "indicators"),
                                  is_full_data=post.get("full") == "on", wanted=number(post.get("wanted")))  # fmt: skip
    if post.get("do") == "audit":
        uid, _at, column = post.get("column", "").partition("|")
        sample = get_object_or_404(dataset.samples, uid=valid_uid(uid))
        return audits.start_audit(dataset, by=user, sample=sample, column=column, plan=post.get("plan", ""), by_class=post.get("by_class") == "on")
    if post.get("do") == "appeal":
        return appeals.file_appeal(
            dataset, by=user, statement=post.get("statement", ""), indicator=post.get("indicator", ""), attachment=files.get("attachment")
        )
    if post.get("do") == "remedy":
        return appeals.open_remedy(dataset, by=user, statement=post.get("statement", ""), indicator=post.get("indicator", ""))
    return refuse_unknown()


def expected(text: str) -> dict:
    """{indicator: [low, high]} from "0205 40-60，0304 70-85"; ListingInvalid where a part is not like that, or nothing is given."""
    found = {}
    for part in filter(str.strip, re.split(r"[,，;；]", text)):
        match = re.fullmatch(r"\s*(\d{4})\s+(\d{1,3})\s*-\s*(\d{1,3})\s*", part)
        if not match or match[1] not in CODES or not int(match[2]) <= int(match[3]) <= 100:
            refuse_range()
        found[match[1]] = [int(match[2]), int(match[3])]
    return found or refuse_range()


def refuse_range():
    raise ListingInvalid([{"pointer": "/gold", "code": "range", "message": _("预期范围要写成“0205 40-60，0304 70-85”的样子。")}])


def required_file(files):
    if "file" not in files:
        raise ListingInvalid([{"pointer": "/file", "code": "required", "message": _("请选择文件。")}])
    return files["file"]


@require_safe
def draw_list(request, uid, draw):
    """The drawn items as CSV, for whoever hands them in or draws them again."""
    dataset = get_object_or_404(Dataset.objects.visible_to(request.user), uid=uid)
    row = get_object_or_404(SampleDraw.objects.select_related("manifest"), uid=draw, manifest__dataset=dataset)
    if not sees_whole(request.user, dataset):
        raise Http404
    answer = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    writer = csv.writer(answer)
    writer.writerow(["path", "size", "sha256"])
    writer.writerows([inert(item["path"]), item["size"], item["sha256"]] for item in row.items)
    answer["Content-Disposition"] = f'attachment; filename="draw-{row.manifest.number}-{row.number}.csv"'
    return answer
