"""Fixtures all tests share; what the `services` mark means."""

import importlib
import os

import pytest
from django.core.management import call_command
from django.db import connection

append_only = importlib.import_module("catalog.migrations.0002_append_only")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Every test starts with the vocabularies, the groups and this portal's own row."""
    with django_db_blocker.unblock():
        call_command("load_vocabularies", verbosity=0)
        call_command("load_schemes", verbosity=0)
        with connection.schema_editor() as editor:  # transactional tests empty their tables; tests/catalog/test_audit.py puts them back
            append_only.drop(None, editor)


def pytest_collection_modifyitems(items):
    required = os.environ.get("PORTAL_REQUIRE_SERVICES") == "1"
    for item in items:
        mark = item.get_closest_marker("services")
        if not mark:
            continue
        missing = [name for name in mark.args if not os.environ.get(name)]
        if missing and not required:
            item.add_marker(pytest.mark.skip(reason=f"needs {', '.join(missing)}: run `make services` first"))
