"""The REST interface: what it takes, what it refuses and how it says so."""

import json
import uuid
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from catalog.api.authentication import create_token
from catalog.listing import FIELDS
from catalog.models import ApiToken, AuditEntry, Dataset, IdempotencyKey, Organization, Resource, Review
from catalog.services import registration, review
from tests.factories import COMPLETE, make_dataset, make_member, make_organization, make_user

pytestmark = pytest.mark.django_db
LIST = "/api/v1/datasets/"


class Caller:
    """An API client with a token of these scopes."""

    def __init__(self, user, *scopes):
        self.client = Client(headers={"Authorization": f"Bearer {create_token(user, scopes=list(scopes) or ['write'], days=1)[1]}"})

    def send(self, verb, path, body=None, **headers):
        return getattr(self.client, verb)(path, data=json.dumps(body or {}), content_type="application/json", headers=headers)


@pytest.fixture
def organization(db):
    return make_organization()


@pytest.fixture
def editor(organization):
    return make_member(organization, "editor")


@pytest.fixture
def caller(editor):
    return Caller(editor)


def listing(organization, **fields):
    return COMPLETE | {"organization": str(organization.uid)} | fields


def listed(organization, editor, **fields):
    dataset = registration.create_dataset(COMPLETE | fields, organization=organization, user=editor)
    round_ = registration.submit_dataset(dataset, user=editor)
    review.approve_review(round_, reviewer=make_user(role="reviewer"))
    return Dataset.objects.get(pk=dataset.pk)


def problem(answer, status):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and body["title"] and body["detail"]
    return body


# --- list and read


def test_the_list_has_the_promised_shape(client, organization, editor):
    dataset = listed(organization, editor, title="高速公路路面病害图像", source_identifier="R-7")

    page = client.get(LIST, {"q": "路面"}).json()

    assert page["count"] == 1 and page["next"] is None
    assert set(page["facets"]["sector"][0]) == {"value", "label", "count"}
    (row,) = page["results"]
    expected = {
        "uid": str(dataset.uid),
        "identifier": dataset.identifier,
        "source_identifier": "R-7",
        "title": dataset.title,
        "summary": dataset.summary,
        "organization": {"uid": str(organization.uid), "name": organization.name},
        "portal": dataset.home_portal,
    }
    assert {key: row[key] for key in expected} == expected
    assert row["url"].endswith(f"/datasets/{dataset.uid}/") and row["url"].startswith("http")
    assert "grade" in row and "modified" in row


def test_next_leads_through_every_page_once(client, organization, editor):
    uids = {str(listed(organization, editor, title=f"第 {number} 个").uid) for number in range(5)}

    seen, address = [], f"{LIST}?page_size=2&sort=newest"
    while address:
        page = client.get(address.replace("http://127.0.0.1:8000", "")).json()
        seen += [row["uid"] for row in page["results"]]
        address = page["next"]

    assert sorted(seen) == sorted(uids)


@pytest.mark.parametrize("query", ["page_size=0", "page_size=x", "page_size=101", "cursor=%20", "cursor=abc", "sort=nonsense"])
def test_a_wrong_parameter_is_named(client, query):
    body = problem(client.get(f"{LIST}?{query}"), 400)

    assert body["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


def test_rows_of_important_data_are_minimal(client, organization):
    dataset = make_dataset(
        organization=organization, status="listed", listed_at=timezone.now(), security_level="important", summary="机密摘要", storage_place="某地"
    )
    from catalog.search import index_datasets

    index_datasets([dataset])

    for path in (LIST, f"{LIST}{dataset.uid}/", f"{LIST}{dataset.uid}/versions/"):
        assert "机密摘要" not in client.get(path).content.decode() and "某地" not in client.get(path).content.decode()


def test_list_and_detail_cost_a_constant_number_of_queries(client, organization, editor):
    for number in range(3):
        dataset = listed(organization, editor, title=f"第 {number} 个")
        for position in range(4):
            Resource.objects.create(dataset=dataset, name=f"{position}")
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count(path):
        client.get(path)  # what is read once after a change, such as the facet columns, is not counted
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    before = count(LIST), count(f"{LIST}{dataset.uid}/")
    for number in range(6):
        listed(organization, editor, title=f"又 {number} 个")
        Resource.objects.create(dataset=dataset, name=f"又{number}")

    assert (count(LIST), count(f"{LIST}{dataset.uid}/")) == before
    assert before[0] <= 8 and before[1] <= 5


def test_an_etag_saves_the_body_until_something_changes(client, organization, editor):
    dataset = listed(organization, editor)
    path = f"{LIST}{dataset.uid}/"
    etag = client.get(path)["ETag"]

    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert client.get(path, headers={"If-None-Match": f'"x", W/{etag}'}).status_code == 304
    review.suspend_dataset(dataset, user=make_user(role="admin"), reason="维护")
    review.resume_dataset(dataset, user=make_user(role="admin"))
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


# --- register and change


def test_a_dataset_is_registered_changed_submitted_and_withdrawn(caller, organization):
    created = caller.send("post", LIST, listing(organization))
    assert created.status_code == 201 and created.json()["status"] == "draft"
    path = f"{LIST}{created.json()['uid']}/"
    assert created["Location"].endswith(path)

    changed = caller.send("patch", path, {"title": "新的名称", "keywords": None})
    assert changed.json()["title"] == "新的名称" and "keywords" not in changed.json()

    assert caller.send("post", f"{path}submit/").json()["status"] == "submitted"
    assert caller.send("post", f"{path}withdraw/").json()["status"] == "draft"


def test_a_change_to_a_listed_dataset_waits_for_review(caller, organization, editor, client):
    dataset = listed(organization, editor, title="旧名称")
    path = f"{LIST}{dataset.uid}/"

    answer = caller.send("patch", path, {"title": "新名称", "change_note": "改名"}).json()

    assert answer["title"] == "旧名称" and answer["pending"]["changes"] == [{"field": "title", "old": "旧名称", "new": "新名称"}]
    assert "pending" not in client.get(path).json()


def test_if_match_keeps_one_from_overwriting_another(caller, organization, editor):
    dataset = make_dataset(organization=organization)
    path = f"{LIST}{dataset.uid}/"
    etag = caller.client.get(path)["ETag"]
    assert caller.send("patch", path, {"title": "甲"}, **{"If-Match": etag}).status_code == 200

    problem(caller.send("patch", path, {"title": "乙"}, **{"If-Match": etag}), 412)
    assert Dataset.objects.get(pk=dataset.pk).title == "甲"


def test_every_wrong_field_is_named(caller, organization):
    body = problem(caller.send("post", LIST, listing(organization, title="", sectors=["nowhere"], issued="2026/1/1", record_count=-1)), 422)

    assert {error["pointer"] for error in body["errors"]} == {"/title", "/sectors", "/issued", "/record_count"}


AWKWARD = [
    {"resources": 5},
    {"resources": [{"name": "a", "byte_size": "many"}]},
    {"resources": [{"name": "a", "uid": "nothing"}]},
    {"resources": [{"name": "a", "format": "x" * 50}]},
    {"resources": [{"name": ["a"]}]},
    {"resources": [{"name": "a", "columns": [1]}]},
    {"price_index": 2**40},
    {"temporal_start": "2026-12-31", "temporal_end": "20260101"},
    {"issued": "2026-W01-1"},
    {"keywords": "one"},
    {"documentation": {"a": "\x00"}},
    {"documentation": [1]},
    {"lineage": {"a": 1}},
    {"extras": {"a": 1.5}},
    {"title": 5},
    {"title": "x" * 301},
    {"sectors": [["transport"]]},
    {"record_count": 1.5},
    {"record_count": True},
]


@pytest.mark.parametrize("fields", AWKWARD, ids=[json.dumps(fields)[:40] for fields in AWKWARD])
def test_awkward_values_are_refused_by_name(caller, organization, fields):
    for answer in (
        caller.send("post", LIST, listing(organization, **fields)),
        caller.send("patch", f"{LIST}{make_dataset(organization=organization).uid}/", fields),
    ):
        assert problem(answer, 422)["errors"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"null", b'{"title": NaN}', b'{"title": "\\ud800"}', b"\xff", b'{"title": 1e999}'])
def test_a_body_that_is_no_object_is_refused(caller, raw):
    answer = caller.client.post(LIST, data=raw, content_type="application/json")

    assert answer.status_code in (400, 422), answer.content


def test_the_same_source_identifier_twice_is_refused(caller, organization):
    assert caller.send("post", LIST, listing(organization, source_identifier="A")).status_code == 201

    body = problem(caller.send("post", LIST, listing(organization, source_identifier="A")), 422)
    assert body["errors"][0]["pointer"] == "/source_identifier"


def test_a_resource_of_another_dataset_cannot_be_taken(caller, organization):
    theirs = Resource.objects.create(dataset=make_dataset(), name="别人的")

    problem(caller.send("post", LIST, listing(organization, resources=[{"uid": str(theirs.uid), "name": "我的"}])), 422)
    assert Resource.objects.get().name == "别人的"


def test_fields_the_portal_keeps_cannot_be_set(caller, organization, editor):
    """Mass assignment: every model field that is not the owner's, at every writable address, is refused by name."""
    dataset = make_dataset(organization=organization)
    kept = {field.name for field in Dataset._meta.get_fields()} - set(FIELDS) - {"organization", "resources"}
    before = Dataset.objects.filter(pk=dataset.pk).values().get()

    for name in sorted(kept):
        for verb, path, body in (
            ("post", LIST, listing(organization) | {name: "A"}),
            ("patch", f"{LIST}{dataset.uid}/", {name: "A"}),
            ("post", f"{LIST}{dataset.uid}/submit/", {name: "A"}),
            ("post", f"{LIST}{dataset.uid}/withdraw/", {name: "A"}),
            ("post", f"{LIST}{dataset.uid}/delist/", {"reason": "x", name: "A"}),
        ):
            body = problem(caller.send(verb, path, body), 400)
            assert body["errors"][0]["pointer"] == f"/{name}", (verb, path)
    problem(caller.send("patch", f"{LIST}{dataset.uid}/", {"organization": str(make_organization().uid)}), 400)

    assert Dataset.objects.filter(pk=dataset.pk).values().get() == before
    assert Dataset.objects.count() == 1


def test_fields_of_an_organization_that_are_not_its_own_cannot_be_set(organization):
    owner = Caller(make_member(organization, "owner"))
    kept = {field.name for field in Organization._meta.get_fields()} - {
        "name", "short_name", "kind", "credit_code", "region", "parent", "description", "website", "contact_email",
    }  # fmt: skip

    for name in sorted(kept):
        assert problem(owner.send("patch", f"/api/v1/organizations/{organization.uid}/", {name: "A"}), 400)["errors"][0]["pointer"] == f"/{name}"
        assert problem(owner.send("post", "/api/v1/organizations/", {"name": "新机构", name: "A"}), 400)


# --- who may


def test_without_a_key_writing_is_401_and_without_the_scope_403(client, organization, editor):
    problem(client.post(LIST, data={}, content_type="application/json"), 401)
    problem(Caller(editor, "read").send("post", LIST, listing(organization)), 403)
    problem(Caller(editor, "review", "admin").send("post", LIST, listing(organization)), 403)
    problem(Caller(make_user()).send("post", LIST, listing(organization)), 403)


def test_a_wrong_expired_or_revoked_key_is_401_even_for_reading(client, editor):
    token, secret = create_token(editor, scopes=["read"], days=1)
    assert client.get(LIST, headers={"Authorization": f"Bearer {secret}"}).status_code == 200

    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = client.get(LIST, headers={"Authorization": f"Bearer {secret}"})
    assert answer["WWW-Authenticate"] == "Bearer"
    problem(answer, 401)
    ApiToken.objects.update(expires_at=timezone.now() + timedelta(days=1), revoked_at=timezone.now())
    problem(client.get(LIST, headers={"Authorization": f"Bearer {secret}"}), 401)
    problem(client.get(LIST, headers={"Authorization": "Bearer nonsense"}), 401)


def test_a_session_needs_a_csrf_token_and_a_key_does_not(organization, editor):
    session = Client(enforce_csrf_checks=True)
    session.force_login(editor)
    problem(session.post(LIST, data=json.dumps(listing(organization)), content_type="application/json"), 403)
    assert not Dataset.objects.exists()

    secret = create_token(editor, scopes=["write"], days=1)[1]
    with_key = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret}"})
    assert with_key.post(LIST, data=json.dumps(listing(organization)), content_type="application/json").status_code == 201


def test_a_strangers_draft_does_not_exist(caller):
    path = f"{LIST}{make_dataset().uid}/"

    problem(caller.client.get(path), 404)
    problem(caller.send("patch", path, {"title": "x"}), 404)
    problem(caller.send("post", f"{path}submit/"), 404)


def test_delisting_asks_for_a_reason(caller, organization, editor):
    dataset = listed(organization, editor)

    assert problem(caller.send("post", f"{LIST}{dataset.uid}/delist/"), 400)["errors"][0]["pointer"] == "/reason"
    assert caller.send("post", f"{LIST}{dataset.uid}/delist/", {"reason": "不再提供"}).status_code == 204
    assert Dataset.objects.get(pk=dataset.pk).status == "delisted"


# --- idempotency


def test_the_same_key_does_the_work_once(caller, organization):
    first = caller.send("post", LIST, listing(organization), **{"Idempotency-Key": "k1"})
    again = caller.send("post", LIST, listing(organization), **{"Idempotency-Key": "k1"})

    assert Dataset.objects.count() == 1
    assert again.status_code == 201 and again.json() == first.json()
    assert again["Idempotent-Replay"] == "true" and "Idempotent-Replay" not in first


def test_the_same_key_with_another_body_is_refused(caller, organization):
    caller.send("post", LIST, listing(organization), **{"Idempotency-Key": "k1"})

    problem(caller.send("post", LIST, listing(organization, title="另一个"), **{"Idempotency-Key": "k1"}), 422)
    assert Dataset.objects.count() == 1


def test_a_key_whose_request_still_runs_is_a_conflict(caller, organization):
    caller.send("post", LIST, listing(organization), **{"Idempotency-Key": "k1"})
    IdempotencyKey.objects.update(status=None)

    problem(caller.send("post", LIST, listing(organization), **{"Idempotency-Key": "k1"}), 409)


def test_a_refused_request_leaves_its_key_free(caller, organization):
    problem(caller.send("post", LIST, listing(organization, title=""), **{"Idempotency-Key": "k1"}), 422)

    assert not IdempotencyKey.objects.exists()
    assert caller.send("post", LIST, listing(organization), **{"Idempotency-Key": "k1"}).status_code == 201


def test_keys_of_two_users_do_not_meet(caller, organization):
    other = make_organization()
    caller.send("post", LIST, listing(organization), **{"Idempotency-Key": "k1"})

    answer = Caller(make_member(other)).send("post", LIST, listing(other), **{"Idempotency-Key": "k1"})
    assert answer.status_code == 201 and Dataset.objects.count() == 2


# --- bulk


def bulk(caller, lines, query="", **headers):
    raw = lines if isinstance(lines, bytes) else "\n".join(json.dumps(line) for line in lines).encode()
    return caller.client.post(f"{LIST}bulk/{query}", data=raw, content_type="application/x-ndjson", headers=headers)


def test_every_line_has_its_result(caller, organization):
    stranger = make_organization()
    lines = [
        listing(organization, source_identifier="1", resources=[{"name": "a.csv", "byte_size": 3}]),
        listing(organization, title=""),
        listing(stranger),
        listing(organization, grade="A"),
        listing(organization, source_identifier="1", resources=[{"name": "a.csv", "byte_size": 3}]),
        listing(organization, source_identifier="1", title="改名"),
        listing(organization, resources=[{"name": "x", "byte_size": "x"}]),
    ]

    report = bulk(caller, lines).json()

    assert [row["line"] for row in report["results"]] == [1, 2, 3, 4, 5, 6, 7]
    assert [row["status"] for row in report["results"]] == ["created", "rejected", "rejected", "rejected", "updated", "updated", "rejected"]
    assert [error["pointer"] for row in report["results"] for error in row["errors"]] == [
        "/title",
        "/organization",
        "/grade",
        "/resources/0/byte_size",
    ]
    assert Dataset.objects.get().title == "改名"
    assert report["created"] == 1 and report["rejected"] == 4


def test_a_second_bulk_of_the_same_lines_changes_nothing(caller, organization):
    lines = [listing(organization, source_identifier=str(number), title=f"第 {number} 个") for number in range(30)]
    assert bulk(caller, lines).json()["created"] == 30
    entries = AuditEntry.objects.count()

    assert bulk(caller, lines).json()["unchanged"] == 30
    assert AuditEntry.objects.count() == entries


def test_a_bad_line_refuses_the_whole_body_and_names_itself(caller, organization):
    good = json.dumps(listing(organization)).encode()

    for bad in (b"{oops", b"[1]", b"\xff\xfe", b'{"a": NaN}'):
        body = problem(bulk(caller, good + b"\n\n" + bad), 400)
        assert body["errors"][0]["pointer"] == "/3" and "第 3 行" in body["detail"]
    assert not Dataset.objects.exists()


def test_more_than_ten_thousand_lines_are_refused(caller):
    body = problem(bulk(caller, b'{"title":"x"}\n' * 10_001), 400)

    assert body["errors"][0]["pointer"] == "/10001"


def test_an_empty_bulk_is_refused(caller):
    problem(bulk(caller, b"\n\n"), 400)


def test_bulk_takes_a_default_organization_and_an_idempotency_key(caller, organization):
    lines = [{"title": "一"}, {"title": "二"}]
    for expected in ("", "true"):
        answer = bulk(caller, lines, f"?organization={organization.uid}", **{"Idempotency-Key": "b"})
        assert answer.json()["created"] == 2 and answer.get("Idempotent-Replay", "") == expected
    assert Dataset.objects.count() == 2
    problem(bulk(caller, lines, "?organization=x"), 422)


def test_a_bulk_of_many_lines_costs_few_queries(caller, organization, django_assert_max_num_queries):
    lines = [listing(organization, source_identifier=str(number), title=f"第 {number} 个") for number in range(400)]

    with django_assert_max_num_queries(120):
        assert bulk(caller, lines).json()["created"] == 400


# --- versions, samples, organizations, vocabularies, overview


def test_versions_are_listed_read_and_compared(client, organization, editor):
    dataset = listed(organization, editor, title="一")
    registration.update_dataset(dataset, {"title": "二"}, user=editor, change_note="改名")
    review.approve_review(registration.submit_dataset(dataset, user=editor), reviewer=make_user(role="reviewer"))
    path = f"{LIST}{dataset.uid}/versions/"

    assert [row["number"] for row in client.get(path).json()] == [2, 1]
    assert client.get(f"{path}1/").json()["document"]["title"] == "一"
    changes = client.get(f"{path}compare/?from=1&to=2").json()
    assert changes == {"from": 1, "to": 2, "changes": [{"field": "title", "old": "一", "new": "二"}]}
    for query in ("", "?from=1", "?from=1&to=9", "?from=x&to=²", "?from=1&to=99999999999999999999"):
        problem(client.get(f"{path}compare/{query}"), 404)
    problem(client.get(f"{path}99999999999999999999999/"), 404)


def test_a_sample_is_uploaded_and_hidden_until_it_is_checked(caller, organization, client):
    from django.core.files.uploadedfile import SimpleUploadedFile

    dataset = make_dataset(organization=organization)
    path = f"{LIST}{dataset.uid}/samples/"
    answer = caller.client.post(path, data={"file": SimpleUploadedFile("样例.csv", "甲,乙\n1,2\n".encode()), "description": "说明"})

    assert answer.status_code == 201, answer.content
    assert answer.json()["name"] == "样例.csv" and answer.json()["byte_size"] > 0
    assert len(caller.client.get(path).json()) == 1
    problem(client.get(path), 404)
    problem(caller.client.post(path, data={"description": "x"}), 400)


def test_who_founds_an_organization_owns_it():
    user = make_user()
    caller = Caller(user)
    answer = caller.send("post", "/api/v1/organizations/", {"name": "新机构", "region": "330000"})

    assert answer.status_code == 201
    path = f"/api/v1/organizations/{answer.json()['uid']}/"
    assert caller.send("patch", path, {"short_name": "新"}).json()["short_name"] == "新"
    problem(Caller(make_user()).send("patch", path, {"short_name": "旧"}), 403)
    assert problem(caller.send("post", "/api/v1/organizations/", {"name": "新机构"}), 422)["errors"][0]["pointer"] == "/name"
    assert problem(caller.send("patch", path, {"credit_code": "123"}), 400)["errors"][0]["pointer"] == "/credit_code"
    problem(caller.send("patch", path, {"parent": answer.json()["uid"]}), 422)
    assert caller.send("post", LIST, {"organization": answer.json()["uid"], "title": "一"}).status_code == 201


def test_an_organization_of_another_portal_is_not_changed_here():
    remote = make_organization(home_portal="cn-33")

    problem(Caller(make_user(role="admin")).send("patch", f"/api/v1/organizations/{remote.uid}/", {"short_name": "x"}), 403)


def test_vocabularies_give_codes_and_labels(client):
    schemes = {row["scheme"]: row for row in client.get("/api/v1/vocabularies/").json()}
    terms = client.get("/api/v1/vocabularies/modality/").json()["terms"]

    assert schemes["modality"]["terms"] == len(terms)
    assert {"code": "image", "label": "图像"}.items() <= next(term for term in terms if term["code"] == "image").items()
    problem(client.get("/api/v1/vocabularies/nonsense/"), 404)


def test_statistics_suggestions_and_map_count_what_is_published(client, organization, editor):
    listed(organization, editor, title="路面病害图像", region="330000")
    make_dataset(title="路面草稿")

    statistics = client.get("/api/v1/statistics/").json()
    assert statistics["totals"]["datasets"] == 1 and statistics["totals"]["providers"] == 1
    assert next(item for item in statistics["by"]["modality"] if item["value"] == "image")["count"] == 1
    assert "路面病害图像" in client.get("/api/v1/suggest/", {"q": "路面"}).content.decode()
    assert client.get("/api/v1/suggest/").json() == {"suggestions": []}
    assert client.get("/api/v1/map/").json()["total"] == 1
    problem(client.get("/api/v1/map/", {"layer": "nonsense"}), 400)


# --- reviews


def test_a_reviewer_with_the_scope_decides(organization, editor):
    reviewer = make_user(role="reviewer")
    round_ = registration.submit_dataset(registration.create_dataset(COMPLETE, organization=organization, user=editor), user=editor)
    path = f"/api/v1/reviews/{round_.uid}/"
    problem(Caller(reviewer, "write", "read").client.get("/api/v1/reviews/"), 403)
    problem(Caller(editor, "review").client.get(path), 403)
    problem(Client().get("/api/v1/reviews/"), 401)
    caller = Caller(reviewer, "review")

    assert caller.client.get("/api/v1/reviews/?state=open").json()["results"][0]["uid"] == str(round_.uid)
    assert caller.send("post", f"{path}start/").status_code == 200
    assert caller.send("post", f"{path}comment/", {"body": "请补充", "pointer": "/summary"}).json()["comments"][0]["body"] == "请补充"
    assert problem(caller.send("post", f"{path}verdict/", {"part": "rights", "verdict": "fail"}), 422)
    assert caller.send("post", f"{path}verdict/", {"part": "rights", "verdict": "pass"}).json()["verdicts"][0]["part"] == "rights"
    assert problem(caller.send("post", f"{path}return/", {}), 400)["errors"][0]["pointer"] == "/reason"
    assert caller.send("post", f"{path}approve/").json()["state"] == "approved"
    problem(caller.send("post", f"{path}reject/", {"reason": "晚了"}), 422)
    assert Review.objects.get().dataset.status == "listed"


# --- tokens


def test_the_command_prints_a_token_alone_that_works(capsys, client, organization, editor):
    call_command("token", "create", editor.username, scope="read,write", days=7)
    secret = capsys.readouterr().out.strip()

    answer = client.post(LIST, data=json.dumps(listing(organization)), content_type="application/json", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 201
    token = ApiToken.objects.get()
    assert token.scopes == ["read", "write"] and secret not in json.dumps([token.digest, token.prefix])
    call_command("token", "list")
    assert token.prefix in capsys.readouterr().out
    call_command("token", "revoke", token.prefix)
    problem(client.get(LIST, headers={"Authorization": f"Bearer {secret}"}), 401)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["create", "nobody"], "no user 'nobody'"),
        (["create", "known", "--scope", "root"], "Unknown scope"),
        (["create", "known", "--scope", ","], "Unknown scope"),
        (["create", "known", "--days", "0"], "--days"),
        (["revoke", "jimu_none"], "0 tokens match"),
    ],
)
def test_the_command_says_in_one_sentence_what_is_wrong(arguments, words):
    make_user(username="known")

    with pytest.raises(CommandError, match=words) as caught:
        call_command("token", *arguments)
    assert caught.value.returncode == 1 and "\n" not in str(caught.value)


def test_an_unknown_uid_is_a_problem_and_not_a_page(client):
    problem(client.get(f"{LIST}{uuid.uuid4()}/"), 404)


def test_where_points_come_from_is_told_to_administrators_only(client, organization, editor):
    listed(organization, editor)
    page = client.get("/api/v1/datasets/?q=路面").json()
    assert (page["expansions"], page["did_you_mean"], page["is_relaxed"]) == ([], "", False) and "explain" not in page["results"][0]
    problem(client.get("/api/v1/datasets/?q=路面&explain=1"), 403)
    client.force_login(editor)
    problem(client.get("/api/v1/datasets/?q=路面&explain=1"), 403)
    client.force_login(make_user(role="admin"))

    assert client.get("/api/v1/datasets/?q=路面&explain=1").status_code == 200
