"""Names of facets and of their values, in the language of the reader, and the order in which values stand."""

import time
from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import override

from catalog.formatting import is_english
from catalog.labels import bare, portal_label
from catalog.models import KnowledgeNode, Portal, Term
from catalog.search.hierarchy import parent_of
from catalog.search.query import MISSING, FacetValue
from catalog.search.text import fold

SCHEMES = (
    "sector region modality model_stage knowledge_tier cognition_layer license_type openness industry collection_method update_frequency "
    "organization_kind"
).split()
ORDERED = {  # dimensions whose values have an order of their own
    "grade": ("A", "B", "C", "D", MISSING),
    "updated": ("30d", "90d", "1y", "older", MISSING),
    "size": ("lt-1gb", "1gb-100gb", "100gb-1tb", "1tb-100tb", "gte-100tb", MISSING),
    "has_sample": ("yes", "no"),
    "is_synthetic": ("yes", "no"),
}
FREE = ("organization", "keyword", "storage_place", "format", "language")  # values that are names themselves, of any number
SHORTENED = ("model_stage", "knowledge_tier")  # their terms all end in 数据集
KEPT = 30  # seconds for which names are kept in the process
_held: dict = {"until": 0.0, "names": {}, "unknown": set()}


def facet_name(name: str) -> str:
    return {
        "sector": _("领域"),
        "region": _("地区"),
        "modality": _("模态"),
        "model_stage": _("模型阶段"),
        "knowledge_tier": _("知识层级"),
        "cognition_layer": _("认知层"),
        "grade": _("质量等级"),
        "format": _("格式"),
        "license_type": _("授权"),
        "openness": _("开放属性"),
        "portal": _("来源门户"),
        "updated": _("更新时间"),
        "size": _("规模"),
        "has_sample": _("样例"),
        "organization": _("提供方"),
        "organization_kind": _("机构类型"),
        "industry": _("国民经济行业"),
        "collection_method": _("采集方式"),
        "storage_place": _("存储位置"),
        "update_frequency": _("更新频率"),
        "knowledge_node": _("知识索引"),
        "language": _("语种"),
        "keyword": _("关键词"),
        "is_synthetic": _("合成数据"),
    }[name]


def _fixed(name: str) -> dict[str, str]:
    if name == "grade":
        return {"A": _("A 优"), "B": _("B 良"), "C": _("C 中"), "D": _("D 低"), MISSING: _("未评")}
    if name == "updated":
        return {"30d": _("近 30 天"), "90d": _("近 3 个月"), "1y": _("近 12 个月"), "older": _("一年以前")}
    if name == "size":
        return {
            "lt-1gb": _("1 GB 以下"),
            "1gb-100gb": _("1 GB 至 100 GB"),
            "100gb-1tb": _("100 GB 至 1 TB"),
            "1tb-100tb": _("1 TB 至 100 TB"),
            "gte-100tb": _("100 TB 以上"),
        }
    if name == "has_sample":
        return {"yes": _("有样例"), "no": _("无样例")}
    if name == "is_synthetic":
        return {"yes": _("合成数据"), "no": _("非合成数据")}
    return {}


def value_label(name: str, value: str, own: dict[str, str] | None = None) -> str:
    """`own` holds names the index keeps itself (organizations). An unknown code is its own name."""
    fixed = _fixed(name)
    if value in fixed:
        return fixed[value]
    if value == MISSING:
        return _("未填")
    if own and value in own:
        return own[value]
    if name in SCHEMES or name in ("knowledge_node", "portal"):
        label, english = _named(name, value)
        shown = english or label if is_english() else label
        return bare(shown) if name in SHORTENED else shown
    return value


def _named(name: str, value: str) -> tuple[str, str]:
    if _held["until"] < time.monotonic() or ((name, value) not in _held["names"] and (name, value) not in _held["unknown"]):
        _load()
    found = _held["names"].get((name, value))
    if found is None:
        _held["unknown"].add((name, value))
    return found or (value, "")


def _load() -> None:
    names = {(scheme, code): (label, english) for scheme, code, label, english in _terms(*SCHEMES)}
    names |= {("region", code): (label, english) for _scheme, code, label, english in _terms("city")}
    names |= {("knowledge_node", code): (label, english) for code, label, english in KnowledgeNode.objects.values_list("code", "label", "label_en")}
    with override("en"):
        names |= {("portal", pk): (name, portal_label(pk, name)) for pk, name in Portal.objects.values_list("id", "name")}
    unknown = _held["unknown"] if len(_held["unknown"]) < 10_000 and _held["until"] > time.monotonic() else set()
    _held.update(until=time.monotonic() + KEPT, names=names, unknown=unknown)


def _terms(*schemes):
    return Term.objects.filter(scheme__in=schemes).order_by().values_list("scheme", "code", "label", "label_en")


def facet_values(name: str, totals: dict[str, int], selected, limit: int, own: dict[str, str]) -> list[FacetValue]:
    """Largest first, or in the dimension's own order; what is not filled in last; a selected value stays even at 0."""
    order = {value: at for at, value in enumerate(ORDERED.get(name, ()))}

    def rank(value):
        return (order.get(value, 99), value == MISSING, -totals.get(value, 0), bool(parent_of(name, value)), value)

    chosen = {value for value in selected if value in totals or _is_code(name, value, own)}
    shown = sorted({*_largest(totals, limit), *chosen}, key=rank)
    kept = shown[:limit] + [value for value in shown[limit:] if value in selected or value == MISSING]
    return [FacetValue(value, value_label(name, value, own), totals.get(value, 0), parent_of(name, value)) for value in kept]


def _largest(totals: dict[str, int], limit: int) -> Iterable[str]:
    """All values, or of very many those that can be among the first `limit`, so that the others are not sorted by name."""
    if len(totals) <= 2 * limit:
        return totals
    least = sorted(totals.values(), reverse=True)[limit]
    return [value for value, count in totals.items() if count >= least or value == MISSING]


def named_like(name: str, totals: dict[str, int], text: str, own: dict[str, str]) -> dict[str, int]:
    """Of the totals those whose name in the reader's language has the text, or whose code is it."""
    needle = fold(text)
    return {value: count for value, count in totals.items() if needle in fold(value_label(name, value, own)) or needle == fold(value)}


def _is_code(name: str, value: str, own: dict[str, str]) -> bool:
    """Whether a selected value that counts nothing is worth showing; free text of a stranger is not."""
    return value == MISSING or value in ORDERED.get(name, ()) or value in own or (name, value) in _held["names"]
