"""What administrators do in the federation centre: every one a POST, each through its service, and back to the page it came from."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.exceptions import DomainError
from catalog.models import Dataset
from catalog.views.acting import number
from federation.models import Decision, Peer, PeerKey, Quarantine
from federation.protocol import ProtocolError
from federation.services import decisions, outbox, peers, quarantine, sync
from federation.services.reconcile import Behind, reconcile
from federation.signing import SignatureRefused
from federation.transport import TransportError
from federation.views.centre import for_administrators, portal
from federation.views.centre import quarantine as quarantine_page


def back(request):
    """To the page of this site that the form named, else to the centre."""
    address = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(address, allowed_hosts=None) and address.startswith("/federation/")
    return redirect(address if safe else "federation:overview")


@for_administrators
def portal_or_act(request, portal_id):
    """GET shows the portal; POST `action`: accept, trust, untrust, suspend, revoke, sync, reconcile, anew."""
    if request.method != "POST":
        return portal(request, portal_id)
    peer = get_object_or_404(Peer, pk=portal_id)
    actions = {
        "accept": lambda: peers.accept(peer.pk, actor=request.user),
        "trust": lambda: peers.accept(peer.pk, trusted=True, actor=request.user),
        "untrust": lambda: peers.accept(peer.pk, trusted=False, actor=request.user),
        "suspend": lambda: peers.suspend(peer.pk, actor=request.user),
        "revoke": lambda: _revoke(request, peer),
        "anew": lambda: (sync.read_anew(peer.pk, actor=request.user), peers.accept(peer.pk, actor=request.user)),
        "sync": lambda: _sync_now(peer),
        "reconcile": lambda: _reconcile_now(request, peer),
    }
    action = actions.get(request.POST.get("action", ""))
    if action is None:
        raise Http404
    try:
        said = action()
        messages.success(request, said if isinstance(said, str) else _("门户 %(id)s：已处理。") % {"id": peer.pk})
    except DomainError as error:
        messages.error(request, str(error))
    except (TransportError, ProtocolError, SignatureRefused, Behind) as error:
        messages.error(request, _("门户 %(id)s：%(error)s") % {"id": peer.pk, "error": str(error)[:300]})
    return back(request)


def _revoke(request, peer) -> None:
    """Keys are void at once, so the form asks for the portal's id to be typed."""
    if request.POST.get("confirm", "").strip() != peer.pk:
        raise DomainError(_("请输入门户标识 %(id)s 以确认撤销。") % {"id": peer.pk})
    peers.revoke(peer.pk, actor=request.user)


def _sync_now(peer) -> None:
    from federation import tasks

    Peer.objects.filter(pk=peer.pk).update(next_due=timezone.now())
    tasks.wake(tasks.pull_peer, peer.pk)


def _reconcile_now(request, peer) -> str:
    """Compare by digests while the person waits: some round trips, whatever the number of records."""
    found = [reconcile(peer, stream) for stream in peer.checkpoints.order_by("pk").values_list("stream", flat=True)]
    wrong = sum(not report.agrees for report in found)
    return _("门户 %(id)s：对账完成，%(n)d 个流一致，%(wrong)d 个不一致。") % {"id": peer.pk, "n": len(found) - wrong, "wrong": wrong}


@for_administrators
def quarantine_or_act(request):
    """GET lists; POST `action`: retry, release, refuse; on one row (`row`), several (`rows`), or all that is held of a portal (`portal`)."""
    if request.method != "POST":
        return quarantine_page(request)
    rows = Quarantine.objects.filter(state__in=quarantine.OPEN).select_related("peer")
    if "row" in request.POST:
        rows = rows.filter(pk=number(request.POST["row"]))
    elif "rows" in request.POST:
        rows = rows.filter(pk__in=[number(text) for text in request.POST.getlist("rows")[:500]])
    elif request.POST.get("portal"):
        rows = rows.filter(peer_id=request.POST["portal"], state=Quarantine.State.HELD)
    else:
        rows = rows.filter(state=Quarantine.State.PARKED)
    rows, action = list(rows[:5000]), request.POST.get("action")
    if action in ("retry", "release"):
        done = quarantine.retry_quarantine(rows, actor=request.user)
    elif action == "refuse":
        done = quarantine.refuse_quarantine(rows, actor=request.user)
    else:
        raise Http404
    messages.success(request, _("处理了 %(done)d 条，共 %(all)d 条。") % {"done": done, "all": len(rows)})
    return back(request)


@require_POST
@for_administrators
def act_on_keys(request):
    """action: rotate our own key, or revoke one of a peer (`key`)."""
    if request.POST.get("action") == "rotate":
        row, missed = peers.rotate()
        messages.success(request, _("新密钥 %(id)s 已启用，旧密钥还有效 7 天。") % {"id": row.keyid})
        if missed:
            messages.warning(request, _("没有联系上：%(names)s。它们会在下次联系时得知新密钥。") % {"names": "、".join(missed)})
        return back(request)
    if request.POST.get("action") != "revoke":
        raise Http404
    row = get_object_or_404(PeerKey, pk=number(request.POST.get("key", "")))
    peers.revoke_key(row.keyid, actor=request.user)
    messages.success(request, _("密钥 %(id)s 已撤销，立即失效，不能恢复。") % {"id": row.keyid})
    return back(request)


@require_POST
@for_administrators
def invite(request):
    """The one-time code, shown once, on the page that answers: it is kept as a hash and cannot be read again."""
    values = {name: request.POST.get(name, "").strip()[:120] for name in ("portal", "name", "short_name")}
    try:
        code = peers.invite(values["portal"], name=values["name"], short_name=values["short_name"], actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(reverse("federation:overview") + "#join")
    response = render(request, "federation/invited.html", {"code": code, "desk": True, "days": peers.CODE_DAYS} | values)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@for_administrators
def enrol(request):
    """Join the national portal with a code."""
    try:
        peer = peers.enrol(request.POST.get("url", "").strip()[:300], request.POST.get("code", "").strip()[:100])
        count = outbox.publish_all()
        messages.success(request, _("已在 %(name)s 登记，等待对方接纳；%(n)d 条登记等待发布。") % {"name": peer.portal.name, "n": count})
    except (DomainError, TransportError) as error:
        messages.error(request, str(error))
        return redirect(reverse("federation:overview") + "#join")
    return redirect("federation:overview")


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
