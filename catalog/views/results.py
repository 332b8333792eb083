"""A result in other forms: CSV for spreadsheets, Atom for readers. They take the parameters of the search page."""

import csv
from collections.abc import Iterator
from dataclasses import replace

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.cells import inert
from catalog.exceptions import DomainError
from catalog.interchange.export_feeds import search_feed
from catalog.labels import region_label, term_label, term_labels
from catalog.models import Dataset, Subscription
from catalog.search.addresses import query_string
from catalog.search.backends import get_backend
from catalog.search.listing import parse_query, rows
from catalog.search.query import SearchQuery
from catalog.services import saved_searches
from catalog.views.problems import refuse

MOST = 10_000  # rows of one CSV file
CHUNK = 500
FEED = 50
ATOM = "application/atom+xml; charset=utf-8"


class Lines:
    """A file that csv writes to and that hands on each line."""

    def write(self, line: str) -> str:
        return line


@require_safe
def results_csv(request):
    """The first MOST rows of the result in its order, streamed; a last line says so when there are more. Formulas are inert."""
    try:
        query = parse_query(request.GET)
    except DomainError as error:
        return refuse(request, error)
    found = get_backend().search(replace(query, offset=0, limit=MOST, facets=()))
    headers = {"Content-Disposition": 'attachment; filename="datasets.csv"', "X-Result-Total": str(found.total)}
    return StreamingHttpResponse(_csv_lines(found.ids, found.total), content_type="text/csv; charset=utf-8", headers=headers)


def _csv_lines(pks: list[int], total: int) -> Iterator[str]:
    writer = csv.writer(Lines())
    yield "\ufeff"
    yield writer.writerow(
        [
            _("标识"),
            _("名称"),
            _("提供方"),
            _("地区"),
            _("领域"),
            _("模态"),
            _("质量等级"),
            _("评分"),
            _("记录数"),
            _("字节数"),
            _("授权"),
            _("开放属性"),
        ]
        + [_("更新"), _("来源门户"), _("地址")]
    )
    openness = dict(Dataset.Openness.choices)
    for start in range(0, len(pks), CHUNK):
        for row in rows(pks[start : start + CHUNK]):
            cells = [row["identifier"], row["title"], row["organization"]["name"], region_label(row["region"]), term_labels("sector", row["sectors"])]
            cells += [term_labels("modality", row["modalities"]), row["grade"], row["score"], row["record_count"], row["byte_size"]]
            cells += [
                term_label("license_type", row["license_type"]) if row["license_type"] else row["license"],
                str(openness.get(row["openness"], "")),
            ]
            cells += [row["modified"], row["portal"], settings.PORTAL_BASE_URL.rstrip("/") + row["url"]]
            yield writer.writerow([inert(cell) for cell in cells])
    if total > len(pks):
        yield writer.writerow([_("共 %(total)d 行，这里是前 %(most)d 行；请加筛选条件后再导出。") % {"total": total, "most": len(pks)}])


@require_safe
def results_feed(request):
    """Atom of any public search: its newest listings."""
    try:
        query = parse_query(request.GET)
    except DomainError as error:
        return HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")
    path = f"{reverse('catalog:search_feed')}?{query_string(query)}"
    return HttpResponse(_feed(query, query.text[:80] or _("查找数据集"), path), content_type=ATOM)


@require_safe
def saved_feed(request, token):
    """Atom of a kept search for whoever has its address; its owner's name is not told."""
    subscription = Subscription.objects.filter(feed_token=token, dataset=None).exclude(feed_token="").first()  # nosec B106
    query = saved_searches.query_of(subscription) if subscription else None
    if query is None:
        return HttpResponse(_("没有这个订阅，或者它已经删除。"), status=404, content_type="text/plain; charset=utf-8")
    headers = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}
    return HttpResponse(_feed(query, subscription.name, request.path), content_type=ATOM, headers=headers)


def _feed(query: SearchQuery, title: str, path: str) -> bytes:
    pks = get_backend().search(replace(query, sort="newest", offset=0, limit=FEED, facets=())).ids
    page = f"{reverse('catalog:search')}?{query_string(query)}"
    return search_feed(pks, title=title, path=path, page=page)
