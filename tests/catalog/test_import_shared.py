"""Every shared catalogue: no traceback, each rejection in words, a second import that changes nothing, docs/import.md true.

UPDATE_DOCS=1 rewrites the table of docs/import.md from what this test finds.
"""

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from catalog.interchange.parsed import Unreadable
from catalog.interchange.reading import ENDINGS, read_catalog
from catalog.models import Dataset
from catalog.services import audit
from catalog.services.importing import import_records
from tests.shared import ROOT, shared

DOCUMENT = ROOT / "docs" / "import.md"
START, END = "<!-- table: tests/catalog/test_import_shared.py -->", "<!-- end of table -->"
LARGE = 5000  # the central listing is stored in part here; tests/benchmarks/import_speed.py stores it whole


def files() -> list[Path]:
    folders = [shared("data", "catalogs"), shared("data", "croissant")]
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in ENDINGS)


def label(path: Path) -> str:
    parts = path.parts[path.parts.index("data") + 1 :]
    return "/".join(parts[1:] if parts[0] == "catalogs" else parts)


def dry(path: Path) -> tuple[dict, object | None, str]:
    told = {"format": "—", "encoding": "—"}
    try:
        records = read_catalog(path, on_detected=lambda form, encoding: told.update(format=form, encoding=encoding))
        return told, import_records(records, dry_run=True, name=path.name), ""
    except Unreadable as error:
        return told, None, str(error)


def why(report, problem: str) -> str:
    if problem:
        return problem
    said = Counter(re.sub(r"“[^”]*”", "“…”", entry["message"]) for entry in report.errors)
    return "；".join(f"{text[:110]}{f' ×{count}' if count > 1 else ''}" for text, count in said.most_common(3))


def rows() -> list[str]:
    """One row a file; files of one folder that import alike and without a rejection share one."""
    alike: dict[tuple, list] = {}
    for path in files():
        told, report, problem = dry(path)
        created, rejected, records = (report.created, report.rejected, report.records) if report else (0, 0, 0)
        reason = why(report, problem).replace("|", "\\|")
        folder = label(path).rsplit("/", 1)[0]
        single = bool(reason) or records > 100
        key = (folder, told["format"], told["encoding"], label(path) if single else "")
        entry = alike.setdefault(key, [0, 0, 0, 0, reason])
        for place, number in enumerate((1, records, created, rejected)):
            entry[place] += number
    found = []
    for (folder, form, encoding, name), (count, records, created, rejected, reason) in sorted(alike.items()):
        shown = name or f"{folder}/（{count} 个文件）"
        found.append(f"| {shown} | {form} | {encoding} | {records} | {created} | {rejected} | {reason} |")
    return found


@pytest.mark.django_db
def test_the_table_of_the_documentation_is_what_an_import_reports():
    head = ["| 文件 | 格式 | 编码 | 记录 | 新建 | 拒绝 | 为什么 |", "|---|---|---|--:|--:|--:|---|"]
    table = "\n".join([*head, *rows()])
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(START)
    if os.environ.get("UPDATE_DOCS"):
        DOCUMENT.write_text(f"{before}{START}\n\n{table}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")
    else:
        assert rest.split(END)[0].strip() == table


@pytest.mark.parametrize("name", ["notdataset-tasks__direct_task.jsonld", "notdataset-tasks__valid_problem.jsonld"])
def test_a_task_description_is_refused_as_no_dataset(name):
    record = next(read_catalog(shared("data", "croissant", name)))

    assert record.error.code == "not_a_dataset"


def test_quality_reports_are_refused_with_what_was_seen():
    for path in shared("data", "catalogs", "tw-quality").glob("*DQ*.json"):
        record = next(read_catalog(path))
        assert "no_qc" in record.error.message


def test_more_than_twenty_thousand_records_are_read():
    records = sum(1 for path in files() for _record in readable(path))

    assert records > 22_900


def readable(path):
    try:
        yield from read_catalog(path)
    except Unreadable:
        return


@pytest.mark.django_db
def test_all_files_are_stored_and_a_second_round_changes_nothing():
    rounds = [Counter(), Counter()]
    for numbers in rounds:
        for path in files():
            records = (record for number, record in enumerate(readable(path)) if number < LARGE // 10)
            report = import_records(records, name=label(path))
            numbers.update(created=report.created, updated=report.updated)

    assert rounds[0]["created"] > 2500
    assert (rounds[1]["created"], rounds[1]["updated"]) == (0, 0)
    assert audit.verify()[1] == ""
    assert not Dataset.objects.filter(title="").exists()
