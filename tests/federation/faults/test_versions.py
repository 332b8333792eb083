"""A newer portal and an older one: fields that are added, renamed, removed; versions of the protocol."""

import orjson
import pytest

from catalog.models import Dataset
from federation import protocol, signing
from federation.models import Quarantine, RemoteRecord
from tests.federation.faults.conftest import cursor, pull
from tests.federation.faults.marks import fault
from tests.federation.test_exchange import CHANGES, send


def from_newer(home, change):
    """A page as another minor version writes it, with a trailer that fits."""

    def spoil(body):
        lines = [change(orjson.loads(line), place) for place, line in enumerate(body[:-1].split(b"\n")[:-1])]
        covered = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        trailer = orjson.loads(body[:-1].split(b"\n")[-1])
        trailer |= {"sha256": protocol.digest(covered), "estimate": {"new": 1}}
        trailer.pop("att")
        return covered + orjson.dumps(trailer | {"att": signing.attest(home.signer, protocol.canonical(trailer))}) + b"\n"

    home.spoil = spoil


@fault("F69", "I1 I2", "a newer local portal, an older national one")
def test_f69_a_newer_minor_version_is_read_and_what_is_unknown_is_kept(home):
    identifier = home.put(document={"listing": home.listing() | {"carbon": {"kg": 3}}, "quality": {}, "status": "listed", "lineage": ["x"]})
    home.put()
    from_newer(home, lambda line, place: line | ({"fed": "1.7", "sharding": 4} if place == 0 else {"priority": 5}))

    run = pull()

    assert (run.applied, run.error, cursor()) == (2, "", 2)
    kept = orjson.loads(bytes(RemoteRecord.objects.get(identifier=identifier).doc))
    assert kept["listing"]["carbon"] == {"kg": 3} and kept["lineage"] == ["x"]


@fault("F69", "I1 I2", "a newer local portal, an older national one")
def test_f69_another_major_version_is_refused_whole(home):
    home.put()
    from_newer(home, lambda line, place: line | ({"fed": "2.0"} if place == 0 else {}))

    assert "version" in pull().error and cursor() == 0 and not Dataset.objects.exists()


@fault("F70", "I1 I2", "an older local portal, a newer national one")
@pytest.mark.parametrize("version", ["1.0", "1.1", "1.9"])
def test_f70_every_1_x_is_answered(home, client, version):
    assert send(client, home, "GET", CHANGES, **{"Fed-Protocol": version}).status_code in (200, 401)
    headers = signing.sign_request("GET", "http://127.0.0.1:8000" + CHANGES, b"", portal="cn-33", protocol=version, signer=home.signer)
    values = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    assert client.get(CHANGES, **values).status_code == 200
    old = headers | signing.sign_request("GET", "http://127.0.0.1:8000" + CHANGES, b"", portal="cn-33", protocol="0.9", signer=home.signer)
    values = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in old.items()}
    assert client.get(CHANGES, **values).status_code == 400


@fault("F70", "I1 I2", "an older local portal, a newer national one")
def test_f70_a_document_without_what_was_added_since_is_applied(home):
    listing = {name: value for name, value in home.listing().items() if name not in ("keywords", "resources", "samples", "update_frequency")}
    identifier = home.put(document={"listing": listing, "status": "listed"})

    run = pull()

    assert (run.applied, run.quarantined) == (1, 0) and Dataset.objects.get().identifier == identifier


@fault("F71", "I1 I2", "a field is added, renamed, removed between two revisions")
def test_f71_fields_that_come_and_go(home):
    identifier = home.put(usage_notes="示例：旧字段")
    pull()
    added = home.listing() | {"usage_hints": "示例：新名字"}
    home.put(identifier, rev=2, document={"listing": added, "quality": {}, "status": "listed"})
    pull()
    doc = orjson.loads(bytes(RemoteRecord.objects.get(identifier=identifier).doc))
    assert doc["listing"]["usage_hints"] == "示例：新名字" and "usage_notes" not in doc["listing"]
    removed = {name: value for name, value in home.listing().items() if name != "record_count"}
    home.put(identifier, rev=3, document={"listing": removed, "quality": {}, "status": "listed"})

    run = pull()

    row = Dataset.objects.get(identifier=identifier)
    assert (run.quarantined, row.rev, row.record_count) == (0, 3, None), list(Quarantine.objects.values_list("reason", flat=True))
    assert row.usage_notes == "" if hasattr(row, "usage_notes") else True
