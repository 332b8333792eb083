"""Controlled vocabularies (hierarchical, versioned, federated downwards) and the industry knowledge index."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class LabelMixin:
    @property
    def label_local(self) -> str:
        return self.label_en or self.label if (get_language() or "").startswith("en") else self.label


class Term(LabelMixin, models.Model):
    scheme = models.CharField(_("词表"), max_length=40)
    code = models.CharField(_("代码"), max_length=64)
    label = models.CharField(_("名称"), max_length=120)
    label_en = models.CharField(_("英文名"), max_length=160, blank=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    position = models.PositiveIntegerField(default=0)
    data = models.JSONField(_("附加"), default=dict, blank=True)
    version = models.CharField(_("版本"), max_length=20, default="1")
    is_active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = verbose_name_plural = _("词条")
        ordering = ["scheme", "position", "code"]
        constraints = [models.UniqueConstraint(fields=["scheme", "code"], name="term_code_once_per_scheme")]

    def __str__(self):
        return self.label


class KnowledgeNode(LabelMixin, models.Model):
    """Node of an industry knowledge tree (002 五(一): 行业知识索引框架)."""

    code = models.CharField(_("代码"), max_length=64, unique=True)
    label = models.CharField(_("名称"), max_length=120)
    label_en = models.CharField(_("英文名"), max_length=160, blank=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    sector = models.CharField(_("行业领域"), max_length=64, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = _("知识节点")
        ordering = ["position", "code"]

    def __str__(self):
        return self.label
