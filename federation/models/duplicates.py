"""The same dataset listed by two portals: what was found, and what a person made of it."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DuplicateKey(models.Model):
    """A mark of a listing by which another portal's listing of the same dataset shows: hash of a file, a foreign identifier, its title
    with its provider. `value` is SHA-256 of it."""

    class Kind(models.TextChoices):
        FILE = "file", _("文件哈希相同")
        IDENTIFIER = "identifier", _("标识或地址相同")
        TITLE = "title", _("名称与提供方相同")

    identifier = models.CharField(max_length=140)
    portal = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=Kind)
    value = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["value", "kind"])]
        constraints = [models.UniqueConstraint(fields=["identifier", "kind", "value"], name="duplicate_key_once")]


class Conflict(models.Model):
    """Two listings that look like one dataset; `first` is the identifier that sorts first. Nothing happens to either by itself."""

    class State(models.TextChoices):
        OPEN = "open", _("待核对")
        LINKED = "linked", _("已关联")
        MERGED = "merged", _("已合并")
        DISMISSED = "dismissed", _("不是同一数据集")

    first = models.CharField(max_length=140)
    second = models.CharField(max_length=140)
    kinds = models.JSONField(default=list)  # DuplicateKey.Kind, strongest first
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.OPEN)
    kept = models.CharField(max_length=140, blank=True)  # of a merge: the listing that stays on offer
    note = models.CharField(_("说明"), max_length=2000, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = _("重复登记")
        ordering = ["-id"]
        indexes = [models.Index(fields=["state"])]
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="conflict_once")]


class Scan(models.Model):
    """How far a walk over all datasets is: those changed later are due."""

    name = models.CharField(max_length=40, unique=True)
    until = models.DateTimeField()
    last_pk = models.BigIntegerField(default=0)
