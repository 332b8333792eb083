"""A takedown at the national portal hides everywhere in its own transaction; a restore brings back exactly; replay changes nothing (I7)."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Dataset, Sample
from catalog.signals import datasets_changed
from federation.models import Change, Checkpoint, Decision, Delivery, Peer, Quarantine, RemoteRecord, SyncRun
from federation.services import decisions, sequencer, sync
from tests.factories import make_user
from tests.federation.fake_portal import FakePortal, Network

pytestmark = pytest.mark.django_db
TITLE = "示例：青藏高原冻土温度序列"


@pytest.fixture
def home():
    portal = FakePortal()
    network = Network(portal)
    yield portal
    network.close()


@pytest.fixture
def dataset(home):
    identifier = home.put(title=TITLE, samples=[{"uid": "01939f00-0000-7000-8000-0000000000aa", "name": "样例.csv"}])
    home.put(title="示例：另一个数据集")
    sync.pull_peer("cn-33")
    return Dataset.objects.get(identifier=identifier)


def body(response) -> str:
    return (b"".join(response.streaming_content) if response.streaming else response.content).decode()


LISTS = (
    *("/datasets/", "/datasets/?q=冻土", "/api/v1/datasets/", "/api/v1/datasets/?q=冻土", "/map/?table=1", "/sitemap.xml", "/feed.atom"),
    *(
        "/catalog.csv",
        "/catalog.ndjson",
        "/catalog.jsonld",
        "/catalog.ttl",
        "/data.json",
        "/datasets/suggest/?q=青藏",
        "/api/v1/suggest/?q=青藏",
        "/",
    ),
)
ENDINGS = ("json", "jsonld", "ttl", "croissant.json", "datapackage.json")
ALONE = ("/datasets/{uid}/", "/api/v1/datasets/{uid}/", *(f"/datasets/{{uid}}.{ending}" for ending in ENDINGS))


def surfaces(client, dataset) -> dict[str, object]:
    """What each surface shows of the dataset: whether a list names it, the status of what is about it alone, the totals."""
    found = {path: str(dataset.uid) in (text := body(client.get(path))) or dataset.title in text for path in LISTS}
    found |= {path: client.get(path.format(uid=dataset.uid)).status_code for path in ALONE}
    user = make_user()
    client.force_login(user)
    sample = dataset.samples.get()
    answer = client.post(f"/samples/{sample.uid}/ticket/", {"purpose": "评估", "accepted": "1"})
    client.logout()
    found["ticket"] = answer.status_code == 302 and "ticket=" in answer["Location"]
    found["map"] = {name: value for name, value in client.get("/api/v1/map/").json().items() if name != "generated"}
    found["count"] = client.get("/api/v1/datasets/").json().get("count")
    return found


def reviewer():
    return make_user(role="reviewer")


def test_a_takedown_hides_on_every_surface_and_a_restore_brings_back_exactly(client, dataset):
    before = surfaces(client, dataset)
    decisions.take_down(dataset, actor=reviewer(), reason="样例含电话号码")
    hidden = surfaces(client, dataset)
    decisions.restore(dataset, actor=reviewer())
    after = surfaces(client, dataset)

    assert before["/datasets/"] and before["/catalog.csv"] and before["/api/v1/datasets/"] and before["ticket"]
    assert {before[path] for path in ALONE} == {200}
    assert [path for path in LISTS if hidden[path]] == []
    assert hidden["/datasets/{uid}/"] == 410 and {hidden[path] for path in ALONE} <= {404, 410}
    assert hidden["ticket"] is False
    assert hidden["map"] != before["map"] and hidden["count"] == before["count"] - 1
    assert after == before


def test_the_page_of_what_was_taken_down_says_why_and_shows_nothing_else(client, dataset):
    decisions.take_down(dataset, actor=reviewer(), reason="样例含电话号码")

    text = client.get(f"/datasets/{dataset.uid}/").content.decode()

    assert "样例含电话号码" in text and "data@example.org" not in text


def test_a_takedown_is_hidden_before_its_transaction_ends_and_undone_with_it(client, dataset):
    def fails(sender, datasets, **kwargs):
        assert str(dataset.uid) not in body(client.get("/datasets/?q=冻土"))
        raise RuntimeError

    datasets_changed.connect(fails)
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            decisions.take_down(dataset, actor=reviewer(), reason="核查")
    finally:
        datasets_changed.disconnect(fails)

    assert str(dataset.uid) in body(client.get("/datasets/?q=冻土"))
    assert not Decision.objects.filter(kind="takedown").exists()


@pytest.mark.parametrize("then", ["replay", "put", "deleted and put", "copy lost", "reindex"])
def test_nothing_a_home_portal_or_an_operator_does_brings_it_back(client, home, dataset, then):
    before = surfaces(client, dataset)
    decisions.take_down(dataset, actor=reviewer(), reason="核查")
    if then == "replay":
        Checkpoint.objects.update(seq=0, epoch="", chain="")
    elif then == "put":
        home.put(dataset.identifier, rev=2, title=TITLE, samples=[{"uid": "01939f00-0000-7000-8000-0000000000aa", "name": "样例.csv"}])
    elif then == "deleted and put":
        home.delete(dataset.identifier, rev=2)
        home.put(dataset.identifier, rev=3, title=TITLE, samples=[{"uid": "01939f00-0000-7000-8000-0000000000aa", "name": "样例.csv"}])
    elif then == "copy lost":
        Sample.objects.filter(dataset=dataset).delete()
        Dataset.objects.filter(pk=dataset.pk).delete()
        RemoteRecord.objects.filter(identifier=dataset.identifier).delete()
        Checkpoint.objects.update(seq=0, epoch="", chain="")
    else:
        from django.core.management import call_command

        call_command("search_index", "build", verbosity=0)
    assert sync.pull_peer("cn-33")[0].error == ""
    kept = Dataset.objects.get(identifier=dataset.identifier)

    hidden = surfaces(client, kept)

    assert [path for path in LISTS if hidden[path]] == [] and hidden["ticket"] is False
    assert {hidden[path] for path in ALONE} <= {404, 410} and hidden["count"] == before["count"] - 1


def test_the_centre_costs_the_same_number_of_queries_however_much_there_is(client, home, dataset):
    client.force_login(make_user(role="admin"))

    def cost():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get("/federation/").status_code == 200
        return len(queries)

    def grow(number):
        portal = FakePortal(f"cn-{number}")
        for serial in range(5):
            identifier = portal.put()
            SyncRun.objects.create(peer=portal.peer, stream="listings", lag_ms=5, applied=1)
            values = {"seq": serial, "rev": 1, "hash": "a" * 64, "event": b"", "error": "x", "reason": "原因"}
            for state in ("parked", "held"):
                Quarantine.objects.create(peer=portal.peer, stream="listings", identifier=f"{identifier}{state}", state=state, **values)
        item = {"id": identifier, "rev": 1, "state": "parked", "error": "x", "reason": "原因"}
        Delivery.objects.create(peer=portal.peer, stream="listings", epoch="a", parked=[item] * 3)
        for row in Dataset.objects.filter(home_portal="cn-33", admission="admitted")[:1]:
            decisions.take_down(row, actor=reviewer(), reason="核查")
            decisions.restore(row, actor=reviewer())

    grow(51)
    client.get("/federation/")
    one = cost()
    for number in range(52, 58):
        grow(number)

    assert cost() <= one


def test_a_decision_that_is_not_acknowledged_in_time_raises_an_alarm_until_it_is(client, home, dataset):
    client.force_login(make_user(role="admin"))
    decisions.take_down(dataset, actor=reviewer(), reason="核查")
    sequencer.number_all()
    alarm = "超过 15 分钟没有确认国家决定"

    assert alarm not in client.get("/federation/").content.decode()
    long_ago = timezone.now() - timedelta(minutes=16)
    Change.objects.update(ts=long_ago)
    Decision.objects.update(decided_at=long_ago)
    late = client.get("/federation/").content.decode()
    assert alarm in late and "state--bad" in late
    head = Change.objects.filter(stream="decisions").order_by("-seq").first().seq
    Delivery.objects.create(peer=Peer.objects.get(pk="cn-33"), stream="decisions", epoch="a", seq=head)
    text = client.get("/federation/").content.decode()

    assert alarm not in text and "已确认" in text


def test_the_owner_sees_which_of_its_records_are_parked_elsewhere_and_why(client, home):
    client.force_login(make_user(role="admin"))
    item = {"id": "urn:dataset:cn:01939f00-0000-7000-8000-0000000000bb", "rev": 3, "state": "parked", "error": "invalid", "reason": "/title: 必填"}
    Delivery.objects.create(peer=home.peer, stream="listings", epoch="a", quarantined=1, parked=[item])

    text = client.get("/federation/").content.decode()

    assert "在对方被隔离" in text and "/title: 必填" in text and item["id"] in text
