"""Supply and demand (供需对接): published wishes for data, what matches them, and who answers."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.ids import new_uid

USER = settings.AUTH_USER_MODEL


class Demand(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("草稿")
        PUBLISHED = "published", _("征集中")
        MATCHED = "matched", _("已对接")
        CLOSED = "closed", _("已结束")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    title = models.CharField(_("需求名称"), max_length=300)
    organization = models.ForeignKey("catalog.Organization", models.PROTECT, null=True, blank=True, related_name="demands")
    author = models.ForeignKey(USER, models.PROTECT, null=True, related_name="demands")
    home_portal = models.CharField(max_length=64)
    scope = models.TextField(_("数据范围"), blank=True)  # R37: 数据范围、内容、可用、质量
    content = models.TextField(_("内容要求"), blank=True)
    availability = models.TextField(_("可用要求"), blank=True)
    quality = models.TextField(_("质量要求"), blank=True)
    sectors = models.JSONField(_("行业领域"), default=list, blank=True)
    modalities = models.JSONField(_("模态"), default=list, blank=True)
    region = models.CharField(_("地区"), max_length=6, blank=True)
    record_count = models.BigIntegerField(_("期望规模"), null=True, blank=True)
    annotation_precision = models.CharField(_("标注精度"), max_length=200, blank=True)  # R71
    priority = models.CharField(_("优先级"), max_length=10, default="normal")
    budget_note = models.CharField(_("预算说明"), max_length=200, blank=True)
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.PUBLISHED)
    outcome = models.TextField(_("结果"), blank=True)
    is_example = models.BooleanField(_("示例"), default=False)
    deadline = models.DateField(_("截止"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("需求")
        ordering = ["-id"]


class Match(models.Model):
    demand = models.ForeignKey(Demand, models.CASCADE, related_name="matches")
    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="matches")
    score = models.IntegerField(_("匹配分"), default=0)
    reasons = models.JSONField(_("理由"), default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["demand", "dataset"], name="match_once")]


class Response(models.Model):
    demand = models.ForeignKey(Demand, models.CASCADE, related_name="responses")
    organization = models.ForeignKey("catalog.Organization", models.PROTECT, related_name="+")
    author = models.ForeignKey(USER, models.PROTECT, related_name="+")
    dataset = models.ForeignKey("catalog.Dataset", models.SET_NULL, null=True, blank=True, related_name="+")
    body = models.TextField(max_length=4000)
    progress = models.CharField(max_length=20, default="offered")
    created_at = models.DateTimeField(auto_now_add=True)
