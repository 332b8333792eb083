"""The data card: the 20 documentation items of T/ZGTXXH 152 (4 groups of 5), written by the provider or read off other fields."""

from django.utils.translation import gettext as _

from catalog.formatting import count_text, in_a_row, size_text
from catalog.labels import region_label, term_label, term_labels, terms
from catalog.models import Dataset


def data_card(dataset: Dataset, *, formats: list[str]) -> list[dict]:
    """[{"code", "label", "filled": number, "items": [{"code", "name", "label", "text", "written": bool}]}].

    `written` tells the provider's own words from what the listing's other fields say; text "" = not filled in.
    """
    derived = _derived(dataset, formats)
    groups = {}
    for code, (label, english) in terms().get("documentation_item", {}).items():
        own = written_text(dataset.documentation, english)
        item = {"code": code, "name": english, "label": _(label)}
        item |= {"text": own or derived.get(english, ""), "written": bool(own)}
        groups.setdefault(code[:4], []).append(item)
    return [
        {"code": code, "label": term_label("quality_indicator", code), "filled": sum(bool(item["text"]) for item in items), "items": items}
        for code, items in groups.items()
    ]


def written_text(documentation, name: str) -> str:
    """The words of one item; structured parts are written out as lines."""
    part = documentation.get(name) if isinstance(documentation, dict) else None
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return ""
    lines = [part["text"]] if isinstance(part.get("text"), str) and part["text"] else []
    lines += [
        _("%(name)s：%(text)s") % {"name": key, "text": _flat(value)}
        for key, value in part.items()
        if key != "text" and value not in (None, "", [], {})
    ]
    return "\n".join(lines)


def _flat(value) -> str:
    if isinstance(value, list):
        return _("、").join(_flat(item) for item in value)
    if isinstance(value, dict):
        return _("，").join(f"{key} {_flat(item)}" for key, item in value.items())
    return str(value)


def _derived(dataset: Dataset, formats: list[str]) -> dict[str, str]:
    """What the listing's own fields say of an item."""
    records = _("%(count)s 条") % {"count": count_text(dataset.record_count)} if dataset.record_count else ""
    files = _("%(count)s 个文件") % {"count": count_text(dataset.file_count)} if dataset.file_count else ""
    tokens = _("%(count)s 词元") % {"count": count_text(dataset.token_count)} if dataset.token_count else ""
    access = term_label("access_method", dataset.access_method) if dataset.access_method else ""
    collection = term_label("collection_method", dataset.collection_method) if dataset.collection_method else ""
    annotation = term_label("annotation_method", dataset.annotation_method) if dataset.annotation_method else ""
    annotator = term_label("annotator", dataset.annotator_type) if dataset.annotator_type else ""
    licence = term_label("license_type", dataset.license_type) if dataset.license_type else ""
    return {
        "scale": in_a_row([records, size_text(dataset.byte_size), tokens, files]),
        "format_spec": in_a_row(formats),
        "access_channel": in_a_row([access, dataset.access_note, dataset.landing_page]),
        "technical_support": in_a_row([dataset.maintenance_contact or dataset.contact_name, dataset.contact_email, dataset.contact_phone]),
        "modality": in_a_row(term_labels("modality", dataset.modalities)),
        "data_source": in_a_row([*term_labels("source_type", dataset.source_types), region_label(dataset.region)] if dataset.source_types else []),
        "collection_method": in_a_row([collection, dataset.collection_channel]),
        "processing_flow": dataset.synthetic_method,
        "annotation_rules": in_a_row([annotation, annotator]),
        "licence": in_a_row([licence, dataset.license]),
        "target_scenarios": in_a_row(dataset.scenarios) or dataset.allowed_scenarios,
        "typical_cases": dataset.case_badge,
    }
