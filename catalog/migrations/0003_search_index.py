"""The token index of the database at hand, beside the index rows."""

from django.db import migrations

from catalog.search.backends import postgres, sqlite


def create(apps, editor):
    for statement in postgres.CREATE if editor.connection.vendor == "postgresql" else (sqlite.CREATE,):
        editor.execute(statement)


def drop(apps, editor):
    editor.execute("DROP TABLE catalog_search_text")


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_append_only")]
    operations = [
        migrations.RunPython(create, drop),
    ]
