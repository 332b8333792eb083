"""The provider's locked manifest, what the portal draws from it, and the audit of labels."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.ids import new_uid
from catalog.models.resources import sample_storage

USER = settings.AUTH_USER_MODEL


def manifest_path(manifest, filename: str) -> str:
    return f"manifests/{manifest.uid.hex[-2:]}/{manifest.uid}"


class SampleManifest(models.Model):
    """Every item of a dataset by path, size and hash, locked before anything is drawn; a later one has the next number."""

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="manifests")
    number = models.PositiveIntegerField(_("版"))
    sha256 = models.CharField(max_length=64)  # of the canonical lines (quality/panel/manifest.py)
    item_count = models.PositiveIntegerField(_("条目"))
    total_bytes = models.BigIntegerField(_("字节数"))
    labels = models.JSONField(_("类别"), default=dict)  # {label: items}
    file = models.FileField(storage=sample_storage, upload_to=manifest_path, max_length=200)
    locked_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    locked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("抽样清单")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="manifest_number_once")]


class SampleDraw(models.Model):
    """What the portal asks for: items by the published rule from the published seed (quality/panel/sampling.py)."""

    class State(models.TextChoices):
        OPEN = "open", _("等待上传")
        VERIFIED = "verified", _("已核对")
        VOID = "void", _("作废")

    class Method(models.TextChoices):
        SIMPLE = "simple", _("简单随机")
        STRATIFIED = "stratified", _("按类别分层")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    manifest = models.ForeignKey(SampleManifest, models.CASCADE, related_name="draws")
    number = models.PositiveIntegerField(_("次"))
    method = models.CharField(_("方法"), max_length=12, choices=Method, default=Method.SIMPLE)
    algorithm = models.CharField(max_length=20)
    seed = models.BigIntegerField(_("种子"))
    size = models.PositiveIntegerField(_("要求"))
    items = models.JSONField(_("条目"))  # rows of the manifest
    state = models.CharField(_("状态"), max_length=8, choices=State, default=State.OPEN)
    reason = models.TextField(_("原因"), blank=True)
    sample = models.ForeignKey("catalog.Sample", models.SET_NULL, null=True, blank=True, related_name="draws")
    drawn_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    drawn_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("抽样")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["manifest", "number"], name="draw_number_once"),
            models.UniqueConstraint(fields=["manifest"], condition=models.Q(state="open"), name="draw_one_open"),
        ]


class LabelAudit(models.Model):
    """Items with their labels, judged one by one; the exact bound of their accuracy scores 0304."""

    class State(models.TextChoices):
        OPEN = "open", _("进行中")
        ACCEPTED = "accepted", _("接收")
        REJECTED = "rejected", _("拒收")
        VOID = "void", _("作废")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="label_audits")
    source_sha256 = models.CharField(max_length=64)  # of the sample file that the items come from
    source_name = models.CharField(_("来源"), max_length=255)
    column = models.CharField(_("标签列"), max_length=200)
    is_drawn = models.BooleanField(_("门户抽样"), default=False)
    algorithm = models.CharField(max_length=20)
    seed = models.BigIntegerField(_("种子"))
    accept = models.PositiveSmallIntegerField(_("允许错误"))
    size = models.PositiveIntegerField(_("条数"))
    shares = models.JSONField(default=dict)  # {label: share of the whole}, where the draw was by class
    state = models.CharField(_("状态"), max_length=8, choices=State, default=State.OPEN)
    result = models.JSONField(default=dict)
    reason = models.TextField(_("原因"), blank=True)
    created_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("标注核查")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["dataset"], condition=models.Q(state="open"), name="audit_one_open")]


class AuditItem(models.Model):
    class Verdict(models.TextChoices):
        RIGHT = "right", _("正确")
        WRONG = "wrong", _("错误")
        UNSURE = "unsure", _("拿不准")

    audit = models.ForeignKey(LabelAudit, models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    place = models.CharField(_("位置"), max_length=500)
    label = models.CharField(_("标签"), max_length=500)
    content = models.JSONField(default=dict)  # {column: text}, cut to what a person can read
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True)
    note = models.CharField(_("备注"), max_length=500, blank=True)
    judged_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    judged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["audit", "position"], name="audit_position_once")]
