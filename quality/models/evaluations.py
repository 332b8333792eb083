"""Immutable runs with their scores, and the history of published grades."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.ids import new_uid
from quality.models.schemes import EvaluationScheme, Indicator, Profile


class Evaluation(models.Model):
    """One run. What it found never changes once it is done; a failed run leaves the grade that stood before."""

    class Goal(models.TextChoices):
        LISTING = "listing", _("上架评测")
        PERIODIC = "periodic", _("定期审查")
        SELECTION = "selection", _("项目选用")

    class State(models.TextChoices):
        QUEUED = "queued", _("排队中")
        RUNNING = "running", _("进行中")
        DONE = "done", _("已完成")
        FAILED = "failed", _("未完成")
        VOID = "void", _("作废")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="evaluations")
    version = models.ForeignKey("catalog.Version", models.SET_NULL, null=True, blank=True, related_name="+")
    document_hash = models.CharField(max_length=64)
    scheme = models.ForeignKey(EvaluationScheme, models.PROTECT, related_name="evaluations")
    profile = models.ForeignKey(Profile, models.PROTECT, related_name="+")
    goal = models.CharField(_("目的"), max_length=10, choices=Goal, default=Goal.LISTING)
    state = models.CharField(_("状态"), max_length=8, choices=State, default=State.QUEUED)
    reason = models.TextField(_("原因"), blank=True)
    input_hashes = models.JSONField(default=dict)
    libraries = models.JSONField(default=dict)
    seed = models.BigIntegerField(default=0)
    raw_score = models.DecimalField(_("总分"), max_digits=5, decimal_places=2, null=True, blank=True)
    raw_grade = models.CharField(_("原始等级"), max_length=1, blank=True)
    caps = models.JSONField(_("等级上限"), default=list)  # [{"rule", "grade", "message"}]
    final_grade = models.CharField(_("等级"), max_length=1, blank=True)
    assurance = models.CharField(_("保证级别"), max_length=2, blank=True)
    half_width = models.DecimalField(_("区间半宽"), max_digits=5, decimal_places=2, null=True, blank=True)
    reasons = models.JSONField(_("起因"), default=list, blank=True)  # codes of quality/services/triggers.py
    expires_at = models.DateTimeField(_("有效至"), null=True, blank=True)
    confidence = models.DecimalField(_("可信度"), max_digits=4, decimal_places=3, null=True, blank=True)
    documentation_score = models.PositiveSmallIntegerField(_("说明文档得分"), default=0)
    result = models.TextField(_("结果"), blank=True)  # canonical JSON: equal inputs give equal bytes
    result_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("评测")
        ordering = ["-id"]
        indexes = [models.Index(fields=["dataset", "state", "-id"]), models.Index(fields=["state", "expires_at"])]
        constraints = [models.CheckConstraint(condition=Q(final_grade__in=["", "A", "B", "C", "D"]), name="evaluation_grade_known")]

    def __str__(self):
        return f"{self.dataset} {self.created_at:%Y-%m-%d}"

    @property
    def number(self) -> str:
        """The report number people quote."""
        return f"QR-{self.created_at:%Y-%m}-{self.pk:05d}"


class IndicatorScore(models.Model):
    class Status(models.TextChoices):
        MEASURED = "measured", _("已测")
        DECLARED = "declared", _("仅有声明")
        NOT_MEASURED = "not_measured", _("未测")
        NOT_APPLICABLE = "not_applicable", _("不适用")

    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="scores")
    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="+")
    status = models.CharField(max_length=16, choices=Status)
    value = models.JSONField(default=dict)  # what was measured, in words of the rule
    n = models.BigIntegerField(null=True, blank=True)
    low = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    high = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    weight = models.PositiveSmallIntegerField(default=0)
    source = models.CharField(max_length=12, blank=True)  # metadata, sample, evidence, expert, user
    rule = models.CharField(max_length=40, blank=True)  # rule id and version
    evidence = models.JSONField(default=list)  # at most 20 masked examples with their place

    class Meta:
        verbose_name = verbose_name_plural = _("指标得分")
        ordering = ["indicator__position"]
        constraints = [models.UniqueConstraint(fields=["evaluation", "indicator"], name="indicator_score_once")]


class GradeChange(models.Model):
    """History of a dataset's published grade."""

    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="grade_changes")
    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="+")
    before = models.CharField(max_length=1, blank=True)
    after = models.CharField(max_length=1, blank=True)
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("等级变化")
        ordering = ["-id"]


class EvaluationRequest(models.Model):
    """Why a dataset waits for another run. Reasons that come while one is open join it, so there is one open run a dataset."""

    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="evaluation_requests")
    reasons = models.JSONField(default=list)
    opened_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    evaluation = models.ForeignKey(Evaluation, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = _("复评请求")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["dataset"], condition=Q(closed_at=None), name="evaluation_request_one_open")]
