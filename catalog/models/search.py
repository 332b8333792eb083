"""Rows of the database's own search index. They are written by catalog/search/backends and by nothing else.

The token index beside them (catalog_search_text) is an FTS5 table on SQLite and a tsvector table on PostgreSQL.
"""

from django.db import models


class SearchState(models.Model):
    """One row. `version` grows with every index write in its transaction; readers follow it. `stamp` names that write."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    version = models.BigIntegerField()
    stamp = models.CharField(max_length=32)
    format = models.PositiveIntegerField()


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
