"""What an import source said of a dataset the last time, so that importing it again changes nothing."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ImportRecord(models.Model):
    """One dataset as one source (a file name or an address) told it. An unchanged source leaves later edits here alone."""

    dataset = models.ForeignKey("catalog.Dataset", models.CASCADE, related_name="import_records")
    source = models.CharField(_("来源"), max_length=300)
    digest = models.CharField(max_length=32)  # of the source's own listing document, before it met ours
    fields = models.JSONField(default=list)  # which listing fields it filled in
    imported_at = models.DateTimeField(_("导入时间"))

    class Meta:
        verbose_name = verbose_name_plural = _("导入记录")
        constraints = [models.UniqueConstraint(fields=["dataset", "source"], name="import_record_once")]
