"""Work to be done, as rows: the truth behind every task queue. A lost message costs one sweep, never the work."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.ids import new_uid


class Job(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued", _("等待")
        RUNNING = "running", _("进行中")
        DONE = "done", _("完成")
        FAILED = "failed", _("失败")
        CANCELLED = "cancelled", _("已取消")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    kind = models.CharField(_("类型"), max_length=60)
    payload = models.JSONField(default=dict)
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.QUEUED)
    idempotency_key = models.CharField(max_length=160, null=True, blank=True)
    rerun = models.BooleanField(default=False)  # asked for again while it ran: it runs once more
    run_after = models.DateTimeField(_("不早于"))
    announced_at = models.DateTimeField(null=True, blank=True)  # when a worker was last told; empty after every change of state
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=5)
    done_units = models.BigIntegerField(default=0)
    total_units = models.BigIntegerField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("任务")
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "run_after"])]
        constraints = [
            # One open job per key: asking twice for the same work gives one.
            models.UniqueConstraint(fields=["idempotency_key"], condition=models.Q(state__in=["queued", "running"]), name="job_open_key_once"),
            models.CheckConstraint(condition=models.Q(state__in=["queued", "running", "done", "failed", "cancelled"]), name="job_state_known"),
        ]


class IdempotencyKey(models.Model):
    """What a POST with an Idempotency-Key answered, so that sending it twice does it once."""

    scope = models.CharField(max_length=120)  # user, method and path
    key = models.CharField(max_length=120)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_key_once")]
