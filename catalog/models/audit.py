"""The audit trail: append-only, each entry chained to the one before by hash."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """Written by catalog.services.audit only; triggers refuse UPDATE and DELETE on both databases."""

    id = models.BigIntegerField(primary_key=True)  # dense, given by the chain
    at = models.DateTimeField(_("时间"))
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_constraint=True)
    actor_label = models.CharField(_("操作者"), max_length=120)
    action = models.CharField(_("动作"), max_length=60)
    object_type = models.CharField(_("对象类型"), max_length=40)
    object_id = models.CharField(_("对象"), max_length=120)
    data = models.JSONField(_("内容"), default=dict)
    previous_hash = models.CharField(max_length=64)
    entry_hash = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = verbose_name_plural = _("审计记录")
        ordering = ["id"]
        indexes = [models.Index(fields=["object_type", "object_id"]), models.Index(fields=["at"])]
