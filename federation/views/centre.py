"""The federation centre: a public summary, and the full desk for the portal's administrators."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from catalog.exceptions import DomainError
from catalog.models import Dataset
from catalog.permissions import sees_whole
from catalog.views.acting import number
from federation.models import Decision, Peer, Quarantine, RemoteRecord
from federation.services import decisions, keys, peers, sync
from federation.services import overview as figures


@require_GET
def overview(request):
    admin = request.user.is_authenticated and request.user.is_portal_admin
    context = figures.public_view()
    if admin:
        context |= figures.desk_view() | {"own_keys": keys.public_keys()}
    return render(request, "federation/overview.html", context | {"is_admin": admin, "desk": True, "now": timezone.now()})


def _require_admin(user):
    if not user.is_portal_admin:
        raise PermissionDenied(_("只有门户管理员可以处理联邦事务。"))


@login_required
@require_POST
def act_on_peer(request, portal_id):
    """action: accept, trust, untrust, suspend, revoke, sync, anew."""
    _require_admin(request.user)
    peer = get_object_or_404(Peer, pk=portal_id)
    actions = {
        "accept": lambda: peers.accept(peer.pk, actor=request.user),
        "trust": lambda: peers.accept(peer.pk, trusted=True, actor=request.user),
        "untrust": lambda: peers.accept(peer.pk, trusted=False, actor=request.user),
        "suspend": lambda: peers.suspend(peer.pk, actor=request.user),
        "revoke": lambda: peers.revoke(peer.pk, actor=request.user),
        "anew": lambda: (sync.read_anew(peer.pk, actor=request.user), peers.accept(peer.pk, actor=request.user)),
        "sync": lambda: _sync_now(peer),
    }
    try:
        actions[request.POST.get("action", "")]()
        messages.success(request, _("门户 %(id)s：已处理。") % {"id": peer.pk})
    except KeyError:
        raise Http404 from None
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("federation:overview")


def _sync_now(peer):
    from federation import tasks

    Peer.objects.filter(pk=peer.pk).update(next_due=timezone.now())
    tasks.wake(tasks.pull_peer, peer.pk)


@login_required
@require_POST
def act_on_quarantine(request):
    """action: retry, release, refuse; on one row (`row`) or, for held tombstones, on all of a portal (`portal`)."""
    _require_admin(request.user)
    rows = Quarantine.objects.filter(state__in=["parked", "held"]).select_related("peer")
    if "row" in request.POST:
        rows = rows.filter(pk=number(request.POST["row"]))
    elif request.POST.get("portal"):
        rows = rows.filter(peer_id=request.POST["portal"], state=Quarantine.State.HELD)
    else:
        rows = rows.filter(state=Quarantine.State.PARKED)
    rows, action = list(rows[:5000]), request.POST.get("action")
    if action in ("retry", "release"):
        done = sync.retry_quarantine(rows, actor=request.user)
    elif action == "refuse":
        done = sync.refuse_quarantine(rows, actor=request.user)
    else:
        raise Http404
    messages.success(request, _("处理了 %(done)d 条，共 %(all)d 条。") % {"done": done, "all": len(rows)})
    return redirect("federation:overview")


@require_GET
def raw_record(request, uid):
    """The record as its home portal signed it off, byte for byte."""
    dataset = get_object_or_404(Dataset.objects.visible_to(request.user), uid=uid)
    record = RemoteRecord.objects.filter(stream="listings", identifier=dataset.identifier).first()
    if record is None or record.doc is None or not sees_whole(request.user, dataset):
        raise Http404
    return HttpResponse(bytes(record.doc), content_type="application/json")


@login_required
@require_POST
def decide(request, uid):
    dataset = get_object_or_404(Dataset.objects.visible_to(request.user), uid=uid)
    kind = request.POST.get("kind", "")
    if kind not in decisions.RULES:
        raise Http404
    try:
        decisions.decide(dataset, kind, actor=request.user, reason=request.POST.get("reason", ""))
        messages.success(request, _("已%(kind)s，决定正在发往来源门户。") % {"kind": Decision.Kind(kind).label})
    except DomainError as error:
        messages.error(request, str(error))
    return redirect(dataset.get_absolute_url())
