"""The report page with its JSON twin, and the public page of the method."""

import orjson
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog.models import Dataset
from catalog.permissions import sees_whole
from quality.indicators.documentation import ITEMS
from quality.indicators.registry import DIMENSIONS
from quality.models import EvaluationScheme, Indicator
from quality.report import report, summary
from quality.services.schemes import active_scheme
from quality.templatetags.quality_tags import context


def visible(request, uid):
    rows = Dataset.objects.visible_to(request.user).select_related("organization", "current_version").prefetch_related("samples")
    return get_object_or_404(rows, uid=uid)


def dataset_quality(request, uid):
    dataset = visible(request, uid)
    return render(request, "quality/report.html", context(dataset, whole=sees_whole(request.user, dataset)))


def dataset_quality_json(request, uid):
    dataset = visible(request, uid)
    value = report(dataset) if sees_whole(request.user, dataset) else summary(dataset)
    return HttpResponse(orjson.dumps(value, option=orjson.OPT_INDENT_2), content_type="application/json")


def method(request):
    scheme = active_scheme()
    profiles = list(scheme.profiles.all())
    rows = [
        {"indicator": row, "weights": [profile.weights.get(row.code, 0) for profile in profiles], "automatic": row.code in MEASURED}
        for row in Indicator.objects.filter(parent__isnull=False).select_related("parent")
    ]
    sums = [[sum(weight for code, weight in profile.weights.items() if code.startswith(prefix)) for profile in profiles] for prefix in DIMENSIONS]
    return render(request, "quality/method.html", {
        "scheme": scheme, "profiles": profiles, "rows": rows, "items": ITEMS, "sums": sums, "measured": len(MEASURED),
        "schemes": EvaluationScheme.objects.exclude(state="draft"), "rules": rules(scheme.content),
    })  # fmt: skip


def rules(content: dict) -> dict:
    return {
        "bands": [band | {"floor": content["floors"].get(band["grade"])} for band in content["bands"]],
        "assurance": [{"code": code} | value for code, value in content["assurance"].items()],
        "caps": [{"code": code} | value for code, value in content["caps"].items()],
        "shares": content["shares"],
    }


MEASURED = ("0101", "0102", "0103", "0104", "0201", "0204", "0208")
