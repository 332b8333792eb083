"""Uploading, profiling, offering and counting samples."""

import hashlib
import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from catalog.exceptions import Conflict, InvalidTransition, ListingInvalid, NotAllowed
from catalog.listing import to_document
from catalog.models import AuditEntry, Dataset, DownloadEvent, Sample
from catalog.models.resources import sample_path
from catalog.services import registration, review, samples
from catalog.services.samples import SampleMissing, add_sample, open_sample, publish_profile, record_download, remove_sample
from catalog.signals import sample_added, sample_downloaded
from tests.factories import make_dataset, make_member, make_organization, make_user

pytestmark = pytest.mark.django_db
CSV = "名称,数量\n苹果,3\n".encode()


@pytest.fixture(autouse=True)
def no_engine_listens(monkeypatch):
    """The catalogue alone: whoever profiles samples does so in tests of its own."""
    monkeypatch.setattr(sample_added, "receivers", [])
    monkeypatch.setattr(sample_added, "sender_receivers_cache", {}, raising=False)
    monkeypatch.setattr(sample_downloaded, "receivers", [])
    sample_added.sender_receivers_cache.clear() if sample_added.use_caching else None


@pytest.fixture
def owned():
    organization = make_organization()
    user = make_member(organization, "editor")
    return make_dataset(organization=organization), user


def upload(name="sample.csv", content=CSV):
    return SimpleUploadedFile(name, content)


def is_stored(sample):
    return storages["samples"].exists(sample_path(sample, ""))


def test_a_sample_is_kept_with_its_hash_and_waits_for_its_profile(owned):
    dataset, user = owned
    heard = []
    sample_added.connect(lambda sample, **kwargs: heard.append(sample.pk), weak=False)

    sample = add_sample(dataset, upload(), user=user, terms="仅限研究")

    assert (sample.state, sample.format, sample.media_type) == ("pending", "csv", "text/csv")
    assert (sample.sha256, sample.byte_size) == (hashlib.sha256(CSV).hexdigest(), len(CSV))
    assert open_sample(sample).read() == CSV
    assert heard == [sample.pk]
    assert AuditEntry.objects.filter(action="sample.added", object_id=dataset.identifier).count() == 1
    assert "sample.csv" not in sample.file.name


def test_a_large_upload_streams_whole(owned):
    dataset, user = owned
    content = b"a,b\n" + b"1,2\n" * 300_000

    sample = add_sample(dataset, ContentFile(content, name="big.csv"), user=user)

    assert (sample.byte_size, sample.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert open_sample(sample).read() == content


def test_a_plain_stream_with_a_name_will_do(owned):
    dataset, user = owned
    stream = io.BytesIO(CSV)
    stream.name = "/tmp/anything/来自磁盘.csv"

    sample = add_sample(dataset, stream, user=user)

    assert (sample.name, sample.byte_size) == ("来自磁盘.csv", len(CSV))


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", b"", "empty"),
        ("virus.exe", b"MZ\x90\x00\x03", "executable"),
        ("data.csv", b"MZ\x90\x00\x03" + b"\0" * 40, "executable"),
        ("data.txt", b"#!/bin/sh\nrm -rf /\n", "executable"),
        ("data.parquet", b"\x7fELF\x02", "executable"),
        ("page.html", b"<!DOCTYPE html><p>", "markup"),
        ("data.csv", b"  <html><script>alert(1)</script>", "markup"),
        ("data.csv", b"\xef\xbb\xbf<!-- a --><script>", "markup"),
        ("picture.png", b"<?xml version='1.0'?><svg onload='x'>", "markup"),
        ("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg'>", "markup"),
        ("data.csv", "<html>".encode("utf-16"), "markup"),
        ("picture.png", b"\xff\xd8\xff\xe0", "mismatch"),
        ("data.parquet", b"a,b\n1,2\n", "mismatch"),
        ("data.csv", b"PK\x03\x04rest", "mismatch"),
        ("data.json", b"{\0\0", "mismatch"),
        ("tool.py", b"print(1)", "format"),
        ("noextension", b"a,b", "format"),
        ("archive.rar", b"Rar!", "format"),
    ],
)
def test_what_may_not_be_a_sample_is_refused_in_one_sentence(owned, name, content, code):
    dataset, user = owned

    with pytest.raises(ListingInvalid) as refused:
        add_sample(dataset, upload(name, content), user=user)

    assert [error["code"] for error in refused.value.errors] == [code]
    assert refused.value.errors[0]["message"].endswith("。")
    assert not Sample.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", CSV, "csv"),
        ("a.CSV", "名称,数量\n".encode("gb18030"), "csv"),
        ("a.csv", "a,b\n".encode("utf-16"), "csv"),
        ("mz.csv", b"MZ,b\n1,2\n", "csv"),
        ("a.tsv", b"a\tb\n", "tsv"),
        ("a.json", b"[1]", "json"),
        ("a.ndjson", b'{"a":1}\n', "jsonl"),
        ("a.jsonl", b'{"a":"<script>"}\n', "jsonl"),
        ("a.parquet", b"PAR1rest", "parquet"),
        ("a.xlsx", b"PK\x03\x04rest", "xlsx"),
        ("a.zip", b"PK\x05\x06" + b"\0" * 18, "zip"),
        ("a.png", b"\x89PNG\r\n\x1a\nrest", "png"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "jpeg"),
        ("a.wav", b"RIFF\x24\0\0\0WAVEfmt ", "wav"),
        ("a.flac", b"fLaC\0", "flac"),
        ("a.mp3", b"ID3\x04", "mp3"),
        ("a.mp3", b"\xff\xfb\x90", "mp3"),
        ("a.pdf", b"%PDF-1.7", "pdf"),
        ("a.txt", "文字".encode(), "txt"),
        ("a.csv.gz", b"\x1f\x8b\x08\0", "gz"),
    ],
)
def test_a_listed_format_is_told_by_bytes_and_extension(owned, name, content, kind):
    dataset, user = owned

    assert add_sample(dataset, upload(name, content), user=user).format == kind


def test_a_file_above_the_limit_leaves_nothing(owned, settings):
    dataset, user = owned
    settings.PORTAL_UPLOAD_MAX_BYTES = 2048
    before = count_files()

    with pytest.raises(ListingInvalid, match="上限"):
        add_sample(dataset, upload(content=b"a,b\n" * 5000), user=user)

    assert count_files() == before


def count_files():
    location = storages["samples"].location
    import pathlib

    return sum(path.is_file() for path in pathlib.Path(location).rglob("*")) if pathlib.Path(location).exists() else 0


def test_the_same_file_twice_is_kept_once(owned):
    dataset, user = owned
    add_sample(dataset, upload(), user=user)
    before = count_files()

    with pytest.raises(ListingInvalid, match="内容相同"):
        add_sample(dataset, upload("other-name.csv"), user=user)

    assert (dataset.samples.count(), count_files()) == (1, before)


def test_nothing_stays_on_disk_when_the_surrounding_transaction_fails(owned):
    dataset, user = owned
    before, kept = count_files(), []

    with pytest.raises(RuntimeError), transaction.atomic():
        kept.append(add_sample(dataset, upload(), user=user))
        assert is_stored(kept[0])
        raise RuntimeError("the caller fails afterwards")

    assert count_files() == before
    assert not Sample.objects.exists()
    assert not AuditEntry.objects.filter(action="sample.added").exists()


@pytest.mark.django_db(transaction=True)
def test_a_committed_file_stays():
    organization = make_organization()
    user = make_member(organization)

    sample = add_sample(make_dataset(organization=organization), upload(), user=user)

    import gc

    gc.collect()
    assert is_stored(sample)


@pytest.mark.parametrize("level", ["important", "core"])
def test_protected_data_have_no_samples(owned, level):
    dataset, user = owned
    Dataset.objects.filter(pk=dataset.pk).update(security_level=level)

    with pytest.raises(ListingInvalid, match="不提供样例"):
        add_sample(dataset, upload(), user=user)


def test_strangers_and_viewers_may_not_add(owned):
    dataset, _user = owned

    for user in (make_user(), make_member(dataset.organization, "viewer"), make_user(role="reviewer")):
        with pytest.raises(NotAllowed):
            add_sample(dataset, upload(), user=user)


@pytest.mark.parametrize("status", ["submitted", "in_review", "public_notice", "rejected", "delisted"])
def test_what_is_under_review_or_closed_takes_no_samples(owned, status):
    dataset, user = owned
    Dataset.objects.filter(pk=dataset.pk).update(status=status)

    with pytest.raises(InvalidTransition):
        add_sample(dataset, upload(), user=user)


def test_a_profile_opens_the_sample_and_enters_the_document(owned):
    dataset, user = owned
    sample = add_sample(dataset, upload(), user=user)
    rev = Dataset.objects.get(pk=dataset.pk).rev

    sample = publish_profile(sample, {"rows": 1, "columns": [{"name": "数量", "mean": 3.5}]}, state="ready")

    fresh = Dataset.objects.get(pk=dataset.pk)
    assert (sample.state, sample.row_count) == ("ready", 1)
    assert fresh.rev == rev + 1
    assert to_document(fresh)["samples"][0]["profile"]["columns"][0]["mean"] == "3.5"


def test_a_blocked_sample_says_why_and_stays_out_of_the_document(owned):
    dataset, user = owned
    sample = add_sample(dataset, upload(), user=user)

    publish_profile(sample, {}, state="blocked", reason="第 2 行有身份证号码")

    sample.refresh_from_db()
    assert (sample.state, sample.state_reason) == ("blocked", "第 2 行有身份证号码")
    assert to_document(Dataset.objects.get(pk=dataset.pk))["samples"] == []


@pytest.fixture
def listed(owned):
    dataset, user = owned
    review.list_dataset(Dataset.objects.get(pk=set_status(dataset, "submitted")), user=None)
    return Dataset.objects.get(pk=dataset.pk), user


def set_status(dataset, status):
    Dataset.objects.filter(pk=dataset.pk).update(status=status)
    return dataset.pk


def test_a_sample_added_to_a_listed_dataset_is_offered_only_after_a_reviewer_approved_it(listed, client):
    dataset, user = listed

    sample = publish_profile(add_sample(dataset, upload(), user=user), {"rows": 1}, state="ready")

    assert (sample.state, to_document(dataset)["samples"]) == ("waiting", [])
    assert client.get(f"/samples/{sample.uid}/download/").status_code == 404
    with pytest.raises(Conflict):
        record_download(sample, consumer="guest", purpose="")

    round_ = registration.submit_dataset(dataset, user=user)
    review.approve_review(round_, reviewer=make_user(role="reviewer"))

    sample.refresh_from_db()
    assert (sample.state, sample.needs_review) == ("ready", False)
    assert dataset.versions.first().document["samples"][0]["uid"] == str(sample.uid)
    assert dataset.versions.count() == 2


def test_a_sample_still_being_checked_cannot_slip_through_with_an_approval(listed):
    dataset, user = listed
    sample = add_sample(dataset, upload(), user=user)

    with pytest.raises(ListingInvalid):
        registration.submit_dataset(dataset, user=user)

    publish_profile(sample, {"rows": 1}, state="ready")
    registration.submit_dataset(dataset, user=user)
    with pytest.raises(Conflict):
        add_sample(dataset, upload("late.csv", b"a\n1\n"), user=user)


def test_a_refused_sample_stays_out_and_profiling_it_again_does_not_open_it(listed):
    dataset, user = listed
    sample = publish_profile(add_sample(dataset, upload(), user=user), {"rows": 1}, state="ready")
    round_ = registration.submit_dataset(dataset, user=user)

    review.reject_review(round_, reviewer=make_user(role="reviewer"), reason="样例与说明不符")

    assert publish_profile(sample, {"rows": 1}, state="ready").state == "waiting"


def test_a_reviewer_opens_a_waiting_sample_without_counting_a_download(listed, client):
    dataset, user = listed
    sample = publish_profile(add_sample(dataset, upload(), user=user), {"rows": 1}, state="ready")
    client.force_login(make_user(role="reviewer"))

    answer = client.post(f"/samples/{sample.uid}/download/", {"accepted": "1", "purpose": "审核样例"})

    assert b"".join(answer.streaming_content) == CSV
    assert not DownloadEvent.objects.exists()


def test_what_an_operator_adds_by_command_is_offered_at_once(listed):
    dataset, _user = listed

    assert publish_profile(add_sample(dataset, upload(), user=None), {"rows": 1}, state="ready").state == "ready"
    assert dataset.versions.count() == 2


def test_an_oversized_profile_is_refused_and_the_sample_still_waits(owned):
    dataset, user = owned
    sample = add_sample(dataset, upload(), user=user)

    with pytest.raises(ListingInvalid, match="128 KiB"):
        publish_profile(sample, {"preview": ["x" * 1000] * 200}, state="ready")

    sample.refresh_from_db()
    assert sample.state == "pending"


def test_removing_deletes_row_and_file(owned, django_capture_on_commit_callbacks):
    dataset, user = owned
    sample = publish_profile(add_sample(dataset, upload(), user=user), {"rows": 1}, state="ready")

    with django_capture_on_commit_callbacks(execute=True):
        remove_sample(sample, user=user)

    assert not dataset.samples.exists()
    assert not is_stored(sample)
    assert AuditEntry.objects.filter(action="sample.removed").exists()


def test_a_removal_that_fails_keeps_the_file(owned):
    dataset, user = owned
    sample = add_sample(dataset, upload(), user=user)

    with pytest.raises(RuntimeError), transaction.atomic():
        remove_sample(sample, user=user)
        raise RuntimeError

    assert dataset.samples.count() == 1
    assert is_stored(sample)


def test_a_download_counts_on_sample_and_dataset(owned):
    dataset, user = owned
    sample = publish_profile(add_sample(dataset, upload(), user=user, terms="仅限研究"), {"rows": 1}, state="ready")
    heard = []
    sample_downloaded.connect(lambda event, **kwargs: heard.append(event.pk), weak=False)

    event = record_download(sample, user=user, consumer=user.username, purpose="试用", via_portal="cn")

    sample.refresh_from_db()
    dataset.refresh_from_db()
    assert (sample.download_count, dataset.download_count) == (1, 1)
    assert event.terms_sha256 == hashlib.sha256("仅限研究".encode()).hexdigest()
    assert heard == [event.pk]


def test_a_waiting_or_blocked_sample_cannot_be_downloaded(owned):
    dataset, user = owned
    sample = add_sample(dataset, upload(), user=user)

    with pytest.raises(Conflict):
        record_download(sample, consumer="x", purpose="")

    assert not DownloadEvent.objects.exists()


def test_a_sample_kept_elsewhere_says_so():
    sample = Sample.objects.create(dataset=make_dataset(), name="远端.csv", sha256="0" * 64, state="ready")

    with pytest.raises(SampleMissing, match="来源门户"):
        open_sample(sample)


@pytest.mark.parametrize("name", ["../../etc/passwd.csv", "C:\\temp\\a.csv", "a\x00b\u202e.csv", "名" * 400 + ".csv"])
def test_file_names_lose_paths_and_hidden_characters(name):
    cleaned = samples.clean_name(name)

    assert "/" not in cleaned and "\\" not in cleaned and "\x00" not in cleaned and "\u202e" not in cleaned
    assert len(cleaned) <= 255 and cleaned.endswith(".csv")
