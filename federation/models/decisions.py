"""National decisions, and the small tables against replay."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Decision(models.Model):
    """One decision of the national portal about a dataset, by identifier: it outlives every copy of the listing (I7).

    Written by the national portal, kept by the home portal as it arrived. `admission` is the state after it.
    """

    class Kind(models.TextChoices):
        ADMIT = "admit", _("收录")
        RETURN = "return", _("退回")
        TAKEDOWN = "takedown", _("下架")
        RESTORE = "restore", _("恢复")
        GRADE = "grade", _("评定等级")
        LAPSE = "lapse", _("重新待审")  # the listing changed materially under an admission

    identifier = models.CharField(_("数据集"), max_length=140)
    portal = models.CharField(_("门户"), max_length=64)
    rev = models.BigIntegerField()  # of the decision, grows by one per dataset
    kind = models.CharField(_("决定"), max_length=10, choices=Kind)
    admission = models.CharField(max_length=12, blank=True)
    target_rev = models.BigIntegerField(default=0)  # the listing that was looked at
    target_hash = models.CharField(max_length=64, blank=True)
    reason = models.TextField(_("理由"), blank=True, max_length=2000)
    grade = models.JSONField(null=True, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    change = models.ForeignKey("federation.Change", models.SET_NULL, null=True, blank=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)  # the home portal told what the decision came to there
    acknowledged = models.CharField(max_length=10, blank=True)  # applied, parked, held, refused; overtaken by a later one
    objection = models.CharField(max_length=300, blank=True)  # why it was not applied
    lapsed_at = models.DateTimeField(null=True, blank=True)  # the listing it was bound to has changed materially since
    decided_at = models.DateTimeField(_("时间"), default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = _("国家决定")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["identifier", "rev"], name="decision_rev_once")]


class Nonce(models.Model):
    """A signature nonce that was seen; kept as long as the signature could still be fresh."""

    keyid = models.CharField(max_length=120)
    value = models.CharField(max_length=64)
    seen_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["keyid", "value"], name="nonce_once")]


class Ticket(models.Model):
    """A sample ticket that was used here; its jti is good once."""

    jti = models.CharField(max_length=64, unique=True)
    sample_uid = models.UUIDField()
    portal = models.CharField(max_length=64)
    used_at = models.DateTimeField(default=timezone.now, db_index=True)
