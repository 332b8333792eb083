"""The federation centre: who sees and does what, the pages of portals, runs, quarantine and keys, and the figures for Prometheus."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import AuditEntry, Dataset
from federation.models import Change, Delivery, FeedState, Peer, PeerKey, Quarantine, SyncRun
from federation.services import charts, decisions, portal_page, sync
from tests.factories import make_user
from tests.federation.fake_portal import FakePortal, Network

pytestmark = pytest.mark.django_db
PAGES = ("/federation/portals/cn-33/", "/federation/runs/", "/federation/runs.csv", "/federation/quarantine/", "/federation/decisions/")
ACTS = ("/federation/portals/cn-33/", "/federation/quarantine/", "/federation/keys/", "/federation/invite/", "/federation/enrol/")


@pytest.fixture
def home():
    portal = FakePortal()
    network = Network(portal)
    yield portal
    network.close()


@pytest.fixture
def admin(client):
    client.force_login(make_user(role="admin"))
    return client


def text(client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


@pytest.mark.parametrize("role", [None, "", "reviewer", "evaluator"])
def test_pages_and_acts_are_for_administrators(client, home, role):
    row = parked(home)
    if role is not None:
        client.force_login(make_user(role=role))
    refused = 302 if role is None else 403

    assert {client.get(path).status_code for path in (*PAGES, f"/federation/quarantine/{row.pk}/")} == {refused}
    assert {client.post(path, {"action": "revoke", "confirm": "cn-33"}).status_code for path in ACTS} == {refused}
    assert Peer.objects.get().state == "active" and PeerKey.objects.get().is_valid
    public = client.get("/federation/").content.decode()
    assert home.signer.keyid not in public and "接入新门户" not in public and row.reason not in public


def parked(home, **values) -> Quarantine:
    home.put(modalities=["hyperspectral"], **values)
    sync.pull_peer("cn-33")
    return Quarantine.objects.latest("pk")


def test_a_portals_page_shows_both_directions_keys_and_what_waits(admin, home):
    row = parked(home, title="示例：待处理的记录")
    home.put()
    sync.pull_peer("cn-33")
    FeedState.objects.create(stream="decisions", audience="cn-33", epoch="a1", head=7, chain="0" * 64)
    Change.objects.create(stream="decisions", audience="cn-33", seq=5, identifier="x", op="put", rev=1, hash="a" * 64, ts=timezone.now())
    Delivery.objects.create(peer=home.peer, stream="decisions", epoch="a1", seq=4)

    page = text(admin, "/federation/portals/cn-33/")

    assert "示例：待处理的记录" in page and f"/federation/quarantine/{row.pk}/" in page
    assert portal_page.fingerprint(PeerKey.objects.get().public_key) in page and len(portal_page.fingerprint(PeerKey.objects.get().public_key)) == 39
    assert "e1" in page and "内容不合规" in page
    reading = portal_page.readings(Peer.objects.all())[0]
    assert (reading["waiting"], reading["oldest"] is not None, reading["other_epoch"]) == (3, True, False)
    assert admin.get("/federation/portals/cn-99/").status_code == 404


def test_what_arrived_stands_beside_what_is_held_and_can_be_refused_or_retried(admin, home):
    identifier = home.put(title="示例：甲")
    sync.pull_peer("cn-33")
    home.put(identifier, rev=1, title="示例：乙<script>alert(1)</script>")
    sync.pull_peer("cn-33")
    row = Quarantine.objects.get()

    page = text(admin, f"/federation/quarantine/{row.pk}/")

    assert "示例：甲" in page and "示例：乙" in page and "<script>alert" not in page and "同一修订、不同内容" in page
    answer = admin.post("/federation/quarantine/", {"row": row.pk, "action": "refuse", "next": f"/federation/quarantine/{row.pk}/"})
    assert answer["Location"] == f"/federation/quarantine/{row.pk}/"
    row.refresh_from_db()
    assert row.state == "refused" and Dataset.objects.get().title == "示例：甲"
    assert admin.post("/federation/quarantine/", {"row": row.pk, "action": "nonsense"}).status_code == 404


@pytest.mark.parametrize("address", ["https://evil.test/", "//evil.test/federation/", "/\\evil.test", "javascript:alert(1)", "/datasets/", ""])
def test_an_act_leads_back_to_the_centre_only(admin, home, address):
    answer = admin.post("/federation/portals/cn-33/", {"action": "suspend", "next": address})

    assert answer["Location"] == "/federation/"


def test_a_selection_is_released_and_the_rest_stays_held(admin, home):
    identifiers = [home.put() for _ in range(70)]
    sync.pull_peer("cn-33")
    for identifier in identifiers[:60]:
        home.delete(identifier)
    sync.pull_peer("cn-33")
    some = list(Quarantine.objects.filter(state="held").values_list("pk", flat=True)[:3])

    admin.post("/federation/quarantine/", {"rows": some, "action": "retry"})

    assert Quarantine.objects.filter(state="held").count() == 57
    assert Dataset.objects.published().count() == 67
    assert "删除超过门限" in text(admin, "/federation/quarantine/?state=held&portal=cn-33")
    assert "没有这样的记录" in text(admin, "/federation/quarantine/?state=parked")


def test_runs_are_filtered_and_their_csv_has_every_counter_and_no_formula(admin, home):
    home.put()
    sync.pull_peer("cn-33")
    SyncRun.objects.create(peer=home.peer, stream="listings", error='=HYPERLINK("http://evil.test")')
    SyncRun.objects.create(peer=home.peer, stream="listings", error="TransportError: 连接中断")

    rows = list(csv.DictReader(io.StringIO(admin.get("/federation/runs.csv?result=error").content.decode("utf-8-sig"))))
    every = list(csv.DictReader(io.StringIO(admin.get("/federation/runs.csv").content.decode("utf-8-sig"))))

    assert [row["error_type"] for row in rows] == ["TransportError", "Diverged"]
    assert rows[1]["error"].startswith("'=") and len(every) == 3
    assert (every[-1]["portal"], every[-1]["applied"], every[-1]["stream"]) == ("cn-33", "1", "listings")
    page = text(admin, "/federation/runs/?result=error")
    assert "联系不上" in page and page.count("<tr>") == 3
    assert text(admin, "/federation/runs/?portal=nobody&result=whatever&page=99")


def test_revocation_asks_for_the_name_and_ends_the_membership(admin, home):
    home.put()
    sync.pull_peer("cn-33")

    admin.post("/federation/portals/cn-33/", {"action": "revoke", "confirm": "cn-3"})
    assert Peer.objects.get().state == "active"
    admin.post("/federation/portals/cn-33/", {"action": "revoke", "confirm": "cn-33"})

    assert Peer.objects.get().state == "revoked" and not PeerKey.objects.get().is_valid
    assert Dataset.objects.published().count() == 1, "what was received stays"
    assert "已撤销" in text(admin, "/federation/portals/cn-33/")


def test_one_key_of_a_portal_is_revoked_and_the_others_stay(admin, home):
    other = PeerKey.objects.create(peer=home.peer, keyid="cn-33:other", public_key=PeerKey.objects.get().public_key)

    admin.post("/federation/keys/", {"action": "revoke", "key": other.pk})

    other.refresh_from_db()
    assert not other.is_valid and PeerKey.objects.get(keyid="cn-33:test").is_valid
    assert AuditEntry.objects.filter(action="federation.key_revoked").count() == 1


def test_our_own_key_is_changed_and_told_to_the_portals(admin, home):
    from federation.services import keys

    before = keys.current_key().keyid

    admin.post("/federation/keys/", {"action": "rotate"})

    assert keys.current_key().keyid != before
    assert [key["keyid"] for key in home.told[-1][1]["keys"]][0] == before


def test_an_invitation_shows_its_code_once(admin, home):
    answer = admin.post("/federation/invite/", {"portal": "cn-330109", "name": "萧山区门户", "short_name": "萧山"})

    code = answer.content.decode().split('id="code">')[1].split("<")[0]
    assert len(code) == 32 and answer["Cache-Control"] == "no-store"
    assert code not in text(admin, "/federation/") and Peer.objects.get(pk="cn-330109").state == "invited"
    assert admin.post("/federation/invite/", {"portal": "CN 33", "name": "x"}).status_code == 302
    assert admin.post("/federation/enrol/", {"url": home.base_url, "code": "x"}).status_code == 302


def test_decisions_are_listed_with_their_confirmation(admin, home):
    identifier = home.put(title="示例：被下架的")
    sync.pull_peer("cn-33")
    decisions.take_down(Dataset.objects.get(identifier=identifier), actor=make_user(role="reviewer"), reason="核查")

    assert "示例：被下架的" in text(admin, "/federation/decisions/?kind=takedown&portal=cn-33")
    assert "示例：被下架的" not in text(admin, "/federation/decisions/?kind=restore")


def test_the_network_is_drawn_with_its_health_and_a_thousand_portals_are_counted(admin, home, django_assert_max_num_queries):
    from catalog.models import Portal

    names = [f"ind-p{number:04}" for number in range(300)]
    Portal.objects.bulk_create(Portal(id=name, role="industry", name=name, short_name="行业") for name in names)
    Peer.objects.bulk_create(Peer(portal_id=name, state="active", last_contact=timezone.now()) for name in names)
    Peer.objects.filter(pk="cn-33").update(last_contact=timezone.now() - timedelta(hours=30))

    with django_assert_max_num_queries(60):
        page = text(admin, "/federation/")

    assert "topology__line--warn" in page and "另有 241 个门户" in page and page.count("network__node ") == 61
    assert "第 1 页，共 4 页" in page


def test_charts_state_what_they_show():
    assert charts.spark([5]) is None and charts.lag([]) is None and charts.daily() is None
    now = timezone.now()

    drawn = charts.lag([(now - timedelta(hours=2), 4000), (now, 50_000)])

    assert (drawn["worst_ms"], drawn["median_ms"]) == (50_000, 27_000)
    assert float(drawn["target_y"]) < 150 and drawn["line"].startswith("M")
    assert [charts._round_up(value) for value in (0, 3, 9, 342, 7042)] == [4, 4, 10, 400, 10_000]


def test_the_figures_for_prometheus(client, home):
    parked(home)
    home.put()
    sync.pull_peer("cn-33")
    SyncRun.objects.create(peer=home.peer, stream="listings", error="TransportError: 连接中断")
    FeedState.objects.create(stream="decisions", audience="cn-33", epoch="a1", head=3, chain="0" * 64)
    long_ago = timezone.now() - timedelta(seconds=90)
    Change.objects.create(stream="decisions", audience="cn-33", seq=2, identifier="x", op="put", rev=1, hash="a" * 64, ts=long_ago)
    Delivery.objects.create(peer=home.peer, stream="decisions", epoch="a1", seq=1)

    found = client.get("/metrics").content.decode()

    for line in (
        'jimu_federation_portals{condition="ok"} 1.0',
        'jimu_federation_waiting{portal="cn-33",state="parked"} 1.0',
        'jimu_federation_behind{portal="cn-33",stream="listings"} 0.0',
        'jimu_federation_unconfirmed{portal="cn-33",stream="decisions"} 2.0',
        'jimu_federation_oldest_unapplied_seconds{portal="cn-33",stream="decisions"} 9',
        'jimu_federation_runs_last_hour{result="TransportError"} 1.0',
        'jimu_federation_runs_last_hour{result="ok"} 2.0',
        'jimu_federation_lag_seconds{portal="cn-33"} ',
    ):
        assert line in found, line
