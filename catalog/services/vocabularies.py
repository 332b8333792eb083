"""Vocabularies shipped with the project (catalog/vocabularies/*.csv) and the few lists that are this portal's own."""

import csv
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils.translation import override

from catalog.models import KnowledgeNode, Organization, Portal, Term
from catalog.signals import vocabularies_loaded

FOLDER = Path(__file__).resolve().parent.parent / "vocabularies"
FILES = {
    "region": ("provinces.csv", "short"),
    "city": ("cities.csv", "short"),  # prefectures (GB/T 2260), which `region` may name too
    "industry": ("industries_gbt4754.csv", "name"),
    "sector": ("sectors.csv", "name"),
    "modality": ("modalities.csv", "name"),
    "model_stage": ("model_stages.csv", "name"),
    "knowledge_tier": ("knowledge_tiers.csv", "name"),
    "cognition_layer": ("cognition_layers.csv", "name"),
    "documentation_item": ("documentation_items.csv", "name"),
    "quality_indicator": ("quality_indicators.csv", "name"),
    "cleanliness_detail": ("cleanliness_details.csv", "name"),
    "record_field": ("record_fields_tc609.csv", "field"),
    "annotation_base": ("annotation_bases.csv", "name"),
}
OWN = {  # this project's codes where no public list exists
    "build_mode": [("scenario_driven", "场景驱动", "Scenario-driven"), ("data_driven", "数据驱动", "Data-driven")],  # 002 四(一)
    "collection_method": [  # 002 四(二)3: 获取和组合现有数据集、生成数据、收集数据
        ("reuse", "整合已有数据集", "Reuse of existing datasets"),
        ("generated", "生成（仿真、合成）", "Generated"),
        ("sensor", "传感器采集", "Sensor collection"),
        ("manual", "人工采集", "Manual collection"),
        ("mixed", "多种方式", "Mixed"),
    ],
    "resource_kind": [  # 002 五(一)
        ("internal_structured", "内部结构化", "Internal structured"),
        ("internal_unstructured", "内部非结构化", "Internal unstructured"),
        ("internal_semi_structured", "内部半结构化", "Internal semi-structured"),
        ("external_public", "外部公开", "External public"),
        ("external_partner", "外部合作", "External partner"),
    ],
    "update_frequency": [
        ("realtime", "实时", "Real time"),
        ("daily", "每日", "Daily"),
        ("weekly", "每周", "Weekly"),
        ("monthly", "每月", "Monthly"),
        ("quarterly", "每季度", "Quarterly"),
        ("half_yearly", "每半年", "Half-yearly"),
        ("annual", "每年", "Annual"),
        ("irregular", "不定期", "Irregular"),
        ("never", "不再更新", "Not updated"),
    ],
    "knowledge_criterion": [  # TC609-5-2025-03: seven elements
        ("knowledge_content", "知识内容", "Knowledge content"),
        ("source_type", "来源类型", "Source type"),
        ("timeliness", "时效性", "Timeliness"),
        ("annotator_type", "标注人员类型", "Annotator type"),
        ("sensitivity", "敏感程度", "Sensitivity"),
        ("model_type", "模型类型", "Model type"),
        ("topic_scope", "主题范围", "Topic scope"),
    ],
}
GROUPS = {
    "审核员": ["review_dataset"],
    "评测员": ["evaluate_dataset"],
    "门户管理员": ["review_dataset", "evaluate_dataset", "administer_portal"],
}


@transaction.atomic
def load_all() -> dict[str, int]:
    """Terms per scheme after loading. Terms that left a file are kept but switched off."""
    rows = {scheme: list(_file_rows(scheme)) for scheme in FILES}
    for scheme, code, label, english in _read("enums.csv", ("list", "code", "name", "english")):
        rows.setdefault(scheme, []).append((code, label, english, {}))
    rows |= {scheme: [(*term, {}) for term in terms] for scheme, terms in OWN.items()}
    rows["organization_kind"] = [(*kind, {}) for kind in _organization_kinds()]
    from catalog.services.synonyms import load_shipped

    counts = {scheme: _store(scheme, terms) for scheme, terms in rows.items()}
    _knowledge_tree()
    counts["synonyms"] = load_shipped()
    load_groups()
    register_self()
    vocabularies_loaded.send(sender=Term)
    return counts


def _organization_kinds():
    with override("zh-hans"):
        chinese = [(code, str(label)) for code, label in Organization.Kind.choices]
    with override("en"):
        return [(code, label, str(Organization.Kind(code).label)) for code, label in chinese]


def load_groups() -> None:
    for name, codenames in GROUPS.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.add(*Permission.objects.filter(content_type__app_label="catalog", codename__in=codenames))


def register_self() -> Portal:
    """This portal's own row in the list of portals."""
    region = settings.PORTAL_ID.removeprefix("cn-").ljust(6, "0") if settings.PORTAL_ROLE == "local" else ""
    portal, _created = Portal.objects.update_or_create(
        id=settings.PORTAL_ID,
        defaults={
            "role": settings.PORTAL_ROLE,
            "name": settings.PORTAL_NAME,
            "short_name": settings.PORTAL_SHORT_NAME or settings.PORTAL_NAME[:2],
            "base_url": settings.PORTAL_BASE_URL,
            "region": region,
            "sector": settings.PORTAL_ID.removeprefix("ind-") if settings.PORTAL_ROLE == "industry" else "",
            "is_self": True,
        },
    )
    return portal


def _read(filename, names):
    with open(FOLDER / filename, encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield tuple(row[name] for name in names)


def _file_rows(scheme):
    filename, label = FILES[scheme]
    with open(FOLDER / filename, encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            code = row.pop("code", None) or row["field"]
            yield code, row[label], row.get("english", ""), {key: value for key, value in row.items() if value}


def _store(scheme, terms):
    fresh = [
        Term(scheme=scheme, code=code, label=label, label_en=english, position=position, data=data, is_active=True)
        for position, (code, label, english, data) in enumerate(terms)
    ]
    Term.objects.bulk_create(
        fresh,
        update_conflicts=True,
        unique_fields=["scheme", "code"],
        update_fields=["label", "label_en", "position", "data", "is_active"],
    )
    Term.objects.filter(scheme=scheme).exclude(code__in=[term.code for term in fresh]).update(is_active=False)
    return len(fresh)


def _knowledge_tree():
    """First level of the industry knowledge index: the sectors. Authorities grow it in the admin."""
    for term in Term.objects.filter(scheme="sector"):
        KnowledgeNode.objects.get_or_create(
            code=term.code, defaults={"label": term.label, "label_en": term.label_en, "sector": term.code, "position": term.position}
        )
