"""What pages of the catalogue show of the exchange."""

from django import template
from django.conf import settings
from django.utils.translation import gettext as _

from catalog.models import Portal
from federation.models import Decision, RemoteRecord
from federation.services import decisions, overview

register = template.Library()


@register.filter
def duration(milliseconds) -> str:
    """4 秒, 12 分, 3 小时 12 分, 2 天: the length of a delay in words."""
    if milliseconds is None:
        return "—"
    seconds = int(milliseconds) // 1000
    if seconds < 1:
        return _("不到 1 秒")
    if seconds < 120:
        return _("%(n)d 秒") % {"n": seconds}
    if seconds < 7200:
        return _("%(n)d 分") % {"n": seconds // 60}
    if seconds < 172800:
        return _("%(h)d 小时 %(m)d 分") % {"h": seconds // 3600, "m": seconds % 3600 // 60}
    return _("%(n)d 天") % {"n": seconds // 86400}


@register.filter
def stream_name(stream) -> str:
    return {"listings": _("登记"), "decisions": _("国家决定")}.get(stream, stream)


@register.inclusion_tag("federation/network_health.html")
def network_health():
    """How the exchange with each portal stands, for the picture of the network: a line for the whole, a row for each peer."""
    view = overview.public_view()
    return view | {"portals": [row for row in view["portals"] if row["peer"]]}


@register.inclusion_tag("federation/panel.html", takes_context=True)
def federation_panel(context, dataset):
    """Origin of a remote listing, the national decision on it, and the buttons of national reviewers."""
    user = context["request"].user
    national = settings.PORTAL_ROLE == "national"
    reviewer = user.is_authenticated and (user.is_reviewer or user.is_portal_admin)
    decision = Decision.objects.filter(identifier=dataset.identifier).order_by("-rev").first()
    may = {
        kind.value: national and reviewer and dataset.admission in allowed
        for kind, (_after, allowed) in decisions.RULES.items()
        if dataset.is_remote or kind in (Decision.Kind.TAKEDOWN, Decision.Kind.RESTORE)
    }
    return {
        "dataset": dataset,
        "home": Portal.objects.filter(pk=dataset.home_portal).first() if dataset.is_remote else None,
        "record": RemoteRecord.objects.filter(stream="listings", identifier=dataset.identifier).defer("doc").first() if dataset.is_remote else None,
        "decision": decision,
        "show_reason": decision and (dataset.admission in ("taken_down", "returned")),
        "is_national": national,
        "may": may,
        "may_any": any(may.values()),
        "csrf_token": context.get("csrf_token"),
        "request": context["request"],
    }
