"""What the owner publishes: outbox rows in the business transaction, dense numbers after commit."""

import pytest
from django.db import transaction

from catalog.services import registration, review
from catalog.services.datasets import publish_grade, purge_dataset
from catalog.services.publication import announce
from federation import signing
from federation.models import Change, FeedState
from federation.protocol import decode_page, decode_snapshot, digest, strict_json
from federation.services import keys, outbox, sequencer
from tests.factories import COMPLETE, make_dataset, make_member, make_organization, make_user


def listed(**changes):
    organization = make_organization()
    user, reviewer = make_member(organization), make_user(role="reviewer")
    dataset = registration.create_dataset(COMPLETE | {"title": f"示例：{organization.name}"} | changes, organization=organization, user=user)
    review.approve_review(registration.submit_dataset(dataset, user=user), reviewer=reviewer)
    dataset.refresh_from_db()
    return dataset, reviewer


def read(stream="listings", audience="", since=""):
    row = keys.current_key()
    return decode_page(
        sequencer.page(stream, audience, since),
        lambda data, given: signing.verify_attestation(data, given, lambda _id: (row.algorithm, row.public_key)),
    )


@pytest.mark.django_db
def test_a_draft_is_not_published_and_a_listing_is_with_its_hash():
    make_dataset()
    dataset, _reviewer = listed()
    sequencer.number_all()

    page = read()

    (event,) = page.events
    document = strict_json(event.doc)
    assert (event.op, event.id, event.seq, event.rev) == ("put", dataset.identifier, 1, 1)
    assert event.hash == digest(event.doc) and document["status"] == "listed"
    assert document["listing"]["title"] == dataset.title and not page.trailer["more"]


@pytest.mark.django_db
def test_a_rolled_back_change_leaves_no_event():
    dataset, _reviewer = listed()
    before = Change.objects.count()

    with pytest.raises(RuntimeError), transaction.atomic():
        announce([dataset])
        publish_grade(dataset, grade="A", score=None, assurance="L1", documentation_score=90)
        raise RuntimeError

    assert Change.objects.count() == before


@pytest.mark.django_db
def test_suspension_resumption_and_delisting_are_tombstones_and_puts_whose_rev_grows_by_one():
    dataset, reviewer = listed()
    review.suspend_dataset(dataset, user=reviewer, reason="核对权属")
    review.resume_dataset(dataset, user=reviewer)
    review.delist_dataset(dataset, user=reviewer, reason="不再提供")
    sequencer.number_all()

    rows = list(Change.objects.order_by("seq"))

    assert [row.op for row in rows] == ["put", "del", "put", "del"]
    assert [row.seq for row in rows] == [1, 2, 3, 4]
    assert [row.rev for row in rows] == [1, 2, 3, 4]
    assert [row.superseded_by for row in rows] == [2, 3, 4, None]
    assert [row.doc is None for row in rows] == [True, True, True, False]
    assert "不再提供" in strict_json(read().events[-1].doc)["reason"]


@pytest.mark.django_db
def test_an_announcement_without_news_publishes_nothing():
    dataset, _reviewer = listed()

    announce([dataset])
    announce([dataset], bump=False)

    assert Change.objects.count() == 1


@pytest.mark.django_db
def test_important_data_stay_at_home_and_leave_the_feed_when_they_become_important():
    dataset, _reviewer = listed()
    make_dataset(status="listed", security_level="important")

    dataset.security_level = "important"
    dataset.save()
    announce([dataset])

    assert list(Change.objects.order_by("id").values_list("op", flat=True)) == ["put", "del"]


@pytest.mark.django_db
def test_a_purge_takes_the_document_out_of_every_earlier_event():
    dataset, _reviewer = listed()
    sequencer.number_all()
    purge_dataset(dataset, actor=None, legal_basis="示例")
    sequencer.number_all()

    assert [(row.op, row.doc) for row in Change.objects.order_by("seq")] == [("put", None), ("purge", None)]
    assert read().events[1].op == "purge"


@pytest.mark.django_db
def test_floats_and_foreign_keys_become_text():
    assert outbox.plain({"a": [1.5, 2**60, {"中": 0.1}]}) == {"a": ["1.5", str(2**60), {"\\u4e2d": "0.1"}]}


@pytest.mark.django_db
def test_a_page_continues_where_the_last_one_ended_and_the_chain_holds():
    organization = make_organization()
    with transaction.atomic():
        announce([make_dataset(status="listed", organization=organization) for _ in range(7)])
    sequencer.number_all()
    key = keys.current_key()

    def page(since, limit):
        return decode_page(
            sequencer.page("listings", "", since, limit),
            lambda data, given: signing.verify_attestation(data, given, lambda _id: (key.algorithm, key.public_key)),
        )

    first = page("", 3)
    second = page(first.trailer["next"], 3)
    all_at_once = page("", 500)

    assert (first.end, second.start, second.end) == (3, 4, 6)
    assert second.prev_chain == first.trailer["chain"]
    assert all_at_once.trailer["chain"] == page(second.trailer["next"], 3).trailer["chain"] == FeedState.objects.get().chain
    assert page("feed0:3", 3).events == [] and page(f"{first.epoch}:99", 3).head == 7


@pytest.mark.django_db
def test_a_snapshot_has_the_latest_event_of_each_identifier_and_continues_as_changes():
    organization = make_organization()
    with transaction.atomic():
        rows = [make_dataset(status="listed", organization=organization) for _ in range(5)]
        announce(rows)
    sequencer.number_all()
    rows[0].title = "示例：改过的标题"
    rows[0].save()
    with transaction.atomic():
        announce([rows[0]])
    sequencer.number_all()
    key = keys.current_key()

    def snapshot(after):
        return decode_snapshot(
            sequencer.snapshot("listings", "", after, 2),
            lambda data, given: signing.verify_attestation(data, given, lambda _id: (key.algorithm, key.public_key)),
        )

    found, after, more = [], "", True
    while more:
        page = snapshot(after)
        found += page.events
        after, more = page.trailer["next"], page.trailer["more"]

    assert [event.id for event in found] == sorted(row.identifier for row in rows)
    assert {event.id: event.rev for event in found}[rows[0].identifier] == 2
    assert (page.as_of, page.chain) == (6, FeedState.objects.get().chain)
    assert read(since=f"{page.epoch}:{page.as_of}").prev_chain == page.chain


@pytest.mark.django_db
def test_below_the_floor_there_is_no_page():
    organization = make_organization()
    with transaction.atomic():
        announce([make_dataset(status="listed", organization=organization) for _ in range(3)])
    sequencer.number_all()
    FeedState.objects.update(floor=3)
    epoch = FeedState.objects.get().epoch

    for since in ("", f"{epoch}:0", f"{epoch}:1"):
        with pytest.raises(sequencer.BelowFloor):
            sequencer.page("listings", "", since)
    assert read(since=f"{epoch}:2").start == 3
