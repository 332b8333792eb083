"""The quality block of a dataset's page, and small helpers of the report."""

import orjson
from django import template
from django.utils.translation import gettext_lazy as _

from catalog.models import Portal
from quality import report as reports
from quality.services.evaluation import latest_run
from quality.words import told

register = template.Library()
register.filter("told", told)
DIMENSION_NAMES = {"documentation": _("说明文档"), "data_quality": _("数据质量"), "model_application": _("模型应用")}
FACTS = {
    "files": _("读不出的文件"),
    "rows": _("不合表头的行"),
    "cells": _("有问题的单元格"),
    "columns": _("缺失超过容许的列"),
    "duplicates": _("重复的行"),
    "dirty": _("不干净的单元格"),
}


@register.inclusion_tag("quality/report_block.html")
def quality_report(dataset, compact=True, whole=True):
    """{% quality_report dataset %}: grade, caps, wheel, bars and advice; the full report is a page of its own."""
    return context(dataset, whole=whole) | {"compact": compact}


@register.inclusion_tag("quality/dimension_bars.html")
def dimension_bars(dataset):
    """The three dimensions as bars, each with its score or 未测; the documentation alone where no run of this portal stands."""
    run = None if dataset.is_remote or not dataset.grade else latest_run(dataset)
    if run is None:
        return {"rows": [{"name": DIMENSION_NAMES["documentation"], "score": dataset.documentation_score}]}
    scores = orjson.loads(run.result)["dimensions"]
    return {"rows": [{"name": name, "score": scores.get(code)} for code, name in DIMENSION_NAMES.items()]}


def context(dataset, *, whole: bool = True) -> dict:
    """`whole` False leaves only what catalog.permissions.sees_whole allows everybody."""
    value = reports.report(dataset) if whole else reports.summary(dataset)
    if value["state"] != "done":
        home = Portal.objects.filter(pk=dataset.home_portal).exclude(base_url="").first() if dataset.is_remote and dataset.grade else None
        return {"dataset": dataset, "report": value, "home_report": f"{home.base_url}/datasets/{dataset.uid}/quality/" if home else ""}
    return {
        "dataset": dataset,
        "report": value,
        "wheel": reports.wheel(value["indicators"]),
        "chart": reports.chart(value["trend"]),
        "groups": groups(value),
    }


def groups(value: dict) -> list[dict]:
    """Dimensions with their indicators, for the table of bars."""
    return [row | {"indicators": [item for item in value["indicators"] if item["dimension"] == row["code"]]} for row in value["dimensions"]]


@register.filter
def one_digit(score) -> str:
    return "" if score in (None, "") else f"{float(score):.1f}"


@register.filter
def bars(column: dict) -> list[dict]:
    return reports.histogram(column)


@register.filter
def facts(value: dict) -> list[dict]:
    """A measure's value as rows: what, count of n, rate, upper bound."""
    return [item | {"label": FACTS.get(name, name)} for name, item in value.items() if isinstance(item, dict) and "n" in item]


@register.filter
def item_states(value: dict) -> list[dict]:
    from quality.indicators.documentation import ITEMS

    levels = value.get("items")
    if not isinstance(levels, dict):
        return []
    return [{"label": told(item.label), "pointer": item.pointer, "state": levels[item.name]} for item in ITEMS if item.name in levels]


@register.filter
def is_low(score) -> bool:
    return score not in (None, "") and float(score) < 60


TYPES = {
    "integer": _("整数"),
    "number": _("数"),
    "text": _("文本"),
    "date": _("日期"),
    "boolean": _("是否"),
    "list": _("列表"),
    "empty": _("空"),
}


@register.filter
def column_type(code) -> str:
    return TYPES.get(code or "", code or "—")


@register.filter
def nth(rows, position: int):
    return rows[position]
