"""Two to four datasets beside each other. The address names them, so it can be shared and printed."""

from urllib.parse import urlencode

from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.cards import card_row, formats_of, with_portal
from catalog.formatting import in_a_row
from catalog.interchange.disclosure import veil
from catalog.labels import term_label, term_labels
from catalog.models import Dataset
from catalog.views.acting import valid_uid

FEWEST, MOST = 2, 4


@require_safe
def compare(request):
    """GET uid, repeated: two to four public datasets; `differences=1` leaves out what is alike. Others are named as not there."""
    asked = list(dict.fromkeys(request.GET.getlist("uid")))[:40]
    rows = with_portal(Dataset.objects.published().select_related("organization", "current_version"))
    found = {row.uid: row for row in rows.filter(uid__in=[valid_uid(text) for text in asked])}
    datasets = [found[uid] for uid in dict.fromkeys(map(valid_uid, asked)) if uid in found]
    missing, too_many = len(asked) - len(datasets), len(datasets) > MOST
    datasets = datasets[:MOST]
    only_differences = request.GET.get("differences") == "1"
    context = {
        "columns": [_column(dataset, datasets) for dataset in datasets],
        "rows": [row for row in facts(datasets) if row["differs"] or not only_differences],
        "models": datasets,
        "missing": missing,
        "too_many": too_many,
        "most": MOST,
        "is_enough": len(datasets) >= FEWEST,
        "only_differences": only_differences,
        "toggle_url": _address(datasets, differences="" if only_differences else "1"),
    }
    return render(request, "catalog/compare.html", context, status=400 if too_many else 200)


def _column(dataset, datasets) -> dict:
    """The head of one column, with the address of the comparison without it."""
    rest = [other for other in datasets if other is not dataset]
    return {"title": dataset.title_local, "url": dataset.get_absolute_url(), "is_example": dataset.is_example, "without_url": _address(rest)}


def _address(datasets, **more) -> str:
    pairs = [("uid", str(dataset.uid)) for dataset in datasets] + [(name, value) for name, value in more.items() if value]
    return f"{reverse('catalog:compare')}?{urlencode(pairs)}"


def facts(datasets: list[Dataset]) -> list[dict]:
    """[{"name", "cells", "differs"}] of the main facts; what important data do not tell is –."""
    formats = formats_of([dataset.pk for dataset in datasets])
    for dataset in datasets:
        if dataset.security_level != Dataset.SecurityLevel.GENERAL:
            veil(dataset)
    cards = [card_row(dataset, formats.get(dataset.pk, [])) for dataset in datasets]
    names = {
        _("质量等级"): [" ".join(filter(None, [row.grade or _("未评"), row.assurance])) for row in datasets],
        _("评分"): ["" if row.score is None else f"{row.score:.1f}" for row in datasets],
        _("提供方"): [row.organization.name for row in datasets],
        _("来源门户"): [card["portal_short"] for card in cards],
        _("地区"): [term_label("region", row.region) if row.region else "" for row in datasets],
        _("领域"): [in_a_row(term_labels("sector", row.sectors)) for row in datasets],
        _("国民经济行业"): [term_label("industry", row.industry) if row.industry else "" for row in datasets],
        _("模态"): [in_a_row(card["modality_labels"]) for card in cards],
        _("模型阶段"): [in_a_row(card["stage_labels"]) for card in cards],
        _("知识层级"): [term_label("knowledge_tier", row.knowledge_tier) if row.knowledge_tier else "" for row in datasets],
        _("记录数"): [card["record_count_text"] for card in cards],
        _("数据量"): [card["byte_size_text"] for card in cards],
        _("格式"): [in_a_row(card["formats"]) for card in cards],
        _("标注方式"): [term_label("annotation_method", row.annotation_method) if row.annotation_method else "" for row in datasets],
        _("合成数据"): [_("是") if row.is_synthetic else _("否") for row in datasets],
        _("授权"): [card["license_label"] for card in cards],
        _("开放属性"): [card["openness_label"] for card in cards],
        _("获取方式"): [term_label("access_method", row.access_method) if row.access_method else "" for row in datasets],
        _("个人信息"): [_("含") if row.has_personal_information else _("不含") for row in datasets],
        _("更新频率"): [term_label("update_frequency", row.update_frequency) if row.update_frequency else "" for row in datasets],
        _("最近更新"): [card["updated"] for card in cards],
        _("版本"): [str(row.current_version.number) if row.current_version_id else "" for row in datasets],
        _("样例下载"): [str(row.download_count) for row in datasets],
    }
    return [{"name": name, "cells": [cell or "–" for cell in cells], "differs": len(set(cells)) > 1} for name, cells in names.items() if any(cells)]
