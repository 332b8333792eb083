"""What every search engine must hold. Runs on the database of the test run (with DATABASE_URL on PostgreSQL) and on Elasticsearch."""

import json
import os
import random
import time
from collections import Counter
from datetime import date, timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.models import Dataset, KnowledgeNode, Portal, Resource, Sample, SearchRow
from catalog.search import hierarchy, index_datasets, planning
from catalog.search.backends import get_backend
from catalog.search.query import DIMENSIONS, FACETS, SORTS, SearchQuery
from catalog.search.text import fold, pieces, tokens
from catalog.services.datasets import project_admission, purge_dataset
from catalog.services.publication import touch_counter
from tests.elastic import prompt_elasticsearch
from tests.factories import make_dataset, make_organization
from tests.shared import shared

ENGINE = "postgresql" if connection.vendor == "postgresql" else "sqlite"


# Without a server only test_elasticsearch.py says so: a hundred lines more would hide what else is skipped.
WANTED = os.environ.get("ELASTICSEARCH_URL") or os.environ.get("PORTAL_REQUIRE_SERVICES") == "1"
SERVED = [pytest.param("elasticsearch", marks=pytest.mark.services("ELASTICSEARCH_URL"))] if WANTED else []


@pytest.fixture(autouse=True, params=["database", *SERVED])
def engine(request):
    """The name the engine gives itself. Tests marked `database_only` are selected for the database alone."""
    if request.param == "database":
        yield ENGINE
        return
    with prompt_elasticsearch() as engine:
        yield engine.name


def listed(**fields):
    dataset = make_dataset(**{"status": "listed", "listed_at": timezone.now()} | fields)
    index_datasets([dataset])
    return dataset


def found(text="", **options):
    return set(get_backend().search(SearchQuery(text=text, limit=10_000, **options)).ids)


def facet(result, name):
    return {item.value: item.count for item in result.facets[name]}


def real_texts(limit: int) -> list[tuple[str, str]]:
    lines = shared("data", "relevance", "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in random.Random(7).sample(lines, limit)]
    texts = [(row["title"], row["description"]) for row in rows]
    for path in sorted(shared("data", "catalogs", "us-datajson").glob("*.json"))[:40]:
        try:
            records = json.loads(path.read_text(encoding="utf-8"))["dataset"]
            texts += [(row["title"], row.get("description", "")) for row in records if isinstance(row.get("title"), str)][:100]
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return [(title.strip()[:300], description if isinstance(description, str) else "") for title, description in texts if title.strip()]


@pytest.fixture
def catalogue(db):
    """1,500 real titles and descriptions, listed and indexed: {pk: (folded title, folded description)}."""
    organization = make_organization()
    made = [
        make_dataset(title=title, description=description, keywords=[], summary="", organization=organization, status="listed")
        for title, description in real_texts(1500)
    ]
    get_backend().index(made)
    return {row.pk: (fold(row.title), fold(row.description)) for row in made}


def test_the_engine_is_that_of_the_settings(db, engine):
    assert get_backend().name == engine


def test_every_stretch_of_a_real_title_or_description_finds_its_dataset(catalogue):
    backend, chance = get_backend(), random.Random(11)
    everything = list(catalogue.items())

    for _attempt in range(400):
        _pk, texts = chance.choice(everything)
        text = chance.choice([part for part in texts if len(part) >= 2])
        start = chance.randrange(len(text) - 1)
        query = text[start : start + chance.choice([2, 2, 3, 4, 6, 12, 40])]
        wanted = {pk for pk, parts in everything if any(fold(query) in part for part in parts)} if fold(query) else set()

        answer = set(backend.search(SearchQuery(text=query, limit=10_000, facets=())).ids)

        assert wanted <= answer, (query, sorted(wanted - answer)[:3])


@settings(max_examples=400, deadline=None)
@given(text=st.text(max_size=60), data=st.data())
def test_a_stretch_of_any_text_has_only_pieces_that_the_text_has(text, data):
    folded = fold(text)
    start = data.draw(st.integers(0, max(len(folded) - 1, 0)))
    stretch = fold(folded[start : start + data.draw(st.integers(1, 30))])
    indexed = tokens(folded)

    for token, is_prefix in pieces(stretch):
        assert token in indexed or (is_prefix and any(other.startswith(token) for other in indexed)), (folded, stretch, token)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=200))
def test_folding_twice_is_folding_once_for_tokens(text):
    assert tokens(fold(fold(text))) == tokens(fold(text))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("台灣軟體資訊", "台湾软体资讯"),
        ("台湾软体资讯", "臺灣軟體"),
        ("ＡＢＣ１２３数据", "abc123数"),
        ("Traffic Accidents", "CCIDEN"),
        ("GB/T 4754-2017 行业", "T 4754-20"),
        ("路面3D点云A股", "3D点"),
        ("路面3D点云A股", "A股"),
        ("sensor_road_name", "road_na"),
        ("超" + "abcdefghij" * 5, "cdefghijabcdefghijabcdefgh"),
        ("水", "水"),
        ("高速公路", "路"),
        ("Straße", "STRASSE"),
        ("（试行）——第一批", "——"),
        ("数据😀集", "😀"),
    ],
)
def test_forms_of_writing_are_one(title, query):
    dataset = listed(title=title)

    assert dataset.pk in found(query)


@pytest.mark.django_db
def test_words_are_all_demanded_while_enough_has_them_and_their_order_is_not():
    both = [listed(title=f"糖尿病 视网膜 影像 {at}") for at in range(planning.FEW)]
    listed(title="糖尿病 饮食", summary="")

    result = get_backend().search(SearchQuery(text="影像 糖尿病", limit=100))

    assert set(result.ids) == {dataset.pk for dataset in both} and not result.is_relaxed


@pytest.mark.django_db
def test_where_few_rows_have_all_words_those_with_the_weightiest_follow():
    one, both = listed(title="糖尿病 饮食", summary=""), listed(title="糖尿病 视网膜 影像")
    for at in range(30):
        listed(title=f"道路影像 {at}")

    result = get_backend().search(SearchQuery(text="影像 糖尿病", limit=100))

    assert result.ids == [both.pk, one.pk] and result.total == 2
    assert result.is_relaxed and [item.kind for item in result.expansions if item.kind == "sentence"] == ["sentence"]


@pytest.mark.django_db
def test_provider_keywords_documentation_and_columns_are_searched():
    organization = make_organization(name="钱塘江涌潮研究所")
    dataset = listed(
        organization=organization, keywords=["鱼鳞塘"], documentation={"purpose": {"text": "识别一线潮"}}, description="", status="draft"
    )
    dataset.status = "listed"
    dataset.save()
    Resource.objects.create(dataset=dataset, name="潮位.csv", columns=[{"name": "潮头高度"}])
    Sample.objects.create(dataset=dataset, name="s.csv", state="ready", profile={"columns": [{"name": "测站编号"}]})
    index_datasets([dataset])

    for query in ("涌潮研究", "鱼鳞塘", "一线潮", "潮头高度", "测站编号"):
        assert found(query) == {dataset.pk}, query


@pytest.mark.django_db
def test_important_data_are_found_by_name_and_tell_no_more():
    dataset = make_dataset(
        title="管网压力", summary="密级说明", description="泄漏位置", keywords=["阀井"], byte_size=5, status="listed", security_level="important"
    )
    Resource.objects.create(dataset=dataset, name="阀门.csv", format="CSV", columns=["坐标值"])
    index_datasets([dataset])
    result = get_backend().search(SearchQuery(text="管网", facets=DIMENSIONS))

    assert result.ids == [dataset.pk]
    for text in ("密级说明", "泄漏位置", "阀井", "阀门", "坐标值"):
        assert found(text) == set(), text
    for name in ("size", "format", "license_type", "keyword", "model_stage"):
        assert facet(result, name) == {"none": 1}, name
    assert get_backend().volume(SearchQuery(), "region") == {}


HIDDEN = [
    {"status": "draft"},
    {"status": "submitted"},
    {"status": "in_review"},
    {"status": "returned"},
    {"status": "rejected"},
    {"status": "public_notice"},
    {"status": "suspended"},
    {"status": "delisted"},
    {"status": "listed", "admission": "taken_down"},
    {"status": "listed", "home_portal": "cn-44", "admission": "pending"},
    {"status": "listed", "home_portal": "cn-44", "admission": "returned"},
    {"status": "listed", "home_portal": "cn-44", "admission": "taken_down"},
    {"status": "listed", "home_portal": "cn-44", "admission": ""},
]


@pytest.mark.django_db
@pytest.mark.parametrize("state", HIDDEN, ids=lambda state: "-".join(state.values()))
@pytest.mark.parametrize("was_listed", [False, True])
def test_what_is_not_public_is_in_no_result_count_or_suggestion(state, was_listed):
    organization = make_organization(name="隐星机构")
    dataset = make_dataset(title="隐星数据", keywords=["隐星词"], organization=organization, listed_at=timezone.now(), **state)
    if was_listed:
        Dataset.objects.filter(pk=dataset.pk).update(status="listed", admission="admitted")
        index_datasets([Dataset.objects.get(pk=dataset.pk)])
        assert found("隐星") == {dataset.pk}
        Dataset.objects.filter(pk=dataset.pk).update(status=dataset.status, admission=dataset.admission)
    backend = get_backend()

    index_datasets([dataset])

    result = backend.search(SearchQuery(text="隐星"))
    assert (result.total, result.ids) == (0, [])
    everything = backend.search(SearchQuery())
    assert everything.total == 0 and not any(item.count for values in everything.facets.values() for item in values)
    assert backend.suggest("隐星") == []
    assert backend.counts(SearchQuery(), "organization") == []
    assert backend.crosstab(SearchQuery(), "sector", "modality") == {}
    assert backend.volume(SearchQuery(), "region") == {}
    assert backend.nearest("隐星数据") == []
    assert backend.check() == {"missing": [], "stale": [], "ghost": []}


@pytest.mark.django_db
def test_an_admitted_remote_listing_is_found_and_a_taken_down_one_is_gone():
    remote = listed(title="粤港澳航道", home_portal="cn-44", admission="admitted")
    assert found("航道") == {remote.pk}

    project_admission(remote, admission="taken_down", reason="侵权")

    assert found("航道") == set()


@pytest.mark.django_db
def test_an_erased_dataset_leaves_no_words_behind():
    dataset = listed(title="应当抹去的名称")
    pk = dataset.pk

    purge_dataset(dataset, actor=None, legal_basis="法院裁定")

    row = SearchRow.objects.get(dataset_id=pk)
    assert found("抹去") == set()
    assert (row.title, bytes(row.tokens), row.dimensions) == ("", b"", "")
    assert get_backend().check()["ghost"] == []


@pytest.mark.django_db
def test_a_changed_title_is_found_by_its_new_words_only():
    dataset = listed(title="旧称甲乙")
    dataset.title = "新名丙丁"
    dataset.save()

    index_datasets([dataset])

    assert found("旧称") == set() and found("新名") == {dataset.pk}


def varied(count=120):
    chance, today = random.Random(3), date.today()
    for code in ("cn-33", "ind-healthcare"):
        Portal.objects.get_or_create(id=code, defaults={"role": "local", "name": code, "short_name": "门户"})
    organizations = [make_organization() for _ in range(4)]
    above = KnowledgeNode.objects.create(code="k-1", label="路面养护")
    KnowledgeNode.objects.create(code="k-1-1", label="裂缝", parent=above)
    hierarchy.forget()
    made = []
    for at in range(count):
        made.append(
            make_dataset(
                title=f"路面数据 {at}",
                organization=chance.choice(organizations),
                sectors=chance.sample(["transport", "healthcare", "finance"], chance.randint(0, 3)),
                region=chance.choice(["", "330000", "330100", "330206", "440000", "110108"]),
                industry=chance.choice(["", "I", "65", "I6513", "G"]),
                knowledge_nodes=chance.sample(["k-1", "k-1-1", "k-2"], chance.randint(0, 2)),
                modalities=chance.sample(["text", "image", "audio"], chance.randint(0, 2)),
                model_stages=chance.sample(["pretrain", "finetune"], chance.randint(0, 2)),
                knowledge_tier=chance.choice(["", "general"]),
                cognition_layer=chance.choice(["", "basic_cognition"]),
                grade=chance.choice(["", "A", "B", "C", "D"]),
                license_type=chance.choice(["", "open_source"]),
                openness=chance.choice(["open", "conditional"]),
                home_portal=chance.choice(["cn", "cn-33", "ind-healthcare"]),
                admission="admitted",
                modified=chance.choice([None, today - timedelta(days=chance.randint(0, 900))]),
                byte_size=chance.choice([None, 10 ** chance.randint(6, 15)]),
                download_count=chance.randint(0, 50),
                status="listed",
                listed_at=timezone.now() - timedelta(hours=chance.randint(0, 100)),
            )
        )
        if chance.random() < 0.5:
            Resource.objects.create(dataset=made[-1], name="f", format=chance.choice(["csv", "JSON"]))
        if chance.random() < 0.3:
            Sample.objects.create(dataset=made[-1], name="s", state="ready")
    get_backend().index(made)
    return made


def truth(dataset) -> dict[str, set]:
    """Values per facet, worked out anew and one by one."""
    today, size, day = date.today(), dataset.byte_size, dataset.modified
    limits = [("lt-1gb", 10**9), ("1gb-100gb", 10**11), ("100gb-1tb", 10**12), ("1tb-100tb", 10**14), ("gte-100tb", 10**30)]
    ranges = {name for name, days in (("30d", 30), ("90d", 90), ("1y", 365)) if day and (today - day).days < days}
    values = {
        "sector": set(dataset.sectors),
        "industry": {"": set(), "I": {"I"}, "65": {"I", "65"}, "I6513": {"I", "65", "651", "6513"}, "G": {"G"}}[dataset.industry],
        "region": {"330000": {"330000"}, "330100": {"330000", "330100"}, "330206": {"330000", "330200"}, "440000": {"440000"}}.get(
            dataset.region, {"110000"} if dataset.region else set()
        ),
        "knowledge_node": {*dataset.knowledge_nodes} | ({"k-1"} if "k-1-1" in dataset.knowledge_nodes else set()),
        "modality": set(dataset.modalities),
        "model_stage": set(dataset.model_stages),
        "knowledge_tier": {dataset.knowledge_tier} - {""},
        "cognition_layer": {dataset.cognition_layer} - {""},
        "grade": {dataset.grade} - {""},
        "format": {resource.format.upper() for resource in dataset.resources.all()},
        "license_type": {dataset.license_type} - {""},
        "openness": {dataset.openness},
        "portal": {dataset.home_portal},
        "updated": ranges or ({"older"} if day else set()),
        "size": {next(name for name, limit in limits if size < limit)} if size else set(),
        "has_sample": {"yes" if dataset.samples.exists() else "no"},
    }
    return {name: chosen or {"none"} for name, chosen in values.items()}


@pytest.mark.django_db
def test_facet_counts_equal_a_count_by_hand_with_several_choices():
    made = {dataset.pk: truth(dataset) for dataset in varied()}
    selections = [
        {},
        {"sector": ("transport", "finance")},
        {"sector": ("none",), "grade": ("A", "none")},
        {"updated": ("90d", "older"), "size": ("lt-1gb", "none"), "has_sample": ("no",)},
        {"portal": ("cn-33",), "modality": ("image", "none"), "region": ("330000",)},
        {"format": ("CSV",), "openness": ("nothing-like-it",)},
        {"region": ("330100", "440000"), "industry": ("I",)},
        {"industry": ("651", "none"), "knowledge_node": ("k-1",)},
    ]
    for filters in selections:
        result = get_backend().search(SearchQuery(text="路面", filters=filters, limit=1000))

        def fits(values, besides="", filters=filters):
            return all(values[name] & set(chosen) for name, chosen in filters.items() if name != besides)

        assert set(result.ids) == {pk for pk, values in made.items() if fits(values)}
        assert result.total == len(result.ids)
        for name in FACETS:
            wanted = Counter(value for values in made.values() if fits(values, name) for value in values[name])
            assert {value: count for value, count in facet(result, name).items() if count} == dict(wanted), (filters, name)


@pytest.mark.django_db
def test_a_child_names_its_parent_and_never_stands_before_it():
    varied()
    facets = get_backend().search(SearchQuery()).facets

    for name, parents in {
        "region": {"330100": "330000", "330200": "330000"},
        "industry": {"65": "I", "651": "65", "6513": "651"},
        "knowledge_node": {"k-1-1": "k-1"},
    }.items():
        order = [item.value for item in facets[name]]
        assert {item.value: item.parent for item in facets[name] if item.parent} == parents
        assert all(order.index(parent) < order.index(child) for child, parent in parents.items())


@pytest.mark.django_db
@pytest.mark.parametrize(
    "ranges",
    [
        {"size": (10**9, None)},
        {"size": (None, 10**9)},
        {"size": (10**8, 10**12), "modified": (date.today().toordinal() - 400, None)},
        {"modified": (date.today().toordinal() - 500, date.today().toordinal() - 100)},
        {"size": (0, 2**63 - 1)},
        {"size": (10**17, None)},
    ],
    ids=range(6),
)
def test_a_free_range_finds_and_counts_as_by_hand(ranges):
    made = varied()
    filters = {"grade": ("A", "none")}

    def inside(row):
        numbers = {"size": row.byte_size or 0, "modified": row.modified.toordinal() if row.modified else 0}
        return all(numbers[name] > 0 and (low or 0) <= numbers[name] <= (high or 10**19) for name, (low, high) in ranges.items())

    result = get_backend().search(SearchQuery(text="路面", filters=filters, ranges=ranges, limit=1000))

    fitting = [row for row in made if inside(row)]
    assert set(result.ids) == {row.pk for row in fitting if row.grade in ("A", "")}
    assert facet(result, "grade") | {"A": 0, "none": 0} == dict(Counter(row.grade or "none" for row in fitting)) | {"A": 0, "none": 0}
    assert (
        sum(facet(result, "size").values())
        == result.total
        == sum(item.count for item in get_backend().counts(SearchQuery(filters=filters, ranges=ranges), "size"))
    )


@pytest.mark.django_db
def test_every_value_of_a_facet_is_reached_by_its_name():
    organization = make_organization(name="钱塘江涌潮研究所")
    made = [
        make_dataset(title=f"词 {at}", keywords=[f"词条{at:03}", "共有"], status="listed", storage_place=f"第{at}机房", region="330100")
        for at in range(150)
    ]
    made[7].organization = organization
    made[7].grade = "A"
    made[7].save()
    get_backend().index(made)
    backend = get_backend()

    def values(name, text, query=SearchQuery()):
        return {item.value: item.count for item in backend.facet(query, name, text=text)}

    assert len(backend.search(SearchQuery(facets=("keyword",))).facets["keyword"]) == 100
    assert values("keyword", "词条149") == {"词条149": 1}
    assert values("keyword", "詞條14") == {f"词条{at}": 1 for at in range(140, 150)}
    assert values("keyword", "") == {item.value: item.count for item in backend.search(SearchQuery(facets=("keyword",))).facets["keyword"]}
    assert values("organization", "涌潮") == {str(organization.uid): 1}
    assert values("storage_place", "第149机") == {"第149机房": 1}
    assert values("region", "杭州") == {"330100": 150} and values("region", "浙") == {"330000": 150}
    narrowed = SearchQuery(filters={"grade": ("A",), "keyword": ("词条003",)})
    assert values("keyword", "词条", narrowed) == {"词条007": 1}
    assert values("keyword", 'x".*[^') == {}


@pytest.mark.django_db
def test_counts_crosstab_and_volume_agree_with_the_search():
    made = varied()
    query = SearchQuery(filters={"grade": ("A", "B")})
    backend = get_backend()
    chosen = [dataset for dataset in made if dataset.grade in "AB" and dataset.grade]

    for name in DIMENSIONS:
        for item in backend.counts(query, name):
            assert len(found(filters={"grade": ("A", "B"), name: (item.value,)})) == item.count, (name, item)
    pairs = Counter((row, column) for dataset in chosen for row in truth(dataset)["sector"] for column in truth(dataset)["updated"])
    assert backend.crosstab(query, "sector", "updated") == dict(pairs)
    assert backend.crosstab(query, "updated", "sector") == {(column, row): count for (row, column), count in pairs.items()}
    volumes = Counter()
    for dataset in chosen:
        for value in truth(dataset)["portal"]:
            volumes[value] += dataset.byte_size or 0
    assert backend.volume(query, "portal") == {value: total for value, total in volumes.items() if total}


@pytest.mark.django_db
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("text", ["", "路面"])
def test_pages_of_any_order_give_every_row_once(sort, text):
    made = varied(80)

    pages = [get_backend().search(SearchQuery(text=text, sort=sort, offset=start, limit=7, facets=())).ids for start in range(0, 84, 7)]

    assert sorted(pk for page in pages for pk in page) == sorted(dataset.pk for dataset in made)


@pytest.mark.django_db
def test_each_order_is_kept():
    made = {dataset.pk: dataset for dataset in varied(60)}

    def sorted_by(sort):
        return [made[pk] for pk in get_backend().search(SearchQuery(sort=sort, limit=100)).ids]

    assert [row.listed_at.replace(microsecond=0) for row in sorted_by("newest")] == sorted(
        (row.listed_at.replace(microsecond=0) for row in made.values()), reverse=True
    )
    grades = ["ABCD".find(row.grade) if row.grade else 4 for row in sorted_by("grade")]
    assert grades == sorted(grades)
    downloads = [row.download_count for row in sorted_by("downloads")]
    assert downloads == sorted(downloads, reverse=True)
    sizes = [row.byte_size or -1 for row in sorted_by("size")]
    assert sizes == sorted(sizes, reverse=True)
    days = [row.modified or date.min for row in sorted_by("updated")]
    assert days == sorted(days, reverse=True)


@pytest.mark.django_db
def test_the_title_that_equals_the_query_is_first_and_titles_come_before_descriptions():
    in_text = listed(title="海洋观测", description="含眼底影像说明", grade="A")
    longer = listed(title="基层医院眼底影像分级数据集", grade="A")
    exact = listed(title="眼底影像", grade="D")

    ids = get_backend().search(SearchQuery(text="眼底影像")).ids

    assert ids == [exact.pk, longer.pk, in_text.pk]


@pytest.mark.django_db
def test_a_whole_word_comes_before_a_part_of_one():
    part, whole = listed(title="maintain"), listed(title="open ai text")

    assert get_backend().search(SearchQuery(text="AI")).ids == [whole.pk, part.pk]


@pytest.mark.django_db
def test_suggestions_offer_titles_providers_and_keywords_of_listed_rows():
    listed(title="潮汐观测", keywords=["潮汐预报"], organization=make_organization(name="潮汐研究中心"))

    kinds = {(item["text"], item["kind"]) for item in get_backend().suggest("潮汐")}

    assert kinds == {("潮汐观测", "title"), ("潮汐研究中心", "organization"), ("潮汐预报", "keyword")}


@pytest.mark.django_db
def test_nothing_found_still_knows_what_is_near():
    near = listed(title="湖泊水质监测")
    listed(title="铁路客运")

    assert found("湖泊水质卫星反演") == set()
    assert get_backend().nearest("湖泊水质卫星反演") == [near.pk]


NASTY = [
    "水" * 10_000,
    "ab " * 4000,
    "".join(chr(0x4E00 + at) for at in range(10_000)),
    "\x00\x01\x02",
    "数\x00据",
    "\ud800",
    "😀👩‍👩‍👧‍👦",
    '"',
    '"未闭合',
    "'",
    "\\",
    "a'b\\c:*",
    "NOT AND OR NEAR(",
    "title:数据",
    "^路面 - * + ( )",
    "'; DROP TABLE catalog_dataset; --",
    "% _ %%",
    "!&|<->:*",
    "\u202e\u200b\ufeff",
    "ﷺ" * 2000,
    "e\u0301" * 3000,
    "   ",
    "\ue001数据",
    "\U0010ffff\U000e0001",
]


@pytest.mark.django_db
@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_any_query_gets_an_answer_and_soon(text):
    listed(title="路面数据")
    start = time.perf_counter()

    result = get_backend().search(SearchQuery(text=text, filters={"sector": (text,)}))
    suggestions = get_backend().suggest(text)
    get_backend().nearest(text)

    assert result.total == len(result.ids) and isinstance(suggestions, list)
    assert time.perf_counter() - start < 1


@pytest.mark.django_db
@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=80))
def test_no_text_breaks_the_engine(text):
    get_backend().search(SearchQuery(text=text, facets=()))


@pytest.mark.django_db
def test_a_listing_of_any_size_or_kind_is_indexed():
    huge = listed(title="巨" * 300, description="".join(chr(0x4E00 + at % 20_000) for at in range(100_000)))
    latin = listed(title="blob", description="".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=100_000)))
    odd = listed(title="奇", keywords=[1, None, {"a": 1}, "x\x1fy\x1e"], documentation={"a": [[["深"] * 3]]}, sectors=["x" * 500])

    assert {huge.pk, latin.pk, odd.pk} <= found()
    assert found("巨巨") == {huge.pk}


@pytest.mark.django_db
def test_check_tells_what_is_missing_stale_and_too_much_and_repair_mends_it():
    missing, stale, ghost = listed(title="甲甲"), listed(title="乙乙"), listed(title="丙丙")
    get_backend().remove([missing.pk])
    Dataset.objects.filter(pk=stale.pk).update(title="改改")
    Dataset.objects.filter(pk=ghost.pk).update(status="suspended")

    assert get_backend().check() == {"missing": [missing.pk], "stale": [stale.pk], "ghost": [ghost.pk]}

    get_backend().repair()

    assert get_backend().check() == {"missing": [], "stale": [], "ghost": []}
    assert found("甲甲") == {missing.pk} and found("改改") == {stale.pk} and found("丙丙") == set() and found("乙乙") == set()


@pytest.mark.django_db
def test_build_writes_everything_anew_and_tells_how_far_it_is():
    made = [make_dataset(title=f"重建 {at}", status="listed") for at in range(5)]
    seen = []

    assert get_backend().build(on_progress=lambda done, total: seen.append((done, total))) == 5

    assert seen[-1] == (5, 5)
    assert found("重建") == {dataset.pk for dataset in made}
    assert get_backend().check() == {"missing": [], "stale": [], "ghost": []}


@pytest.mark.django_db
def test_indexing_twice_writes_once():
    dataset = listed(title="不变")
    version = get_backend().status()["version"]

    index_datasets([dataset])

    assert get_backend().status()["version"] == version


@pytest.mark.django_db
def test_a_counted_download_does_not_make_the_index_stale():
    dataset = listed(title="常用")

    touch_counter(dataset.pk, "download_count", 500)

    assert get_backend().check()["stale"] == []


@pytest.mark.database_only
@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_write_is_seen_by_nobody_and_a_committed_one_by_everybody():
    backend, other = get_backend(), type(get_backend())()  # `other` stands for another process: it shares only the database
    kept = listed(title="先前数据")
    assert found("数据") == {kept.pk} == set(other.search(SearchQuery(text="数据")).ids)

    with pytest.raises(RuntimeError), transaction.atomic():
        listed(title="撤回数据")
        assert len(backend.search(SearchQuery(text="数据")).ids) == 2
        raise RuntimeError
    assert found("数据") == {kept.pk} == set(other.search(SearchQuery(text="数据")).ids)
    assert backend.search(SearchQuery()).total == 1

    second = listed(title="后来数据")

    assert found("数据") == {kept.pk, second.pk} == set(other.search(SearchQuery(text="数据")).ids)
    kept.status = "suspended"
    kept.save()
    index_datasets([kept])
    assert found() == {second.pk} == set(other.search(SearchQuery()).ids)
    connections.close_all()


@pytest.mark.django_db
def test_labels_follow_the_vocabularies_and_missing_is_said():
    KnowledgeNode.objects.create(code="k-1", label="路面养护")
    listed(title="有标签", sectors=["transport"], region="330100", knowledge_nodes=["k-1"], grade="", knowledge_tier="")
    result = get_backend().search(SearchQuery(facets=DIMENSIONS))
    labels = {(name, item.value): item.label for name, values in result.facets.items() for item in values}

    assert labels["sector", "transport"] == "交通运输"
    assert labels["region", "330000"] == "浙江"
    assert labels["knowledge_node", "k-1"] == "路面养护"
    assert labels["knowledge_tier", "none"] == "未填"
    assert labels["grade", "none"] == "未评"
