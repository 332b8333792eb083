"""What the listing document itself declares about 0201–0303: the part of these indicators that is known before any sample.

Judged like the items of the documentation: 0 absent, ½ present, 1 machine-valid. A declaration proves nothing, so it carries
only the scheme's `declared` percent of its indicator, and the rest stays 未测 until a sample, evidence or experts speak.
"""

from django.utils.translation import gettext_noop as _

from quality.indicators.documentation import (
    ABSENT,
    FORMATS,
    VALID,
    Item,
    as_number,
    level,
    parts,
    registering,
    rows_of,
    words,
)
from quality.indicators.registry import Snapshot

DECLARED: list[Item] = []
declared = registering(DECLARED)
GENERATED = frozenset({"generated"})  # code of the vocabulary collection_method
PROMISED_DAYS = {"realtime": 1, "daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "half_yearly": 183, "annual": 366}
CRITERIA = 3  # answers of the seven that make a claimed knowledge tier checkable


@declared("declared_media", "0201", _("声明的文件格式"), "/resources", _("为清单中的每个文件写明格式。"), effort="minutes")
def media(snapshot):
    rows = rows_of(snapshot.document, "resources")
    known = [row for row in rows if str(row.get("format") or "").lower().strip(". ") in FORMATS or "/" in str(row.get("media_type") or "")]
    return level(rows and len(known) == len(rows), known)


@declared("deidentification", "0202", _("去标识化办法"), "/deidentification", _("写明去标识化的办法、漏检率和复核人；不含个人信息的写明依据。"))
def deidentification(snapshot):
    text = str(snapshot.document.get("deidentification") or "").strip()
    return level(len(text) >= 20, text)


@declared("legal_basis", "0202", _("权利依据与证明"), "/rights_evidence", _("写明权利依据，并登记证书或合同的编号、网址。"))
def legal_basis(snapshot):
    document = snapshot.document
    return level(document.get("rights_basis") and document.get("rights_evidence"), document.get("rights_basis") or document.get("rights_evidence"))


@declared("annotation_people", "0203", _("标注方式与人员"), "/annotator_type", _("选择标注方式和标注人员。"), effort="minutes")
def annotation_people(snapshot):
    document = snapshot.document
    return level(document.get("annotation_method") and document.get("annotator_type"), document.get("annotation_method"))


@declared("label_set", "0203", _("标签集合"), "/documentation/label_statistics", _("列出全部标签及其数量。"))
def label_set(snapshot):
    named = parts(snapshot.document, "label_statistics", "labels", "name")
    return level(len([row for row in named if as_number(row.get("count")) is not None]) >= 2, named)


@declared("quality_control", "0203", _("标注质检步骤"), "/documentation/annotation_rules", _("写明标签定义、示例和质检流程，不少于 60 字。"))
def quality_control(snapshot):
    text = words(snapshot.document, "annotation_rules")
    return level(len(text) >= 60 or parts(snapshot.document, "annotation_rules", "steps", "name"), text)


@declared("source_details", "0205", _("来源可查"), "/documentation/data_source/sources", _("逐个来源写明类型和授权依据。"))
def source_details(snapshot):
    named = parts(snapshot.document, "data_source", "sources", "name")
    whole = parts(snapshot.document, "data_source", "sources", "name", "type", "authorization")
    return level(named and len(whole) == len(named), named or snapshot.document.get("source_types"))


@declared("origin_stated", "0205", _("采集或合成的说明"), "/collection_channel", _("写明采集渠道；合成数据写明生成方法。"))
def origin_stated(snapshot):
    document = snapshot.document
    if document.get("is_synthetic"):
        return level(document.get("synthetic_method"), True)
    if is_undeclared_synthetic(document):
        return ABSENT
    return level(document.get("collection_method") and document.get("collection_channel"), document.get("collection_method"))


def is_undeclared_synthetic(document: dict) -> bool:
    """The document calls its way of collection generation, but not the data synthetic (V4)."""
    method = document.get("collection_method")
    return isinstance(method, str) and method in GENERATED and not document.get("is_synthetic") and not document.get("synthetic_method")


@declared("tier_claim", "0207", _("知识层级及判定依据"), "/knowledge_tier", _("选择知识层级，并回答判定要素中的至少三项。"))
def tier_claim(snapshot):
    answers = snapshot.document.get("tier_criteria")
    answered = [value for value in answers.values() if value not in (None, "")] if isinstance(answers, dict) else []
    return level(snapshot.document.get("knowledge_tier") and len(answered) >= CRITERIA, snapshot.document.get("knowledge_tier"))


@declared("expected_facets", "0301", _("目标分布"), "/documentation/distribution_note/parts", _("列出目标场景应覆盖的类别及占比，至少两行。"))
def expected_facets(snapshot):
    rows = parts(snapshot.document, "distribution_note", "parts", "name", "share")
    return level(len([row for row in rows if as_number(row["share"]) is not None]) >= 2, rows)


@declared(
    "size_and_use", "0302", _("规模与认知层次"), "/cognition_layer", _("选择认知层次，并填写记录数或数据量，规模由此与要求比较。"), effort="minutes"
)
def size_and_use(snapshot):
    document = snapshot.document
    size = document.get("record_count") or document.get("byte_size") or document.get("token_count")
    return level(document.get("cognition_layer") and size, document.get("cognition_layer") or size)


@declared("time_range", "0303", _("采集时间范围"), "/temporal_end", _("填写采集的开始和结束日期，或数据最近更新的日期。"), effort="minutes")
def time_range(snapshot):
    document = snapshot.document
    return level(document.get("temporal_start") and (document.get("temporal_end") or document.get("modified")), document.get("modified"))


@declared("update_promise", "0303", _("更新频率"), "/update_frequency", _("选择更新频率，并填写数据最近更新的日期。"), effort="minutes")
def update_promise(snapshot):
    document = snapshot.document
    return level(document.get("update_frequency") and document.get("modified"), document.get("update_frequency"))


def declared_levels(snapshot: Snapshot) -> dict[str, dict[str, int]]:
    """{indicator: {item: half points}} of every indicator with a declared part."""
    out: dict[str, dict[str, int]] = {}
    for item in DECLARED:
        out.setdefault(item.indicator, {})[item.name] = item.judge(snapshot)
    return out


def score_of(levels: dict[str, int]) -> float:
    return 100.0 * sum(levels.values()) / (VALID * len(levels))
