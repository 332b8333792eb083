"""Attacks on the site, one sentence each, with the defence they meet. docs/security.md says which claim each one shows."""

import gzip
import json
import re
import time
import uuid
import zipfile

import orjson
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from rest_framework.throttling import AnonRateThrottle

from catalog.api.authentication import create_token
from catalog.cells import inert
from catalog.exceptions import NotAllowed
from catalog.ids import dataset_urn
from catalog.interchange.parsed import Unreadable
from catalog.interchange.reading import read_catalog
from catalog.models import Dataset, Revision, Sample
from catalog.search import index_datasets
from catalog.services import registration, review
from catalog.services.versions import record_version
from quality.profiling import profile_file
from tests.factories import COMPLETE, make_dataset, make_member, make_organization, make_user

pytestmark = pytest.mark.django_db
SECRET = "密级说明甲乙丙"


# --- important data
@pytest.fixture
def important():
    fields = {"summary": SECRET, "description": SECRET, "rights_basis": SECRET, "license": SECRET, "storage_place": SECRET, "keywords": [SECRET]}
    texts = {"documentation": {"limitations": {"text": SECRET}}, "citation": SECRET, "access_note": SECRET, "allowed_scenarios": SECRET}
    dataset = make_dataset(status="listed", security_level="important", listed_at=timezone.now(), **fields, **texts)
    record_version(dataset, change_note="首版", user=None)
    Dataset.objects.filter(pk=dataset.pk).update(description=SECRET * 2)
    dataset.refresh_from_db()
    record_version(dataset, change_note="次版", user=None)
    dataset.resources.create(name=SECRET, access_url="https://example.org/")
    index_datasets([dataset])
    return dataset


def surfaces(dataset):
    page = f"/datasets/{dataset.uid}/"
    yield from (f"{page}?tab={tab}" for tab in ("files", "card", "quality", "versions", "lineage", "feedback", "metadata"))
    yield from (f"{page}?tab=versions&old=1&new=2", f"{page}?tab=versions&version=1", f"{page}quality/", f"/datasets/{dataset.uid}/quality.json")
    yield from (f"/datasets/{dataset.uid}.{ending}" for ending in ("jsonld", "ttl", "croissant.json", "datapackage.json", "json"))
    yield from ("/catalog.jsonld", "/catalog.ttl", "/data.json", "/catalog.csv", "/catalog.ndjson", "/feed.atom", "/datasets/", "/")
    api = f"/api/v1/datasets/{dataset.uid}/"
    yield from (api, f"{api}quality/", f"{api}samples/", f"{api}versions/1/", f"{api}versions/compare/?from=1&to=2", "/api/v1/datasets/")
    yield from (f"/datasets/suggest/?q={SECRET[:2]}", f"/api/v1/suggest/?q={SECRET[:2]}")


def body_of(client, address):
    answer = client.get(address)
    raw = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = raw.decode("utf-8", "replace")
    return text + (json.dumps(json.loads(text), ensure_ascii=False) if text[:1] in "{[" and "\\u" in text else "")


@pytest.mark.parametrize("who", ["guest", "stranger"])
def test_of_important_data_no_surface_tells_more_than_the_minimum(important, client, who):
    if who == "stranger":
        client.force_login(make_user())

    leaks = [address for address in surfaces(important) if SECRET in body_of(client, address)]

    assert not leaks, "\n".join(leaks)


def test_its_own_people_and_reviewers_read_important_data_whole(important, client):
    for user in (make_member(important.organization, "viewer"), make_user(role="reviewer")):
        client.force_login(user)
        assert SECRET in body_of(client, f"/datasets/{important.uid}/")


def test_a_reviewers_key_without_the_review_scope_reads_important_data_as_anybody(important):
    secret = create_token(make_user(role="reviewer"), scopes=["read"], days=1)[1]
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    assert SECRET not in body_of(client, f"/api/v1/datasets/{important.uid}/")


def test_the_quality_report_of_a_draft_needs_the_review_scope():
    draft = make_dataset()
    secret = create_token(make_user(role="reviewer"), scopes=["read"], days=1)[1]

    answer = Client(headers={"Authorization": f"Bearer {secret}"}).get(f"/api/v1/datasets/{draft.uid}/quality/")

    assert answer.status_code == 404


def test_what_was_never_admitted_here_leaves_no_tombstone(client):
    uid = uuid.uuid4()
    fields = {"uid": uid, "identifier": dataset_urn("cn-33", uid), "home_portal": "cn-33", "listed_at": timezone.now()}
    dataset = make_dataset(**fields, status="delisted", admission="pending", organization=make_organization(home_portal="cn-33"))

    assert client.get(f"/datasets/{dataset.uid}/").status_code == 404
    assert client.get(f"/id/{dataset.identifier}").status_code == 404


# --- roles and states
def test_who_wrote_a_change_does_not_approve_it_though_another_submitted_it():
    organization = make_organization()
    editor, writer = make_member(organization, "editor"), make_user(role="admin")
    writer.groups.add(*make_user(role="reviewer").groups.all())
    dataset = make_dataset(organization=organization, status="submitted", created_by=editor)
    review.list_dataset(dataset, user=None)
    registration.update_dataset(dataset, {"summary": "由管理员代写"}, user=writer, change_note="改摘要")
    round_ = registration.submit_dataset(dataset, user=editor)

    with pytest.raises(NotAllowed):
        review.approve_review(round_, reviewer=writer)

    assert Revision.objects.get().state == "submitted"


def test_a_second_account_of_the_same_organization_does_not_approve_its_listing():
    organization = make_organization()
    dataset = registration.create_dataset(COMPLETE, organization=organization, user=make_member(organization, "editor"))
    round_ = registration.submit_dataset(dataset, user=make_member(organization, "owner"))
    second = make_member(organization, "viewer")
    second.groups.add(*make_user(role="reviewer").groups.all())

    with pytest.raises(NotAllowed):
        review.approve_review(round_, reviewer=second)


# --- samples
def test_the_address_to_resume_a_download_is_of_no_use_to_another_person(client, settings):
    dataset = make_dataset(status="listed", openness="conditional")
    sample = Sample(dataset=dataset, name="a.csv", state="ready", byte_size=4, sha256="0" * 64)
    sample.file.save("a.csv", SimpleUploadedFile("a.csv", b"a\n1\n"), save=True)
    client.force_login(make_user())
    answer = client.post(f"/samples/{sample.uid}/download/", {"accepted": "1", "purpose": "研究用途说明"})
    address = answer["Content-Location"]

    assert client.get(address).status_code == 200
    assert Client().get(address).status_code == 404
    other = Client()
    other.force_login(make_user())
    assert other.get(address).status_code == 404


# --- bodies and files
@pytest.fixture
def key():
    secret = create_token(make_member(make_organization(), "owner"), scopes=["write"], days=1)[1]
    return Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)


def test_a_giant_json_body_is_refused_before_it_is_parsed(key):
    body = b'{"title": "' + b"a" * (2 * 1024 * 1024) + b'"}'

    assert key.post("/api/v1/datasets/", data=body, content_type="application/json").status_code == 413


@pytest.mark.parametrize("address", ["/api/v1/datasets/", "/api/v1/datasets/bulk/"])
def test_deep_json_is_refused_by_name(key, address):
    body = b'{"title": ' + b"[" * 500 + b"]" * 500 + b"}"

    answer = key.post(address, data=body, content_type="application/json")

    assert answer.status_code == 400
    assert "嵌套" in answer.json()["detail"]


def test_a_bulk_line_above_its_limit_is_refused(key):
    body = b'{"title": "' + b"a" * (1024 * 1024) + b'"}\n'

    assert key.post("/api/v1/datasets/bulk/", data=body, content_type="application/x-ndjson").status_code == 400


BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + ']><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&j;</rdf:RDF>'
)
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&x;</rdf:RDF>'  # fmt: skip  # noqa: E501


@pytest.mark.parametrize("document", [BILLION_LAUGHS, EXTERNAL])
def test_xml_entities_are_refused_within_a_second(document):
    started = time.monotonic()

    with pytest.raises(Unreadable):
        list(read_catalog(document.encode()))

    assert time.monotonic() - started < 1


def test_the_wizard_refuses_an_xml_bomb_with_a_sentence(client):
    organization = make_organization()
    client.force_login(make_member(organization, "owner"))
    file = SimpleUploadedFile("a.rdf", BILLION_LAUGHS.encode())

    answer = client.post("/register/", {"organization": str(organization.uid), "how": "import", "file": file})

    assert answer.status_code == 422
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("door", ["/register/", "/register/bulk/"])
def test_no_door_for_files_fetches_what_a_json_ld_file_names(client, monkeypatch, door):
    asked = []
    monkeypatch.setattr("socket.socket.connect", lambda *args: asked.append(args) or (_ for _ in ()).throw(OSError))
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: asked.append(args) or (_ for _ in ()).throw(OSError))
    organization = make_organization()
    client.force_login(make_member(organization, "owner"))
    document = {"@context": ["http://169.254.169.254/latest", {"@import": "http://127.0.0.1:9/"}], "@type": "dcat:Dataset", "dct:title": "题名"}

    answer = client.post(door, {"organization": str(organization.uid), "how": "import", "file": SimpleUploadedFile("a.jsonld", orjson.dumps(document))})  # fmt: skip  # noqa: E501

    assert answer.status_code < 500
    assert not asked


def test_a_catalogue_file_too_large_to_parse_in_a_request_is_refused(client):
    organization = make_organization()
    client.force_login(make_member(organization, "owner"))
    file = SimpleUploadedFile("a.csv", b"title\n" + b"a" * (24 * 1024 * 1024))

    answer = client.post("/register/bulk/", {"organization": str(organization.uid), "file": file})

    assert answer.status_code == 422


def test_a_giant_list_of_zip_members_is_not_read(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "x")
    data = path.read_bytes()
    end = data.rindex(b"PK\x05\x06")
    path.write_bytes(data[: end + 12] + (2**30).to_bytes(4, "little") + data[end + 16 :])

    assert profile_file(path)["format"] == "ZIP"


def test_a_gzip_of_a_json_bomb_is_refused_and_not_parsed(tmp_path):
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b"[" + b"{}," * (12 * 1024 * 1024) + b"{}]"))

    profile = profile_file(path)

    assert profile["readable"] is False


# --- text
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_begins_as_a_formula(start):
    assert inert(f"{start}HYPERLINK(1)").startswith("'")
    assert inert([f"{start}1"]).startswith("'")


def test_numbers_stay_numbers_in_a_cell():
    assert (inert(-5), inert(None), inert("甲")) == ("-5", "", "甲")


@pytest.mark.parametrize("name", ["landing_page", "license_url", "exchange_url", "rights_evidence"])
@pytest.mark.parametrize("address", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "data:text/html,<script>", "vbscript:x"])
def test_no_script_address_becomes_a_link(client, name, address):
    dataset = make_dataset(status="listed", **{name: address})
    dataset.resources.create(name="a", access_url=address, download_url=address)

    for tab in ("files", "card", "metadata"):
        html = client.get(f"/datasets/{dataset.uid}/?tab={tab}").content.decode()
        assert not re.search(r'(href|src|action)="\s*(javascript|data:text|vbscript)', html, re.I), tab


# --- addresses, sessions
@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_no_form_leads_to_another_site(client, target):
    make_user(username="somebody", password="secret-word-1")

    chosen = client.post("/language/", {"language": "en", "next": target})
    entered = client.post(f"/accounts/login/?next={target}", {"username": "somebody", "password": "secret-word-1", "next": target})

    assert "evil" not in chosen["Location"] and "javascript" not in chosen["Location"]
    assert entered["Location"] == "/desk/"


def test_the_session_key_changes_at_login(client):
    make_user(username="somebody", password="secret-word-1")
    client.get("/accounts/login/")
    client.session["before"] = 1
    before = client.session.session_key

    client.post("/accounts/login/", {"username": "somebody", "password": "secret-word-1"})

    assert client.session.session_key and client.session.session_key != before
    assert client.cookies[next(name for name in client.cookies if name.endswith("session"))]["httponly"]


def test_a_form_without_its_csrf_token_changes_nothing():
    organization = make_organization()
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_member(organization, "owner"))

    answer = client.post("/register/", {"organization": str(organization.uid), "how": "new", "title": "题名"})

    assert answer.status_code == 403
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("address", ["/accounts/password_reset/", "/accounts/reset/x/y/"])
def test_there_is_no_reset_by_mail_while_no_mail_is_set_up(client, address):
    assert client.get(address).status_code == 404


def test_a_nul_character_is_answered_with_a_sentence(client):
    client.force_login(make_user())

    assert client.get("/id/%00").status_code == 400
    assert client.get("/organizations/?q=%00").status_code == 200
    assert client.post("/desk/notifications/read/", {"a": "\x00"}).status_code == 400


def test_figures_are_for_this_machine_or_who_has_the_token(client, settings):
    settings.PORTAL_METRICS_TOKEN = "a-token-of-some-length"

    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9", headers={"Authorization": "Bearer wrong"}).status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9", headers={"Authorization": "Bearer a-token-of-some-length"}).status_code == 200


def test_a_made_up_forwarding_header_makes_nobody_another_caller(rf):
    requests = [rf.get("/", REMOTE_ADDR="203.0.113.9", headers={"X-Forwarded-For": made_up}) for made_up in ("1.1.1.1", "2.2.2.2, 3.3.3.3")]

    assert {AnonRateThrottle.get_ident(None, request) for request in requests} == {"203.0.113.9"}
