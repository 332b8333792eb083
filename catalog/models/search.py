"""Rows of the database's own search index. They are written by catalog/search/backends and by nothing else.

The token index beside them (catalog_search_text) is an FTS5 table on SQLite and a tsvector table on PostgreSQL.
"""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

MOST_WORDS, LONGEST_WORD = 60, 40


class SearchedWords(models.Model):
    """What was searched for, once a day and visitor, to learn which queries are common. Rows go after some weeks.

    `visitor` is a keyed hash that changes every day: it tells visitors of one day apart and leads back to nobody.
    """

    text = models.CharField(max_length=60)
    day = models.DateField()
    visitor = models.CharField(max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text", "day", "visitor"], name="searched_once_a_day")]
        indexes = [models.Index(fields=["day"])]


class SearchState(models.Model):
    """One row. `version` grows with every index write in its transaction; readers follow it. `stamp` names that write."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    version = models.BigIntegerField()
    stamp = models.CharField(max_length=32)
    format = models.PositiveIntegerField()
    lexicon = models.CharField(max_length=40, default="", db_default="")  # edition of the synonyms: "<number>.<random>"


class SearchRow(models.Model):
    """What filters, counts and sorting need of one published dataset; a removed one stays as an empty row (`is_gone`)."""

    dataset_id = models.BigIntegerField(primary_key=True)  # no foreign key: the row outlives the dataset to tell readers
    version = models.BigIntegerField(db_index=True)
    is_gone = models.BooleanField()
    digest = models.CharField(max_length=32)  # of everything indexed
    text_digest = models.CharField(max_length=32)  # of the tokens
    tokens = models.BinaryField()  # compressed; FTS5 needs the old ones to delete
    title = models.TextField()  # folded
    title_hash = models.BigIntegerField()
    title_key = models.BinaryField()
    text_length = models.IntegerField()
    dimensions = models.TextField()  # values in the order of document.STORED, see document.pack
    listed = models.BigIntegerField()  # seconds since 1970
    modified = models.IntegerField()  # proleptic day, 0 when not known
    byte_size = models.BigIntegerField()  # -1 when not known
    grade = models.SmallIntegerField()
    static_score = models.FloatField()


def valid_words(value) -> None:
    """At least two words of text, each once; rows of other kinds never reach a query."""
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValidationError(_("应为词语的列表。"))
    if len(value) < 2 or len(value) > MOST_WORDS:
        raise ValidationError(_("一组应有 2 至 %(most)d 个词。"), params={"most": MOST_WORDS})
    for word in value:
        if not word.strip() or len(word) > LONGEST_WORD or not re.search(r"\w", word):
            raise ValidationError(
                _("“%(word)s”不是可用的词：不能为空，不超过 %(longest)d 个字符。"), params={"word": word[:60], "longest": LONGEST_WORD}
            )


class SynonymGroup(models.Model):
    """Words that are looked for together. Groups of catalog/vocabularies/synonyms.csv keep what an administrator changed here."""

    class Relation(models.TextChoices):
        SAME = "same", _("同义：任一词都找其余各词")
        NARROWER = "narrower", _("下位：查首词时也找其余各词")

    code = models.CharField(_("代码"), max_length=80, unique=True)
    domain = models.CharField(_("领域"), max_length=40, blank=True)
    relation = models.CharField(_("关系"), max_length=10, choices=Relation.choices, default=Relation.SAME)
    words = models.JSONField(_("词语"), default=list, validators=[valid_words])
    is_active = models.BooleanField(_("启用"), default=True)
    shipped_digest = models.CharField(max_length=32, blank=True, editable=False)  # of the row as loaded; "" for the portal's own groups
    updated_at = models.DateTimeField(_("更新于"), auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = _("同义词组")
        ordering = ["domain", "code"]

    def __str__(self):
        return "、".join(map(str, self.words[:4])) if isinstance(self.words, list) else self.code
