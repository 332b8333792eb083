"""Files and services of a dataset, and the small reviewed extracts offered for trial."""

from django.core.files.storage import storages
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.ids import new_uid


def sample_storage():
    return storages["samples"]


def sample_path(sample, filename: str) -> str:
    """Names on disk are the server's own; the provider's file name is kept as a field only."""
    return f"{sample.uid.hex[-2:]}/{sample.uid}"


class Resource(models.Model):
    """A DCAT distribution. Data never enter the portal: this is their manifest."""

    class Kind(models.TextChoices):
        FILE = "file", _("文件")
        SERVICE = "service", _("服务接口")
        DOCUMENT = "document", _("文档")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="resources")
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(_("名称"), max_length=500)
    description = models.TextField(_("说明"), blank=True)
    kind = models.CharField(_("类别"), max_length=10, choices=Kind, default=Kind.FILE)
    format = models.CharField(_("格式"), max_length=40, blank=True)
    media_type = models.CharField(_("媒体类型"), max_length=120, blank=True)
    byte_size = models.BigIntegerField(_("字节数"), null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    access_url = models.CharField(_("访问地址"), max_length=2000, blank=True)
    download_url = models.CharField(_("下载地址"), max_length=2000, blank=True)
    encoding = models.CharField(_("编码"), max_length=40, blank=True)
    columns = models.JSONField(_("信息项"), default=list, blank=True)  # [{"name", "type", "description"}]
    link_status = models.PositiveSmallIntegerField(null=True, blank=True)
    link_checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("资源")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(byte_size__isnull=True) | models.Q(byte_size__gte=0), name="resource_bytes_positive")
        ]

    def __str__(self):
        return self.name


class Sample(models.Model):
    """A small reviewed extract (样例). At a portal that is not the owner the file is empty and a ticket fetches it."""

    class State(models.TextChoices):
        PENDING = "pending", _("检查中")
        WAITING = "waiting", _("待审核")
        READY = "ready", _("可下载")
        BLOCKED = "blocked", _("已拦截")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="samples")
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(_("文件名"), max_length=255)
    description = models.TextField(_("说明"), blank=True)
    file = models.FileField(_("文件"), storage=sample_storage, upload_to=sample_path, blank=True, max_length=200)
    format = models.CharField(_("格式"), max_length=40, blank=True)
    media_type = models.CharField(_("媒体类型"), max_length=120, blank=True)
    byte_size = models.BigIntegerField(_("字节数"), default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    row_count = models.BigIntegerField(_("行数"), null=True, blank=True)
    profile = models.JSONField(_("概况"), default=dict, blank=True)  # of quality.profiling: columns, statistics, preview
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.PENDING)
    state_reason = models.TextField(_("原因"), blank=True)
    needs_review = models.BooleanField(default=False, editable=False)  # added to what was listed already, and not approved since
    terms = models.TextField(_("使用条款"), blank=True)
    is_synthetic = models.BooleanField(_("合成样例"), default=False)
    download_count = models.BigIntegerField(_("下载次数"), default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("样例")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["dataset", "sha256"], condition=~models.Q(sha256=""), name="sample_file_once")]

    def __str__(self):
        return self.name
