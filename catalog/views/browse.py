"""Pages for people who look around: home, announcements, and the door for machines that ask for health."""

from django.db import connection
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.cards import card_rows
from catalog.formatting import count_text, in_a_row, is_english
from catalog.models import Announcement
from catalog.services import mapping, totals

SHELVES = ("newest", "grade", "downloads")


def health(request):
    """Answers 200 once the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def home(request):
    context = {
        "totals": totals.catalogue_totals(),
        "strip": totals.grade_strip(),
        "drawers": totals.sector_drawers(),
        "map": (map_data := mapping.resource_map()),
        "caption": _map_caption(map_data),
        "often": totals.frequent_keywords(),
        "shelves": list(_shelves()),
        "demands": totals.open_demands(),
        "announcements": Announcement.objects.all()[:4],
    }
    return render(request, "catalog/home.html", context)


def _map_caption(data):
    """浙粤京合计占 35.8%: the three fullest provinces, by their characters."""
    top = sorted((row for row in data["regions"] if row["count"]), key=lambda row: -row["count"])[:3]
    if not top:
        return _("打开地图")
    share = f"{100 * sum(row['count'] for row in top) / data['total']:.1f}"
    return _("%(places)s合计占 %(share)s%%") % {
        "places": in_a_row(row["name"] for row in top) if is_english() else "".join(row["char"] for row in top),
        "share": share,
    }


def _shelves():
    """Three columns of compact cards, each with the fact that put it there."""
    leading = totals.leading_datasets(SHELVES)
    rows = {row["pk"]: row for row in card_rows({pk for pks in leading.values() for pk in pks})}
    titles = {"newest": _("最新上架"), "grade": _("评价最好"), "downloads": _("使用最多")}
    for sort in SHELVES:
        kept = [rows[pk] for pk in leading[sort] if pk in rows]
        if sort == "grade":
            kept.sort(key=lambda row: (row["grade"] or "Z", -(row["score"] or 0)))
        cards = [{"row": row, "facts": _shelf_facts(sort, row)} for row in kept if _belongs(sort, row)]
        yield {"title": titles[sort], "url": f"?sort={sort}", "cards": cards}


def _belongs(sort, row):
    return {"grade": bool(row["grade"]), "downloads": bool(row["download_count"])}.get(sort, True)


def _shelf_facts(sort, row):
    if sort == "grade" and row["score"] is not None:
        return [row["organization"], _("评测 %(score)s") % {"score": f"{row['score']:.1f}"}]
    if sort == "downloads":
        return [row["organization"], _("样例 %(count)s 次") % {"count": count_text(row["download_count"])}]
    return [row["organization"], _("%(day)s 上架") % {"day": row["listed"]} if row["listed"] else row["updated"]]


@require_safe
def announcement(request, pk):
    return render(request, "catalog/announcement.html", {"announcement": get_object_or_404(Announcement, pk=pk)})


@require_safe
def announcement_list(request):
    return render(request, "catalog/announcements.html", {"announcements": Announcement.objects.all()[:200]})
