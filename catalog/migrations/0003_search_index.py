"""The search index: rows for filters and sorting, and beside them the token index of the database at hand."""

from django.db import migrations, models

from catalog.search.backends import postgres, sqlite


def create(apps, editor):
    for statement in postgres.CREATE if editor.connection.vendor == "postgresql" else (sqlite.CREATE,):
        editor.execute(statement)


def drop(apps, editor):
    editor.execute("DROP TABLE catalog_search_text")


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_append_only")]
    operations = [
        migrations.CreateModel(
            name="SearchRow",
            fields=[
                ("dataset_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(db_index=True)),
                ("is_gone", models.BooleanField()),
                ("digest", models.CharField(max_length=32)),
                ("text_digest", models.CharField(max_length=32)),
                ("tokens", models.BinaryField()),
                ("title", models.TextField()),
                ("title_hash", models.BigIntegerField()),
                ("title_key", models.BinaryField()),
                ("text_length", models.IntegerField()),
                ("dimensions", models.TextField()),
                ("listed", models.BigIntegerField()),
                ("modified", models.IntegerField()),
                ("byte_size", models.BigIntegerField()),
                ("grade", models.SmallIntegerField()),
                ("static_score", models.FloatField()),
            ],
        ),
        migrations.CreateModel(
            name="SearchState",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("version", models.BigIntegerField()),
                ("stamp", models.CharField(max_length=32)),
                ("format", models.PositiveIntegerField()),
            ],
        ),
        migrations.RunPython(create, drop),
    ]
