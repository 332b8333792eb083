"""A listing as rows of name and value, in the words of its fields and vocabularies: the metadata tab, comparisons, data export."""

import json

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.formatting import count_text, in_a_row, size_text
from catalog.labels import region_label, term_label
from catalog.listing import FLAGS, VOCABULARIES, to_document
from catalog.models import Dataset

GROUPS = (
    (
        gettext_lazy("基本信息"),
        "title title_en summary description keywords landing_page source_identifier citation issued modified contact_name contact_email "
        "contact_phone",
    ),
    (
        gettext_lazy("分类"),
        "sectors industry region modalities has_chain_of_thought model_stages knowledge_tier tier_criteria cognition_layer knowledge_nodes tasks "
        "languages scenarios build_mode standards case_badge",
    ),
    (gettext_lazy("规模"), "record_count byte_size token_count file_count"),
    (
        gettext_lazy("来源与建设"),
        "source_types collection_method collection_channel resource_kind temporal_start temporal_end is_synthetic synthetic_method annotation_method "
        "annotator_type lineage",
    ),
    (
        gettext_lazy("权属与许可"),
        "rights_holder has_holding_right has_processing_right has_operating_right rights_basis rights_evidence ip_registration license_type license "
        "license_url allowed_scenarios allowed_scope",
    ),
    (gettext_lazy("安全与开放"), "security_level has_personal_information deidentification openness access_method access_note"),
    (gettext_lazy("维护与交易"), "update_frequency storage_place maintenance_contact price_model price_note price_index exchange_url"),
    (gettext_lazy("未映射属性"), "extras"),
)
OTHER = {
    "schema": gettext_lazy("文档格式"),
    "organization": gettext_lazy("提供方"),
    "resources": gettext_lazy("资源"),
    "samples": gettext_lazy("样例"),
}


def field_label(name: str) -> str:
    if name in OTHER:
        return str(OTHER[name])
    try:
        return str(Dataset._meta.get_field(name).verbose_name)
    except LookupError:
        return name


def value_text(name: str, value) -> str:
    """A value of the listing document as people read it; "" when empty."""
    if value in (None, "", [], {}):
        return ""
    if name in FLAGS or isinstance(value, bool):
        return _("是") if value else _("否")
    if name == "region":
        return f"{region_label(str(value))} {value}"
    if name == "byte_size":
        return f"{size_text(value)}" if isinstance(value, int) else str(value)
    if isinstance(value, int):
        return count_text(value) if value < 10_000 else f"{value:,}"
    scheme = VOCABULARIES.get(name)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return in_a_row(term_label(scheme, item) if scheme else item for item in value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    return term_label(scheme, value) if scheme and isinstance(value, str) else str(value)


def metadata_rows(dataset: Dataset) -> list[dict]:
    """[{"label", "rows": [{"name", "label", "text"}]}] of every owner-written field that is filled, by subject."""
    document = to_document(dataset, with_files=False)
    groups = []
    for label, names in GROUPS:
        rows = [{"name": name, "label": field_label(name), "text": value_text(name, document.get(name))} for name in names.split()]
        rows = [row for row in rows if row["text"]]
        if rows:
            groups.append({"label": label, "rows": rows})
    return groups
