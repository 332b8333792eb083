"""Life of the index in the database: built anew without a gap, and whole after kill -9 of whatever was writing it."""

import signal
import sqlite3
from contextlib import closing

import pytest
from django.db import connection
from django.utils import timezone

from catalog.models import SearchState
from catalog.search import index_datasets
from catalog.search.backends import database_backend
from catalog.search.query import SearchQuery
from catalog.search.text import FORMAT
from tests.factories import make_dataset, make_organization
from tests.processes import ROOT, end, environment, manage, migrated, start, wait_until

NOTHING = {"missing": [], "stale": [], "ghost": []}


def test_an_index_of_another_format_answers_until_it_is_built_anew(db, monkeypatch):
    monkeypatch.setattr("catalog.search.backends.database.BATCH", 2)
    organization, engine, totals = make_organization(), database_backend(connection.vendor), []
    made = [make_dataset(organization=organization, title=f"不断档 {at}", status="listed", listed_at=timezone.now()) for at in range(7)]
    index_datasets(made)
    SearchState.objects.update(format=FORMAT - 1)

    def on_progress(done, total):
        totals.append(engine.search(SearchQuery(text="不断档")).total)
        if done == 2:  # a writer meanwhile
            late = make_dataset(organization=organization, title="不断档 新", status="listed", listed_at=timezone.now())
            index_datasets([late])

    engine.build(on_progress=on_progress)

    assert min(totals) >= 7 and engine.search(SearchQuery(text="不断档")).total == 8
    assert engine.check() == NOTHING
    assert engine.status()["format"] == FORMAT


@pytest.mark.processes
def test_kill_9_of_a_build_and_of_an_import_leave_an_index_that_agrees(tmp_path):
    env, source = environment(tmp_path), tmp_path / "list.csv"
    lines = (f"示例局 {n % 50},打断数据集 {n},说明 {n},每月,2024/03/18" for n in range(20_000))
    source.write_text("\n".join(["提供机关,数据集名称,数据集描述,更新频率,发布日期", *lines]), encoding="utf-8")
    migrated(tmp_path)
    assert manage("load_vocabularies", env=env).returncode == 0

    def read(question: str) -> int:
        with closing(sqlite3.connect(tmp_path / "portal.sqlite3")) as database:
            return database.execute(question).fetchone()[0] or 0

    def killed(*words: str, when) -> None:
        process = start(str(ROOT / "manage.py"), *words, env=env, log=tmp_path / "killed.log")
        try:
            wait_until(when, 120, step=0.02)
            assert process.poll() is None, (tmp_path / "killed.log").read_text()[-2000:]
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        finally:
            end(process)

    killed("import_catalog", str(source), when=lambda: read("SELECT count(*) FROM catalog_dataset") >= 500)
    stored = read("SELECT count(*) FROM catalog_dataset")
    assert 500 <= stored < 20_000 and stored == read("SELECT count(*) FROM catalog_searchrow WHERE NOT is_gone")

    before = read("SELECT version FROM catalog_searchstate")
    killed("search_index", "build", when=lambda: read("SELECT version FROM catalog_searchstate") > before)
    checked = manage("search_index", "check", "--json", env=env)
    assert checked.returncode == 0, checked.stdout + checked.stderr[-2000:]
