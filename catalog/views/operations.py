"""Operations: what waits, what failed, whether the index agrees with the records, and the buttons that set it right."""

from functools import wraps

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from catalog.exceptions import NotAllowed
from catalog.models import Job
from catalog.services import operations
from catalog.views.acting import attempt, valid_uid


def administrators_only(view):
    @wraps(view)
    @login_required
    def guarded(request, *args, **kwargs):
        try:
            operations.require_administrator(request.user)
        except NotAllowed as error:
            raise PermissionDenied(str(error)) from None
        return view(request, *args, **kwargs)

    return guarded


@administrators_only
@require_http_methods(["GET", "POST"])
def overview(request):
    if request.method == "POST":
        _act(request)
        return redirect("catalog:operations")
    queues = operations.queues()
    context = {
        "queues": queues,
        "waiting": sum(row["queued"] for row in queues),
        "late": min((row["late"] for row in queues if row["late"]), default=None),
        "failed": operations.failed(),
        "index": operations.index_state(),
        "links": operations.links(),
        "asked": {kind.replace(".", "_"): _told(operations.last(kind)) for kind in operations.ASKED},
        "desk": True,
        "section": "operations",
    }
    return render(request, "catalog/operations/overview.html", context)


def _act(request) -> None:
    if request.POST.get("do") == "retry":
        job = Job.objects.filter(uid=valid_uid(request.POST.get("job"))).first()
        if job is None:
            raise Http404
        attempt(request, lambda: operations.retry(job, user=request.user), _("已重新排队。"))
    else:
        kind = request.POST.get("do", "")
        attempt(request, lambda: operations.ask(kind, user=request.user), _("已排队，完成后刷新本页可见结果。"))


def _told(job: Job | None) -> dict | None:
    """A job asked for here, and how far it is in percent where it tells."""
    if job is None:
        return None
    share = min(100, 100 * job.done_units // job.total_units) if job.total_units else None
    return {"job": job, "share": share, "is_open": job.state in ("queued", "running")}
