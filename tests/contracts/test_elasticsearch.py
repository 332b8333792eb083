"""What Elasticsearch must hold beside the search contract: feeding, failing over, building without a gap. On a real server."""

import os
import signal
import time
import uuid

import pytest
from django.utils import timezone
from elasticsearch import Elasticsearch

from catalog import jobs
from catalog.models import Dataset, SearchRow, SearchState
from catalog.search import feeding, index_datasets
from catalog.search.backends import elastic_body, elastic_client
from catalog.search.backends import elasticsearch as module
from catalog.search.query import SearchQuery
from tests.elastic import Gate, chosen, drop, make_engine, prompt_elasticsearch
from tests.factories import make_dataset
from tests.processes import ROOT, environment, manage, start, wait_until

pytestmark = pytest.mark.services("ELASTICSEARCH_URL")
NOTHING = {"missing": [], "stale": [], "ghost": []}


def listed(**fields) -> Dataset:
    dataset = make_dataset(**{"status": "listed", "listed_at": timezone.now()} | fields)
    index_datasets([dataset])
    return dataset


def hide(dataset: Dataset) -> None:
    dataset.status = "suspended"
    dataset.save()
    index_datasets([dataset])


def ids(engine, text: str) -> list[int]:
    engine.client.indices.refresh(index=engine.alias)
    return engine._search(SearchQuery(text=text)).ids


@pytest.fixture
def prompt(db):
    with prompt_elasticsearch() as engine:
        yield engine


@pytest.fixture
def gate(transactional_db, monkeypatch):
    """An engine behind a gate, with its fallback, fed by jobs as in service."""
    monkeypatch.setattr(elastic_client, "PAUSE", 0.2)
    gate = Gate()
    engine = make_engine(urls=[gate.url])
    engine.gate = gate
    with chosen(engine):
        yield engine
    gate.shut()
    drop(make_engine_like(engine))


def make_engine_like(engine):
    other = make_engine()
    other.alias, other.marks = engine.alias, engine.marks
    return other


def test_a_commit_is_sent_by_a_job_and_found_soon(gate):
    dataset = listed(title="提交即送")

    wait_until(lambda: gate.search(SearchQuery(text="提交即送")).ids == [dataset.pk], 10)

    result = gate.search(SearchQuery(text="提交即送"))
    assert (result.engine, result.degraded) == ("elasticsearch", False)
    assert not gate.is_behind()


def test_a_server_that_is_down_is_answered_for_by_the_database_and_catches_up_alone(gate, client):
    kept, taken = listed(title="停机之前"), listed(title="停机撤下")
    gate.gate.shut()

    late = listed(title="停机之中")
    hide(taken)
    answer = client.get("/api/v1/datasets/", {"q": "停机"})
    page = client.get("/datasets/", {"q": "停机"})

    assert {row["title"] for row in answer.json()["results"]} == {"停机之前", "停机之中"}
    assert answer.headers["X-Search-Engine"] == "database; degraded" and answer.json()["degraded"]
    assert page.status_code == 200 and "之中" in page.content.decode()
    assert gate.counts(SearchQuery(), "organization") and gate.suggest("停机") and gate.nearest("停机之外")
    assert not feeding.catch_up()  # nobody to send to

    gate.gate.open()
    time.sleep(0.3)
    wait_until(feeding.catch_up, 10)
    jobs.run_due()

    assert set(ids(gate, "停机")) == {kept.pk, late.pk}
    assert "X-Search-Engine" not in client.get("/api/v1/datasets/", {"q": "停机"}).headers
    assert gate.check() == NOTHING and gate.status()["waiting"] == 0


def test_a_server_that_hangs_costs_one_wait_and_then_none(gate, monkeypatch):
    monkeypatch.setattr(elastic_client, "PAUSE", 30)
    dataset = listed(title="迟迟不答")
    gate.gate.is_stalled = True

    began = time.monotonic()
    first = gate.search(SearchQuery(text="迟迟"))
    waited, began = time.monotonic() - began, time.monotonic()
    second = [gate.search(SearchQuery(text="迟迟")) for _attempt in range(5)]

    assert first.degraded and first.ids == [dataset.pk] and waited < elastic_client.PATIENCE + 2
    assert all(result.degraded and result.ids == [dataset.pk] for result in second) and time.monotonic() - began < 1


def test_a_late_older_version_does_not_bring_back_what_was_deleted(prompt):
    dataset = listed(title="撤回之后")
    index, row = prompt._live()[0], SearchRow.objects.get(dataset_id=dataset.pk)
    late = list(prompt._actions(index, [(dataset.pk, row.version, False)]))
    hide(dataset)

    prompt._bulk(index, late)

    assert ids(prompt, "撤回") == []
    assert prompt.check() == NOTHING


def test_a_late_older_version_does_not_replace_a_newer_one(prompt):
    dataset = listed(title="先名")
    index, row = prompt._live()[0], SearchRow.objects.get(dataset_id=dataset.pk)
    late = list(prompt._actions(index, [(dataset.pk, row.version, False)]))
    dataset.title = "后名"
    dataset.save()
    index_datasets([dataset])

    prompt._bulk(index, late)

    assert ids(prompt, "先名") == [] and ids(prompt, "后名") == [dataset.pk]


def test_a_row_that_the_server_refuses_holds_up_no_other(prompt, monkeypatch):
    shape = elastic_body.source
    monkeypatch.setattr(elastic_body, "source", lambda document, count: shape(document, count) | ({"odd": 1} if "拒收" in document.title else {}))

    refused = make_dataset(title="拒收之行", status="listed")
    taken = make_dataset(title="收下之行", status="listed")
    index_datasets([refused, taken])

    assert ids(prompt, "之行") == [taken.pk]
    assert prompt.check() == NOTHING | {"missing": [refused.pk]}


def test_what_changes_during_a_build_is_in_the_new_index(prompt, monkeypatch):
    kept, taken = listed(title="建时仍在"), listed(title="建时撤下")
    old, send, added = prompt._live()[0], prompt._bulk, []

    def meanwhile(index, actions):
        send(index, actions)
        if index != old and not added:
            added.append(listed(title="建时新增"))
            hide(taken)
            assert set(ids(prompt, "建时")) == {kept.pk, added[0].pk}  # the index in use goes on

    monkeypatch.setattr(prompt, "_bulk", meanwhile)
    prompt.build()

    assert prompt._live()[0] != old and not prompt.client.indices.exists(index=old)
    assert set(ids(prompt, "建时")) == {kept.pk, added[0].pk}
    assert prompt.check() == NOTHING


def test_rows_far_down_are_reached_without_gap_or_repetition(prompt, monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 10)
    made = {listed(title=f"远处 {at}").pk for at in range(33)}

    for sort in ("newest", "grade", "title"):
        pages = [prompt._search(SearchQuery(text="远处", sort=sort, offset=at, limit=6, facets=())) for at in range(0, 36, 6)]
        found = [pk for page in pages for pk in page.ids]
        assert len(found) == len(set(found)) and set(found) == made, sort
        assert {page.total for page in pages} == {33}


def test_what_the_server_lost_is_missing_and_repaired(prompt):
    lost, extra = listed(title="服务器丢失"), listed(title="服务器多出")
    index = prompt._live()[0]
    prompt.client.delete(index=index, id=str(lost.pk))
    SearchRow.objects.filter(dataset_id=extra.pk).update(is_gone=True)
    Dataset.objects.filter(pk=extra.pk).update(status="suspended")

    found = prompt.check()
    assert (found["missing"], found["ghost"]) == ([lost.pk], [extra.pk])

    prompt.repair()

    assert prompt.check() == NOTHING
    assert ids(prompt, "服务器") == [lost.pk]


def test_a_database_put_back_from_a_copy_is_followed(prompt):
    dataset = listed(title="此刻名称")
    for at in range(3):
        Dataset.objects.filter(pk=dataset.pk).update(title=f"将来名称 {at}")
        index_datasets([Dataset.objects.get(pk=dataset.pk)])
    Dataset.objects.filter(pk=dataset.pk).update(title="此刻名称")
    index_datasets([Dataset.objects.get(pk=dataset.pk)])
    SearchState.objects.update(version=1)
    SearchRow.objects.update(version=1)

    assert prompt.is_behind()
    prompt.feed()

    assert ids(prompt, "此刻") == [dataset.pk]
    assert prompt.check() == NOTHING


def test_downloads_and_grade_order_pages_of_the_server(prompt):
    low, high = listed(title="次序甲", grade="B", download_count=3), listed(title="次序乙", grade="A", download_count=1)

    assert prompt._search(SearchQuery(text="次序", sort="grade")).ids == [high.pk, low.pk]
    assert prompt._search(SearchQuery(text="次序", sort="downloads")).ids == [low.pk, high.pk]


FILL = """
from django.conf import settings
from django.utils import timezone
from catalog.ids import dataset_urn, new_uid
from catalog.models import Dataset, Organization
from catalog.search.backends import get_backend
owner = Organization.objects.create(name="重建单位", home_portal=settings.PORTAL_ID)
made = []
for at in range(2500):
    uid = new_uid()
    made.append(Dataset(title=f"重建中断 {at}", organization=owner, uid=uid, identifier=dataset_urn("cn", uid), home_portal=settings.PORTAL_ID,
        status="listed", listed_at=timezone.now()))
Dataset.objects.bulk_create(made)
get_backend().database.index(made)
"""


def test_a_build_killed_with_kill_9_leaves_the_old_index_in_use(tmp_path):
    name = f"ind-{uuid.uuid4().hex[:12]}"
    address = os.environ["ELASTICSEARCH_URL"]
    env = environment(tmp_path, PORTAL_ROLE="industry", PORTAL_ID=name, ELASTICSEARCH_URL=address, REDIS_URL="")
    server = Elasticsearch(address.split(","), request_timeout=30)

    def indexes():
        return {index for index in server.options(ignore_status=404).indices.get(index=f"jimu-{name}.*").body if not index.endswith(".marks")}

    try:
        for words in (("migrate", "--verbosity", "0"), ("load_vocabularies",), ("shell", "-c", FILL), ("search_index", "build")):
            done = manage(*words, env=env, timeout=300)
            assert done.returncode == 0, done.stderr[-2000:]
        old = indexes()
        process = start(str(ROOT / "manage.py"), "search_index", "build", env=env, log=tmp_path / "build.log")
        wait_until(lambda: indexes() - old, 120, step=0.02)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

        assert set(server.indices.get_alias(name=f"jimu-{name}").body) == old
        assert server.count(index=f"jimu-{name}").body["count"] == 2500
        checked = manage("search_index", "check", "--json", env=env, timeout=300)
        assert checked.returncode == 0, checked.stdout + checked.stderr[-2000:]

        assert manage("search_index", "build", env=env, timeout=300).returncode == 0
        assert set(server.indices.get_alias(name=f"jimu-{name}").body).isdisjoint(old)
        assert server.count(index=f"jimu-{name}").body["count"] == 2500
    finally:
        for index in {*indexes(), f"jimu-{name}.marks"}:
            server.options(ignore_status=404).indices.delete(index=index)
