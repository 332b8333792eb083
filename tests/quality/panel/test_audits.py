"""Locked manifests, drawn items, and the audit of labels: exactly what was drawn, and the exact bound in the score."""

import hashlib
import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.exceptions import Conflict, ListingInvalid, NotAllowed
from quality.models import AuditItem, SampleManifest
from quality.panel import sampling
from quality.services import audits, manifests
from quality.services.inputs import inputs_of
from tests.factories import make_dataset, make_member, make_user
from tests.quality.panel.people import add_file, make_listed

pytestmark = pytest.mark.django_db
FILES = {f"data/{number:03}.csv": f"x,y\n{number},1\n".encode() for number in range(40)}


def table(files=FILES) -> SimpleUploadedFile:
    rows = [f"{path},{len(body)},{hashlib.sha256(body).hexdigest()},{'odd' if int(path[5:8]) % 4 else 'even'}" for path, body in files.items()]
    return SimpleUploadedFile("manifest.csv", "\n".join(["path,size,sha256,label", *rows]).encode())


@pytest.fixture
def dataset():
    return make_dataset(status="draft")


@pytest.fixture
def provider(dataset):
    return make_member(dataset.organization)


def archive(paths, files=FILES) -> SimpleUploadedFile:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for path in paths:
            out.writestr(path, files[path])
    return SimpleUploadedFile("items.zip", target.getvalue())


def test_a_manifest_is_locked_numbered_and_hashed(dataset, provider):
    first = manifests.lock_manifest(dataset, table(), by=provider)

    assert (first.number, first.item_count, first.labels) == (1, 40, {"even": 10, "odd": 30})
    assert hashlib.sha256(first.file.read()).hexdigest() == first.sha256
    with pytest.raises(Conflict):
        manifests.lock_manifest(dataset, table(), by=provider)
    with pytest.raises(NotAllowed):
        manifests.lock_manifest(dataset, table(), by=make_user(role="reviewer"))
    with pytest.raises(ListingInvalid, match="第 2 行"):
        manifests.lock_manifest(dataset, SimpleUploadedFile("m.csv", b"path,size,sha256\nx,1,y\n"), by=provider)
    assert SampleManifest.objects.count() == 1


def test_anybody_repeats_the_draw_from_seed_and_manifest(dataset, provider):
    row = manifests.lock_manifest(dataset, table(), by=provider)
    draw = manifests.draw_items(row, by=provider, size=5)

    assert [item["path"] for item in draw.items] == sampling.draw(list(FILES), 5, draw.seed)
    assert manifests.distance(draw) is not None
    with pytest.raises(NotAllowed):  # only the first draw is the provider's to ask for
        manifests.draw_items(row, by=provider, size=5)
    with pytest.raises(Conflict):
        manifests.lock_manifest(dataset, table(dict(list(FILES.items())[:9])), by=provider)


def test_exactly_the_drawn_items_are_taken(dataset, provider):
    row = manifests.lock_manifest(dataset, table(), by=provider)
    draw = manifests.draw_items(row, by=provider, size=4, is_stratified=True)
    paths = [item["path"] for item in draw.items]
    wrong = dict(FILES) | {paths[0]: b"x,y\n9,9\n"}
    other = next(path for path in FILES if path not in paths)

    for upload, sentence in (
        (archive(paths[1:]), "缺少"),
        (archive([*paths, other]), "不在抽取的条目里"),
        (archive(paths, wrong), "字节数或摘要不符"),
        (SimpleUploadedFile("items.zip", b"PK\x03\x04broken"), "压缩包读不出"),
    ):
        with pytest.raises(ListingInvalid, match=sentence):
            manifests.hand_in(draw, [upload], by=provider)
    assert not dataset.samples.exists()

    sample = manifests.hand_in(draw, [SimpleUploadedFile(path.rsplit("/", 1)[-1], FILES[path]) for path in paths], by=provider)
    draw.refresh_from_db()
    assert (draw.state, draw.sample) == ("verified", sample)
    with zipfile.ZipFile(sample.file) as kept:
        assert sorted(kept.namelist()) == paths


def test_a_bomb_is_refused(dataset, provider):
    body = b"0" * 60_000_000
    row = manifests.lock_manifest(dataset, table({"data/001.csv": body, "data/002.csv": b"x"}), by=provider)
    draw = manifests.draw_items(row, by=provider, size=2)

    with pytest.raises(ListingInvalid, match="压缩比"):
        manifests.hand_in(draw, [archive(["data/001.csv", "data/002.csv"], {"data/001.csv": body, "data/002.csv": b"x"})], by=provider)


def test_samples_count_as_drawn_only_when_all_are(dataset, provider):
    row = manifests.lock_manifest(dataset, table(), by=provider)
    draw = manifests.draw_items(row, by=provider, size=1)
    sample = manifests.hand_in(draw, [SimpleUploadedFile("x.csv", FILES[draw.items[0]["path"]])], by=provider)
    sample.state = "ready"
    sample.save()
    assert inputs_of([dataset])[dataset.pk].is_sample_drawn

    dataset.samples.create(name="own.csv", sha256="1" * 64, state="ready")
    assert not inputs_of([dataset])[dataset.pk].is_sample_drawn


def test_a_draw_may_be_voided_by_an_evaluator_only(dataset, provider):
    draw = manifests.draw_items(manifests.lock_manifest(dataset, table(), by=provider), by=provider, size=3)

    with pytest.raises(NotAllowed):
        manifests.void_draw(draw, by=provider, reason="不想要")
    manifests.void_draw(draw, by=make_user(role="evaluator"), reason="提供方丢失了其中一项")
    with pytest.raises(Conflict):
        manifests.hand_in(draw, [archive([item["path"] for item in draw.items])], by=provider)


# --- label audit -------------------------------------------------------------------------------


def labelled(number=400):
    rows = "".join(f"图{place},{'裂缝' if place % 10 else '坑槽'}\n" for place in range(number))
    return f"file,label\n{rows}".encode()


@pytest.fixture
def listed():
    dataset = make_listed()
    add_file(dataset, labelled(), profile={"encoding": "utf-8", "delimiter": ",", "columns": [{"name": "file"}, {"name": "label"}]})
    return dataset


def begin(dataset, **fields):
    fields = {"column": "label", "plan": "0-59", "seed": 11} | fields
    return audits.start_audit(dataset, by=make_user(role="evaluator"), sample=dataset.samples.get(), **fields)


def judge_all(audit, person, wrong=0):
    for item in audit.items.all():
        audits.judge(audit, position=item.position, verdict="wrong" if item.position <= wrong else "right", note="", by=person)
    audit.refresh_from_db()


def test_an_audit_draws_the_plans_number_and_repeats_with_its_seed(listed):
    one = begin(listed, plan="2-313")
    places = list(one.items.values_list("place", "label"))
    audits.void_audit(one, by=make_user(role="evaluator"), reason="重来")
    two = begin(listed, plan="2-313")

    assert one.size == 313 and places == list(two.items.values_list("place", "label"))
    assert one.items.first().content == {"file": one.items.first().content["file"]}  # the label stands apart


def test_all_right_gives_the_bound_as_the_score_of_0304(listed):
    audit = begin(listed)
    judge_all(audit, make_user(role="evaluator"))
    opinion = {row.indicator: row for row in inputs_of([listed])[listed.pk].opinions}["0304"]

    assert audit.state == "accepted" and audit.result["low"] == "0.9505"
    assert opinion.value == pytest.approx(100 * (0.95049 - 0.80) / 0.18, abs=0.02)
    assert (opinion.n, opinion.detail["experts"]) == (59, 1)


def test_one_wrong_refuses_a_plan_of_none_and_the_score_falls(listed):
    audit = begin(listed)
    judge_all(audit, make_user(role="evaluator"), wrong=1)

    assert audit.state == "rejected" and float(audit.result["score"]) < 70
    with pytest.raises(Conflict):
        audits.judge(audit, position=1, verdict="right", note="", by=make_user(role="evaluator"))


def test_by_class_every_class_has_thirty(listed):
    audit = begin(listed, plan="2-124", by_class=True)
    counts = {label: audit.items.filter(label=label).count() for label in ("裂缝", "坑槽")}

    assert counts == {"裂缝": 112, "坑槽": 30} and audit.shares == {"坑槽": 0.1, "裂缝": 0.9}


def test_who_may_not_judge(listed):
    audit = begin(listed)
    first, other, own = make_user(role="evaluator"), make_user(role="evaluator"), make_member(listed.organization)
    own.groups.add(first.groups.first())
    audits.judge(audit, position=1, verdict="right", note="", by=first)

    with pytest.raises(Conflict):
        audits.judge(audit, position=1, verdict="wrong", note="", by=other)
    with pytest.raises(Conflict):
        audits.judge(audit, position=2, verdict="right", note="", by=make_user())
    with pytest.raises(NotAllowed):
        audits.judge(audit, position=2, verdict="right", note="", by=own)
    with pytest.raises(ListingInvalid):
        audits.judge(audit, position=2, verdict="maybe", note="", by=other)
    with pytest.raises(ListingInvalid):
        audits.judge(audit, position=9999, verdict="right", note="", by=other)
    assert AuditItem.objects.exclude(verdict="").count() == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b'file,label\n"open,1\n'),
        ("a.jsonl", b"[1]\n{\n\xff"),
        ("a.json", b"{"),
        ("a.json", b"3"),
        ("a.csv", b"\x00\xff\xfe"),
        ("a.png", b"\x89PNG"),
    ],
)
def test_a_broken_or_labelless_sample_is_refused(name, content):
    dataset = make_listed()
    add_file(dataset, content, name, profile={"encoding": "no-such"})

    with pytest.raises(ListingInvalid):
        begin(dataset, column="label")
