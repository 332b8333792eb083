"""Portals as the catalogue names them: who registered a dataset, and where it lives. Exchange state belongs to federation."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Portal(models.Model):
    class Role(models.TextChoices):
        NATIONAL = "national", _("国家")
        LOCAL = "local", _("地方")
        INDUSTRY = "industry", _("行业")

    id = models.CharField(_("门户标识"), max_length=64, primary_key=True)
    role = models.CharField(_("类别"), max_length=10, choices=Role)
    name = models.CharField(_("名称"), max_length=120)
    short_name = models.CharField(_("印章用字"), max_length=4, help_text=_("二至四字，如 浙江。"))
    base_url = models.URLField(_("地址"), max_length=300, blank=True)
    region = models.CharField(_("地区"), max_length=6, blank=True)
    sector = models.CharField(_("行业领域"), max_length=64, blank=True)
    is_self = models.BooleanField(_("本门户"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = _("门户")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["is_self"], condition=models.Q(is_self=True), name="portal_one_self")]

    def __str__(self):
        return self.name
