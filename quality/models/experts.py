"""Who may evaluate, and what they scored: evaluation bodies, experts, rounds, scores, adjudications."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.ids import new_uid

USER = settings.AUTH_USER_MODEL


class Registered(models.Model):
    """A register entry: a scope (an empty list is every sector or indicator) and a term."""

    class State(models.TextChoices):
        ACTIVE = "active", _("有效")
        SUSPENDED = "suspended", _("暂停资格")
        WITHDRAWN = "withdrawn", _("注销")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    sectors = models.JSONField(_("领域"), default=list, blank=True)
    indicators = models.JSONField(_("指标"), default=list, blank=True)
    valid_from = models.DateField(_("有效期起"))
    valid_until = models.DateField(_("有效期止"))
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.ACTIVE)
    note = models.TextField(_("说明"), blank=True)
    registered_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        constraints = [models.CheckConstraint(condition=models.Q(valid_until__gte=models.F("valid_from")), name="%(class)s_term_ordered")]

    @property
    def is_valid(self) -> bool:
        return self.state == self.State.ACTIVE and self.valid_from <= timezone.localdate() <= self.valid_until


class EvaluationBody(Registered):
    """An organisation that evaluates (R62). Accredited: its round on the full data gives assurance L3."""

    organization = models.OneToOneField("catalog.Organization", models.PROTECT, related_name="evaluation_body", verbose_name=_("机构"))
    is_accredited = models.BooleanField(_("可作全量评测"), default=False)

    class Meta(Registered.Meta):
        verbose_name = verbose_name_plural = _("评测机构")
        ordering = ["organization__name"]

    def __str__(self):
        return self.organization.name


class Expert(Registered):
    user = models.OneToOneField(USER, models.PROTECT, related_name="expert", verbose_name=_("用户"))
    organization = models.ForeignKey("catalog.Organization", models.PROTECT, null=True, blank=True, related_name="experts", verbose_name=_("单位"))
    body = models.ForeignKey(EvaluationBody, models.PROTECT, null=True, blank=True, related_name="experts", verbose_name=_("评测机构"))
    interests = models.ManyToManyField("catalog.Organization", blank=True, related_name="+", verbose_name=_("申报的利益关系"))

    class Meta(Registered.Meta):
        verbose_name = verbose_name_plural = _("专家")
        ordering = ["id"]

    def __str__(self):
        return str(self.user)


class ExpertRound(models.Model):
    """Several experts score one dataset, blind to one another until all have submitted."""

    class State(models.TextChoices):
        SCORING = "scoring", _("评分中")
        DISCUSSION = "discussion", _("讨论中")
        CLOSED = "closed", _("已完成")
        VOID = "void", _("作废")

    class Goal(models.TextChoices):
        LISTING = "listing", _("上架评测")
        PERIODIC = "periodic", _("定期审查")
        SPOT_CHECK = "spot_check", _("抽查复评")
        APPEAL = "appeal", _("申诉复核")
        GOLD = "gold", _("已知缺陷核对")

    OPEN_STATES = ("scoring", "discussion")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="expert_rounds")
    goal = models.CharField(_("目的"), max_length=10, choices=Goal, default=Goal.LISTING)
    scenario = models.CharField(_("场景与范围"), max_length=500, blank=True)
    body = models.ForeignKey(EvaluationBody, models.PROTECT, null=True, blank=True, related_name="rounds", verbose_name=_("评测机构"))
    case = models.ForeignKey("quality.Case", models.PROTECT, null=True, blank=True, related_name="rounds")
    indicators = models.JSONField(_("指标"))
    is_full_data = models.BooleanField(_("全量数据"), default=False)
    seed = models.BigIntegerField(_("种子"))
    document_hash = models.CharField(max_length=64, blank=True)
    samples_hash = models.CharField(max_length=64, blank=True)
    automatic = models.JSONField(default=dict)  # {indicator: score} as it stood when the round began
    grade_before = models.CharField(max_length=1, blank=True)
    score_before = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    excluded = models.JSONField(default=dict)  # {expert uid: reason}
    gold = models.JSONField(default=dict, blank=True)  # {indicator: [low, high]} a careful rater lands in
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.SCORING)
    counts = models.BooleanField(_("计入评分"), default=True)  # of a re-run or a check with known defects: only once it has replaced another
    result = models.JSONField(default=dict)  # {indicator: {"value", "method", "n", "low", "high"}}
    reason = models.TextField(_("原因"), blank=True)
    created_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(_("期限"))
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("专家评测")
        ordering = ["-id"]
        indexes = [models.Index(fields=["dataset", "state", "-id"])]

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN_STATES

    @property
    def told_goal(self) -> str:
        """What the raters are told: one with known defects looks like any other to them."""
        return self.Goal.LISTING.label if self.goal == self.Goal.GOLD else self.get_goal_display()

    @property
    def number(self) -> str:
        return f"ER-{self.created_at:%Y-%m}-{self.pk:05d}"


class ExpertAssignment(models.Model):
    class State(models.TextChoices):
        ASSIGNED = "assigned", _("待评分")
        SUBMITTED = "submitted", _("已提交")
        DECLINED = "declined", _("已回避")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    round = models.ForeignKey(ExpertRound, models.CASCADE, related_name="assignments")
    expert = models.ForeignKey(Expert, models.PROTECT, related_name="assignments")
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.ASSIGNED)
    reason = models.TextField(_("原因"), blank=True)
    assigned_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["round", "expert"], name="expert_once_a_round")]


class ExpertScore(models.Model):
    assignment = models.ForeignKey(ExpertAssignment, models.CASCADE, related_name="scores")
    indicator = models.CharField(max_length=4)
    score = models.DecimalField(_("分"), max_digits=5, decimal_places=2)
    reason = models.TextField(_("理由"), blank=True)
    before = models.JSONField(default=list, blank=True)  # scores given before a discussion, the oldest first

    class Meta:
        ordering = ["indicator"]
        constraints = [
            models.UniqueConstraint(fields=["assignment", "indicator"], name="score_once_an_indicator"),
            models.CheckConstraint(condition=models.Q(score__gte=0, score__lte=100), name="expert_score_0_to_100"),
        ]


class Adjudication(models.Model):
    """The machine and the experts differ by more than 20: a person decides which holds; both stay shown."""

    class State(models.TextChoices):
        OPEN = "open", _("待裁定")
        DECIDED = "decided", _("已裁定")

    class Choice(models.TextChoices):
        AUTOMATIC = "automatic", _("以自动评测为准")
        EXPERT = "expert", _("以专家评分为准")
        BETWEEN = "between", _("另定")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    round = models.ForeignKey(ExpertRound, models.CASCADE, related_name="adjudications")
    indicator = models.CharField(max_length=4)
    automatic = models.DecimalField(max_digits=5, decimal_places=2)
    expert = models.DecimalField(max_digits=5, decimal_places=2)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    choice = models.CharField(max_length=10, choices=Choice, blank=True)
    value = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    reason = models.TextField(_("理由"), blank=True)
    decided_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("裁定")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["round", "indicator"], name="adjudication_once")]
