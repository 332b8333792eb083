"""Counts of use by dataset and day: a portal's own, and at the national portal those of all."""

from django.db import models


class DailyUsage(models.Model):
    portal = models.CharField(max_length=64)
    identifier = models.CharField(max_length=140)
    day = models.DateField()
    views = models.PositiveBigIntegerField(default=0)
    downloads = models.PositiveBigIntegerField(default=0)
    requests = models.PositiveBigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["portal", "day"])]
        constraints = [models.UniqueConstraint(fields=["identifier", "day"], name="daily_usage_once")]
