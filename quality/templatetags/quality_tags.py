"""The quality block of a dataset's page, and small helpers of the report."""

import orjson
from django import template
from django.utils.translation import gettext_lazy as _

from catalog.models import Portal
from quality import drawing
from quality import report as reports
from quality.services.evaluation import latest_run
from quality.services.schemes import active_scheme
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
    "near": _("近似重复的文本"), "texts": _("过短、符号过多或自我重复的文本"), "outliers": _("偏离过远的数值"), "image": _("有问题的图片"),
    "audio": _("有问题的录音"), "manifest": _("读不出的成员"), "membership": _("空缺或不在声明集合内的标签"),
    "geometry": _("不合法的标注框、区间或序列"),
    "sourced": _("没有写明来源的记录"), "generated": _("生成的记录"), "conflicts": _("内容相同而标签不同的行"), "joins": _("另一文件中找不到的编号"),
    "date_shapes": _("写法不一的日期"), "units": _("单位不一的数值"), "variants": _("写法不一的类别"), "words": _("含所属领域用语的行"),
    "facets": _("缺少的预期类别"), "effective": _("重复的内容"), "repeated": _("重复的内容"), "classes": _("不足 50 条的类别"),
    "formula": _("以公式开头的单元格"), "word.secret": _("密钥与口令"), "id_card": _("身份证号码"), "bank_card": _("银行卡号"),
    "mobile": _("手机号码"),
    "email": _("电子邮箱"), "passport": _("护照号码"), "plate": _("车牌号码"), "military_id": _("军官证号码"), "vin": _("车辆识别代号"),
    "imei": _("手机设备识别码"), "mac": _("网卡地址"), "position": _("经纬度坐标"), "word.gambling": _("赌博"), "word.drugs": _("毒品"),
    "word.pornography": _("色情"), "word.fraud": _("诈骗与黑灰产"), "word.weapons": _("枪爆"), "word.terror": _("暴力恐怖"),
    "word.self_harm": _("自伤"), "word.discrimination": _("歧视用语"),
}  # fmt: skip


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
    _notices, standing = reports.standing_of(dataset, run)
    return {"rows": [{"name": name, "score": scores.get(code)} for code, name in DIMENSION_NAMES.items()], "standing": standing}


def context(dataset, *, whole: bool = True) -> dict:
    """`whole` False leaves only what catalog.permissions.sees_whole allows everybody."""
    value = reports.report(dataset) if whole else reports.summary(dataset)
    if value["state"] != "done":
        home = Portal.objects.filter(pk=dataset.home_portal).exclude(base_url="").first() if dataset.is_remote and dataset.grade else None
        return {"dataset": dataset, "report": value, "home_report": f"{home.base_url}/datasets/{dataset.uid}/quality/" if home else ""}
    trend = value["trend"]
    chart = drawing.chart(trend, active_scheme().content["bands"])
    chart["change"] = f"{float(trend[-1]['score']) - float(trend[0]['score']):+.1f}" if trend else ""
    return {
        "dataset": dataset,
        "report": value,
        "wheel": drawing.wheel(value["indicators"], value["dimensions"]),
        "chart": chart,
        "groups": groups(value),
        "standout": standout(value["indicators"]),
        "signers": [_("评测人员"), _("评测机构负责人")],
    }


def standout(indicators: list[dict]) -> dict:
    """The strongest and the weakest measured indicator, and the one furthest above its sector's median."""
    measured = [row for row in indicators if row["status"] == "measured"]
    compared = [row for row in measured if row.get("median")]
    if not measured:
        return {}
    best, worst = max(measured, key=lambda row: float(row["score"])), min(measured, key=lambda row: float(row["score"]))
    above = [row for row in compared if float(row["score"]) > float(row["median"])]
    lead = max(above, key=lambda row: float(row["score"]) - float(row["median"]), default=None)
    return {"best": best, "worst": worst if worst is not best else None, "lead": lead, "count": len(above), "of": len(compared),
            "lead_by": f"{float(lead['score']) - float(lead['median']):.1f}" if lead else ""}  # fmt: skip


def groups(value: dict) -> list[dict]:
    """Dimensions with their indicators, for the table of bars."""
    return [row | {"indicators": [item for item in value["indicators"] if item["dimension"] == row["code"]]} for row in value["dimensions"]]


@register.filter
def one_digit(score) -> str:
    return "" if score in (None, "") else f"{float(score):.1f}"


@register.filter
def bars(column: dict) -> list[dict]:
    return drawing.histogram(column)


@register.filter
def strips(column: dict) -> list[dict]:
    return drawing.shares(column)


@register.filter
def missing_share(column: dict) -> str:
    total = (column.get("filled") or 0) + (column.get("missing") or 0)
    return f"{100 * column['missing'] / total:.1f}%" if total and column.get("missing") else ""


@register.filter
def has_span(row: dict) -> bool:
    return bool(row.get("low") and row.get("high")) and float(row["high"]) - float(row["low"]) >= 0.2


@register.filter
def span(row: dict) -> str:
    return f"{float(row['high']) - float(row['low']):.2f}"


@register.filter
def half_span(row: dict) -> str:
    return f"{(float(row['high']) - float(row['low'])) / 2:.1f}"


@register.filter
def source_word(code: str) -> str:
    return str(reports.SOURCES.get(code, code))


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


SCHEME_ACTIONS = {
    "scheme.copied": _("复制成草案"),
    "scheme.edited": _("修改草案"),
    "scheme.scheduled": _("排定启用"),
    "scheme.withdrawn": _("撤回为草案"),
    "scheme.activated": _("启用"),
}


@register.filter
def scheme_action(code: str) -> str:
    return str(SCHEME_ACTIONS.get(code, code))
