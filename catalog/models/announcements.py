"""Announcements of this portal: calls for cases, changes of methods, portals that joined."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Announcement(models.Model):
    title = models.CharField(_("标题"), max_length=200)
    note = models.CharField(_("要点"), max_length=300, blank=True)
    body = models.TextField(_("正文"), blank=True)  # Markdown
    url = models.URLField(_("链接"), max_length=500, blank=True)
    published_at = models.DateTimeField(_("发布时间"), default=timezone.now)
    is_example = models.BooleanField(_("示例"), default=False)

    class Meta:
        verbose_name = verbose_name_plural = _("公告")
        ordering = ["-published_at", "-id"]

    def __str__(self):
        return self.title
