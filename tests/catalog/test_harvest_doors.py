"""What harvesters of other systems read here: OAI-PMH 2.0 and CKAN's action API."""

import json

import pytest
from defusedxml import ElementTree
from django.utils import timezone

from catalog.interchange import export_oai
from catalog.interchange.ckan import from_ckan
from catalog.models import Dataset
from catalog.search import index_datasets
from tests.factories import make_dataset, make_organization

pytestmark = pytest.mark.django_db
OAI = "{http://www.openarchives.org/OAI/2.0/}"


def listed(**fields):
    dataset = make_dataset(**{"status": "listed", "listed_at": timezone.now()} | fields)
    index_datasets([dataset])
    return dataset


def oai(client, **arguments):
    answer = client.get("/oai", {name.rstrip("_"): value for name, value in arguments.items()})
    assert answer.status_code == 200
    return ElementTree.fromstring(answer.content)


def error_of(tree):
    return tree.find(f"{OAI}error").get("code")


def headers(tree):
    return {node.find(f"{OAI}identifier").text: node.get("status", "") for node in tree.iter(f"{OAI}header")}


# --- OAI-PMH


def test_the_repository_says_that_deletions_are_kept_for_ever(client):
    told = oai(client, verb="Identify").find(f"{OAI}Identify")

    assert told.find(f"{OAI}deletedRecord").text == "persistent"
    assert told.find(f"{OAI}baseURL").text.endswith("/oai")
    assert "@" in told.find(f"{OAI}adminEmail").text


def test_a_delisted_record_stays_as_deleted_and_a_draft_was_never_there(client):
    kept, gone = listed(title="在册"), listed(title="已下架")
    Dataset.objects.filter(pk=gone.pk).update(status="delisted")
    draft = make_dataset(title="草稿")

    found = headers(oai(client, verb="ListRecords", metadataPrefix="oai_dc"))

    assert found == {kept.identifier: "", gone.identifier: "deleted"}
    assert error_of(oai(client, verb="GetRecord", metadataPrefix="oai_dc", identifier=draft.identifier)) == "idDoesNotExist"


def test_a_harvest_in_pages_brings_every_record_once(client, monkeypatch):
    monkeypatch.setattr(export_oai, "BATCH", 3)
    wanted = {listed(title=f"第 {number} 个").identifier for number in range(8)}
    Dataset.objects.update(updated_at=timezone.now())  # equal stamps: the key tells them apart

    found, tree = [], oai(client, verb="ListIdentifiers", metadataPrefix="oai_dc")
    while True:
        found += headers(tree)
        token = tree.find(f".//{OAI}resumptionToken")
        assert token.get("completeListSize") == "8"
        if not token.text:
            break
        tree = oai(client, verb="ListIdentifiers", resumptionToken=token.text)

    assert len(found) == 8 and set(found) == wanted


def test_from_and_until_include_their_second_and_day(client):
    dataset = listed()
    Dataset.objects.filter(pk=dataset.pk).update(updated_at="2026-03-04T05:06:07.900Z")

    def count(**span):
        return len(headers(oai(client, verb="ListIdentifiers", metadataPrefix="oai_dc", **span)))

    assert count(from_="2026-03-04T05:06:07Z", until="2026-03-04T05:06:07Z") == 1
    assert count(from_="2026-03-04", until="2026-03-04") == 1
    assert count(from_="2026-03-04T05:06:08Z") == 0 and count(until="2026-03-03") == 0


def test_records_are_dublin_core_and_dcat(client):
    import rdflib

    dataset = listed(title="路面 <病害> & 图像\x0b", keywords=["道路"])

    core = oai(client, verb="GetRecord", metadataPrefix="oai_dc", identifier=dataset.identifier)
    dcat = oai(client, verb="GetRecord", metadataPrefix="dcat", identifier=dataset.identifier)
    rdf = dcat.find(".//{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF")
    graph = rdflib.Graph().parse(data=ElementTree.tostring(rdf), format="xml")

    assert core.find(".//{http://purl.org/dc/elements/1.1/}title").text.startswith("路面 <病害> & 图像")
    assert (None, rdflib.RDF.type, rdflib.URIRef("http://www.w3.org/ns/dcat#Dataset")) in graph


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "badVerb"),
        ({"verb": "Steal"}, "badVerb"),
        ({"verb": "ListRecords"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "marc"}, "cannotDisseminateFormat"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "yesterday"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "9999-12-31", "until": "9999-12-31"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2026-02-01", "until": "2026-01-01"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2026-02-01", "until": "2026-03-01T00:00:00Z"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "nowhere"}, "noRecordsMatch"),
        ({"verb": "ListRecords", "resumptionToken": "W10"}, "badResumptionToken"),
        ({"verb": "ListRecords", "resumptionToken": "\x00é" * 50}, "badResumptionToken"),
        ({"verb": "ListRecords", "resumptionToken": "x", "set": "y"}, "badArgument"),
        ({"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": "\x00"}, "idDoesNotExist"),
        ({"verb": "Identify", "colour": "red"}, "badArgument"),
    ],
)
def test_a_wrong_request_gets_the_code_of_the_protocol(client, arguments, code):
    assert error_of(ElementTree.fromstring(client.get("/oai", arguments).content)) == code
    if "\x00" not in "".join(arguments.values()):  # no form may hold one
        assert error_of(ElementTree.fromstring(client.post("/oai", arguments).content)) == code


# --- CKAN


def ask(client, name, status=200, **given):
    answer = client.get(f"/api/3/action/{name}", given)
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code == status, text
    told = json.loads(text)
    assert told["success"] is (status == 200)
    return told["result"] if status == 200 else told["error"]


def test_our_own_ckan_reader_takes_the_package_back(client):
    dataset = listed(title="气象站观测", keywords=["气象"], sectors=["meteorology"], license_type="open")

    package = ask(client, "package_show", id=str(dataset.uid))
    parsed = from_ckan(package)

    assert parsed.document["title"] == "气象站观测" and parsed.document["keywords"] == ["气象"]
    assert package["groups"][0]["name"] == "meteorology" and package["organization"]["title"] == dataset.organization.name
    assert ask(client, "package_show", id=dataset.identifier)["id"] == str(dataset.uid)


def test_the_walk_of_a_ckan_harvester_brings_every_dataset_once(client):
    organization = make_organization()
    wanted = {str(listed(organization=organization).uid) for _number in range(5)}
    listed(title="别家的")

    found = []
    while True:
        fq = f'+organization:"{organization.uid}" metadata_modified:[2020-01-01T00:00:00Z TO *]'
        page = ask(client, "package_search", fq=fq, rows=2, start=len(found), sort="id asc")
        if not page["results"]:
            break
        found += [package["id"] for package in page["results"]]

    assert page["count"] == 5 and len(found) == 5 and set(found) == wanted


def test_words_filters_and_facets_are_those_of_the_search(client):
    dataset = listed(title="台风路径", keywords=["台风"], sectors=["meteorology"])
    listed(title="台风灾情", sectors=["emergency"])

    found = ask(client, "package_search", q="台风", fq="groups:meteorology", **{"facet.field": '["groups"]'})

    assert [package["id"] for package in found["results"]] == [str(dataset.uid)] and found["count"] == 1
    assert {"name": "meteorology", "display_name": "气象服务", "count": 1} in found["search_facets"]["groups"]["items"]


def test_names_are_all_listed_or_cut_as_asked(client):
    uids = [str(listed().uid) for _number in range(3)]
    make_dataset(title="草稿")

    assert ask(client, "package_list") == uids
    assert ask(client, "package_list", limit=1, offset=1) == uids[1:2]


def test_parameters_come_as_json_too(client):
    uid = str(listed().uid)

    answer = client.post("/api/3/action/package_show", json.dumps({"id": uid}), content_type="application/json")

    assert answer.json()["result"]["id"] == uid


@pytest.mark.parametrize(
    ("name", "given", "status"),
    [
        ("package_show", {"id": "nobody"}, 404),
        ("package_show", {}, 404),
        ("package_delete", {"id": "x"}, 400),
        ("package_search", {"rows": "-1"}, 409),
        ("package_search", {"rows": "many"}, 409),
        ("package_search", {"fq": "secret:1"}, 409),
        ("package_search", {"fq": 'organization:"x" OR 1'}, 409),
        ("package_search", {"fq": "metadata_modified:[then TO now]"}, 409),
        ("package_search", {"q": "a", "fq": "metadata_modified:[* TO *]"}, 409),
        ("package_search", {"sort": "grade desc"}, 409),
        ("package_search", {"facet.field": '{"a": 1}'}, 409),
        ("package_list", {"limit": "x"}, 409),
    ],
)
def test_what_is_not_understood_is_refused(client, name, given, status):
    ask(client, name, status, **given)


def test_important_data_show_their_minimal_form_only(client):
    dataset = listed(title="管网", security_level="important", summary="不外传", description="不外传", license="不外传")

    assert "不外传" not in json.dumps(ask(client, "package_show", id=str(dataset.uid)), ensure_ascii=False)
    assert "不外传" not in client.get("/oai", {"verb": "ListRecords", "metadataPrefix": "oai_dc"}).content.decode()
