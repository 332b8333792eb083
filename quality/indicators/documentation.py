"""0101–0104: the 20 items of the documentation (002 四(四), documentation_items.csv).

An item is worth 0 where absent, ½ where present, 1 where it is also machine-valid, 0 where the sample contradicts it.
Words alone reach ½: what counts fully are numbers, codes, lists and places a machine can check. Adding an item never
lowers the sum unless a sample contradicts it.
"""

import re
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from quality.indicators.registry import Measure, Snapshot, measures

ABSENT, PRESENT, VALID = 0, 1, 2  # halves of a point
HAN = re.compile(r"[\u4e00-\u9fff]")
QUANTITY = re.compile(r"[0-9][0-9,.]*\s*(?:[万亿千百]|条|个|张|份|小时|行|篇|段|[KMGTP]i?B|字节|tokens?)", re.I)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
URL = re.compile(r"https?://[^\s/]+\.[^\s]+", re.I)
LIMITATION_CHARS = 60  # Han characters; an English text counts by words
SAMPLE_ROWS = 20
FORMATS = frozenset(
    "csv tsv json jsonl ndjson geojson xml parquet arrow avro orc xlsx xls txt md pdf docx html epub sql sqlite protobuf tfrecord webdataset "
    "jpg jpeg png tif tiff webp bmp gif dicom dcm nii coco yolo voc wav mp3 flac ogg opus mp4 mov avi mkv zip tar gz tgz hdf5 h5 npy npz "
    "las laz ply pcd shp gpkg netcdf nc grib".split()
)


@dataclass(frozen=True)
class Item:
    name: str  # english name, the key in document["documentation"]
    indicator: str
    label: str
    pointer: str  # where the form asks for it
    advice: str  # what to do for the whole point
    judge: object
    effort: str = "hour"  # minutes, hour, day, weeks


ITEMS: list[Item] = []


def registering(items: list[Item]):
    """The decorator that adds a judged item to a list of them."""

    def item(name: str, indicator: str, label: str, pointer: str, advice: str, *, effort: str = "hour"):
        def register(function):
            items.append(Item(name, indicator, label, pointer, advice, function, effort))
            return function

        return register

    return item


item = registering(ITEMS)


def entry(document: dict, name: str) -> dict:
    value = (document.get("documentation") or {}).get(name)
    if isinstance(value, str):
        return {"text": value}
    return value if isinstance(value, dict) else {}


def words(document: dict, name: str) -> str:
    return str(entry(document, name).get("text") or "").strip()


def parts(document: dict, name: str, key: str, *required: str) -> list[dict]:
    """The structured parts of an item in which every required key is filled."""
    value = entry(document, name).get(key)
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    return [row for row in rows if all(row.get(field) not in (None, "", []) for field in required)]


def level(valid: bool, present) -> int:
    return VALID if valid else PRESENT if present else ABSENT


def rows_of(document: dict, name: str) -> list[dict]:
    value = document.get(name)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


@item("scale", "0101", _("数据集规模"), "/record_count", _("填写记录数或数据量（字节、词元数），数字带单位。"), effort="minutes")
def scale(snapshot):
    document = snapshot.document
    numbers = [document.get(name) for name in ("record_count", "byte_size", "token_count")]
    declared = document.get("record_count")
    if isinstance(declared, int) and declared and any(profile["rows"] > declared * 1.05 + 1 for profile in snapshot.tables):
        return ABSENT  # a sample cannot be larger than the whole
    return level(any(numbers) or QUANTITY.search(words(document, "scale")), words(document, "scale") or document.get("file_count"))


@item("format_spec", "0101", _("格式规范"), "/resources", _("为每个资源写明文件格式，例如 CSV、JSON、JPEG。"), effort="minutes")
def format_spec(snapshot):
    names = [str(row.get("format") or "").lower().strip(". ") for key in ("resources", "samples") for row in rows_of(snapshot.document, key)]
    known = [name for name in names if name in FORMATS]
    return level(known, words(snapshot.document, "format_spec") or any(names))


@item("file_structure", "0101", _("文件结构"), "/resources", _("列出文件清单：名称、格式或大小，表格写明信息项。"))
def file_structure(snapshot):
    document = snapshot.document
    listed = [row for row in rows_of(document, "resources") if row.get("name") and (row.get("columns") or row.get("byte_size") or row.get("format"))]
    return level(listed or parts(document, "file_structure", "parts", "name"), words(document, "file_structure") or document.get("file_count"))


@item("access_channel", "0101", _("访问渠道"), "/access_method", _("选择获取方式，并写明办理步骤或给出访问地址。"), effort="minutes")
def access_channel(snapshot):
    document = snapshot.document
    places = [document.get(name) for name in ("landing_page", "exchange_url")]
    places += [row.get(key) for row in rows_of(document, "resources") for key in ("access_url", "download_url")]
    reachable = any(URL.match(str(place or "")) for place in places)
    note = document.get("access_note") or words(document, "access_channel")
    method = document.get("access_method")
    return level(method and (note or reachable), method or note or reachable)


@item("technical_support", "0101", _("技术支持方式"), "/contact_email", _("填写可用的联系邮箱或维护联系方式。"), effort="minutes")
def technical_support(snapshot):
    document = snapshot.document
    some = document.get("maintenance_contact") or document.get("contact_phone") or words(document, "technical_support")
    return level(EMAIL.fullmatch(str(document.get("contact_email") or "")), some)


@item("modality", "0102", _("模态类型"), "/modalities", _("选择数据的模态。"), effort="minutes")
def modality(snapshot):
    return level(snapshot.document.get("modalities"), words(snapshot.document, "modality"))


@item("distribution_note", "0102", _("数据分布情况"), "/documentation/distribution_note", _("用表格写明各类数据的占比，合计 100%。"))
def distribution_note(snapshot):
    rows = parts(snapshot.document, "distribution_note", "parts", "name", "share")
    shares = [number for row in rows if (number := as_number(row["share"])) is not None]
    total = sum(shares)
    complete = len(shares) >= 2 and (abs(total - 100) <= 1 or abs(total - 1) <= 0.01)
    return level(complete, rows or words(snapshot.document, "distribution_note"))


@item("label_statistics", "0102", _("标签类别统计"), "/documentation/label_statistics", _("列出每个标签及其数量。"))
def label_statistics(snapshot):
    rows = parts(snapshot.document, "label_statistics", "labels", "name", "count")
    counted = [row for row in rows if as_number(row["count"]) is not None]
    return level(counted, rows or parts(snapshot.document, "label_statistics", "labels", "name") or words(snapshot.document, "label_statistics"))


@item("sample_examples", "0102", _("样本示例"), "/samples", _("上传至少 20 行的样例文件。"), effort="day")
def sample_examples(snapshot):
    rows = max([profile["rows"] for profile in snapshot.tables], default=0)
    rows = max([rows, *(row["row_count"] for row in rows_of(snapshot.document, "samples") if isinstance(row.get("row_count"), int))])
    return level(rows >= SAMPLE_ROWS, rows_of(snapshot.document, "samples") or words(snapshot.document, "sample_examples"))


@item("limitations", "0102", _("局限性说明"), "/documentation/limitations", _("说明已知的局限、偏差和不适用的情形，不少于 60 个汉字。"))
def limitations(snapshot):
    text = words(snapshot.document, "limitations")
    enough = len(HAN.findall(text)) >= LIMITATION_CHARS or len(re.findall(r"[A-Za-z]{2,}", text)) >= LIMITATION_CHARS
    return level(enough, text)


@item("data_source", "0103", _("数据来源"), "/documentation/data_source", _("列出每个来源的类型和授权依据。"))
def data_source(snapshot):
    document = snapshot.document
    authorised = parts(document, "data_source", "sources", "type", "authorization") or parts(
        document, "data_source", "sources", "name", "authorization"
    )
    stated = document.get("source_types") or document.get("lineage")
    return level(authorised or (stated and document.get("rights_basis")), stated or document.get("rights_basis") or words(document, "data_source"))


@item("collection_method", "0103", _("采集方法"), "/collection_method", _("选择采集方式，并写明采集渠道或经过。"))
def collection_method(snapshot):
    document = snapshot.document
    told = document.get("collection_channel") or words(document, "collection_method")
    return level(document.get("collection_method") and told, document.get("collection_method") or told)


@item("processing_flow", "0103", _("加工处理流程"), "/documentation/processing_flow", _("逐步写明加工步骤、工具和日期。"))
def processing_flow(snapshot):
    document = snapshot.document
    steps = [row for row in parts(document, "processing_flow", "steps", "name") if row.get("tool") or row.get("date")]
    return level(len(steps) >= 2, steps or parts(document, "processing_flow", "steps") or words(document, "processing_flow"))


@item("annotation_rules", "0103", _("标注规范"), "/documentation/annotation_rules", _("选择标注方式和人员，附上标注规范；无标注的说明原因。"))
def annotation_rules(snapshot):
    document = snapshot.document
    told = words(document, "annotation_rules") or parts(document, "annotation_rules", "steps", "name")
    coded = document.get("annotation_method")
    return level(coded and told, coded or told or document.get("annotator_type"))


@item("version_control", "0103", _("版本控制"), "/documentation/version_control", _("写明更新频率，并保留每次更新的说明。"))
def version_control(snapshot):
    document = snapshot.document
    changes = parts(document, "version_control", "changes", "version") or parts(document, "version_control", "changes", "date")
    return level(
        changes or (snapshot.versions and document.get("update_frequency")), document.get("update_frequency") or words(document, "version_control")
    )


@item("licence", "0104", _("使用许可"), "/license_type", _("选择授权类型，并写明许可名称或全文地址。"), effort="minutes")
def licence(snapshot):
    document = snapshot.document
    named = document.get("license") or URL.match(str(document.get("license_url") or "")) or document.get("allowed_scope")
    return level(document.get("license_type") and named, has_licence(document) or words(document, "licence"))


def has_licence(document: dict) -> bool:
    return bool(document.get("license_type") or document.get("license") or document.get("license_url"))


@item("target_scenarios", "0104", _("目标应用场景"), "/scenarios", _("列出目标应用场景。"), effort="minutes")
def target_scenarios(snapshot):
    document = snapshot.document
    return level(document.get("scenarios"), document.get("allowed_scenarios") or document.get("tasks") or words(document, "target_scenarios"))


@item("evaluation_method", "0104", _("评估方法"), "/documentation/evaluation_method", _("写明用什么指标、在什么划分上评估效果。"), effort="day")
def evaluation_method(snapshot):
    document = snapshot.document
    metrics = parts(document, "evaluation_method", "parts", "metric") or parts(document, "evaluation_method", "steps", "name")
    return level(metrics, words(document, "evaluation_method") or entry(document, "evaluation_method").get("parts"))


@item("benchmark_results", "0104", _("基准测试结果"), "/documentation/benchmark_results", _("逐项写明模型、指标、数值和日期。"), effort="weeks")
def benchmark_results(snapshot):
    document = snapshot.document
    results = [row for row in parts(document, "benchmark_results", "results", "model", "metric", "value") if row.get("date") or row.get("split")]
    return level(results, parts(document, "benchmark_results", "results") or words(document, "benchmark_results"))


@item("typical_cases", "0104", _("典型应用案例"), "/documentation/typical_cases", _("写明使用单位、所用模型和取得的效果。"), effort="weeks")
def typical_cases(snapshot):
    document = snapshot.document
    cases = parts(document, "typical_cases", "cases", "organization", "effect") or parts(document, "typical_cases", "cases", "organisation", "effect")
    return level(cases, parts(document, "typical_cases", "cases") or words(document, "typical_cases") or document.get("case_badge"))


def as_number(value) -> float | None:
    try:
        number = float(str(value).strip().rstrip("%％").replace(",", ""))
    except ValueError:
        return None
    return number if number >= 0 and number < 1e18 else None


def judge_all(snapshot: Snapshot) -> dict[str, int]:
    """{item: half points}."""
    return {entry.name: entry.judge(snapshot) for entry in ITEMS}


def _measure(code: str):
    def measure(snapshot: Snapshot) -> Measure:
        levels = {entry.name: entry.judge(snapshot) for entry in ITEMS if entry.indicator == code}
        return Measure("measured", 10.0 * sum(levels.values()), {"items": levels}, len(levels), source="metadata", rule=f"{code}/1")

    return measure


for _code in ("0101", "0102", "0103", "0104"):
    measures(_code)(_measure(_code))
