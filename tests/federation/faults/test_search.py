"""The search index under faults (I8): the exchange feeds an engine that is away, refuses rows, is built anew, or hears of things late.
The engine's own contract is in tests/contracts."""

import time

import pytest

from catalog import jobs
from catalog.models import Dataset, SearchRow
from catalog.search import feeding
from catalog.search.backends import elastic_client
from catalog.search.backends.base import EngineDown
from catalog.search.query import SearchQuery
from federation.services import decisions
from tests.elastic import Gate, chosen, drop, make_engine, prompt_elasticsearch
from tests.factories import make_user
from tests.federation.fake_portal import FakePortal, Network
from tests.federation.faults.conftest import pull
from tests.federation.faults.marks import fault
from tests.processes import wait_until

pytestmark = pytest.mark.services("ELASTICSEARCH_URL")
CLEAN = {"missing": [], "stale": [], "ghost": []}


@pytest.fixture
def prompt(db):
    with prompt_elasticsearch() as engine:
        yield engine


@pytest.fixture
def gated(transactional_db, monkeypatch):
    """An engine behind a gate, with the database to fall back on, fed by jobs as in service; and a portal to read."""
    from django.core.management import call_command

    call_command("load_vocabularies", verbosity=0)
    monkeypatch.setattr(elastic_client, "PAUSE", 0.2)
    gate = Gate()
    engine = make_engine(urls=[gate.url])
    engine.gate, engine.home = gate, FakePortal()
    network = Network(engine.home)
    with chosen(engine):
        yield engine
    network.close()
    gate.shut()
    other = make_engine()
    other.alias, other.marks = engine.alias, engine.marks
    drop(other)


def found(engine, text: str) -> set[str]:
    engine.client.indices.refresh(index=engine.alias)
    return set(Dataset.objects.filter(pk__in=engine._search(SearchQuery(text=text)).ids).values_list("title", flat=True))


@fault("F63", "I8 I1", "Elasticsearch is down")
def test_f63_a_pull_goes_on_without_the_engine_and_the_index_catches_up(gated, client):
    gated.home.put(title="示例：停机之前")
    pull()
    gone = gated.home.put(title="示例：停机撤下")
    pull()
    gated.gate.shut()

    gated.home.put(title="示例：停机之中")
    gated.home.delete(gone)
    run = pull()
    answer = client.get("/api/v1/datasets/", {"q": "停机"})

    assert (run.applied, run.error) == (2, "")
    assert {row["title"] for row in answer.json()["results"]} == {"示例：停机之前", "示例：停机之中"} and answer.json()["degraded"]
    gated.gate.open()
    time.sleep(0.3)
    wait_until(feeding.catch_up, 10)
    jobs.run_due()
    assert found(gated, "停机") == {"示例：停机之前", "示例：停机之中"} and gated.check() == CLEAN


@fault("F64", "I8", "a bulk request is refused in part (429)")
def test_f64_a_bulk_that_is_refused_in_part_is_sent_again(prompt, home, monkeypatch):
    genuine, refused = prompt._bulk, []

    def partly(index, actions):
        actions = list(actions)
        if not refused and len(actions) > 1:
            refused.append(actions[0])
            genuine(index, actions[1:])
            raise EngineDown("429 Too Many Requests: 1 of the rows")
        return genuine(index, actions)

    monkeypatch.setattr(prompt, "_bulk", partly)
    for number in range(4):
        home.put(title=f"示例：部分拒收 {number}")
    try:
        pull()
    except EngineDown:  # this engine of the tests sends inside the transaction; in service a job does, and is tried again
        pass
    pull()
    prompt.feed()

    assert refused and len(found(prompt, "部分拒收")) == 4
    assert prompt.check() == CLEAN


@fault("F65", "I8 I1", "the index is built anew while the exchange writes")
def test_f65_what_arrives_during_a_build_is_in_the_new_index(prompt, home, monkeypatch):
    kept, gone = home.put(title="示例：建时仍在"), home.put(title="示例：建时撤下")
    pull()
    old, send, arrived = prompt._live()[0], prompt._bulk, []

    def meanwhile(index, actions):
        send(index, actions)
        if index != old and not arrived:
            arrived.append(home.put(title="示例：建时新增"))
            home.delete(gone)
            pull()

    monkeypatch.setattr(prompt, "_bulk", meanwhile)
    prompt.build()

    assert prompt._live()[0] != old and found(prompt, "建时") == {"示例：建时仍在", "示例：建时新增"}
    assert prompt.check() == CLEAN and Dataset.objects.filter(identifier=kept).exists()


@fault("F66", "I8 I7", "a late older version after a delete or a takedown")
@pytest.mark.parametrize("how", ["delete", "takedown"])
def test_f66_a_late_older_version_brings_nothing_back(prompt, home, how):
    identifier = home.put(title="示例：撤回之后")
    pull()
    dataset = Dataset.objects.get(identifier=identifier)
    index, row = prompt._live()[0], SearchRow.objects.get(dataset_id=dataset.pk)
    late = list(prompt._actions(index, [(dataset.pk, row.version, False)]))
    if how == "delete":
        home.delete(identifier)
        pull()
    else:
        decisions.take_down(dataset, actor=make_user(role="reviewer"), reason="核查")

    prompt._bulk(index, late)

    assert found(prompt, "撤回") == set() and prompt.check() == CLEAN
