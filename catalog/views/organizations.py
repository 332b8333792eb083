"""Providers: the list, and one provider with its datasets."""

from django.conf import settings
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.cards import card_rows
from catalog.labels import portal_label, term_choices
from catalog.models import Organization, Portal
from catalog.search import backends
from catalog.search.query import MISSING, SearchQuery
from catalog.services.mapping import listing_url, total_of

PAGE, SHOWN = 40, 20


def counted() -> dict[str, int]:
    """{organization uid: published datasets}, as the search counts them."""
    return {item.value: item.count for item in backends.get_backend().counts(SearchQuery(), "organization") if item.value != MISSING}


@require_safe
def organization_list(request):
    """Organizations with published datasets, the most productive first; ?q= narrows by name, ?kind= and ?region= by value."""
    counts = counted()
    rows = Organization.objects.filter(uid__in=list(counts)) if len(counts) < 5000 else Organization.objects.all()
    filters = {name: request.GET.get(name, "")[:40] for name in ("q", "kind", "region")}
    if filters["q"]:
        rows = rows.filter(name__icontains=filters["q"])
    if filters["kind"] in Organization.Kind.values:
        rows = rows.filter(kind=filters["kind"])
    if filters["region"][:2].isdigit():
        rows = rows.filter(region__startswith=filters["region"][:2])
    ranked = sorted(rows, key=lambda row: (-counts.get(str(row.uid), 0), row.name))
    page = Paginator(ranked, PAGE).get_page(request.GET.get("page"))
    portals = {pk: portal_label(pk, name) for pk, name in Portal.objects.values_list("id", "name")}
    for organization in page:
        organization.count = counts.get(str(organization.uid), 0)
        organization.portal_name = portals.get(organization.home_portal, organization.home_portal)
        organization.is_remote = organization.home_portal != settings.PORTAL_ID
    context = {"page": page, "total": len(ranked), "filters": filters, "kinds": Organization.Kind.choices, "regions": term_choices("region")}
    return render(request, "catalog/organization/list.html", context)


@require_safe
def organization_detail(request, uid):
    organization = get_object_or_404(Organization.objects.select_related("parent"), uid=uid)
    query = SearchQuery(filters={"organization": (str(organization.uid),)}, sort="newest", limit=SHOWN, facets=())
    backend = backends.get_backend()
    context = {
        "organization": organization,
        "cards": card_rows(backend.search(query).ids),
        "total": total_of(query),
        "volume": int(sum(backend.volume(query, "organization").values())),
        "all_url": listing_url(query),
        "facts": list(_breakdown(query)),
        "home": Portal.objects.filter(id=organization.home_portal).first(),
        "children": organization.children.all()[:50],
    }
    return render(request, "catalog/organization/detail.html", context)


def _breakdown(query):
    """What the provider has, by sector, modality and grade; each value opens the list."""
    for dimension, label in (("sector", _("领域")), ("modality", _("模态")), ("grade", _("质量等级"))):
        values = [
            {"label": item.label, "count": item.count, "url": listing_url(query, **{dimension: item.value})}
            for item in backends.get_backend().counts(query, dimension)
        ]
        if values:
            yield {"label": label, "values": values}
