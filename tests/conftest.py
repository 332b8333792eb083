"""Fixtures all tests share; what the `services` mark means."""

import importlib
import os
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import translation

CHROMIUM = "/usr/bin/chromium"
append_only = importlib.import_module("catalog.migrations.0002_append_only")
case_events = importlib.import_module("quality.migrations.0002_people")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Every test starts with the vocabularies, the groups and this portal's own row."""
    with django_db_blocker.unblock():
        call_command("load_vocabularies", verbosity=0)
        call_command("load_schemes", verbosity=0)
        with connection.schema_editor() as editor:  # transactional tests empty their tables; tests/catalog/test_audit.py puts them back
            case_events.drop(None, editor)
            append_only.drop(None, editor)


@pytest.fixture(autouse=True)
def chinese():
    """A request in English leaves its thread in English; every test starts in Chinese."""
    translation.activate("zh-hans")
    yield
    translation.activate("zh-hans")


def pytest_collection_modifyitems(config, items):
    """Skip, with the reason, what needs a server or a browser that is not here; with PORTAL_REQUIRE_SERVICES=1 fail instead."""
    elsewhere = [item for item in items if belongs_elsewhere(item)]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]
    for item in items:
        reason = lacks(item)
        if reason and os.environ.get("PORTAL_REQUIRE_SERVICES") == "1":
            item.add_marker(pytest.mark.usefixtures("fail_for_lack"))
            item.lack = reason
        elif reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def belongs_elsewhere(item) -> bool:
    """What this database or this search engine does not promise is not selected here; it runs where it holds."""
    if item.get_closest_marker("sqlite") and connection.vendor != "sqlite":
        return True
    engine = item.callspec.params.get("engine") if hasattr(item, "callspec") else None
    return engine == "elasticsearch" and item.get_closest_marker("database_only") is not None


def lacks(item) -> str:
    mark = item.get_closest_marker("services")
    missing = [name for name in (mark.args if mark else ()) if not os.environ.get(name)]
    if missing:
        return f"needs {', '.join(missing)}: run `make services`, then `make test-services`"
    if item.get_closest_marker("browser") and not Path(CHROMIUM).exists():
        return f"needs {CHROMIUM} (Debian: chromium)"
    return ""


@pytest.fixture
def fail_for_lack(request):
    pytest.fail(request.node.lack)
