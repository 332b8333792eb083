"""The OpenAPI document: complete and made without warnings; its page stays on this host."""

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

PROMISED = [  # PRODUCT: interfaces that others rely on
    "/api/v1/datasets/", "/api/v1/datasets/bulk/", "/api/v1/datasets/{uid}/", "/api/v1/datasets/{uid}/versions/",
    "/api/v1/datasets/{uid}/quality/", "/api/v1/datasets/{uid}/samples/", "/api/v1/datasets/{uid}/submit/", "/api/v1/datasets/{uid}/delist/",
    "/api/v1/datasets/{uid}/takedown/", "/api/v1/datasets/{uid}/restore/", "/api/v1/organizations/", "/api/v1/vocabularies/",
    "/api/v1/suggest/", "/api/v1/map/", "/api/v1/statistics/", "/api/v1/reviews/", "/api/v1/demands/",
    "/api/v1/demands/{uid}/", "/api/v1/demands/{uid}/responses/",
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
