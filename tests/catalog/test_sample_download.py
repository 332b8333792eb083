import hashlib
import io

import pytest
from django.core.files.base import ContentFile

from catalog.models import Dataset, DownloadEvent, Sample
from catalog.views.samples import blocks, byte_range
from tests.factories import make_dataset, make_member, make_organization, make_user

pytestmark = pytest.mark.django_db
CONTENT = b"a,b\n" + b"1,2\n" * 1000
ACCEPTED = {"accepted": "1", "purpose": "评估能否训练模型"}


@pytest.fixture
def sample():
    dataset = make_dataset(status=Dataset.Status.LISTED, openness="open")
    sample = Sample(dataset=dataset, name="病害 标注.csv", state="ready", byte_size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())
    sample.file.save("x", ContentFile(CONTENT), save=True)
    return sample


def path(sample):
    return f"/samples/{sample.uid}/download/"


def body(response):
    return b"".join(response.streaming_content)


def test_the_page_tells_name_size_hash_and_terms_before(client, sample):
    page = client.get(path(sample)).content.decode()

    assert sample.name in page and sample.sha256 in page and "4 KB" in page and "使用条款" in page
    assert not DownloadEvent.objects.exists()


def test_an_open_sample_goes_to_a_guest_who_accepts(client, sample):
    response = client.post(path(sample), ACCEPTED)

    assert response.status_code == 200 and hashlib.sha256(body(response)).hexdigest() == sample.sha256
    event = DownloadEvent.objects.get()
    assert event.consumer.startswith("guest-") and event.user is None
    sample.refresh_from_db()
    assert sample.download_count == 1 and sample.dataset.download_count == 1


def test_without_accepted_terms_nothing_is_sent(client, sample):
    response = client.post(path(sample), {})

    assert response.status_code == 422 and "同意使用条款" in response.content.decode()
    assert not DownloadEvent.objects.exists()


def test_a_conditional_sample_asks_for_a_person_and_a_purpose(client, sample):
    Dataset.objects.update(openness="conditional")
    assert client.post(path(sample), ACCEPTED).status_code == 403
    user = make_user()
    client.force_login(user)
    assert client.post(path(sample), {"accepted": "1"}).status_code == 422

    response = client.post(path(sample), ACCEPTED)

    assert body(response) == CONTENT
    event = DownloadEvent.objects.get()
    assert event.user == user and event.consumer == user.username and event.purpose == ACCEPTED["purpose"]


def test_the_file_is_inert(client, sample):
    response = client.post(path(sample), ACCEPTED)

    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''%E7%97%85")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["ETag"] == f'"{sample.sha256}"'


def test_an_interrupted_download_goes_on_without_being_counted_again(client, sample):
    address = client.post(path(sample), ACCEPTED)["Content-Location"]

    rest = client.get(address, HTTP_RANGE="bytes=1000-", HTTP_IF_RANGE=f'"{sample.sha256}"')

    assert rest.status_code == 206 and rest["Content-Range"] == f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT)}"
    assert body(rest) == CONTENT[1000:]
    assert DownloadEvent.objects.count() == 1


def test_a_changed_file_is_sent_whole(client, sample):
    address = client.post(path(sample), ACCEPTED)["Content-Location"]

    response = client.get(address, HTTP_RANGE="bytes=10-", HTTP_IF_RANGE='"other"')

    assert response.status_code == 200 and body(response) == CONTENT


def test_head_tells_length_and_hash_without_a_body(client, sample):
    address = client.post(path(sample), ACCEPTED)["Content-Location"]

    response = client.head(address)

    assert response["Content-Length"] == str(len(CONTENT)) and response["ETag"] == f'"{sample.sha256}"' and response.content == b""


def test_a_range_beyond_the_end_is_416(client, sample):
    address = client.post(path(sample), ACCEPTED)["Content-Location"]

    response = client.get(address, HTTP_RANGE="bytes=999999-")

    assert response.status_code == 416 and response["Content-Range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize("token", ["", "x", "InVzZXIi:1abc:zzzz"])
def test_the_file_needs_accepted_terms(client, sample, token):
    assert client.get(f"/samples/{sample.uid}/file/", {"resume": token}).status_code == 404


@pytest.mark.parametrize(
    "header,expected",
    [
        ("bytes=0-3", (0, 3)),
        ("bytes=5-", (5, 9)),
        ("bytes=-3", (7, 9)),
        ("bytes=-30", (0, 9)),
        ("bytes=0-99", (0, 9)),
        ("bytes=10-", ()),
        ("bytes=5-3", ()),
        ("bytes=-0", ()),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
    ],
)
def test_ranges(header, expected):
    assert byte_range(header, 10) == expected


@pytest.mark.parametrize("change", [{"status": "draft"}, {"status": "delisted"}, {"security_level": "important"}, {"admission": "taken_down"}])
def test_samples_of_what_is_not_on_offer_are_404(client, sample, change):
    Dataset.objects.filter(pk=sample.dataset_id).update(**change)
    client.force_login(make_member(make_organization()))

    assert client.get(path(sample)).status_code == 404
    assert client.post(path(sample), ACCEPTED).status_code == 404


@pytest.mark.parametrize("state", ["pending", "blocked"])
def test_unchecked_samples_are_404(client, sample, state):
    Sample.objects.update(state=state)

    assert client.get(path(sample)).status_code == 404


def test_a_lost_file_is_told_in_words_and_not_counted(client, sample):
    sample.file.storage.delete(sample.file.name)

    response = client.post(path(sample), ACCEPTED)

    assert response.status_code == 404 and "读不到" in response.content.decode()
    assert not DownloadEvent.objects.exists()


def test_a_sample_of_another_portal_is_not_sent_from_here(client):
    dataset = make_dataset(status="listed", home_portal="cn-33", admission="admitted", openness="open")
    remote = Sample.objects.create(dataset=dataset, name="a.csv", state="ready", byte_size=3, sha256="0" * 64)

    page = client.get(path(remote)).content.decode()

    assert "来源门户" in page
    assert client.post(path(remote), ACCEPTED).get("Content-Disposition") is None


def test_an_empty_range_stream_is_closed(sample):
    stream = io.BytesIO(CONTENT)

    assert b"".join(blocks(stream, 4, 4)) == CONTENT[4:8] and stream.closed
