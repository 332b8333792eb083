"""The federation centre as its readers see it: a public summary, and pages for the portal's administrators. What they do is in acts.py."""

import csv
import json

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from catalog.cells import inert
from catalog.models import Dataset, Portal
from catalog.permissions import sees_whole
from federation.models import Decision, Peer, Quarantine, RemoteRecord
from federation.services import charts, keys, portal_page
from federation.services import overview as figures

PORTALS_A_PAGE, ROWS_A_PAGE, CSV_ROWS = 100, 50, 10_000
RUN_COLUMNS = ("started_at", "finished_at", "portal", "stream", "pages", "received", "applied", "unchanged", "quarantined", "held", "gaps", "bytes")


@require_GET
def overview(request):
    admin = request.user.is_authenticated and request.user.is_portal_admin
    context = figures.public_view()
    page = Paginator(context["portals"], PORTALS_A_PAGE).get_page(request.GET.get("page"))
    context |= {"page": page, "no_filters": {}, "topology": charts.topology(context["portals"])}
    if admin:
        own = [{"key": key, "fingerprint": portal_page.fingerprint(key["public_key"])} for key in keys.public_keys()]
        context |= figures.desk_view() | {"own_keys": own, "daily": charts.daily(), "readings": portal_page.readings(Peer.objects.all())[:50]}
    return render(request, "federation/overview.html", context | {"is_admin": admin, "desk": True, "now": timezone.now()})


def for_administrators(view):
    """Signed in, and an administrator of this portal; everybody else is refused."""

    @login_required
    def guarded(request, *args, **kwargs):
        require_admin(request.user)
        return view(request, *args, **kwargs)

    return guarded


def require_admin(user) -> None:
    if not user.is_portal_admin:
        raise PermissionDenied(_("只有门户管理员可以处理联邦事务。"))


@for_administrators
def portal(request, portal_id):
    """One portal: the exchange in both directions, its keys, runs, quarantine and decisions."""
    peer = get_object_or_404(Peer.objects.select_related("portal"), pk=portal_id)
    return render(request, "federation/portal.html", portal_page.portal_view(peer) | {"desk": True, "now": timezone.now()})


def _filters(request, allowed: dict) -> dict:
    """The filters of the address that are among what is allowed; None allows any text."""
    given = {name: request.GET.get(name, "")[:64] for name in allowed}
    return {name: value for name, value in given.items() if value and (allowed[name] is None or value in allowed[name])}


def _portals() -> list[Portal]:
    return list(Portal.objects.filter(peer__isnull=False).order_by("pk"))


@require_GET
@for_administrators
def runs(request):
    filters = _filters(request, {"portal": None, "result": ("ok", "error", "waiting")})
    page = Paginator(portal_page.run_rows(**filters), ROWS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "federation/runs.html", {"page": page, "filters": filters, "portals": _portals(), "desk": True})


@require_GET
@for_administrators
def runs_csv(request):
    """The runs of the same filter with all counters and the type of the error; the newest 10,000."""
    filters = _filters(request, {"portal": None, "result": ("ok", "error", "waiting")})
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="federation-runs.csv"'
    writer = csv.writer(response)
    writer.writerow([*RUN_COLUMNS, "lag_ms", "error_type", "error"])
    for run in portal_page.run_rows(**filters)[:CSV_ROWS]:
        run.portal = run.peer_id
        values = [getattr(run, name) for name in RUN_COLUMNS]
        values = [value.isoformat(timespec="seconds") if hasattr(value, "isoformat") else value for value in values]
        writer.writerow([inert(value) for value in [*values, run.lag_ms, portal_page.error_type(run.error), run.error]])
    return response


@for_administrators
def quarantine(request):
    """What could not be applied, what is held, and what became of it."""
    filters = _filters(request, {"portal": None, "state": Quarantine.State.values, "error": None})
    rows = Quarantine.objects.select_related("peer__portal").defer("event")
    rows = rows.filter(state=filters["state"]) if "state" in filters else rows.filter(state__in=portal_page.OPEN)
    rows = rows.filter(peer_id=filters["portal"]) if "portal" in filters else rows
    rows = rows.filter(error=filters["error"]) if "error" in filters else rows
    errors = list(Quarantine.objects.order_by("error").values_list("error", flat=True).distinct()[:50])
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "filters": filters, "portals": _portals(), "errors": errors, "states": Quarantine.State.choices}
    return render(request, "federation/quarantine.html", context | {"desk": True})


@require_GET
@for_administrators
def parked(request, pk):
    """One event that waits: what arrived, beside what this portal holds of the record."""
    row = get_object_or_404(Quarantine.objects.select_related("peer__portal"), pk=pk)
    record = RemoteRecord.objects.filter(peer=row.peer, stream=row.stream, identifier=row.identifier).first()
    dataset = Dataset.objects.filter(identifier=row.identifier).first()
    held = _readable(record.doc) if record else ""
    context = {"row": row, "record": record, "dataset": dataset, "arrived": _readable(row.event), "held": held, "open": row.state in portal_page.OPEN}
    return render(request, "federation/parked.html", context | {"desk": True})


def _readable(raw) -> str:
    """The bytes as indented JSON, or as they are when they are none; text for a <pre>."""
    text = bytes(raw or b"").decode(errors="replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=1)[:200_000] if text else ""
    except (ValueError, RecursionError):
        return text[:20_000]


@require_GET
@for_administrators
def decision_list(request):
    filters = _filters(request, {"portal": None, "kind": Decision.Kind.values})
    rows = Decision.objects.select_related("change", "actor")
    rows = rows.filter(portal=filters["portal"]) if "portal" in filters else rows
    rows = rows.filter(kind=filters["kind"]) if "kind" in filters else rows
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    found = figures.described(list(page.object_list))
    context = {"page": page, "decisions": found, "filters": filters, "portals": _portals(), "kinds": Decision.Kind.choices}
    return render(request, "federation/decisions.html", context | {"is_national": figures.is_national(), "desk": True})


@require_GET
def raw_record(request, uid):
    """The record as its home portal signed it off, byte for byte."""
    dataset = get_object_or_404(Dataset.objects.visible_to(request.user), uid=uid)
    record = RemoteRecord.objects.filter(stream="listings", identifier=dataset.identifier).first()
    if record is None or record.doc is None or not sees_whole(request.user, dataset):
        raise Http404
    return HttpResponse(bytes(record.doc), content_type="application/json")
