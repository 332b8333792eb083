"""What this portal holds of others: cursors, raw records, runs, and what was parked."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from federation.digests import NOTHING


class Checkpoint(models.Model):
    """Cursor of one stream of one peer; moves only in the transaction that applied the page."""

    peer = models.ForeignKey("federation.Peer", models.CASCADE, related_name="checkpoints")
    stream = models.CharField(max_length=20)
    epoch = models.CharField(max_length=32, blank=True)
    seq = models.BigIntegerField(default=0)
    chain = models.CharField(max_length=64, blank=True)
    head = models.BigIntegerField(default=0)  # as the peer last said
    fencing_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    page_size = models.PositiveSmallIntegerField(default=500)  # halves when a page fails or comes slowly, doubles when one comes quickly
    acknowledged = models.CharField(max_length=64, blank=True)  # SHA-256 of what the peer was last told
    records = models.BigIntegerField(default=0)  # rows of RemoteRecord, and the digest over them; moves with every one written
    root = models.CharField(max_length=64, default=NOTHING)
    reconciled_at = models.DateTimeField(null=True)  # last comparison with the peer, and what it found (services/reconcile.py)
    reconciled = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["peer", "stream"], name="checkpoint_once")]

    @property
    def behind(self) -> int:
        return max(self.head - self.seq, 0)


class RemoteRecord(models.Model):
    """The latest event of an identifier as it arrived, raw bytes included; tombstones stay for ever."""

    peer = models.ForeignKey("federation.Peer", models.CASCADE, related_name="records")
    stream = models.CharField(max_length=20)
    identifier = models.CharField(max_length=140)
    op = models.CharField(max_length=5)
    rev = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    doc = models.BinaryField(null=True)
    seen_rev = models.BigIntegerField(default=0)  # of events that were overtaken or parked, so that a gap in rev is told from them
    seq = models.BigIntegerField()
    event_ts = models.DateTimeField(null=True)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["peer", "stream", "identifier"], name="remote_record_once")]


class SyncRun(models.Model):
    """One pull that did something or failed; unchanged looks only touch the peer."""

    peer = models.ForeignKey("federation.Peer", models.CASCADE, related_name="runs")
    stream = models.CharField(max_length=20)
    started_at = models.DateTimeField(default=timezone.now, db_index=True)
    finished_at = models.DateTimeField(null=True)
    pages = models.PositiveIntegerField(default=0)
    received = models.PositiveIntegerField(default=0)
    applied = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    gaps = models.PositiveIntegerField(default=0)  # revisions that are missing at the origin
    bytes = models.BigIntegerField(default=0)
    lag_ms = models.BigIntegerField(null=True)  # newest applied event: its commit at the owner to its commit here, by both clocks
    error = models.CharField(max_length=500, blank=True)

    # while it runs, of no interest later
    unfinished = gone = diverged = False  # more of the feed to read; the peer did not answer; its history is another
    retry_after = 0

    class Meta:
        verbose_name = verbose_name_plural = _("同步记录")
        ordering = ["-id"]


class Quarantine(models.Model):
    """An event that could not be applied, or a tombstone held for a person: raw bytes, reason, attempts."""

    class State(models.TextChoices):
        PARKED = "parked", _("隔离中")
        HELD = "held", _("暂扣")
        RESOLVED = "resolved", _("已处理")
        REFUSED = "refused", _("已退回")

    peer = models.ForeignKey("federation.Peer", models.CASCADE, related_name="quarantine")
    stream = models.CharField(max_length=20)
    identifier = models.CharField(max_length=140)
    seq = models.BigIntegerField()
    rev = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    event = models.BinaryField()  # the whole event line
    title = models.CharField(max_length=300, blank=True)
    error = models.CharField(max_length=40)
    reason = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.PARKED)
    attempts = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("隔离")
        ordering = ["-id"]
        indexes = [models.Index(fields=["peer", "state"])]
        constraints = [models.UniqueConstraint(fields=["peer", "stream", "identifier", "rev", "hash"], name="quarantine_once")]
