"""Words of the sources to codes of the vocabularies, where it is sure: words.csv plus the names in catalog/vocabularies/.

No database: mappers are pure. What is not found stays text and is kept by the caller.
"""

import csv
import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from opencc import OpenCC

HERE = Path(__file__).resolve().parent
VOCABULARIES = HERE.parent / "vocabularies"
FILES = {"sectors": "sectors.csv", "modalities": "modalities.csv", "model_stages": "model_stages.csv", "industry": "industries_gbt4754.csv"}
FILES |= {"knowledge_tier": "knowledge_tiers.csv", "cognition_layer": "cognition_layers.csv"}
ENUMS = {"annotation_method": "annotation_method", "annotator": "annotator_type", "license_type": "license_type", "source_type": "source_types"}
ENUMS |= {"security_level": "security_level", "openness": "openness", "access_method": "access_method"}
KINDS = (
    ("university", r"大学|大學|学院|學院|universit|college|école|polytechn"),
    ("research_institute", r"研究院|研究所|实验室|實驗室|科学院|科學院|天文台|institut|laborator|research|academy|\blabs?\b"),
    ("industry_association", r"协会|協會|学会|學會|商会|商會|联盟|聯盟|基金會|基金会|association|society|consortium|foundation|federation"),
    ("data_exchange", r"数据交易|數據交易|data exchange"),
    ("enterprise", r"公司|集团|集團|企业|\binc\b|\bltd\b|gmbh|\bllc\b|\bcorp|股份|huggingface|\bs\.?a\.?\b"),
    ("authority", r"政府|[局部署厅廳处處会會院市县縣省区區]$|委员会|委員會|法院|检察|檢察|公所|中心|地政|戶政|戶所"),
    (
        "authority",
        r"minist|department|agency|bureau|governm|office|council|commission|secretar|admini|municipal|préfecture|direction|authority|state|survey",
    ),
)
to_simplified = OpenCC("t2s")


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """Simplified, lower case, no blanks, marks or brackets: how column names and words are compared."""
    folded = to_simplified.convert(unicodedata.normalize("NFKC", word)).lower()
    return re.sub(r"[\s_\-()\[\]{}<>《》【】/\\·:：,，、。.*\"'“”‘’|+&;；?？!！#]", "", folded)


@cache
def words() -> dict[str, dict[str, str]]:
    """{field: {folded word: code}}"""
    table: dict[str, dict[str, str]] = {}
    for row in _rows(HERE / "words.csv"):
        table.setdefault(row["field"], {})[_key(row["word"])] = row["code"]
    for field, name in FILES.items():
        for row in _rows(VOCABULARIES / name):
            for word in (row["code"], row["name"], row.get("english", "")):
                if word:
                    table.setdefault(field, {}).setdefault(_key(word), row["code"])
    for row in _rows(VOCABULARIES / "enums.csv"):
        if field := ENUMS.get(row["list"]):
            for word in (row["code"], row["name"]):
                table.setdefault(field, {}).setdefault(_key(word), row["code"])
    for row in _rows(VOCABULARIES / "provinces.csv"):
        for word in (
            row["code"],
            row["code"][:2],
            row["name"],
            row["short"],
            row["short"] + "省",
            row["short"] + "市",
            row["english"],
            row["english"] + " Province",
        ):
            table.setdefault("region", {}).setdefault(_key(word), row["code"])
    table["update_frequency"] |= {code: code for code in set(table["update_frequency"].values())}
    for field, more in OWN.items():
        table.setdefault(field, {}).update({_key(word): code for code, names in more.items() for word in (code, *names)})
    return table


OWN = {  # catalog/services/vocabularies.py: this project's own lists
    "build_mode": {"scenario_driven": ["场景驱动"], "data_driven": ["数据驱动"]},
    "collection_method": {
        "reuse": ["整合已有数据集"],
        "generated": ["生成（仿真、合成）", "生成"],
        "sensor": ["传感器采集"],
        "manual": ["人工采集"],
        "mixed": ["多种方式"],
    },
    "resource_kind": {
        "internal_structured": ["内部结构化"],
        "internal_unstructured": ["内部非结构化"],
        "internal_semi_structured": ["内部半结构化"],
        "external_public": ["外部公开"],
        "external_partner": ["外部合作"],
    },
}


def _rows(path):
    with open(path, encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _key(word: str) -> str:
    """Like fold, but numbers and ISO durations keep their marks: "-1" is not "1"."""
    word = word.strip()
    return word.lower() if re.fullmatch(r"-?[0-9]+|[Rr]?[0-9]*/?P[0-9A-Z.]+", word, re.I) else fold(word)


@lru_cache(maxsize=20_000)
def code(field: str, word: str) -> str:
    """The code a word stands for, or ""."""
    known = words().get(field, {})
    if found := known.get(_key(word)):
        return found
    if "/" in word and re.match(r"https?://", word):  # an authority's address: …/frequency/ANNUAL, …/licenses/by/4.0/
        return known.get(fold(word.rstrip("/").rsplit("/", 1)[-1].rsplit("#", 1)[-1]), "") or (field == "license_type" and _license(word)) or ""
    return _license(word) if field == "license_type" else ""


OPEN_ADDRESS = re.compile(
    r"creativecommons\.org/(publicdomain|licenses/by(-sa)?/)|opendatacommons\.org|usa\.gov/publicdomain|data\.gov\.tw/license|opensource\.org/licen"
    r"|nationalarchives\.gov\.uk/doc/open-gov|etalab|opendefinition\.org/licenses/(cc|odc)|apache\.org/licenses|govdata\.de/dl-de|choosealicense\.com"
    r"|publications\.europa\.eu/resource/authority/licence/(CC0|CC_BY(SA)?)(_|$)",
    re.I,
)


def _license(word):
    return "open_source" if OPEN_ADDRESS.search(word) and "-nc" not in word.lower() and "-nd" not in word.lower() else ""


def region_of(name: str) -> str:
    """The province an organisation's full name starts with, or ""."""
    for row in _provinces():
        if name.startswith(row["name"]):
            return row["code"]
    return ""


@cache
def _provinces():
    return list(_rows(VOCABULARIES / "provinces.csv"))


@lru_cache(maxsize=5000)
def organization_kind(name: str) -> str:
    """A guess from the name; what cannot be told is an enterprise."""
    return next((kind for kind, pattern in KINDS if re.search(pattern, name, re.I)), "enterprise")


def file_format(word: str, address: str = "") -> str:
    """The usual short name of a format, from its words, media type or the address's ending; unknown words stay."""
    if word:
        return (
            code("formats", word.rsplit("/file-type/", 1)[-1]) or word.rsplit("/", 1)[-1].strip()[:40]
            if word.startswith("http")
            else (code("formats", word) or code("formats", word.lstrip(".")) or word[:40])
        )
    ending = re.search(r"\.([A-Za-z0-9]{2,7})(?:[?#].*)?$", address.rsplit("/", 1)[-1])
    return code("formats", ending[1]) if ending else ""
