"""What a peer with a valid key may send at worst: dropped or parked, within 200 MB and 5 s, and inert where it is shown (F46 to F52)."""

import subprocess
import sys

import pytest

from catalog.models import Dataset
from catalog.services import audit
from federation.models import Checkpoint, Quarantine
from federation.services import sync
from tests.factories import make_user
from tests.federation.fake_portal import FakePortal, Network
from tests.journeys.portals import ROOT

EXPECTED = {
    "bomb of 1 GB": "dropped too_large",
    "300 MB in one line": "dropped too_large",
    "five nested encodings": "dropped cut",
    "a line of 8 MB": "parked json",
    "depth 100,000": "parked json",
    "depth 100,000 in a line of 8 MB": "dropped values",
    "a million keys": "dropped values",
    "keys without end": "accepted 24",
    "empty lists": "accepted 24",
    "empty lists beyond a page's limit": "dropped values",
    "lists beyond the limit": "parked json",
    "empty lists in one line": "dropped values",
    "duplicate keys": "parked json",
    "NaN": "parked json",
    "a number of a million digits": "parked json",
    "quotes and backslashes": "accepted 30",
    "lines": "dropped too_many",
}


def test_hostile_answers_are_dropped_or_parked_within_200_mb_and_5_seconds():
    done = subprocess.run([sys.executable, "-m", "tests.federation.hostile"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = {name: rest for name, *rest in (line.split("|") for line in done.stdout.splitlines())}

    assert {name: row[0] for name, row in rows.items()} == EXPECTED
    assert {name: row for name, row in rows.items() if float(row[1]) >= 5 or int(row[2]) >= 200 or row[3] != "0"} == {}


@pytest.fixture
def home(db):
    portal = FakePortal()
    network = Network(portal)
    yield portal
    network.close()


def test_one_hostile_record_is_parked_and_the_rest_of_the_page_is_applied(home):
    home.put()
    bad = home.put()
    home.put()
    home.events[1] = type(home.events[1])(**home.events[1].__dict__ | {"doc": b"[" * 50_000 + b"]" * 50_000})

    run = sync.pull_peer("cn-33")[0]

    assert (run.applied, run.quarantined, run.error) == (2, 1, "")
    assert Quarantine.objects.get().identifier == bad and Checkpoint.objects.get().seq == 3


PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    '"><svg onload=alert(1)>',
    "</title><script>alert(1)</script>",
    "{{ 7*7 }}{% debug %}",
]
MARKS = ("<script>alert", "<img src=x", "<svg onload", 'href="javascript:', "'javascript:")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_script_in_any_text_of_a_peer_is_inert_on_every_page(home, client, payload):
    fields = dict.fromkeys(("title", "summary", "description", "usage_notes", "source_description", "contact"), f"示例 {payload}")
    known = {name: value for name, value in fields.items() if name in home.listing() or name in ("title", "summary", "description")}
    identifier = home.put(**known, keywords=[payload[:30]])
    sync.pull_peer("cn-33")
    dataset = Dataset.objects.get(identifier=identifier)
    home.put(title=payload, modalities=[payload])
    home.delete(identifier, reason=payload)
    Quarantine.objects.create(
        peer=home.peer, stream="listings", identifier="x", seq=9, rev=1, hash="a" * 64, event=b"", title=payload, error="x", reason=payload
    )
    client.force_login(make_user(role="admin"))

    for path in (f"/datasets/{dataset.uid}/", "/datasets/?q=示例", "/federation/", f"/api/v1/datasets/{dataset.uid}/"):
        response = client.get(path)
        assert response.status_code < 500
        if response["Content-Type"].startswith("text/html"):
            text = response.content.decode()
            assert not [mark for mark in MARKS if mark in text], path
    sync.pull_peer("cn-33")
    for path in (f"/datasets/{dataset.uid}/", "/federation/"):
        text = client.get(path).content.decode()
        assert not [mark for mark in MARKS if mark in text], path
    assert audit.verify()[1] == ""
