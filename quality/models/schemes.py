"""The rules of an evaluation as versioned rows: scheme, indicators, profiles of weights."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class EvaluationScheme(models.Model):
    """A version of the rules. Bands, caps, shares and profiles lie in `content` (quality/schemes/*.json); a used row never changes."""

    class State(models.TextChoices):
        DRAFT = "draft", _("草案")
        WAITING = "waiting", _("待生效")
        ACTIVE = "active", _("生效")
        RETIRED = "retired", _("停用")

    version = models.CharField(_("版本"), max_length=20, unique=True)
    title = models.CharField(_("名称"), max_length=120)
    state = models.CharField(_("状态"), max_length=8, choices=State, default=State.DRAFT)
    effective_from = models.DateField(_("生效日期"))
    content = models.JSONField(_("内容"))
    sha256 = models.CharField(max_length=64)
    note = models.TextField(_("变更理由"), blank=True)
    based_on = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    activated_at = models.DateTimeField(_("启用时间"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("评测方案")
        ordering = ["-effective_from", "-id"]
        constraints = [models.UniqueConstraint(fields=["state"], condition=Q(state="active"), name="scheme_one_active")]

    def __str__(self):
        return f"{self.title} {self.version}"


class Indicator(models.Model):
    """One of the 17 (catalog/vocabularies/quality_indicators.csv), or a dimension as their parent."""

    code = models.CharField(_("编码"), max_length=20, unique=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    name = models.CharField(_("名称"), max_length=80)
    name_en = models.CharField(_("英文名"), max_length=80, blank=True)
    definition = models.TextField(_("定义"), blank=True)
    check_kind = models.CharField(_("检查方式"), max_length=12, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = _("指标")
        ordering = ["position"]

    def __str__(self):
        return f"{self.code} {self.name}"


class Profile(models.Model):
    """Weights of the 17 indicators for a kind of dataset, summing to 100."""

    scheme = models.ForeignKey(EvaluationScheme, models.CASCADE, related_name="profiles")
    code = models.CharField(_("编码"), max_length=40)
    name = models.CharField(_("名称"), max_length=80)
    weights = models.JSONField(_("权重"))  # {indicator code: integer}
    applies_to = models.JSONField(_("适用"), default=dict, blank=True)  # {"sectors": […], "model_stages": […]}
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = _("权重方案")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["scheme", "code"], name="profile_code_once")]

    def __str__(self):
        return self.name
