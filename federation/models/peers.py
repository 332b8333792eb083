"""Peers and keys. Keys of others come from enrolment only; the private key here is encrypted under SECRET_KEY."""

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LATE, STALE = timedelta(minutes=15), timedelta(hours=24)


class Peer(models.Model):
    class State(models.TextChoices):
        KNOWN = "known", _("名录中")  # the national directory names it; it takes no part here
        INVITED = "invited", _("已邀请")
        PENDING = "pending", _("待接纳")
        ACTIVE = "active", _("正常")
        SUSPENDED = "suspended", _("已暂停")
        DIVERGED = "diverged", _("历史不一致")
        REVOKED = "revoked", _("已撤销")

    portal = models.OneToOneField("catalog.Portal", models.CASCADE, primary_key=True, related_name="peer", verbose_name=_("门户"))
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.INVITED)
    trusted = models.BooleanField(_("收录免审"), default=False)
    base_url = models.CharField(_("地址"), max_length=300, blank=True)
    next_due = models.DateTimeField(_("下次同步"), default=timezone.now, db_index=True)
    not_before = models.DateTimeField(null=True, blank=True)  # the peer asked us to wait (Retry-After): hints do not shorten it
    claimed_at = models.DateTimeField(null=True, blank=True)  # a worker is at it since
    unreachable = models.BooleanField(_("只能由对方推送"), default=False)  # behind a firewall: it pushes its feeds to us
    failures = models.PositiveIntegerField(_("连续失败"), default=0)
    last_error = models.CharField(_("最近错误"), max_length=500, blank=True)
    last_contact = models.DateTimeField(_("最近联系"), null=True, blank=True)
    audit_entries = models.BigIntegerField(default=0)  # root of the peer's audit chain, as its last acknowledgement gave it
    audit_hash = models.CharField(max_length=64, blank=True)
    audit_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("联邦门户")

    def __str__(self):
        return self.portal_id

    @property
    def condition(self) -> str:
        """The state, with an active peer told apart as ok, late (15 min without contact) or stale (24 h)."""
        if self.state != self.State.ACTIVE:
            return self.state
        silent = timezone.now() - (self.last_contact or self.created_at)
        return "stale" if silent > STALE else "late" if silent > LATE else "ok"

    @property
    def condition_label(self) -> str:
        return {"ok": _("正常"), "late": _("延迟"), "stale": _("失联")}.get(self.condition, self.get_state_display())


class PeerKey(models.Model):
    """A public key of a peer. The algorithm is a field, so that another signer (SM2) can stand beside Ed25519."""

    class State(models.TextChoices):
        CURRENT = "current", _("使用中")
        NEXT = "next", _("待启用")
        REVOKED = "revoked", _("已撤销")

    peer = models.ForeignKey(Peer, models.CASCADE, related_name="keys")
    keyid = models.CharField(_("密钥标识"), max_length=120, unique=True)
    algorithm = models.CharField(_("算法"), max_length=20, default="ed25519")
    public_key = models.CharField(_("公钥"), max_length=200)  # base64 of the raw key
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.CURRENT)
    valid_from = models.DateTimeField(_("起"), default=timezone.now)
    valid_until = models.DateTimeField(_("止"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("门户公钥")

    @property
    def is_valid(self) -> bool:
        now = timezone.now()
        return self.state != self.State.REVOKED and self.valid_from <= now and (self.valid_until is None or now < self.valid_until)


class OwnKey(models.Model):
    """This portal's key pair. The private half is encrypted, so that one database backup holds everything but SECRET_KEY."""

    keyid = models.CharField(max_length=120, unique=True)
    algorithm = models.CharField(max_length=20, default="ed25519")
    public_key = models.CharField(max_length=200)
    private_key = models.BinaryField()
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["is_current"], condition=models.Q(is_current=True), name="own_key_one_current")]


class Invitation(models.Model):
    """A one-time code, kept as SHA-256."""

    peer = models.ForeignKey(Peer, models.CASCADE, related_name="invitations")
    code_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
