"""Exports say what is published, in formats that their own readers accept."""

import csv
import io
import json

import mlcroissant
import pytest
import rdflib
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.cells import inert
from catalog.models import Resource, Sample
from tests.factories import make_dataset

pytestmark = pytest.mark.django_db
ENDINGS = ("jsonld", "ttl", "croissant.json", "datapackage.json", "json")
WHOLE = ("/catalog.jsonld", "/catalog.ttl", "/data.json", "/catalog.csv", "/catalog.ndjson", "/feed.atom", "/sitemap.xml")
DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
DCT = rdflib.Namespace("http://purl.org/dc/terms/")
SHA = "48a7c257f3c90b2a3e529ddd2cca8f4f1bd8e49ed244ef53927649504ac55354"


def listed(**fields):
    dataset = make_dataset(**{"status": "listed", "listed_at": timezone.now()} | fields)
    Resource.objects.create(
        dataset=dataset,
        name="数据 文件.csv",
        format="CSV",
        media_type="text/csv",
        byte_size=2_000,
        sha256=SHA,
        download_url="https://data.example.org/a b.csv",
        columns=[{"name": "编号", "type": "整数"}, {"name": "编号", "type": "string"}, {"name": "name", "type": "string", "description": "名"}],
    )
    return dataset


def body(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_every_format_of_a_published_dataset_names_it(client):
    dataset = listed(title='引号 " 与反斜杠 \\ 和 <标签>', title_en="Road surfaces", source_identifier="A-1", documentation={"x": {"text": "y"}})

    for ending in ENDINGS:
        written = body(client, f"/datasets/{dataset.uid}.{ending}")
        assert dataset.identifier.encode() in written, ending


@pytest.mark.parametrize("status", ["draft", "submitted", "in_review", "returned", "rejected", "public_notice", "suspended", "delisted"])
def test_no_format_tells_of_what_is_not_published(client, status):
    dataset = make_dataset(status=status, title="不可见的题名", listed_at=timezone.now())

    for ending in ENDINGS:
        assert client.get(f"/datasets/{dataset.uid}.{ending}").status_code == 404
    for path in WHOLE:
        written = body(client, path).decode()
        assert "不可见的题名" not in written and str(dataset.uid) not in written, path


def test_important_data_are_exported_as_minimal_metadata(client):
    dataset = listed(security_level="important", description="内部细节", title="重要数据目录项", summary="摘要细节")
    Sample.objects.create(dataset=dataset, name="样例.csv", state="ready")

    for path in [*(f"/datasets/{dataset.uid}.{ending}" for ending in ENDINGS), *WHOLE]:
        written = body(client, path).decode()
        assert not any(secret in written for secret in ("内部细节", "摘要细节", "data.example.org", "样例.csv")), path
    assert "重要数据目录项" in body(client, "/catalog.csv").decode()


def test_json_ld_and_turtle_are_the_same_graph(client):
    dataset = listed(
        title='多行\n标题 "引用"',
        documentation={"purpose": {"text": '含"引号"'}},
        lineage=[{"relation": "source", "title": "上游"}],
        temporal_start="2020-01-01",
        license_url="https://example.org/l?a=<b>",
        standards=["GB/T 1"],
        languages=["zh"],
        source_identifier="S-1",
    )

    linked = rdflib.Graph().parse(data=body(client, f"/datasets/{dataset.uid}.jsonld"), format="json-ld")
    turtle = rdflib.Graph().parse(data=body(client, f"/datasets/{dataset.uid}.ttl"), format="turtle")

    subject = next(linked.subjects(rdflib.RDF.type, DCAT.Dataset))
    assert str(linked.value(subject, DCT.title)) == '多行\n标题 "引用"'
    assert len(list(linked.objects(subject, DCAT.distribution))) == 1
    plain = [{triple for triple in graph if not any(isinstance(term, rdflib.BNode) for term in triple)} for graph in (linked, turtle)]
    without_json = [{(s, p, o) for s, p, o in triples if getattr(o, "datatype", None) != rdflib.RDF.JSON} for triples in plain]
    assert without_json[0] == without_json[1]
    assert len(linked) == len(turtle)


def test_whole_catalogues_parse_and_hold_every_dataset(client):
    names = {listed(title=f"目录 {number}").title for number in range(5)}

    linked = rdflib.Graph().parse(data=body(client, "/catalog.jsonld"), format="json-ld")
    turtle = rdflib.Graph().parse(data=body(client, "/catalog.ttl"), format="turtle")
    datajson = json.loads(body(client, "/data.json"))
    lines = [json.loads(line) for line in body(client, "/catalog.ndjson").splitlines()]

    for graph in (linked, turtle):
        catalog = next(graph.subjects(rdflib.RDF.type, DCAT.Catalog))
        found = {str(graph.value(dataset, DCT.title)) for dataset in graph.objects(catalog, DCAT.dataset)}
        assert found == names
    assert {record["title"] for record in datajson["dataset"]} == names
    assert {record["title"] for record in lines} == names


def test_an_empty_catalogue_is_valid_too(client):
    assert json.loads(body(client, "/catalog.jsonld"))["dcat:dataset"] == []
    assert json.loads(body(client, "/data.json"))["dataset"] == []
    assert body(client, "/catalog.ndjson") == b""


def test_croissant_passes_the_reference_reader(client, tmp_path):
    dataset = listed(title="中文 名称", title_en="Chinese name", issued="2026-01-02", license_url="https://example.org/license", keywords=["甲"])
    path = tmp_path / "croissant.json"
    path.write_bytes(body(client, f"/datasets/{dataset.uid}.croissant.json"))

    metadata = mlcroissant.Dataset(jsonld=str(path)).metadata

    assert metadata.ctx.issues.errors == set()
    assert str(metadata.ctx.conforms_to.value) == "http://mlcommons.org/croissant/1.1"
    assert metadata.distribution[0].sha256 == SHA
    assert len(metadata.record_sets[0].fields) == 3


def test_croissant_without_hash_or_files_passes_too(client, tmp_path):
    dataset = listed()
    dataset.resources.update(sha256="", columns=[])
    bare = make_dataset(status="listed", listed_at=timezone.now())

    for number, row in enumerate((dataset, bare)):
        path = tmp_path / f"{number}.json"
        path.write_bytes(body(client, f"/datasets/{row.uid}.croissant.json"))
        assert mlcroissant.Dataset(jsonld=str(path)).metadata.ctx.issues.errors == set()


def test_a_data_package_has_valid_names_and_hashes(client):
    dataset = listed()

    package = json.loads(body(client, f"/datasets/{dataset.uid}.datapackage.json"))

    assert package["resources"][0]["hash"] == f"sha256:{SHA}"
    assert package["resources"][0]["schema"]["fields"][0] == {"name": "编号", "type": "integer"}
    assert package["title"] == dataset.title


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_could_be_a_formula_is_quoted(client, start):
    listed(title=f"{start}cmd|' /C calc'!A0", rights_holder=f"{start}1+1")

    text = body(client, "/catalog.csv").decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(text, newline="")))

    assert row["title"] == inert(f"{start}cmd|' /C calc'!A0") and row["title"].startswith("'")
    assert row["rights_holder"].startswith("'")


def test_the_csv_opens_in_excel_as_utf_8(client):
    listed(title="中文题名")

    written = body(client, "/catalog.csv")

    assert written.startswith(b"\xef\xbb\xbf") and b"\r\n" in written
    assert "中文题名" in written.decode("utf-8-sig")


def test_the_feed_and_the_site_map_are_well_formed(client):
    from defusedxml import ElementTree

    dataset = listed(title="标题 & <b> \ufffe", summary="a\x0bb")

    feed = ElementTree.fromstring(body(client, "/feed.atom"))
    site = ElementTree.fromstring(body(client, "/sitemap.xml"))

    assert feed.find("{*}entry/{*}id").text == f"urn:uuid:{dataset.uid}"
    assert any(str(dataset.uid) in location.text for location in site.findall(".//{*}loc"))


def test_an_unchanged_dataset_is_not_sent_twice(client):
    dataset = listed()
    first = client.get(f"/datasets/{dataset.uid}.jsonld")

    assert client.get(f"/datasets/{dataset.uid}.jsonld", headers={"If-Modified-Since": first["Last-Modified"]}).status_code == 304


@pytest.mark.parametrize("name", ["jsonld", "ttl", "datajson", "csv", "ndjson"])
def test_the_command_writes_the_same_bytes_as_the_page(client, tmp_path, name):
    listed()
    address = {"datajson": "/data.json"}.get(name, f"/catalog.{name}")

    call_command("export_catalog", format=name, out=str(tmp_path / "out"))

    assert (tmp_path / "out").read_bytes() == body(client, address)


def test_the_command_leaves_nothing_behind_when_it_cannot_write(tmp_path):
    with pytest.raises(CommandError, match="Cannot write"):
        call_command("export_catalog", format="csv", out=str(tmp_path / "missing" / "out.csv"))


def test_a_whole_catalogue_costs_a_constant_number_of_queries(client, django_assert_num_queries):
    for _number in range(12):
        listed()

    with django_assert_num_queries(4):  # the batch, its resources, its samples, and the empty batch that ends it
        body(client, "/catalog.ndjson")


@pytest.mark.parametrize("path", ["/sitemap.xml?page=0", "/sitemap.xml?page=x", "/sitemap.xml?page=²"])
def test_a_wrong_page_of_the_site_map_is_not_found(client, path):
    assert client.get(path).status_code == 404
