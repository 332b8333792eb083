"""Supply and demand (供需对接): wishes for data, what matches them, and who answers."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.ids import new_uid

USER = settings.AUTH_USER_MODEL


class DemandQuerySet(models.QuerySet):
    def public(self):
        """What a reviewer let out, of whatever progress. Free text nobody has read is on no public page."""
        return self.filter(state__in=Demand.PUBLIC)

    def visible_to(self, user, *, as_reviewer=True):
        """The public ones, one's own in any state, and for reviewers also those that were handed in."""
        seen = models.Q(state__in=Demand.PUBLIC)
        if user is not None and user.is_authenticated:
            seen |= models.Q(author=user)
            if as_reviewer and (user.is_reviewer or user.is_portal_admin):
                seen |= models.Q(state=Demand.State.SUBMITTED)
        return self.filter(seen)


class Demand(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("草稿")
        SUBMITTED = "submitted", _("待审核")
        RETURNED = "returned", _("退回修改")
        PUBLISHED = "published", _("征集中")
        MATCHED = "matched", _("已有匹配")
        IN_TALKS = "in_talks", _("洽谈中")
        MET = "met", _("已满足")
        CLOSED = "closed", _("已结束")

    class Priority(models.TextChoices):
        LOW = "low", _("一般")
        NORMAL = "normal", _("普通")
        HIGH = "high", _("优先")
        URGENT = "urgent", _("急需")

    class ContactTo(models.TextChoices):
        ACCEPTED = "accepted", _("只给我接受了响应的机构")
        PROVIDERS = "providers", _("已登录的机构成员")
        NOBODY = "nobody", _("不公开，由门户转达")

    EDITABLE = (State.DRAFT, State.RETURNED)
    OPEN = (State.PUBLISHED, State.MATCHED, State.IN_TALKS)  # may be answered
    PUBLIC = (*OPEN, State.MET, State.CLOSED)

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
    priority = models.CharField(_("优先级"), max_length=10, choices=Priority, default=Priority.NORMAL)
    budget_note = models.CharField(_("预算说明"), max_length=200, blank=True)
    contact = models.CharField(_("联系方式"), max_length=200, blank=True)
    contact_to = models.CharField(_("联系方式给谁看"), max_length=10, choices=ContactTo, default=ContactTo.ACCEPTED)
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.DRAFT)
    reason = models.TextField(_("退回理由"), blank=True)
    outcome = models.TextField(_("结果"), blank=True)
    outcome_reviewed_at = models.DateTimeField(null=True, blank=True)  # until then only its author and reviewers read the outcome
    query = models.CharField(_("来自的查找"), max_length=2000, blank=True)  # parameters of the search page
    is_example = models.BooleanField(_("示例"), default=False)
    deadline = models.DateField(_("截止"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    published_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")

    objects = DemandQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("需求")
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "-id"])]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("catalog:demand_detail", args=[self.uid])

    @property
    def is_public(self) -> bool:
        return self.state in self.PUBLIC

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class Match(models.Model):
    """A published dataset that fits a demand, and why; written by the matching job and by nothing else."""

    demand = models.ForeignKey(Demand, models.CASCADE, related_name="matches")
    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="matches")
    score = models.IntegerField(_("匹配分"), default=0)
    reasons = models.JSONField(_("理由"), default=list)  # [{"kind", "values"}], put into words when shown
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["demand", "dataset"], name="match_once")]
        ordering = ["-score", "id"]


class Response(models.Model):
    class Progress(models.TextChoices):
        OFFERED = "offered", _("待答复")
        ACCEPTED = "accepted", _("已接受")
        DECLINED = "declined", _("已谢绝")
        WITHDRAWN = "withdrawn", _("已撤回")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    demand = models.ForeignKey(Demand, models.CASCADE, related_name="responses")
    organization = models.ForeignKey("catalog.Organization", models.PROTECT, related_name="+")
    author = models.ForeignKey(USER, models.PROTECT, related_name="+")
    dataset = models.ForeignKey("catalog.Dataset", models.SET_NULL, null=True, blank=True, related_name="+")
    body = models.TextField(_("说明"), max_length=4000)
    progress = models.CharField(_("进展"), max_length=20, choices=Progress, default=Progress.OFFERED)
    reason = models.CharField(_("答复"), max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["demand", "organization", "dataset"],
                condition=models.Q(progress__in=["offered", "accepted"], dataset__isnull=False),
                name="response_dataset_once",
            ),
            models.UniqueConstraint(
                fields=["demand", "organization"],
                condition=models.Q(progress="offered", dataset__isnull=True),
                name="response_words_once",
            ),
        ]
