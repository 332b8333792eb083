"""What pages of the catalogue show of the exchange."""

from django import template
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Portal
from federation.models import Decision, Peer, RemoteRecord
from federation.services import decisions, overview, portal_page

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
    names = {"listings": _("登记"), "decisions": _("国家决定"), "acks": _("确认"), "usage": _("用量"), "vocab": _("词表"), "peers": _("门户名录")}
    return names.get(stream, stream)


ERRORS = {
    "TransportError": gettext_lazy("联系不上"),
    "PeerError": gettext_lazy("对方没有按要求答复"),
    "ProtocolError": gettext_lazy("页面不合规，整页丢弃"),
    "SignatureRefused": gettext_lazy("签名不成立"),
    "LeaseLost": gettext_lazy("被另一个进程接手"),
    "OperationalError": gettext_lazy("数据库暂不可用"),
    "Diverged": gettext_lazy("历史不一致"),
    "tombstone_flood": gettext_lazy("删除超过门限"),
    "equivocation": gettext_lazy("同一修订、不同内容"),
    "invalid": gettext_lazy("内容不合规"),
    "shape": gettext_lazy("结构不合规"),
    "level": gettext_lazy("安全级别不得联邦"),
    "crit": gettext_lazy("有必须理解而不认识的字段"),
    "schema": gettext_lazy("不认识的格式"),
    "hash": gettext_lazy("内容与哈希不符"),
    "json": gettext_lazy("不是规范的 JSON"),
    "control_character": gettext_lazy("含控制字符"),
    "refused": gettext_lazy("数据库拒绝"),
    "unknown_dataset": gettext_lazy("没有这个数据集"),
}


@register.filter
def error_words(error) -> str:
    """A run's error, or the type of a parked record's, in words; what has none stands as it is."""
    return ERRORS.get(error) or ERRORS.get(portal_page.error_type(error)) or error[:40]


@register.inclusion_tag("federation/network_health.html")
def network_health():
    """How the exchange with each portal stands, for the picture of the network: a line for the whole, a row for each peer."""
    view = overview.public_view()
    return view | {"portals": [row for row in view["portals"] if row["peer"]]}


def _broken(dataset) -> str:
    """revoked, suspended, diverged or stale: why a remote listing is no longer kept in step with its home portal; else ""."""
    peer = Peer.objects.filter(pk=dataset.home_portal).first() if dataset.is_remote else None
    return peer.condition if peer and peer.condition in ("revoked", "suspended", "diverged", "stale") else ""


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
        "broken": _broken(dataset),
        "decision": decision,
        "show_reason": decision and (dataset.admission in ("taken_down", "returned")),
        "is_national": national,
        "may": may,
        "may_any": any(may.values()),
        "csrf_token": context.get("csrf_token"),
        "request": context["request"],
    }
