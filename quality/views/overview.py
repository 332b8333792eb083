"""The public overview of grades: leagues by portal, sector and organisation, and what would help most."""

from urllib.parse import urlencode

from django.shortcuts import render
from django.utils.translation import gettext as _

from catalog.labels import portal_label, term_label
from quality.explanations import EFFORTS
from quality.services.overview import overview as figures
from quality.words import told


def overview(request):
    value = figures()
    leagues = [
        {"code": "portal", "title": _("按门户"), "rows": [named(row, "portal", portal_label(row["key"], row["name"])) for row in value["portals"]],
         "others": value["others"]["portals"]},
        {"code": "sector", "title": _("按行业领域"), "rows": [named(row, "sector", term_label("sector", row["key"])) for row in value["sectors"]],
         "others": value["others"]["sectors"]},
        {"code": "organization", "title": _("按提供方"), "rows": [named(row, "organization", row["name"]) for row in value["organizations"]],
         "others": value["others"]["organizations"]},
    ]  # fmt: skip
    fixes = [row | {"label": told(row["label"]), "message": told(row["message"]), "effort": EFFORTS[row["effort"]]} for row in value["fixes"]]
    shown = request.GET.get("by", "sector")
    chosen = next((league for league in leagues if league["code"] == shown), leagues[1])
    return render(request, "quality/overview.html", {"figures": value, "leagues": leagues, "league": chosen, "fixes": fixes})


def named(row: dict, facet: str, name: str) -> dict:
    """A row of a league with the search that lists the same datasets."""
    return row | {"name": name, "query": "" if facet == "organization" else urlencode({facet: row["key"]})}
