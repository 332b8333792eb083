"""The public page of the method, from the rows of the scheme in force or of one that was."""

import orjson
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from quality.explanations import RULES, UNPROVEN
from quality.indicators.declared import DECLARED
from quality.indicators.documentation import ITEMS
from quality.indicators.registry import CODES, DIMENSIONS, is_automatic
from quality.models import EvaluationScheme, Indicator
from quality.services.schemes import active_scheme, to_document
from quality.vetoes import LIFTS

PUBLISHED = ("active", "retired", "waiting")


def method(request, version=None):
    scheme = active_scheme() if version is None else published(version)
    profiles = list(scheme.profiles.all())
    automatic = [code for code in CODES if is_automatic(code)]
    rows = [
        {"indicator": row, "weights": [profile.weights.get(row.code, 0) for profile in profiles], "automatic": row.code in automatic,
         "shares": scheme.content["shares"].get(row.code), "declared": scheme.content.get("declared", {}).get(row.code, 0),
         "formula": RULES[row.code], "unproven": UNPROVEN[row.code]}
        for row in Indicator.objects.filter(parent__isnull=False).select_related("parent")
    ]  # fmt: skip
    sums = [[sum(weight for code, weight in profile.weights.items() if code.startswith(prefix)) for profile in profiles] for prefix in DIMENSIONS]
    return render(request, "quality/method.html", {
        "scheme": scheme, "profiles": profiles, "rows": rows, "items": ITEMS, "declared": DECLARED, "sums": sums, "measured": len(automatic),
        "schemes": EvaluationScheme.objects.filter(state__in=PUBLISHED), "rules": rules(scheme.content),
    })  # fmt: skip


def published(version):
    return get_object_or_404(EvaluationScheme.objects.filter(state__in=PUBLISHED).prefetch_related("profiles"), version=version)


def scheme_json(request, version):
    """The scheme as the one plain document that other portals take over."""
    body = orjson.dumps(to_document(published(version)), option=orjson.OPT_INDENT_2)
    return HttpResponse(body, content_type="application/json")


def rules(content: dict) -> dict:
    return {
        "bands": [band | {"floor": content["floors"].get(band["grade"])} for band in content["bands"]],
        "assurance": [{"code": code} | value for code, value in content["assurance"].items()],
        "caps": [{"code": code, "lift": LIFTS.get(code, "")} | value for code, value in content["caps"].items()],
        "confidence": content["confidence"],
    }
