"""What this portal publishes: the outbox with its dense numbers, the state of each feed, and how far receivers got."""

from django.db import models
from django.utils import timezone

from federation.digests import NOTHING


class Change(models.Model):
    """One event of a feed. `seq` stays NULL until the sequencer numbers what is committed."""

    class Op(models.TextChoices):
        PUT = "put"
        DEL = "del"
        PURGE = "purge"

    stream = models.CharField(max_length=20)
    audience = models.CharField(max_length=64, blank=True)  # the only portal that reads this feed, or "" for every peer
    seq = models.BigIntegerField(null=True)
    identifier = models.CharField(max_length=140)
    op = models.CharField(max_length=5, choices=Op)
    rev = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    doc = models.BinaryField(null=True)  # canonical bytes; dropped when a later event overtakes this one
    superseded_by = models.BigIntegerField(null=True)
    chain = models.CharField(max_length=64, blank=True)
    bucket = models.PositiveSmallIntegerField(null=True)  # set with seq; digests.bucket_of
    ts = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["stream", "audience", "identifier"]),
            models.Index(fields=["id"], condition=models.Q(seq__isnull=True), name="change_unnumbered"),
            models.Index(fields=["stream", "audience", "bucket"], condition=models.Q(superseded_by__isnull=True), name="change_current"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["stream", "audience", "seq"], name="change_seq_once"),
            models.UniqueConstraint(fields=["stream", "audience", "identifier", "rev"], name="change_rev_once"),
        ]


class FeedState(models.Model):
    stream = models.CharField(max_length=20)
    audience = models.CharField(max_length=64, blank=True)
    epoch = models.CharField(max_length=32)
    head = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(default=1)
    chain = models.CharField(max_length=64)
    records = models.BigIntegerField(default=0)  # identifiers at `head`, and the digest over them (federation/digests.py)
    root = models.CharField(max_length=64, default=NOTHING)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "audience"], name="feed_once")]


class Bucket(models.Model):
    """One of the 4,096 parts of a feed's current state, by sha256(id); kept in the transaction that numbers. Empty ones have no row."""

    feed = models.ForeignKey(FeedState, models.CASCADE, related_name="buckets")
    number = models.PositiveSmallIntegerField()
    records = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, default=NOTHING)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["feed", "number"], name="bucket_once")]


class Delivery(models.Model):
    """What a receiver said it applied of one of our feeds."""

    peer = models.ForeignKey("federation.Peer", models.CASCADE, related_name="deliveries")
    stream = models.CharField(max_length=20)
    epoch = models.CharField(max_length=32)
    seq = models.BigIntegerField(default=0)
    applied = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    records = models.BigIntegerField(null=True)  # what the reader holds of our feed, and its digest; None from a reader that keeps none
    root = models.CharField(max_length=64, blank=True)
    parked = models.JSONField(default=list, blank=True)  # [{id, rev, state, error, reason}]: which of our records it could not apply
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["peer", "stream"], name="delivery_once")]
