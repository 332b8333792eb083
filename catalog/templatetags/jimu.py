"""Filters for people's eyes: sizes, counts, dates and the words of codes."""

import json
from urllib.parse import urlencode

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from catalog import drawings, formatting, labels, tiles
from catalog.markdown import render as render_markdown

register = template.Library()
register.filter("size", formatting.size_text)
register.filter("count", formatting.count_text)
register.filter("moment", formatting.time_text)
register.filter("day", formatting.date_text)
register.filter("joined", formatting.in_a_row)
register.filter("region", labels.region_label)


@register.filter
def term(code, scheme):
    """{{ dataset.license_type|term:"license_type" }}"""
    return labels.term_label(scheme, code) if code else ""


@register.filter
def terms(codes, scheme):
    """A list of codes as words."""
    return labels.term_labels(scheme, codes)


@register.filter
def bare(words):
    """Words of a vocabulary without the 数据集 at their end, where a column already says so."""
    return [labels.bare(word) for word in words] if isinstance(words, list) else labels.bare(words)


@register.filter
def portal_name(portal):
    """The name of a portal, a row or a mapping, in the reader's language."""
    plain = isinstance(portal, dict)
    return labels.portal_label(portal["id"] if plain else portal.id, portal["name"] if plain else portal.name)


@register.filter
def portal_place(short_name, portal_id):
    """{{ dataset.portal_short|portal_place:dataset.home_portal }}: 浙江, in English Zhejiang."""
    return labels.portal_short(portal_id, short_name or portal_id)


@register.filter
def lookup(mapping, key):
    return mapping.get(key, "") if isinstance(mapping, dict) else ""


@register.filter
def short_hash(digest):
    return f"{digest[:4]}…{digest[-4:]}" if digest else ""


AUDIT_ACTIONS = {
    "dataset.created": _("建立草稿"),
    "job.retried": _("重试任务"),
    "operations.asked": _("运维操作"),
    "dataset.edited": _("修改草稿"),
    "dataset.submitted": _("提交审核"),
    "dataset.withdrawn": _("撤回提交"),
    "dataset.listed": _("上架"),
    "dataset.suspended": _("暂停"),
    "dataset.resumed": _("恢复上架"),
    "dataset.delisted": _("下架"),
    "dataset.graded": _("评定等级"),
    "dataset.admission": _("国家门户的决定"),
    "dataset.objection_upheld": _("异议成立，退回"),
    "dataset.imported": _("导入"),
    "revision.edited": _("修改变更稿"),
    "revision.discarded": _("放弃变更"),
    "review.started": _("开始审核"),
    "review.assigned": _("分派审核"),
    "review.verdict": _("记下分项意见"),
    "review.commented": _("写下意见"),
    "review.comment_resolved": _("意见已解决"),
    "review.first_approval": _("第一位审核员通过"),
    "review.approved": _("审核通过"),
    "review.returned": _("退回修改"),
    "review.rejected": _("驳回"),
    "sample.added": _("上传样例"),
    "sample.profiled": _("样例检查完成"),
    "sample.removed": _("移除样例"),
    "sample.downloaded": _("样例被下载"),
}


@register.filter
def audit_action(action):
    """What an audit entry tells, in words; the action's own name where none are known."""
    return AUDIT_ACTIONS.get(action, action)


@register.simple_tag
def listing_url(**filters):
    """Address of the dataset list under filters: {% listing_url region="330000" %}; empty values are left out."""
    query = urlencode({name: value for name, value in filters.items() if value not in ("", None)}, doseq=True)
    return reverse("catalog:search") + (f"?{query}" if query else "")


@register.inclusion_tag("components/tile_map.html")
def tile_map(regions, label, small=False):
    """The provinces of services.mapping.resource_map()["regions"] as tiles: links with numbers, or (small) characters alone."""
    width, height = (40, 40) if small else (70, 64)
    rows = [row | dict(zip(("x", "y"), tiles.place(row["code"], width=width, height=height), strict=True)) for row in regions]
    return {"regions": rows, "label": label, "small": small, "width": width, "height": height, "middle": width // 2}


@register.inclusion_tag("components/portal_network.html")
def portal_network(portals):
    """The portals of services.mapping.portal_network() as a picture: the first above, the others in rows below."""
    return drawings.network(portals)


@register.filter
def markdown(text, top=3):
    """{{ dataset.description|markdown:3 }}: safe HTML whose highest heading is h3."""
    return render_markdown(text, top)


@register.filter
def unlocalized(number):
    """A number for an SVG attribute: with a point, whatever the language."""
    return str(number)


@register.filter
def responsible(name):
    """Who answers for a version: a person's name as it stands, the portal's own doings in words."""
    return {"system": _("系统"), "import": _("导入")}.get(name, name)


@register.filter
def first_word(text):
    return text.partition(" ")[0]


@register.filter
def last_word(text):
    return text.rpartition(" ")[2]


@register.filter
def as_json(document):
    return json.dumps(document, ensure_ascii=False, indent=2)


@register.filter
def is_web(address):
    """Only http(s) addresses become links; anything else a provider wrote stays text."""
    return str(address).lower().startswith(("http://", "https://"))


@register.filter
def card_facts(row):
    """Short facts below the title of a compact card."""
    return [row["organization"], *row["modality_labels"][:1], row["byte_size_text"] or row["record_count_text"]]


RELATIONS = {
    "derived_from": gettext_lazy("由它加工而来"),
    "source_of": gettext_lazy("加工成它"),
    "version_of": gettext_lazy("同一数据的另一版"),
    "part_of": gettext_lazy("是它的一部分"),
    "has_part": gettext_lazy("包含它"),
    "related": gettext_lazy("相关"),
}


@register.filter
def relation_label(relation):
    return RELATIONS.get(relation, relation) if isinstance(relation, str) else ""


@register.simple_tag
def sample_url(sample, dataset):
    """Where a sample is downloaded: here, or by a ticket at the portal that owns it."""
    if dataset.is_remote:
        try:
            return reverse("federation:sample_ticket", args=[sample.uid])
        except NoReverseMatch:
            pass
    return reverse("catalog:sample_download", args=[sample.uid])


@register.simple_tag
def rights(dataset):
    """The three rights of 数据二十条 that the provider states."""
    held = [str(dataset._meta.get_field(name).verbose_name) for name in RIGHTS if getattr(dataset, name)]
    return formatting.in_a_row(held) or gettext("未填")


RIGHTS = ("has_holding_right", "has_processing_right", "has_operating_right")


@register.simple_tag
def page_url(filters, number):
    return "?" + urlencode({name: value for name, value in filters.items() if value} | {"page": number})
