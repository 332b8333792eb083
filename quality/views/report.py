"""The report of a dataset as page, JSON, DQV, CSV and PDF, and the comparison of two of its runs."""

import orjson
from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from catalog.models import Dataset
from catalog.permissions import may_edit, sees_whole
from quality import exports, pdf
from quality.models import Evaluation
from quality.report import report, summary
from quality.templatetags.quality_tags import context


def visible(request, uid):
    rows = Dataset.objects.visible_to(request.user).select_related("organization", "current_version").prefetch_related("samples")
    return get_object_or_404(rows, uid=uid)


def dataset_quality(request, uid):
    dataset = visible(request, uid)
    shown = context(dataset, whole=sees_whole(request.user, dataset)) | {"can_edit": may_edit(request.user, dataset), "no_pdf": pdf.lacking()}
    return render(request, "quality/report.html", shown)


def dataset_quality_json(request, uid):
    dataset = visible(request, uid)
    value = report(dataset) if sees_whole(request.user, dataset) else summary(dataset)
    return HttpResponse(orjson.dumps(value, option=orjson.OPT_INDENT_2), content_type="application/json")


def whole_report(request, uid) -> tuple[Dataset, dict]:
    """What formats besides JSON need: 404 where there is no run, or this reader may not see it whole."""
    dataset = visible(request, uid)
    value = report(dataset) if sees_whole(request.user, dataset) else {"state": "withheld"}
    if value["state"] != "done":
        raise Http404(_("这个数据集没有可以下载的质量报告。"))
    return dataset, value


def dataset_quality_dqv(request, uid, format):
    dataset, value = whole_report(request, uid)
    body = exports.dqv(value, base_url=settings.PORTAL_BASE_URL, format=format)
    return HttpResponse(body, content_type=f"{exports.DQV_FORMATS[format]}; charset=utf-8")


def dataset_quality_csv(request, uid):
    _dataset, value = whole_report(request, uid)
    return attachment(exports.checks_csv(value), "text/csv; charset=utf-8", f"{value['number']}.csv")


def dataset_quality_pdf(request, uid):
    dataset, value = whole_report(request, uid)
    try:
        body = pdf.render(context(dataset), key=f"{value['sha256']}:{value['number']}:{dataset.serial}:{value['standing']}")
    except pdf.Unavailable as error:
        return HttpResponse(str(error), status=503, content_type="text/plain; charset=utf-8")
    return attachment(body, "application/pdf", f"{value['number']}.pdf")


def attachment(body: bytes, kind: str, name: str) -> HttpResponse:
    return HttpResponse(body, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def compare(request, uid):
    """Two finished runs of one dataset side by side; without a choice the first and the latest."""
    dataset = visible(request, uid)
    if not sees_whole(request.user, dataset):
        raise Http404
    runs = list(dataset.evaluations.filter(state=Evaluation.State.DONE).select_related("scheme", "profile", "version")[:60])
    if len(runs) < 2:
        raise Http404(_("只有一次评测，没有可以比较的。"))
    by_uid = {str(run.uid): run for run in runs}
    before, after = by_uid.get(request.GET.get("a", ""), runs[-1]), by_uid.get(request.GET.get("b", ""), runs[0])
    old, new = report(dataset, before), report(dataset, after)
    return render(request, "quality/compare.html", {"dataset": dataset, "old": old, "new": new, "runs": runs, "rows": differences(old, new)})


def differences(old: dict, new: dict) -> list[dict]:
    """The 17 indicators of both, with the change of the score where both were measured."""
    earlier = {row["code"]: row for row in old["indicators"]}
    rows = []
    for row in new["indicators"]:
        was = earlier[row["code"]]
        both = row["score"] is not None and was["score"] is not None
        change = float(row["score"]) - float(was["score"]) if both else None
        rows.append({"code": row["code"], "name": row["name"], "before": was, "after": row, "change": f"{change:+.1f}" if both else "",
                     "is_up": both and change > 0.05, "is_down": both and change < -0.05})  # fmt: skip
    return rows
