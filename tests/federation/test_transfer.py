"""A dataset moves between portals by a record that both sides sign."""

import json

import pytest
from django.utils import timezone

from catalog.models import AuditEntry, Dataset, Portal
from federation import signing
from federation.models import Change
from federation.protocol import canonical, digest
from federation.services import outbox, sequencer, transfer
from tests.factories import COMPLETE, make_dataset, make_organization, make_user
from tests.federation.fake_portal import FakePortal

pytestmark = pytest.mark.django_db


@pytest.fixture
def giver(settings):
    """This portal is 浙江; 江苏 is a portal of the directory."""
    settings.PORTAL_ID, settings.PORTAL_ROLE = "cn-33", "local"
    Portal.objects.filter(is_self=True).update(is_self=False)
    dataset = make_dataset(**COMPLETE, status="listed", home_portal="cn-33", listed_at=timezone.now())
    outbox.publish_all()
    sequencer.number_all()
    return dataset


def admin(name="admin"):
    return make_user(role="admin", username=name)


def test_the_giver_offers_the_other_side_signs_and_the_listing_names_its_successor(giver):
    other, actor = FakePortal("cn-32"), admin()
    record = transfer.offer(giver, "cn-32", actor=actor)
    signed = {name: value for name, value in record.items() if name != "att"} | {
        "successor": "urn:dataset:cn-32:01890000-0000-7000-8000-000000000000"
    }
    both = signed | {"att": [*record["att"], signing.attest(other.signer, canonical(signed), transfer.CONTEXT)]}

    with pytest.raises(transfer.TransferRefused):
        transfer.hand_over(record, actor=actor)
    with pytest.raises(transfer.TransferRefused):
        transfer.hand_over(both | {"successor": "urn:dataset:cn-32:01890000-0000-7000-8000-000000000001"}, actor=actor)
    transfer.hand_over(json.loads(json.dumps(both)), actor=actor)

    giver.refresh_from_db()
    assert giver.status == "delisted" and signed["successor"] in giver.status_reason
    last = Change.objects.filter(identifier=giver.identifier).latest("rev")
    assert last.op == "del" and signed["successor"].encode() in bytes(last.doc)
    assert AuditEntry.objects.get(action="federation.transferred").data["record"]["att"] == both["att"]


def offered(giver_portal, **changes):
    document = {"listing": giver_portal.listing(title="示例：移交的数据集"), "quality": {}, "status": "listed"}
    doc = canonical(document)
    record = {"schema": "transfer/1", "dataset": giver_portal.identifier(), "from": giver_portal.id, "to": "cn", "rev": 3, "hash": digest(doc)}
    record |= {"created": timezone.now().isoformat(timespec="seconds"), "document": document} | changes
    return record | {"att": [signing.attest(giver_portal.signer, canonical(record), transfer.CONTEXT)]}


def test_the_taker_makes_one_draft_that_names_what_it_continues_and_signs():
    home, organization, actor = FakePortal("cn-33"), make_organization(), admin()
    record = offered(home)

    both = transfer.take_over(record, organization=organization, actor=actor)
    again = transfer.take_over(record, organization=organization, actor=actor)

    draft = Dataset.objects.get()
    assert (draft.status, draft.title, draft.home_portal) == ("draft", "示例：移交的数据集", "cn")
    assert draft.lineage[-1]["identifier"] == record["dataset"] and both["successor"] == again["successor"] == draft.identifier
    assert transfer._checked(both, signed_by=("from", "to"))["dataset"] == record["dataset"]


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "cn-44"},
        {"hash": "0" * 64},
        {"created": "2020-01-01T00:00:00+00:00"},
        {"created": "soon"},
        {"from": "cn-44"},
        {"schema": "x"},
        {"document": 5},
        {"dataset": "urn:dataset:cn-44:01890000-0000-7000-8000-000000000000"},
    ],
)
def test_an_offer_that_does_not_hold_makes_no_draft(changes):
    home = FakePortal("cn-33")

    with pytest.raises(transfer.TransferRefused):
        transfer.take_over(offered(home, **changes), organization=make_organization(), actor=admin())
    with pytest.raises(transfer.TransferRefused):
        transfer.take_over(offered(home) | {"rev": 4}, organization=make_organization(name="b"), actor=admin("b"))
    assert not Dataset.objects.exists()


def test_only_own_listed_datasets_go_and_only_unchanged(giver):
    other, actor = FakePortal("cn-32"), admin()
    with pytest.raises(transfer.TransferRefused):
        transfer.offer(giver, "cn-99", actor=actor)
    record = transfer.offer(giver, "cn-32", actor=actor)
    Dataset.objects.filter(pk=giver.pk).update(title="改了")
    outbox.record([giver])
    signed = {name: value for name, value in record.items() if name != "att"} | {"successor": "urn:dataset:cn-32:x"}
    both = signed | {"att": [*record["att"], signing.attest(other.signer, canonical(signed), transfer.CONTEXT)]}

    with pytest.raises(transfer.TransferRefused):
        transfer.hand_over(both, actor=actor)
    assert Dataset.objects.get(pk=giver.pk).status == "listed"
