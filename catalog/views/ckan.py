"""CKAN's action API, to read only: what harvesters and clients written for CKAN ask for. What is not understood is refused, never ignored."""

import re
from datetime import UTC, datetime

import orjson
from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.dateparse import parse_datetime
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from catalog.interchange.export_ckan import organization_dict, package
from catalog.interchange.published import base_url, entries, published_rows
from catalog.labels import term_choices
from catalog.models import Organization
from catalog.search.backends import get_backend
from catalog.search.query import MISSING, SearchQuery

OPEN = {"Access-Control-Allow-Origin": "*"}
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAX_ROWS = 1000
MAX_BODY = 64 * 1024
FILTERS = {  # CKAN's field -> our dimension
    "organization": "organization",
    "owner_org": "organization",
    "groups": "sector",
    "tags": "keyword",
    "res_format": "format",
    "license_id": "license_type",
}
SORTS = {"score": "relevance", "title": "title", "metadata_created": "newest", "views_recent": "downloads"}
COLUMNS = {"metadata_modified": "updated_at", "id": "uid", "name": "uid"}
CLAUSE = re.compile(r'\s*(?:AND\s+)?\+?([a-z_]+):(?:"([^"]*)"|\[([^\]]*?) TO ([^\]]*?)\]|\(?"?([^\s()"]+)"?\)?)')


class Refused(Exception):
    """CKAN's answer to what it does not find or understand."""

    def __init__(self, status: int, kind: str, message: str):
        self.status, self.kind = status, kind
        super().__init__(message)


@csrf_exempt  # reads only; CKAN's clients POST their parameters as JSON
@require_http_methods(["GET", "POST"])
def action(request, name):
    address = f"{base_url()}/api/3/action/{name}"
    try:
        if name not in ACTIONS:
            raise Refused(400, "Bad request", f"Action name not known: {name[:60]}")
        result = ACTIONS[name](_parameters(request))
    except Refused as refused:
        told = {"help": address, "success": False, "error": {"__type": refused.kind, "message": str(refused)}}
        return HttpResponse(orjson.dumps(told), status=refused.status, content_type="application/json", headers=OPEN)
    head = orjson.dumps({"help": address, "success": True})[:-1] + b',"result":'
    if isinstance(result, (dict, list)):
        return HttpResponse(head + orjson.dumps(result) + b"}", content_type="application/json", headers=OPEN)
    return StreamingHttpResponse(_streamed(head, result), content_type="application/json", headers=OPEN)


def _streamed(head, items):
    yield head + b"["
    for number, item in enumerate(items):
        yield (b"," if number else b"") + orjson.dumps(item)
    yield b"]}"


def _parameters(request) -> dict:
    if request.method == "GET":
        return {name: request.GET[name].replace("\x00", " ") for name in request.GET}
    if len(request.body) > MAX_BODY:
        raise Refused(400, "Bad request", "The body is larger than 64 KiB.")
    try:
        given = orjson.loads(request.body or b"{}")
    except orjson.JSONDecodeError:
        given = request.POST.dict()
    if not isinstance(given, dict):
        raise Refused(400, "Bad request", "The body must be a JSON object.")
    return {str(name): value.replace("\x00", " ") if isinstance(value, str) else value for name, value in given.items()}


def _number(given: dict, name: str, default: int, high: int = 10**9) -> int:
    value = given.get(name, default)
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused(409, "Validation Error", f"{name}: must be a natural number.")
    return min(int(text), high)


# --- actions


def status_show(given) -> dict:
    return {"ckan_version": "2.11.0", "site_title": settings.PORTAL_NAME, "site_url": base_url(), "extensions": []}


def site_read(given) -> list:
    return [True]


def package_list(given):
    """Every name, streamed; `limit` and `offset` cut."""
    rows = published_rows().order_by("pk").values_list("uid", flat=True)
    start, limit = _number(given, "offset", 0), given.get("limit")
    rows = rows[start:] if limit in (None, "") else rows[start : start + _number(given, "limit", 0)]
    return (str(uid) for uid in rows.iterator(chunk_size=2000))


def package_show(given) -> dict:
    wanted = str(given.get("id") or given.get("name_or_id") or "")[:300]
    rows = published_rows()
    found = rows.filter(uid=wanted) if UID.fullmatch(wanted) else rows.filter(identifier=wanted)
    entry = next(entries(found), None)
    if entry is None:
        raise Refused(404, "Not Found Error", "Not found")
    return package(entry)


def package_search(given) -> dict:
    """q, fq (AND of field:value), rows ≤ 1000, start, sort, facet.field.

    metadata_modified, id and name are columns of the database: they go with an organization, not with words or other filters.
    """
    rows, start = _number(given, "rows", 10, MAX_ROWS), _number(given, "start", 0)
    text = str(given.get("q") or "").strip()
    text = "" if text in ("*:*", "*") else text
    filters, span, names = _clauses(given)
    column, falling = _order(given, bool(text))
    if column in COLUMNS.values() or span or names:
        if text or filters.keys() - {"organization"}:
            raise Refused(409, "Search Query Error", "q and filters other than organization do not go with metadata_modified, id or name.")
        count, pks = _by_column(filters, span, names, column if column in COLUMNS.values() else "updated_at", falling, start, rows)
        query = None
    else:
        query = SearchQuery(text=text, filters=filters, sort=column, offset=start, limit=max(rows, 1), facets=())
        found = get_backend().search(query)
        count, pks = found.total, found.ids[:rows]
    read = {entry.uid: package(entry) for entry in entries(published_rows().filter(pk__in=pks))}
    uids = dict(published_rows().filter(pk__in=pks).values_list("pk", "uid"))
    results = [read[str(uids[pk])] for pk in pks if pk in uids and str(uids[pk]) in read]
    return {"count": count, "sort": str(given.get("sort") or ""), "results": results, "facets": {}, "search_facets": _facets(given, query)}


def organization_list(given) -> list:
    rows = Organization.objects.filter(datasets__in=published_rows()).distinct().order_by("pk").values_list("uid", "name")
    if str(given.get("all_fields", "")).lower() in ("true", "1"):
        return [organization_dict(str(uid), name) for uid, name in rows]
    return [str(uid) for uid, _name in rows]


def group_list(given) -> list:
    if str(given.get("all_fields", "")).lower() in ("true", "1"):
        return [{"id": code, "name": code, "title": label, "display_name": label} for code, label in term_choices("sector")]
    return [code for code, _label in term_choices("sector")]


ACTIONS = {
    "status_show": status_show,
    "site_read": site_read,
    "package_list": package_list,
    "package_show": package_show,
    "package_search": package_search,
    "organization_list": organization_list,
    "group_list": group_list,
}


# --- the parts of a search


def _clauses(given) -> tuple[dict, tuple | None, list[str]]:
    """({dimension: values}, (from, until) of metadata_modified or None, uids of id: and name:)."""
    written = given.get("fq_list") or given.get("fq") or ""
    written = " ".join(map(str, written)) if isinstance(written, list) else str(written)
    filters, span, names, at = {}, None, [], 0
    written = written.strip()
    while at < len(written):
        clause = CLAUSE.match(written, at)
        if clause is None:
            raise Refused(409, "Search Query Error", f"fq is not understood from: {written[at : at + 60]}")
        field, quoted, low, high, plain = clause.groups()
        at = clause.end()
        if field == "metadata_modified" and low is not None:
            span = (_moment(low), _moment(high))
        elif field in FILTERS and low is None:
            filters[FILTERS[field]] = (*filters.get(FILTERS[field], ()), quoted if quoted is not None else plain)
        elif field in ("id", "name") and low is None:
            names.append(quoted if quoted is not None else plain)
        elif field not in ("state", "dataset_type", "capacity", "private") or (quoted or plain) not in ("active", "dataset", "public", "false"):
            raise Refused(409, "Search Query Error", f"fq: {field[:40]} cannot be filtered by.")
    return filters, span, names


def _moment(text: str):
    text = text.strip()
    if text == "*":
        return None
    try:
        at = parse_datetime(text) or datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        raise Refused(409, "Search Query Error", f"metadata_modified: {text[:40]} is no time.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _order(given, has_text: bool) -> tuple[str, bool]:
    """(sort of our search or a column, descending)."""
    first = str(given.get("sort") or ("score desc" if has_text else "metadata_modified desc")).split(",")[0].split()
    field, falling = (first or [""])[0], first[1:] == ["desc"]
    if field == "metadata_modified" and has_text:
        return "updated", True
    if field in COLUMNS:
        return COLUMNS[field], falling
    if field not in SORTS:
        raise Refused(409, "Search Query Error", f"sort: {field[:40]} is not one of {', '.join([*SORTS, *COLUMNS])}.")
    return SORTS[field], falling


def _by_column(filters, span, names, column, falling, start, limit):
    rows = published_rows()
    if filters:
        rows = rows.filter(organization__uid__in=[value for value in filters["organization"] if UID.fullmatch(value)])
    if names:
        rows = rows.filter(uid__in=[value for value in names if UID.fullmatch(value)])
    since, until = span or (None, None)
    if since:
        rows = rows.filter(updated_at__gte=since)
    if until:
        rows = rows.filter(updated_at__lte=until)
    sign = "-" if falling else ""
    return rows.count(), list(rows.order_by(f"{sign}{column}", "pk").values_list("pk", flat=True)[start : start + limit])


def _facets(given, query) -> dict:
    wanted = given.get("facet.field") or []
    if isinstance(wanted, str):
        try:
            wanted = orjson.loads(wanted)
        except orjson.JSONDecodeError:
            wanted = [wanted]
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        raise Refused(409, "Search Query Error", "facet.field must be a list of names.")
    found = {}
    for name in wanted[:10]:
        if name in FILTERS:
            values = get_backend().counts(query or SearchQuery(), FILTERS[name])
            items = [{"name": item.value, "display_name": item.label, "count": item.count} for item in values if item.value != MISSING]
            found[name] = {"title": name, "items": items[:50]}
    return found
