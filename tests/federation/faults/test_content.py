"""What a peer with a good key may put into a page: other portals' records, bombs, scripts, unknown names, floods of tombstones."""

import subprocess
import sys
from functools import cache

import pytest

from catalog.models import Dataset
from federation.models import Quarantine, RemoteRecord
from federation.protocol import canonical
from federation.services import sync
from tests.factories import make_user
from tests.federation.faults.conftest import cursor, pull
from tests.federation.faults.marks import fault
from tests.processes import ROOT


@fault("F45", "I3 I4", "a record of portal B in A's feed")
@pytest.mark.parametrize("foreign", ["urn:dataset:cn-44:01890000-0000-7000-8000-000000000000", "urn:dataset:cn:01890000-0000-7000-8000-000000000000"])
def test_f45_anothers_record_refuses_the_page(home, foreign):
    home.put()
    home.put(foreign)
    home.put()

    assert "foreign" in pull().error
    assert cursor() == 0 and not Dataset.objects.exists() and not RemoteRecord.objects.exists()


@fault("F45", "I3 I4", "a record of portal B in A's feed")
def test_f45_an_origin_that_is_not_the_portals_own(home):
    home.put()
    home.events[0] = type(home.events[0])(**home.events[0].__dict__ | {"origin": "cn-44"})

    assert "foreign" in pull().error and cursor() == 0


@cache
def hostile() -> dict[str, list[str]]:
    """Each case read in a process of its own: outcome, CPU seconds, MB at the peak, exit status."""
    done = subprocess.run([sys.executable, "-m", "tests.federation.hostile"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return {name: rest for name, *rest in (line.split("|") for line in done.stdout.splitlines())}


def survives(*names: str, outcome: str):
    for name in names:
        result, seconds, megabytes, status = hostile()[name]
        assert result.startswith(outcome), (name, result)
        assert float(seconds) < 5 and int(megabytes) < 200 and status == "0", (name, seconds, megabytes, status)


@fault("F46", "I6", "a gzip bomb of 1 GB")
def test_f46_a_bomb():
    survives("bomb of 1 GB", outcome="dropped too_large")


@fault("F47", "I6", "five nested encodings")
def test_f47_nested_encodings():
    survives("five nested encodings", outcome="dropped")


@fault("F48", "I6", "300 MB in one line")
def test_f48_one_endless_line():
    survives("300 MB in one line", outcome="dropped too_large")
    survives("a line of 8 MB", outcome="parked")


@fault("F49", "I6 I4", "depth of 100,000, a million keys, duplicate keys, NaN")
def test_f49_deep_wide_and_ambiguous_json():
    survives("depth 100,000", "duplicate keys", "NaN", "a number of a million digits", outcome="parked json")
    survives("a million keys", "depth 100,000 in a line of 8 MB", "empty lists in one line", "lines", outcome="dropped")


INERT = [
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "[x](javascript:alert(1))",
    "![x](https://evil.test/p.png)",
    "<img src=x onerror=alert(1)>",
    "</textarea><iframe src=javascript:alert(1)>",
]
MARKS = ("<script>alert", "<img src=x", "<svg onload", "<iframe", 'href="javascript:', 'src="https://evil.test')
TEXTS = ("title", "summary", "description", "usage_notes", "source_description", "rights_basis", "rights_holder", "application_scenarios")


@fault("F50", "I3", "script, javascript: links, SVG and markdown in every text")
@pytest.mark.parametrize("payload", INERT)
def test_f50_scripts_in_texts_are_inert(home, client, payload):
    fields = {name: f"示例 {payload}" for name in TEXTS if name in home.listing() or name in ("description", "usage_notes")}
    home.put(**fields, keywords=[payload[:30]])
    pull()
    client.force_login(make_user(role="admin"))
    datasets = list(Dataset.objects.all())

    paths = ["/datasets/?q=示例", "/federation/", *(f"/datasets/{row.uid}/" for row in datasets)]
    for path in paths:
        text = client.get(path).content.decode()
        assert not [mark for mark in MARKS if mark in text], path
    assert datasets, [row.reason for row in Quarantine.objects.all()]


@fault("F51", "I3", "homoglyphs, bidirectional and zero-width characters")
@pytest.mark.parametrize("sneaky", ["cn-3З", "cn-33\u200b", "сn-33", "cn-33\u202e"])
def test_f51_identifiers_are_ascii(home, sneaky):
    """A look-alike of a portal's name is no identifier at all: the page is refused before anything is read of it."""
    home.put()
    home.events[0] = type(home.events[0])(**home.events[0].__dict__ | {"id": f"urn:dataset:{sneaky}:01890000-0000-7000-8000-000000000000"})

    assert pull().error and cursor() == 0 and not Dataset.objects.exists()


@fault("F51", "I3", "homoglyphs, bidirectional and zero-width characters")
def test_f51_text_that_turns_direction_stays_inside_its_element(home, client):
    home.put(title="示例\u202ecod.exe\u200b报告")
    run = pull()

    if run.quarantined:
        assert "title" in Quarantine.objects.get().reason
    else:
        page = client.get("/datasets/?q=示例").content.decode()
        assert "<html" in page and 'dir="rtl"' not in page


@fault("F52", "I4", "control characters")
@pytest.mark.parametrize("character", ["\u0000", "\u0007", "\u001b", "\u007f"])
def test_f52_control_characters_are_refused_where_text_is_due(home, character):
    bad = home.put(title=f"示例{character}标题")
    good = home.put()

    run = pull()

    assert (run.applied, run.quarantined, cursor()) == (1, 1, 2)
    assert Quarantine.objects.get().identifier == bad and Dataset.objects.get().identifier == good


@fault("F53", "I4", "unknown crit, wrong types, remote $ref")
@pytest.mark.parametrize(
    "listing",
    [
        {"title": {"$ref": "http://169.254.169.254/latest/meta-data"}},
        {"$ref": "file:///etc/passwd", "title": 5},
        {"keywords": "一个词"},
        {"record_count": "many"},
        {"resources": {"0": {}}},
        {"has_holding_right": "yes"},
    ],
)
def test_f53_wrong_types_are_parked_and_nothing_is_fetched(home, monkeypatch, listing):
    fetched = []
    monkeypatch.setattr("catalog.outgoing.fetch", lambda *arguments, **options: fetched.append(arguments))
    bad = home.put(**listing)
    home.put()

    run = pull()

    assert (run.applied, run.quarantined, cursor()) == (1, 1, 2)
    assert Quarantine.objects.get().identifier == bad and fetched == []


@fault("F53", "I4", "unknown crit, wrong types, remote $ref")
def test_f53_a_name_that_must_be_understood(home):
    home.add("put", home.identifier(), 1, canonical({"listing": home.listing(), "quality": {}, "status": "listed"}), crit=("embargo",))
    home.put()

    run = pull()

    assert (run.applied, run.quarantined) == (1, 1) and Quarantine.objects.get().error == "crit"


@fault("F54", "I5 I9", "tombstones for 60 % of the records")
def test_f54_a_flood_of_tombstones_is_held(home, client):
    identifiers = [home.put() for _ in range(100)]
    pull()
    for identifier in identifiers[:60]:
        home.delete(identifier)

    run = pull()

    assert (run.held, Dataset.objects.published().count(), cursor()) == (60, 100, 160)
    uid = identifiers[0].rsplit(":", 1)[-1]
    assert client.get(f"/datasets/{uid}/").status_code == 200, "a held record is no longer served"
    sync.retry_quarantine(list(Quarantine.objects.filter(state="held")))
    assert Dataset.objects.published().count() == 40


@fault("F54", "I5 I9", "tombstones for 60 % of the records")
def test_f54_a_flood_in_small_pages_is_held_as_well(home):
    identifiers = [home.put() for _ in range(100)]
    pull()
    for identifier in identifiers[:60]:
        home.delete(identifier)
        pull()

    assert Dataset.objects.published().count() == 50
