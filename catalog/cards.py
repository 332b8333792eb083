"""Rows for templates/components/dataset_card.html: what one card tells, for a page of datasets, in three queries."""

from collections.abc import Iterable

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.formatting import count_text, date_text, size_text
from catalog.labels import bare, region_label, term_label, term_labels
from catalog.models import Dataset, Portal, Resource

FORMATS_SHOWN = 4
WITHHELD = {  # of important data, which show only that they exist and whom to ask (interchange/disclosure.py)
    "summary": "",
    "stage_labels": [],
    "byte_size_text": "",
    "record_count_text": "",
    "formats": [],
    "license_label": "",
}


def with_portal(datasets):
    """Annotate portal_short and portal_role, for the origin stamp."""
    portal = Portal.objects.filter(id=OuterRef("home_portal"))
    return datasets.annotate(portal_short=Subquery(portal.values("short_name")[:1]), portal_role=Subquery(portal.values("role")[:1]))


def card_rows(dataset_pks: Iterable[int]) -> list[dict]:
    """One dict per dataset in the order of the keys given; keys that are gone are left out.

    Keys: pk uid url title title_html summary organization organization_url region_label modality_labels stage_labels
    byte_size_text record_count_text formats listed updated license_label openness_label grade score assurance portal_short
    portal_role is_example download_count. `title_html` is "" (a search puts its marked title there).
    """
    pks = list(dataset_pks)
    found = {row.pk: row for row in with_portal(Dataset.objects.select_related("organization").filter(pk__in=pks))}
    formats = formats_of(found)
    return [card_row(found[pk], formats.get(pk, [])) for pk in pks if pk in found]


def formats_of(dataset_pks: Iterable[int]) -> dict[int, list[str]]:
    """Distinct resource formats per dataset, in the order of the resources."""
    formats = {}
    for pk, name in Resource.objects.filter(dataset__in=list(dataset_pks)).exclude(format="").values_list("dataset_id", "format"):
        kept = formats.setdefault(pk, [])
        if name not in kept:
            kept.append(name)
    return formats


def card_row(dataset: Dataset, formats: list[str]) -> dict:
    organization = dataset.organization
    row = {
        "pk": dataset.pk,
        "uid": str(dataset.uid),
        "url": dataset.get_absolute_url(),
        "title": dataset.title_local,
        "title_html": "",
        "summary": dataset.summary,
        "organization": organization.short_name or organization.name,
        "organization_url": reverse("catalog:organization_detail", args=[organization.uid]),
        "region_label": region_label(dataset.region),
        "modality_labels": term_labels("modality", dataset.modalities),
        "stage_labels": [bare(label) for label in term_labels("model_stage", dataset.model_stages)],
        "byte_size_text": size_text(dataset.byte_size),
        "record_count_text": _("%(count)s 条") % {"count": count_text(dataset.record_count)} if dataset.record_count else "",
        "formats": formats[:FORMATS_SHOWN],
        "listed": date_text(dataset.listed_at) if dataset.listed_at else "",
        "updated": date_text(dataset.modified or dataset.updated_at),
        "license_label": term_label("license_type", dataset.license_type) if dataset.license_type else dataset.license,
        "openness_label": dataset.get_openness_display(),
        "grade": dataset.grade,
        "score": dataset.score,
        "assurance": dataset.assurance,
        "portal_short": dataset.portal_short or dataset.home_portal,
        "portal_role": dataset.portal_role or "local",
        "is_example": dataset.is_example,
        "download_count": dataset.download_count,
    }
    return row if dataset.security_level == Dataset.SecurityLevel.GENERAL else row | WITHHELD
