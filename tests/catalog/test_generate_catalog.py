"""generate_catalog: seeded, resumed where it ended, valid for checks, index and audit; refused beside real listings."""

import signal
import sqlite3
from contextlib import closing

import pytest
from django.core.management import CommandError, call_command

from catalog.generated import writing
from catalog.generated.listings import Maker, Zipf
from catalog.listing import digest, to_document
from catalog.models import AuditEntry, Dataset, Organization, Resource, Sample
from catalog.search.backends import get_backend
from catalog.search.query import FACETS, MISSING, SearchQuery
from catalog.services import audit, checks
from tests.factories import make_dataset
from tests.processes import ROOT, end, environment, manage, migrated, start, wait_until

NOTHING = {"missing": [], "stale": [], "ghost": []}


@pytest.fixture
def catalogue(db):
    writing.generate(300, seed=7)
    return list(Dataset.objects.order_by("pk"))


def test_index_audit_and_documents_hold(catalogue):
    assert get_backend().check() == NOTHING
    assert audit.verify()[1] == "" and AuditEntry.objects.filter(action="datasets.generated").exists()
    for row in catalogue[:50]:
        document = to_document(row)
        assert row.document_hash == digest(document)
        assert checks.shape_errors(document, codes=checks.active_codes()) == []


def test_every_facet_is_filled_with_skew_and_gaps(catalogue):
    facets = get_backend().search(SearchQuery()).facets

    for name in FACETS:
        counts = {item.value: item.count for item in facets[name]}
        assert counts and (name in ("portal", "grade") or len(counts) > 1), name
    for name in ("sector", "region", "license_type", "size"):
        counts = sorted((item.count for item in facets[name] if item.value != MISSING), reverse=True)
        assert MISSING in {item.value for item in facets[name]}, name
        assert counts[0] > 2 * counts[-1], name
    assert Resource.objects.count() > 300 and Sample.objects.filter(state="ready").exists()
    assert Organization.objects.filter(is_example=True).count() == 300 // writing.PER_PROVIDER


def test_the_same_seed_gives_the_same_listings_and_another_seed_others(db, catalogue):
    said = [(row.title, row.description, row.sectors, row.byte_size, row.grade, row.is_example) for row in catalogue]
    maker = Maker(7)
    again = maker.batch(0, 300, Zipf(maker.organizations(5), 5.0))
    other = Maker(8).batch(0, 300, Zipf(maker.organizations(5), 5.0))

    assert [(row.title, row.description, row.sectors, row.byte_size, row.grade, row.is_example) for row in again] == said
    assert sum(one.title == two.title for one, two in zip(again, other, strict=True)) < 10


def test_traditional_listings_are_found_by_simplified_words(catalogue):
    changed = next(row for row in catalogue if "數據" in row.title or "圖像" in row.title)

    found = get_backend().search(SearchQuery(text="数据" if "數據" in changed.title else "图像", limit=300)).ids

    assert changed.pk in found


def test_a_second_run_adds_only_what_is_wanting(db, monkeypatch):
    monkeypatch.setattr(writing, "BATCH", 40)

    assert writing.generate(100, seed=3) == (100, 0)
    assert writing.generate(100, seed=3) == (0, 100)
    assert writing.generate(130, seed=3) == (30, 100)
    assert writing.generate(50, seed=4, with_versions=True) == (50, 0)

    numbers = Dataset.objects.filter(source_identifier__startswith="generated:3:").values_list("source_identifier", flat=True)
    assert sorted(int(text.rpartition(":")[2]) for text in numbers) == list(range(130))
    assert Dataset.objects.filter(current_version__isnull=False).count() == 50
    assert get_backend().check() == NOTHING


def test_it_is_refused_beside_real_listings_unless_forced(db):
    make_dataset()

    with pytest.raises(CommandError, match="--force"):
        call_command("generate_catalog", count=5, verbosity=0)
    assert Dataset.objects.count() == 1
    call_command("generate_catalog", count=5, verbosity=0, force=True)
    assert Dataset.objects.count() == 6


@pytest.mark.parametrize("count", [0, -1, 10**9])
def test_impossible_counts_are_refused(db, count):
    with pytest.raises(CommandError, match="--count"):
        call_command("generate_catalog", count=count)


def test_vocabularies_are_asked_for(db):
    from catalog.models import Term

    Term.objects.all().delete()
    with pytest.raises(CommandError, match="load_vocabularies"):
        call_command("generate_catalog", count=5)


@pytest.mark.processes
@pytest.mark.parametrize("sign, code", [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_stopped_in_the_middle_it_leaves_whole_batches_and_is_taken_up(tmp_path, sign, code):
    env, log = environment(tmp_path), tmp_path / "generate.log"
    migrated(tmp_path)
    assert manage("load_vocabularies", env=env).returncode == 0

    def stored() -> int:
        with closing(sqlite3.connect(tmp_path / "portal.sqlite3")) as database:
            return database.execute("SELECT count(*) FROM catalog_dataset").fetchone()[0]

    process = start(str(ROOT / "manage.py"), "generate_catalog", "--count", "100000", env=env, log=log)
    try:
        wait_until(stored, 60, step=0.02)
        process.send_signal(sign)
        process.wait(30)
    finally:
        end(process)

    assert process.returncode == code, log.read_text()
    there = stored()
    assert there % writing.BATCH == 0
    assert sign == signal.SIGKILL or f"共有 {there} 条" in log.read_text()
    assert manage("search_index", "check", env=env).returncode == 0
    again = manage("generate_catalog", "--count", str(there + 10), env=env)
    assert f"写入 10 条，原有 {there} 条" in again.stdout, again.stderr[-2000:]
    assert manage("verify_audit", env=env).returncode == 0
