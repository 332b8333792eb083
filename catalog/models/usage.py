"""What people do with datasets: ask, download, tell, follow."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.ids import new_uid

USER = settings.AUTH_USER_MODEL


class AccessRequest(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("草稿")
        SUBMITTED = "submitted", _("待处理")
        SECOND_APPROVAL = "second_approval", _("待复核")
        GRANTED = "granted", _("已同意")
        REFUSED = "refused", _("已拒绝")
        EXPIRED = "expired", _("已到期")
        REVOKED = "revoked", _("已撤销")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="access_requests")
    requester = models.ForeignKey(USER, models.PROTECT, related_name="access_requests")
    organization = models.ForeignKey("catalog.Organization", models.PROTECT, null=True, blank=True, related_name="+")
    purpose = models.TextField(_("用途"))
    scenario = models.CharField(_("使用场景"), max_length=300, blank=True)
    state = models.CharField(_("状态"), max_length=16, choices=State, default=State.SUBMITTED)
    scope = models.TextField(_("授权范围"), blank=True)
    agreement = models.TextField(_("协议文本"), blank=True)
    agreement_sha256 = models.CharField(max_length=64, blank=True)
    decided_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(_("理由"), blank=True)
    due_at = models.DateTimeField(_("期限"))
    expires_at = models.DateTimeField(_("到期"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("使用申请")
        ordering = ["-id"]


class DownloadEvent(models.Model):
    """One sample download (R83): counted per consumer, with the terms that were accepted."""

    sample = models.ForeignKey("catalog.Sample", models.CASCADE, related_name="downloads")
    user = models.ForeignKey(USER, models.SET_NULL, null=True, blank=True, related_name="+")
    consumer = models.CharField(_("使用方"), max_length=120)  # user name, or the pseudonym of a ticket
    via_portal = models.CharField(_("经由门户"), max_length=64, blank=True)
    purpose = models.CharField(_("用途"), max_length=300, blank=True)
    terms_sha256 = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = verbose_name_plural = _("下载记录")


class Feedback(models.Model):
    class Kind(models.TextChoices):
        RATING = "rating", _("评价")
        PROBLEM = "problem", _("问题")
        USE_CASE = "use_case", _("用例")
        MODEL_EFFECT = "model_effect", _("模型效果")

    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="feedback")
    author = models.ForeignKey(USER, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=14, choices=Kind)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.TextField(max_length=4000, blank=True)
    data = models.JSONField(default=dict, blank=True)  # for an effect: model, benchmark, before, after
    is_public = models.BooleanField(default=True)
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("反馈")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(rating__isnull=True) | models.Q(rating__gte=1, rating__lte=5), name="feedback_rating_1_to_5")
        ]


class Subscription(models.Model):
    """A person follows a dataset, or keeps a search (its query string, by a name) that tells of new listings.

    `feed_token` opens the Atom feed of a search to whoever has the address. `told` are the keys of datasets told of lately.
    """

    user = models.ForeignKey(USER, models.CASCADE, related_name="subscriptions")
    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, null=True, blank=True, related_name="subscriptions")
    name = models.CharField(max_length=120, blank=True)
    query = models.CharField(max_length=2000, blank=True)
    feed_token = models.CharField(max_length=43, blank=True, editable=False)
    is_notified = models.BooleanField(_("有新数据集时通知"), default=True)
    told = models.JSONField(default=list, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "dataset"], condition=models.Q(dataset__isnull=False), name="subscription_dataset_once"),
            models.UniqueConstraint(fields=["user", "query"], condition=models.Q(dataset__isnull=True), name="subscription_search_once"),
            models.UniqueConstraint(fields=["feed_token"], condition=~models.Q(feed_token=""), name="subscription_feed_once"),
        ]


class Notification(models.Model):
    user = models.ForeignKey(USER, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=40)
    text = models.CharField(max_length=500)
    url = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("通知")
        ordering = ["-id"]
