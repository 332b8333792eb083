"""Supervision: spot checks, appeals, rectifications and remedies are cases; each step of one is an event that never changes."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.ids import new_uid
from catalog.models.resources import sample_storage

USER = settings.AUTH_USER_MODEL


class Case(models.Model):
    """What may follow on what is in quality/services/cases.py."""

    class Kind(models.TextChoices):
        SPOT_CHECK = "spot_check", _("抽查")
        APPEAL = "appeal", _("申诉")
        RECTIFICATION = "rectification", _("限期整改")
        REMEDY = "remedy", _("质量问题")

    class State(models.TextChoices):
        DRAWN = "drawn", _("已抽中")
        RERUN = "rerun", _("复评中")
        CLEAN = "clean", _("无偏差")
        FINDING = "finding", _("发现偏差")
        RESOLVED = "resolved", _("已办结")
        FILED = "filed", _("已申诉")
        ACCEPTED = "accepted", _("已受理")
        REFUSED = "refused", _("不予受理")
        WITHDRAWN = "withdrawn", _("已撤回")
        REVIEWING = "reviewing", _("复核中")
        MAINTAINED = "maintained", _("维持")
        UPHELD = "upheld", _("更正")
        NOTIFIED = "notified", _("已通知")
        CORRECTING = "correcting", _("整改中")
        RECHECKING = "rechecking", _("复查中")
        PASSED = "passed", _("通过")
        SUSPENDED = "suspended", _("暂停资格")
        OPEN = "open", _("待处理")
        WORKING = "working", _("处理中")
        DONE = "done", _("待确认")
        DECLINED = "declined", _("不处理")
        CLOSED = "closed", _("已关闭")

    ENDED = ("clean", "resolved", "refused", "withdrawn", "maintained", "upheld", "passed", "suspended", "closed")
    PREFIX = {"spot_check": "SC", "appeal": "AP", "rectification": "RC", "remedy": "RM"}

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    kind = models.CharField(_("类别"), max_length=14, choices=Kind)
    state = models.CharField(_("状态"), max_length=12, choices=State)
    dataset = models.ForeignKey("catalog.Dataset", models.SET_NULL, null=True, blank=True, related_name="quality_cases")
    evaluation = models.ForeignKey("quality.Evaluation", models.SET_NULL, null=True, blank=True, related_name="cases")
    round = models.ForeignKey("quality.ExpertRound", models.SET_NULL, null=True, blank=True, related_name="checks")  # what is checked
    organization = models.ForeignKey("catalog.Organization", models.PROTECT, related_name="quality_cases", verbose_name=_("当事机构"))
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    feedback = models.OneToOneField("catalog.Feedback", models.SET_NULL, null=True, blank=True, related_name="remedy")
    indicator = models.CharField(_("指标"), max_length=4, blank=True)
    statement = models.TextField(_("内容"))
    result = models.TextField(_("结论"), blank=True)
    data = models.JSONField(default=dict)
    opened_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    opened_at = models.DateTimeField(_("开始"), auto_now_add=True)
    due_at = models.DateTimeField(_("期限"), null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)  # the deadline that was last told as missed
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("监督事项")
        ordering = ["-id"]
        indexes = [models.Index(fields=["kind", "state"])]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset"],
                condition=models.Q(kind="appeal", state__in=["filed", "accepted", "reviewing"]),
                name="appeal_one_open_per_dataset",
            ),
            models.UniqueConstraint(fields=["round"], condition=models.Q(kind="spot_check"), name="spot_check_once_a_round"),
        ]

    def __str__(self):
        return self.number

    @property
    def number(self) -> str:
        return f"{self.PREFIX[self.kind]}-{(self.opened_at or timezone.now()):%Y-%m}-{self.pk:05d}"

    @property
    def is_ended(self) -> bool:
        return self.state in self.ENDED

    @property
    def is_overdue(self) -> bool:
        return not self.is_ended and self.due_at is not None and self.due_at < timezone.now()


def attachment_path(event, filename: str) -> str:
    return f"cases/{event.case.uid.hex[-2:]}/{new_uid()}"


class CaseEvent(models.Model):
    """One step: triggers refuse UPDATE and DELETE; the audit entry of the same transaction is named by its number."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="events")
    at = models.DateTimeField(_("时间"))
    actor = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    before = models.CharField(max_length=12, blank=True)
    after = models.CharField(max_length=12)
    reason = models.TextField(_("理由"), blank=True)
    attachment = models.FileField(_("附件"), storage=sample_storage, upload_to=attachment_path, blank=True, max_length=200)
    attachment_name = models.CharField(max_length=255, blank=True)
    attachment_sha256 = models.CharField(max_length=64, blank=True)
    audit_id = models.BigIntegerField()

    class Meta:
        verbose_name = verbose_name_plural = _("经过")
        ordering = ["id"]

    @property
    def step(self) -> str:
        return Case.State(self.after).label
