"""Triggers: audit entries and versions are only ever added. Versions go with their dataset when it is erased by law."""

from django.db import migrations

AUDIT, VERSION = "catalog_auditentry", "catalog_version"
SQLITE = [
    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    for table, verb in ((AUDIT, "UPDATE"), (AUDIT, "DELETE"), (VERSION, "UPDATE"))
]
POSTGRES = [
    "CREATE FUNCTION jimu_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
    f"CREATE TRIGGER {AUDIT}_append_only BEFORE UPDATE OR DELETE ON {AUDIT} FOR EACH ROW EXECUTE FUNCTION jimu_append_only()",
    f"CREATE TRIGGER {VERSION}_append_only BEFORE UPDATE ON {VERSION} FOR EACH ROW EXECUTE FUNCTION jimu_append_only()",
]


def create(apps, editor):
    for statement in SQLITE if editor.connection.vendor == "sqlite" else POSTGRES:
        editor.execute(statement, params=None)  # a % in them is no placeholder


def drop(apps, editor):
    if editor.connection.vendor == "sqlite":
        for statement in SQLITE:
            editor.execute(f"DROP TRIGGER {statement.split()[2]}")
    else:
        editor.execute("DROP FUNCTION jimu_append_only CASCADE")


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
