"""Review: pending changes, rounds of review with checks, verdicts, comments and decisions."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.ids import new_uid

USER = settings.AUTH_USER_MODEL


class Revision(models.Model):
    """A change to a listed dataset, kept apart while the listed version stays visible. At most one open per dataset."""

    class State(models.TextChoices):
        OPEN = "open", _("编辑中")
        SUBMITTED = "submitted", _("待审核")
        APPLIED = "applied", _("已生效")
        DISCARDED = "discarded", _("已放弃")

    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="revisions")
    base = models.ForeignKey("catalog.Version", models.PROTECT, null=True, related_name="+")
    document = models.JSONField()
    change_note = models.TextField(_("更新内容"), blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    author = models.ForeignKey(USER, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset"], condition=models.Q(state__in=["open", "submitted"]), name="revision_one_open_per_dataset")
        ]


class Review(models.Model):
    """One round: from a submission to its decision."""

    class State(models.TextChoices):
        OPEN = "open", _("待审")
        AWAITING_SECOND = "awaiting_second", _("待复核")
        APPROVED = "approved", _("通过")
        RETURNED = "returned", _("退回")
        REJECTED = "rejected", _("驳回")
        WITHDRAWN = "withdrawn", _("撤回")

    class Kind(models.TextChoices):
        FIRST = "first", _("首次登记")
        CHANGE = "change", _("变更")
        NATIONAL = "national", _("国家收录")

    OPEN_STATES = ("open", "awaiting_second")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="reviews")
    revision = models.ForeignKey(Revision, models.PROTECT, null=True, blank=True, related_name="reviews")
    kind = models.CharField(_("类别"), max_length=10, choices=Kind, default=Kind.FIRST)
    round = models.PositiveIntegerField(_("轮次"), default=1)
    state = models.CharField(_("状态"), max_length=16, choices=State, default=State.OPEN)
    submitted_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    submitted_at = models.DateTimeField(_("提交时间"), auto_now_add=True)
    due_at = models.DateTimeField(_("期限"))
    first_approver = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    decided_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(_("理由"), blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("审核")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["dataset"], condition=models.Q(state__in=["open", "awaiting_second"]), name="review_one_open_per_dataset")
        ]


class ReviewAssignment(models.Model):
    review = models.ForeignKey(Review, models.CASCADE, related_name="assignments")
    reviewer = models.ForeignKey(USER, models.CASCADE, related_name="review_assignments")
    assigned_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    assigned_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review", "reviewer"], name="review_assigned_once")]


class ReviewVerdict(models.Model):
    """One of the four parts of a review (R72), judged by one reviewer."""

    class Part(models.TextChoices):
        ANNOTATION = "annotation", _("标注")
        QUALITY = "quality", _("数据质量")
        ETHICS = "ethics", _("伦理与合规")
        RIGHTS = "rights", _("权属确定")

    class Verdict(models.TextChoices):
        PASS = "pass", _("通过")
        FAIL = "fail", _("不通过")
        NOT_APPLICABLE = "na", _("不适用")

    review = models.ForeignKey(Review, models.CASCADE, related_name="verdicts")
    part = models.CharField(max_length=12, choices=Part)
    reviewer = models.ForeignKey(USER, models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=6, choices=Verdict)
    note = models.TextField(blank=True)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review", "part", "reviewer"], name="verdict_once_per_part")]


class ReviewComment(models.Model):
    """Hangs on a field by JSON pointer ("" = on the whole); the conversation outlives the round."""

    review = models.ForeignKey(Review, models.CASCADE, related_name="comments")
    pointer = models.CharField(max_length=200, blank=True)
    author = models.ForeignKey(USER, models.PROTECT, related_name="+")
    body = models.TextField(max_length=4000)
    at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]


class CheckResult(models.Model):
    """Finding of an automatic check before a person looks. *error* blocks submission; *warning* is shown."""

    class Severity(models.TextChoices):
        ERROR = "error", _("错误")
        WARNING = "warning", _("警告")
        INFO = "info", _("提示")

    review = models.ForeignKey(Review, models.CASCADE, related_name="checks")
    code = models.CharField(max_length=60)
    severity = models.CharField(max_length=8, choices=Severity)
    pointer = models.CharField(max_length=200, blank=True)
    message = models.TextField()

    class Meta:
        ordering = ["severity", "id"]
