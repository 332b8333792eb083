"""Catalogue and dataset in the formats of others. Only what is published; whole catalogues are streamed."""

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import http_date, parse_http_date_safe
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from catalog.interchange import export_feeds, export_oai
from catalog.interchange.export_croissant import dataset_croissant
from catalog.interchange.export_datajson import catalog_datajson
from catalog.interchange.export_datapackage import dataset_datapackage
from catalog.interchange.export_dcat import catalog_jsonld, catalog_turtle, dataset_jsonld, dataset_turtle, vocabulary_jsonld
from catalog.interchange.export_lines import catalog_csv, catalog_ndjson, dataset_json
from catalog.interchange.published import entries, published_rows

DATASET_FORMATS = {  # ending -> (media type, writer)
    "jsonld": ("application/ld+json", dataset_jsonld),
    "ttl": ("text/turtle; charset=utf-8", dataset_turtle),
    "croissant.json": ('application/ld+json; profile="http://mlcommons.org/croissant/1.1"', dataset_croissant),
    "datapackage.json": ("application/json", dataset_datapackage),
    "json": ("application/json", dataset_json),
}
CATALOG_FORMATS = {  # name -> (file name, media type, writer)
    "jsonld": ("catalog.jsonld", "application/ld+json", catalog_jsonld),
    "ttl": ("catalog.ttl", "text/turtle; charset=utf-8", catalog_turtle),
    "datajson": ("data.json", "application/json", catalog_datajson),
    "csv": ("catalog.csv", "text/csv; charset=utf-8", catalog_csv),
    "ndjson": ("catalog.ndjson", "application/x-ndjson", catalog_ndjson),
}


@require_safe
def dataset(request, uid, ending):
    media_type, write = DATASET_FORMATS[ending]
    rows = published_rows().filter(uid=uid)
    updated = get_object_or_404(rows.only("updated_at"), uid=uid).updated_at
    headers = {"Last-Modified": http_date(updated.timestamp()), "Access-Control-Allow-Origin": "*"}
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    if since is not None and int(updated.timestamp()) <= since:
        return HttpResponse(status=304, headers=headers)
    entry = next(entries(rows), None)
    if entry is None:
        raise Http404
    return HttpResponse(write(entry), content_type=media_type, headers=headers)


@require_safe
def whole_catalog(request, name):
    filename, media_type, write = CATALOG_FORMATS[name]
    disposition = "attachment" if name == "csv" else "inline"
    headers = {"Content-Disposition": f'{disposition}; filename="{filename}"', "Access-Control-Allow-Origin": "*"}
    found = entries(with_files=name != "csv")  # the table for spreadsheets tells nothing of files
    return StreamingHttpResponse(write(found), content_type=media_type, headers=headers)


@require_safe
def feed(request):
    return HttpResponse(export_feeds.atom_feed(), content_type="application/atom+xml; charset=utf-8")


@require_safe
def sitemap(request):
    page = request.GET.get("page")
    if page is not None and not (page.isascii() and page.isdigit() and len(page) < 6 and 1 <= int(page) <= 10_000):
        raise Http404
    return StreamingHttpResponse(export_feeds.sitemap(int(page) if page else None), content_type="application/xml; charset=utf-8")


@csrf_exempt  # reads only; the protocol asks for POST as well
@require_http_methods(["GET", "POST"])
def oai(request):
    given = request.POST if request.method == "POST" else request.GET
    return HttpResponse(export_oai.answer({name: given.getlist(name) for name in given}), content_type="text/xml; charset=utf-8")


@require_safe
def vocabulary(request):
    return HttpResponse(vocabulary_jsonld(), content_type="application/ld+json", headers={"Access-Control-Allow-Origin": "*"})


@require_safe
def developers(request):
    return render(request, "catalog/developers/index.html")
