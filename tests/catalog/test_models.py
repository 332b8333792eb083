"""What the records can say: each field of the requirements is stored, exchanged and answered as written, and its codes are checked."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from catalog.exceptions import ListingInvalid
from catalog.listing import to_document
from catalog.models import Dataset, Demand, KnowledgeNode, Organization, Term
from catalog.services import registration
from catalog.services.mapping import open_demands as wanted_cells
from catalog.services.totals import open_demands
from tests.factories import COMPLETE, make_dataset, make_member, make_organization

pytestmark = pytest.mark.django_db
SAID = {  # requirement row -> what a provider writes
    "R13": {"has_chain_of_thought": True, "modalities": ["text"]},
    "R16": {"knowledge_tier": "general", "tier_criteria": {"sensitivity": "低", "topic_scope": "交通"}},
    "R18": {"languages": ["zh", "ug"], "scenarios": ["路面巡检"], "sectors": ["transport"]},
    "R28": {"case_badge": "2024 年高质量数据集典型案例"},
    "R31": {"standards": ["GB/T 36344-2018", "TC609-5-2025-03"]},
    "R35": {"build_mode": "scenario_driven"},
    "R44": {"annotation_method": "semi_automatic"},
    "R67": {"resource_kind": "internal_semi_structured"},
    "R84": {"price_model": "按次", "price_note": "每千次调用 12 元", "price_index": 120},
    "R94": {"access_method": "authorized_operation", "exchange_url": "https://exchange.example.org/zone/7"},
    "R119": {"ip_registration": "浙数知登〔2025〕0001 号"},
}


@pytest.fixture
def written():
    """A draft registered through the service with the values given."""

    def write(**values):
        organization = make_organization()
        return registration.create_dataset(COMPLETE | values, organization=organization, user=make_member(organization))

    return write


@pytest.mark.parametrize("row", SAID)
def test_what_a_provider_writes_is_stored_and_answered(written, client, row):
    dataset = Dataset.objects.get(pk=written(**SAID[row]).pk)
    Dataset.objects.filter(pk=dataset.pk).update(status="listed")

    document = to_document(dataset)
    answer = client.get(f"/api/v1/datasets/{dataset.uid}/").json()

    assert {name: document.get(name) for name in SAID[row]} == SAID[row]
    assert json.dumps(SAID[row], ensure_ascii=False, sort_keys=True)[1:-1].split(", ")[0] in json.dumps(answer, ensure_ascii=False, sort_keys=True)


@pytest.mark.parametrize("field", ["build_mode", "annotation_method", "resource_kind", "knowledge_tier", "access_method", "collection_method"])
def test_a_code_outside_its_vocabulary_is_refused_by_name(written, field):
    with pytest.raises(ListingInvalid) as refused:
        written(**{field: "no_such_code"})

    assert [error["pointer"] for error in refused.value.errors] == [f"/{field}"]


def test_chain_of_thought_is_no_modality(written):
    assert not Term.objects.filter(scheme="modality", label__contains="思维链").exists()
    assert not written().has_chain_of_thought


def test_a_listing_holds_documents_tables_photographs_and_reports(written):
    kinds = {"说明.pdf": "document", "台账.csv": "file", "照片.zip": "archive"}
    dataset = written(modalities=["text", "image"], resources=[{"name": name, "description": kind} for name, kind in kinds.items()])

    assert {item["name"]: item["description"] for item in to_document(dataset)["resources"]} == kinds
    assert to_document(dataset)["modalities"] == ["text", "image"]


@pytest.mark.parametrize("kind", ["central_enterprise", "standards_body", "university", "data_exchange", "data_service", "annotation_enterprise"])
def test_an_organization_says_what_kind_of_party_it_is(client, kind):
    organization = make_organization(kind=kind)
    make_dataset(organization=organization, status="listed")

    organization.full_clean()

    assert client.get(f"/api/v1/organizations/{organization.uid}/").json()["kind"] == kind
    assert str(Organization.Kind(kind).label) in client.get(f"/organizations/{organization.uid}/").content.decode()


def test_an_organization_of_no_known_kind_does_not_validate():
    with pytest.raises(ValidationError):
        make_organization(kind="guild").full_clean()


def test_the_knowledge_index_is_a_tree_that_datasets_hang_on(written):
    root = KnowledgeNode.objects.create(code="road", label="公路", sector="transport")
    leaf = KnowledgeNode.objects.create(code="road.pavement", label="路面", sector="transport", parent=root)

    dataset = written(knowledge_nodes=[leaf.code])

    assert list(root.children.all()) == [leaf]
    assert to_document(dataset)["knowledge_nodes"] == [leaf.code]


def test_a_demand_states_what_is_wanted_and_stands_on_map_and_home_until_it_is_matched(client):
    wanted = {"sectors": ["transport"], "modalities": ["image"], "annotation_precision": "像素级", "priority": "high"}
    four = {"scope": "长三角", "content": "夜间路面", "availability": "可训练", "quality": "标注一致率 95%"}
    demand = Demand.objects.create(title="征集：夜间路面病害图像", home_portal="cn", state="published", **wanted, **four)

    assert {name: getattr(Demand.objects.get(), name) for name in four} == four
    assert wanted_cells() == {("transport", "image"): 1}
    assert [row.title for row in open_demands()] == [demand.title]
    assert demand.title in client.get("/").content.decode()

    demand.matches.create(dataset=make_dataset())

    assert wanted_cells() == {}


def test_published_of_equals_published_and_reads_by_key(db):
    made = [make_dataset(status=status) for status in ("listed", "draft", "suspended")]
    made += [make_dataset(status="listed", home_portal="cn-33", admission=admission) for admission in ("admitted", "pending", "taken_down")]
    pks = [row.pk for row in made]

    assert set(Dataset.objects.published_of(pks)) == set(Dataset.objects.published()) == {made[0], made[3]}
    assert set(Dataset.objects.published_of(pks[1:])) == {made[3]}
    if connection.vendor == "sqlite":
        plan = Dataset.objects.published_of([*range(20)]).values("pk", "organization__name").explain()
        assert "catalog_dataset USING INTEGER PRIMARY KEY" in plan
