"""Providers: the list, and one provider with its datasets."""

from django.shortcuts import get_object_or_404, render

from catalog.models import Organization


def organization_list(request):
    return render(request, "catalog/organization/list.html", {"organizations": Organization.objects.all()[:50]})


def organization_detail(request, uid):
    return render(request, "catalog/organization/detail.html", {"organization": get_object_or_404(Organization, uid=uid)})
