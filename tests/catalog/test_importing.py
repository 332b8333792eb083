"""The writing half of imports: idempotent, batched, versioned, never half-written, killed without harm."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.interchange.reading import read_catalog
from catalog.models import AuditEntry, Dataset, ImportRecord, Organization, Review, Version
from catalog.services import audit
from catalog.services.importing import import_records
from catalog.signals import datasets_changed
from tests.factories import make_organization
from tests.processes import migrated

ROOT = Path(__file__).resolve().parent.parent.parent
ROWS = [{"数据集名称": f"数据 {number}", "提供单位": f"示例局 {number % 3}", "描述": "说明", "更新频率": "每月"} for number in range(7)]


def run(rows, **options):
    content = json.dumps(rows, ensure_ascii=False).encode()
    return import_records(read_catalog(content), **{"name": "a.json", "batch_size": 3} | options)


def numbers(report):
    return report.created, report.updated, report.unchanged, report.rejected


@pytest.mark.django_db
def test_a_second_import_changes_nothing():
    first = run(ROWS)
    entries, versions = AuditEntry.objects.count(), Version.objects.count()

    second = run(ROWS)

    assert numbers(first) == (7, 0, 0, 0)
    assert numbers(second) == (0, 0, 7, 0)
    assert (AuditEntry.objects.count(), Version.objects.count()) == (entries, versions)
    assert Organization.objects.filter(name__startswith="示例局").count() == 3


@pytest.mark.django_db
def test_imported_listings_are_listed_versioned_audited_and_found():
    run(ROWS)

    dataset = Dataset.objects.get(title="数据 3")
    assert (dataset.status, dataset.update_frequency, dataset.rev, dataset.serial) == ("listed", "monthly", 1, 1)
    assert dataset.current_version.sha256 == dataset.document_hash
    assert audit.verify()[1] == ""
    assert dataset in Dataset.objects.published()


@pytest.mark.django_db
def test_a_changed_record_is_updated_with_a_version_and_keeps_its_resources():
    rows = [{"title": "T", "publisher": "P", "description": "d", "url": "https://e.org/a.csv", "format": "CSV"}]
    run(rows)
    before = Dataset.objects.get()
    uid = before.resources.get().uid
    rows[0] |= {"description": "new"}

    report = run(rows)

    after = Dataset.objects.get()
    assert numbers(report) == (0, 1, 0, 0)
    assert (after.description, after.resources.get().uid, after.rev) == ("new", uid, before.rev + 1)
    assert [version.number for version in after.versions.all()] == [2, 1]
    assert "a.json" in after.current_version.change_note


@pytest.mark.django_db
def test_what_was_written_here_outlives_an_import_that_says_nothing_of_it():
    run(ROWS)
    Dataset.objects.filter(title="数据 1").update(rights_holder="示例权利人")
    changed = [row | {"描述": "新的说明"} for row in ROWS]

    run(changed)

    dataset = Dataset.objects.get(title="数据 1")
    assert (dataset.rights_holder, dataset.description) == ("示例权利人", "新的说明")


@pytest.mark.django_db
def test_what_the_source_no_longer_says_goes():
    run(ROWS)

    run([{name: value for name, value in row.items() if name != "更新频率"} for row in ROWS])

    assert not Dataset.objects.exclude(update_frequency="").exists()


@pytest.mark.django_db
def test_two_sources_that_disagree_do_not_undo_each_other_for_ever():
    other = [row | {"描述": "别的说法"} for row in ROWS]
    run(ROWS)
    run(other, name="b.json")

    again = [numbers(run(ROWS)), numbers(run(other, name="b.json"))]

    assert again == [(0, 0, 7, 0), (0, 0, 7, 0)]


@pytest.mark.django_db
def test_a_dry_run_tells_the_same_numbers_and_writes_nothing():
    rows = [*ROWS, {"数据集名称": ""}, ROWS[0]]

    dry = run(rows, dry_run=True)
    left = (Dataset.objects.count(), Organization.objects.count(), AuditEntry.objects.count(), ImportRecord.objects.count())
    wet = run(rows)

    assert left == (0, 0, 0, 0)
    assert dry.as_dict() == wet.as_dict()
    assert numbers(wet) == (7, 0, 1, 1)


@pytest.mark.django_db
def test_the_same_identifier_twice_is_refused_unless_equal_and_equal_titles_stay_apart():
    rows = [
        {"标识": "1", "数据集名称": "同名", "提供单位": "甲"},
        {"标识": "2", "数据集名称": "同名", "提供单位": "甲"},
        {"标识": "1", "数据集名称": "同名", "提供单位": "甲"},
        {"标识": "1", "数据集名称": "改名", "提供单位": "甲"},
    ]

    report = run(rows)

    assert numbers(report) == (2, 0, 1, 1)
    assert (report.errors[0]["record"], report.errors[0]["code"]) == ("1", "duplicate")


@pytest.mark.django_db
def test_row_numbers_are_no_identifiers_but_tell_twins_apart():
    run([{"序号": 1, "数据集名称": "人口", "提供单位": "甲县统计局"}], name="a.json")
    run([{"序号": 1, "数据集名称": "人口", "提供单位": "乙县统计局"}, {"序号": 1, "数据集名称": "水质", "提供单位": "甲县统计局"}], name="b.json")
    twins = [{"序号": number, "数据集名称": "公告", "提供单位": "局", "描述": f"第 {number} 期"} for number in (1, 2)]

    assert Dataset.objects.count() == 3
    assert numbers(run(twins, name="c.json")) == (2, 0, 0, 0)
    assert numbers(run(twins, name="c.json")) == (0, 0, 2, 0)


@pytest.mark.django_db
def test_one_organization_may_be_named_for_all():
    mine = make_organization(name="示例中心")

    run(ROWS, organization=mine)

    assert set(Dataset.objects.values_list("organization__name", flat=True)) == {"示例中心"}


@pytest.mark.django_db
def test_submitted_records_open_reviews_with_what_is_missing():
    run(ROWS[:2], status="submitted")

    review = Review.objects.first()
    assert review.dataset.status == "submitted"
    assert {check.pointer for check in review.checks.all()} >= {"/rights_basis", "/license_type"}
    assert not Version.objects.exists()


@pytest.mark.django_db
def test_core_data_never_enter_and_important_data_need_review():
    rows = [{"title": "a", "publisher": "p", "security_level": "core"}, {"title": "b", "publisher": "p", "security_level": "important"}]

    listed = run(rows)
    submitted = run(rows, status="submitted")

    assert [error["code"] for error in listed.errors] == ["core_data", "needs_review"]
    assert numbers(submitted) == (1, 0, 0, 1)


@pytest.mark.django_db
def test_a_delisted_record_stays_delisted():
    run(ROWS[:1])
    Dataset.objects.update(status="delisted")

    report = run([ROWS[0] | {"描述": "再来"}])

    assert numbers(report) == (0, 0, 1, 0)
    assert Dataset.objects.get().description == "说明"


@pytest.mark.django_db
def test_the_number_of_queries_of_a_batch_does_not_grow_with_its_rows(monkeypatch):
    monkeypatch.setattr(datasets_changed, "receivers", [])  # what other apps make of the news is their own
    datasets_changed.sender_receivers_cache.clear()
    run(ROWS)
    many = [{"数据集名称": f"大量 {number}", "提供单位": "示例局 0"} for number in range(200)]

    with CaptureQueriesContext(connection) as queries:
        run(many, batch_size=500)

    assert len(queries) < 100  # inserts are cut by the number of variables SQLite takes


@pytest.mark.django_db
def test_the_command_prints_one_json_object(tmp_path, capsys):
    path = tmp_path / "list.csv"
    path.write_text("资料集名称,提供机关\n甲,局\n,局\n", encoding="utf-8")

    call_command("import_catalog", str(path), "--json")

    report = json.loads(capsys.readouterr().out)
    assert [report[name] for name in ("created", "updated", "unchanged", "rejected")] == [1, 0, 0, 1]
    assert report["errors"][0] | {"message": ""} == {"record": 2, "pointer": "/title", "code": "no_title", "message": "", "source": "list.csv"}
    assert isinstance(report["warnings"], int)


@pytest.mark.django_db
@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\xff\xfe\xff", b'{"title"', b"[{}]"])
def test_the_command_ends_with_an_error_when_nothing_can_be_read(content, tmp_path):
    path = tmp_path / "bad"
    path.write_bytes(content)

    with pytest.raises(SystemExit) as ended:
        call_command("import_catalog", str(path), "--json")

    assert ended.value.code == 1


@pytest.mark.django_db
@pytest.mark.parametrize("source", ["/nowhere/at-all.csv", "http://127.0.0.1:9/x", "https://10.0.0.1/data.json"])
def test_a_source_that_cannot_be_had_is_said_in_a_sentence(source):
    with pytest.raises(CommandError):
        call_command("import_catalog", source)


def state(folder: Path) -> list:
    script = "import json; from catalog.models import *; print('STATE', json.dumps(["
    script += "sorted(Dataset.objects.values_list('source_identifier', 'title', 'organization__name', 'status', 'rev', 'serial')),"
    script += "Version.objects.count(), ImportRecord.objects.count(), Organization.objects.count(),"
    script += " sorted(AuditEntry.objects.values_list('action', flat=True))]))"
    out = manage(folder, "shell", "-v0", "-c", script).communicate()[0].decode()
    return json.loads(out.split("STATE ", 1)[1])


def manage(folder: Path, *arguments) -> subprocess.Popen:
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    environment |= {"PORTAL_DATA_DIR": str(folder), "PORTAL_DEBUG": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
    return subprocess.Popen([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


@pytest.mark.processes
def test_a_killed_import_run_again_ends_in_the_state_of_one_run(tmp_path):
    """kill -9 of a real process with a real database file, then a rerun."""
    path = tmp_path / "list.csv"
    lines = [f"数据 {number},示例局 {number % 40},说明 {number}" for number in range(3000)]
    path.write_text("数据集名称,提供单位,描述\n" + "\n".join(lines), encoding="utf-8")
    folders = [tmp_path / "whole", tmp_path / "killed"]
    for folder in folders:
        migrated(folder)
        manage(folder, "load_vocabularies", "-v0").communicate()

    manage(folders[0], "import_catalog", str(path), "--json").communicate()
    process = manage(folders[1], "import_catalog", str(path), "--json")
    kill_in_the_middle(process, folders[1] / "portal.sqlite3")
    report = json.loads(manage(folders[1], "import_catalog", str(path), "--json").communicate()[0])

    assert 0 < report["unchanged"] < 3000
    assert report["created"] + report["unchanged"] == 3000
    assert state(folders[0]) == state(folders[1])


def kill_in_the_middle(process, database):
    import sqlite3

    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1) as connection:
                if connection.execute("SELECT count(*) FROM catalog_dataset").fetchone()[0] > 0:
                    break
        except sqlite3.OperationalError:
            pass
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL
