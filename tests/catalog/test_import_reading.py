"""read_catalog: formats, encodings and shapes of foreign catalogues, without the database."""

import gzip
import json

import pytest

from catalog.interchange import reading
from catalog.interchange.parsed import Unreadable
from catalog.interchange.reading import read_catalog
from catalog.interchange.tabular import field_of, read_mapping


def parse(content, format="auto", mapping=None):
    told = []
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)).encode()
    records = list(read_catalog(content, format, mapping, on_detected=lambda *found: told.append(found)))
    return records, told[0] if told else None


MAINLAND = (
    "序号,数据目录名称,数源单位,数据摘要,更新周期,开放属性,所属领域,信息项,数据量,发布日期,更新日期,联系邮箱,数据格式\n"
    '1,浙江省道路运输从业人员信息,浙江省交通运输厅,道路运输从业人员,每月,有条件开放,交通运输,姓名、证号,"12,345",2023年5月6日,2024-01-02,a@b.cn,XLS/CSV\n'
)


def test_a_mainland_portals_listing_is_understood_column_by_column():
    records, told = parse(MAINLAND)

    document = records[0].document
    assert told == ("csv", "utf-8")
    assert document["title"] == "浙江省道路运输从业人员信息"
    assert records[0].organization["name"] == "浙江省交通运输厅"
    assert (records[0].organization["kind"], records[0].organization["region"]) == ("authority", "330000")
    assert (document["update_frequency"], document["openness"], document["sectors"]) == ("monthly", "conditional", ["transport"])
    assert (document["record_count"], document["issued"], document["modified"]) == (12345, "2023-05-06", "2024-01-02")
    assert document["resources"][0]["columns"] == [{"name": "姓名"}, {"name": "证号"}]


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("資料集名稱", "title"),
        ("数据集名称", "title"),
        ("資料來源(部會單位)", "publisher"),
        ("收錄期間(起)", "temporal_start"),
        ("Dataset Title", "title"),
        ("UPDATE_FREQ", "update_frequency"),
        ("瀏覽人次", ""),
    ],
)
def test_column_names_are_known_in_both_scripts_and_english(column, field):
    assert field_of(column) == field


def test_columns_without_a_title_are_refused_by_name():
    with pytest.raises(Unreadable, match="甲、乙"):
        parse("甲,乙\n1,2\n")


def test_a_mapping_names_what_the_aliases_do_not():
    mapping = read_mapping(json.dumps({"甲": "title", "乙": "publisher"}).encode())

    records, _told = parse("甲,乙\n水质,环保局\n", mapping=mapping)

    assert records[0].document["title"] == "水质"
    assert records[0].organization["name"] == "环保局"


def test_a_mapping_may_be_csv_and_either_way_round():
    assert read_mapping("column,field\n甲,title\n".encode()) == {"甲": "title"}
    assert read_mapping(b'{"title": "A"}') == {"A": "title"}
    with pytest.raises(Unreadable, match="nonsense"):
        read_mapping(b'{"A": "nonsense"}')


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_a_listing_reads_the_same_in_every_encoding(encoding):
    records, told = parse(MAINLAND.encode(encoding))

    assert records[0].document["title"] == "浙江省道路运输从业人员信息"
    assert told[1] == encoding


def test_traditional_big5_is_not_taken_for_gb18030():
    text = "資料集名稱,提供機關,更新頻率\n臺北捷運車站無障礙設施異常公告,臺北大眾捷運股份有限公司,不定期\n"

    records, told = parse(text.encode("cp950"))

    assert told[1] == "cp950"
    assert records[0].document["title"] == "臺北捷運車站無障礙設施異常公告"


def test_western_text_is_latin():
    records, told = parse("title,publisher\nSistema de gestión pública,Área de Información\n".encode("latin-1"))

    assert told[1] == "cp1252"
    assert records[0].document["title"] == "Sistema de gestión pública"


def test_a_broken_byte_in_utf8_is_refused_with_its_place():
    data = MAINLAND.encode()
    broken = data[:200] + b"\xff" + data[200:]

    with pytest.raises(Unreadable, match="第 (199|200|201) 字节（第 2 行）|第 (199|200|201) 字节（第 1 行）"):
        parse(broken)


@pytest.mark.parametrize("data", [b"PK\x03\x04abc", b"%PDF-1.4", gzip.compress(b"x"), b"<html><body>", b"", b"  \n", b"a\0\1\2" * 10])
def test_what_is_no_text_is_refused_in_a_sentence(data):
    with pytest.raises(Unreadable) as caught:
        parse(data)
    assert len(str(caught.value)) > 5


def test_broken_json_names_line_and_column():
    with pytest.raises(Unreadable, match="第 2 行"):
        parse(b'{"title": "a",\n "b": }')


def test_a_broken_line_of_ndjson_rejects_that_line_alone():
    records, told = parse('{"title": "一", "publisher": "甲"}\n{"title": \n{"title": "三", "publisher": "甲"}\n')

    assert told[0] == "ndjson"
    assert [record.error is None for record in records] == [True, False, True]
    assert "第 2 行" in records[1].error.message


def test_wrapped_records_and_wrapped_lists_are_opened():
    records, _told = parse({"code": 200, "data": {"total": 1, "list": [{"数据集名称": "水质", "提供单位": "局", "未知项": 1.5}]}})

    assert records[0].document["title"] == "水质"
    assert {"name": "未知项", "value": "1.5"} in records[0].document["extras"]["unmapped"]


def test_ckan_search_results_are_packages():
    package = {"id": "u1", "name": "air", "title": "Air", "notes": "n", "tags": [{"name": "a"}], "license_id": "cc-by", "owner_org": "x"}
    package |= {"organization": {"title": "City"}, "extras": [{"key": "frequency", "value": "daily"}], "resources": [{"url": "https://e.org/a.csv"}]}
    records, told = parse({"success": True, "result": {"count": 1, "results": [package]}})

    document = records[0].document
    assert told[0] == "ckan"
    assert (document["source_identifier"], document["update_frequency"], document["license_type"]) == ("u1", "daily", "open_source")
    assert (records[0].organization["name"], document["resources"][0]["format"]) == ("City", "CSV")


def test_data_json_takes_publisher_and_licence_from_its_catalogue():
    entry = {"identifier": "d1", "title": "T", "accessLevel": "public", "accrualPeriodicity": "R/P1Y", "temporal": "2015-01-01/2015-12-31"}
    records, told = parse({"publisher": {"name": "Office"}, "license": "odbl", "dataset": [entry]})

    document = records[0].document
    assert told[0] == "datajson"
    assert records[0].organization["name"] == "Office"
    assert (document["openness"], document["update_frequency"], document["temporal_end"]) == ("open", "annual", "2015-12-31")


TURTLE = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
<https://e.org/d/1> a dcat:Dataset ; dct:title "Air"@en, "空气"@zh ; dct:publisher [ foaf:name "环境局" ] ;
  dcat:distribution [ dcat:downloadURL <https://e.org/a.csv> ; dcat:mediaType <https://www.iana.org/assignments/media-types/text/csv> ] .
"""


def test_turtle_is_read_and_the_chinese_title_chosen():
    records, told = parse(TURTLE)

    document = records[0].document
    assert told[0] == "dcat"
    assert (document["title"], document["source_identifier"]) == ("空气", "https://e.org/d/1")
    assert document["resources"][0] | {"name": ""} == {
        "name": "",
        "kind": "file",
        "format": "CSV",
        "media_type": "text/csv",
        "download_url": "https://e.org/a.csv",
    }


@pytest.mark.parametrize(
    "xml",
    [
        '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&b;</rdf:RDF>',
        '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
        "<resource><title>x</title></resource>",
        "<rdf:RDF>",
    ],
)
def test_xml_with_entities_or_without_rdf_is_refused(xml):
    with pytest.raises(Unreadable):
        parse(xml)


def test_json_ld_never_fetches_a_context(monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *a, **k: pytest.fail("the network was asked"))
    monkeypatch.setattr("rdflib.plugins.shared.jsonld.context.source_to_json", lambda *a, **k: pytest.fail("a context was fetched"))
    inner = {
        "@type": "dcat:Dataset",
        "@id": "https://e.org/1",
        "dct:title": "T",
        "@context": ["https://evil.example/c.jsonld", {"@import": "https://evil.example/i"}],
    }

    records, told = parse({"@context": "https://www.w3.org/ns/dcat.jsonld", "@graph": [inner]})

    assert told[0] == "dcat"
    assert records[0].document["title"] == "T"


def test_croissant_columns_go_to_their_file_and_types_to_modalities():
    payload = {
        "@context": {"@vocab": "https://schema.org/", "cr": "http://mlcommons.org/croissant/"},
        "@type": "sc:Dataset",
        "name": "mnist",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "creator": {"@type": "Organization", "name": "Lab"},
        "distribution": [
            {"@type": "cr:FileObject", "@id": "data.csv", "contentUrl": "https://e.org/data.csv", "contentSize": "1 KB", "sha256": "a" * 64}
        ],
        "recordSet": [
            {"@id": "r", "field": [{"@id": "r/img", "name": "img", "dataType": "sc:ImageObject", "source": {"fileObject": {"@id": "data.csv"}}}]},
        ],
    }
    records, told = parse(payload)

    resource = records[0].document["resources"][0]
    assert told[0] == "croissant"
    assert resource["columns"] == [{"name": "img", "type": "sc:ImageObject"}]
    assert (resource["byte_size"], records[0].document["modalities"]) == (1024, ["image"])


def test_a_data_package_without_a_title_takes_its_name_with_a_warning():
    records, told = parse({"name": "budget", "resources": [{"name": "b", "path": "b.csv", "schema": {"fields": [{"name": "id"}]}}]})

    assert told[0] == "datapackage"
    assert records[0].document["title"] == "budget"
    assert any(gap.code == "name_as_title" for gap in records[0].gaps)


def test_a_task_is_not_a_dataset():
    records, _told = parse({"@context": {"c": "http://mlcommons.org/croissant/"}, "@type": "c:Task"})

    assert records[0].error.code == "not_a_dataset"
    assert "Task" in records[0].error.message


def test_long_values_are_trimmed_and_kept_whole():
    records, _told = parse([{"title": "长" * 400, "publisher": "局", "description": "d"}])

    document = records[0].document
    assert len(document["title"]) == 300
    assert {"name": "title", "value": "长" * 400} in document["extras"]["unmapped"]
    assert ("/title", "trimmed", "") in records[0].gaps


def test_a_record_too_large_loses_the_largest_unmapped_value_with_a_warning():
    records, _told = parse([{"title": "T", "publisher": "P", "geometry": "x" * 300_000, "note": "kept"}])

    extras = records[0].document["extras"]["unmapped"]
    assert extras == [{"name": "note", "value": "kept"}]
    assert ("/extras", "left_out", "geometry") in records[0].gaps


def test_hostile_shapes_reject_records_and_never_crash():
    deep = json.loads("[" * 150 + "]" * 150)
    odd = [
        None,
        1,
        "x",
        [],
        {},
        {"title": {}},
        {"title": ["a"], "publisher": 3},
        {"title": "t", "publisher": deep},
        {"title": "a\u0000b", "publisher": "p"},
    ]

    records, _told = parse(odd)

    assert len(records) == len(odd)
    assert records[-1].document["title"] == "ab"


def test_json_nested_without_end_is_refused():
    with pytest.raises(Unreadable):
        parse("[" * 100_000)
    with pytest.raises(Unreadable):
        parse("[" * 900 + "]" * 900)


def test_large_json_lists_are_streamed(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "STREAM_ABOVE", 100)
    rows = [{"数据集名称": f"数据 {number}", "提供单位": "局"} for number in range(50)]
    path = tmp_path / "big.json"
    path.write_text(json.dumps({"code": 0, "data": {"rows": rows}}, ensure_ascii=False), encoding="utf-8")

    records = list(read_catalog(path))

    assert [record.document["title"] for record in records] == [row["数据集名称"] for row in rows]


def test_a_header_may_stand_below_title_rows_and_cells_may_hold_lines():
    records, _told = parse('某某市公共数据目录\n\n数据名称;提供单位;简介\n水质;环保局;"第一行\n第二行"\n')

    assert records[0].document["description"] == "第一行\n第二行"
