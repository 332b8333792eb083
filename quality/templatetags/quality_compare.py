"""Scores of several datasets beside each other, for the page that compares them."""

from django import template
from django.utils.translation import gettext as _

from quality import report as reports

register = template.Library()
NONE = "–"


@register.inclusion_tag("quality/compare_rows.html")
def compare_scores(datasets, only_differences=False):
    """{% compare_scores datasets %}: rows of the three dimensions and their indicators. Important data, and what was not measured, show –."""
    told = [reports.report(dataset) if dataset.security_level == "general" else {"state": "withheld"} for dataset in datasets]
    groups: dict[str, dict] = {}
    for at, value in enumerate(told):
        if value["state"] != "done":
            continue
        for row in value["dimensions"]:
            group = groups.setdefault(row["code"], {"name": row["name"], "cells": [NONE] * len(told), "rows": {}})
            group["cells"][at] = row["score"] or NONE
        for item in value["indicators"]:
            cells = groups[item["dimension"]]["rows"].setdefault(item["code"], {"name": item["name"], "cells": [NONE] * len(told)})
            cells["cells"][at] = item.get("score") or (_("未测") if item["status"] != "measured" else NONE)
    found = [group | {"rows": [row for row in group["rows"].values() if is_shown(row, only_differences)]} for group in groups.values()]
    for group in found:
        for row in [group, *group["rows"]]:
            row["differs"] = len(set(row["cells"])) > 1
    return {"groups": found, "span": len(told) + 1}


def is_shown(row: dict, only_differences: bool) -> bool:
    return not only_differences or len(set(row["cells"])) > 1
