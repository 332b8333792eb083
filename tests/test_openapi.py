"""The OpenAPI document: complete, without warnings, valid, and no operation of it fails on made-up input."""

import json
from urllib.parse import urlencode

import pytest
import schemathesis
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings

from catalog.api.authentication import create_token
from config.wsgi import application
from tests.factories import make_dataset, make_member, make_organization, make_user

PROMISED = [  # PRODUCT: interfaces that others rely on
    "/api/v1/datasets/", "/api/v1/datasets/bulk/", "/api/v1/datasets/{uid}/", "/api/v1/datasets/{uid}/versions/",
    "/api/v1/datasets/{uid}/quality/", "/api/v1/datasets/{uid}/samples/", "/api/v1/datasets/{uid}/submit/", "/api/v1/datasets/{uid}/delist/",
    "/api/v1/datasets/{uid}/takedown/", "/api/v1/datasets/{uid}/restore/", "/api/v1/organizations/", "/api/v1/vocabularies/",
    "/api/v1/suggest/", "/api/v1/map/", "/api/v1/statistics/", "/api/v1/reviews/",
]  # fmt: skip


@pytest.mark.django_db
def test_the_document_is_served_as_json_and_yaml_and_names_every_promised_address(client):
    document = client.get("/api/v1/schema/").json()

    assert document["openapi"].startswith("3.1")
    assert [path for path in PROMISED if path not in document["paths"]] == []
    assert client.get("/api/v1/schema/?format=yaml").content.startswith(b"openapi: 3.1")
    assert client.get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).status_code == 200


def test_the_document_is_made_without_warnings():
    GENERATOR_STATS.reset()
    SchemaGenerator().get_schema(request=None, public=True)

    assert {**GENERATOR_STATS._warn_cache, **GENERATOR_STATS._error_cache} == {}


def test_every_operation_says_how_it_refuses():
    document = SchemaGenerator().get_schema(request=None, public=True)
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]

    assert all("application/problem+json" in operation["responses"]["400"]["content"] for operation in operations)
    assert all(operation["summary"] for operation in operations if "catalog" in str(operation.get("tags")))


@pytest.mark.django_db
def test_the_page_names_no_other_host(client):
    page = client.get("/api/v1/docs/").content.decode()

    assert "//cdn" not in page and "<script>" not in page and "style=" not in page
    assert 'data-api-docs="/api/v1/schema/"' in page


raw = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str))
schema = schemathesis.openapi.from_dict(raw)
schema.app = application


@pytest.mark.django_db
@schema.parametrize()
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_operation_fails_on_made_up_input(case):
    answer = send(case)

    assert answer.status_code < 500, f"{case.method} {case.formatted_path} {case.query} {case.body!r}"


def send(case):
    """Through Django's test client, so that every call sees the test's database; as an administrator with every scope."""
    user = make_user(role="admin")
    organization = make_organization()
    make_member(organization, "owner")
    dataset = make_dataset(organization=organization)
    secret = create_token(user, scopes=["read", "write", "review", "admin"], days=1)[1]
    path = case.formatted_path
    if "uid" in (case.path_parameters or {}) and "/datasets/" in path:
        path = path.replace(str(case.path_parameters["uid"]), str(dataset.uid))
    headers = {"Authorization": f"Bearer {secret}"} | {str(key): str(value) for key, value in (case.headers or {}).items()}
    headers = {key: value for key, value in headers.items() if value.isascii() and value.isprintable()}
    if type(case.body).__name__ == "NotSet":
        case.body = None
    body = case.body if isinstance(case.body, (bytes, str)) else json.dumps(case.body, default=str) if case.body is not None else ""
    client = Client(raise_request_exception=True, headers=headers)
    media = case.media_type or "application/json"
    if media.startswith("multipart"):
        data = {str(key): str(value) for key, value in case.body.items()} if isinstance(case.body, dict) else {}
        return client.post(path, data=data)
    return client.generic(case.method, path, data=body, content_type=media, QUERY_STRING=query_string(case.query))


def query_string(query) -> str:
    return urlencode({key: value for key, value in (query or {}).items() if value is not None}, doseq=True, errors="replace")
