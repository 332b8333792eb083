"""What surrounds a result: suggestions, hints, saved searches and feeds, comparison, export, help where nothing is found."""

import csv
import io
import time
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from catalog import jobs
from catalog.models import Dataset, Notification, SearchedWords, Subscription
from catalog.search import index_datasets
from catalog.search.query import SearchQuery
from catalog.services import popular, saved_searches
from tests.factories import make_dataset, make_organization, make_user

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"


def listed(**fields):
    dataset = make_dataset(**{"status": "listed", "listed_at": timezone.now()} | fields)
    index_datasets([dataset])
    return dataset


def hidden(dataset):
    Dataset.objects.filter(pk=dataset.pk).update(status="suspended")
    index_datasets([Dataset.objects.get(pk=dataset.pk)])


def body(client, address, status=200):
    answer = client.get(address)
    assert answer.status_code == status, (address, answer.status_code)
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


@pytest.fixture(autouse=True)
def nothing_noted():
    popular.forget()
    yield
    popular.forget()


def searched(text, *, visitors=popular.VISITORS, days=popular.DAYS):
    today = timezone.localdate()
    for number in range(visitors):
        SearchedWords.objects.create(text=text, day=today - timedelta(days=number % days), visitor=f"v{number}")


def suggested(client, text):
    return [(item["text"], item["kind"]) for item in client.get("/datasets/suggest/", {"q": text}).json()["suggestions"]]


def test_a_common_query_is_suggested_and_one_of_few_people_or_one_day_is_not(client):
    listed(title="潮汐 观测 预报")
    searched("潮汐 预报")
    searched("潮汐 观测", visitors=popular.VISITORS - 1)
    searched("观测 预报", days=1)

    assert ("潮汐 预报", "query") in suggested(client, "潮汐")
    assert [item for item in [*suggested(client, "潮汐"), *suggested(client, "观测")] if item[1] == "query"] == [("潮汐 预报", "query")]


def test_a_common_query_that_finds_only_what_was_hidden_is_suggested_no_longer(client):
    dataset = listed(title="绝密潮汐台账", keywords=[])
    searched("绝密潮汐")
    assert ("绝密潮汐", "query") in suggested(client, "绝密")

    hidden(dataset)

    assert suggested(client, "绝密") == []


def test_queries_are_noted_once_a_visitor_without_who_asked_and_never_private_ones(client):
    listed(title="路面 13800000000 a@b.cn")
    for text in ("路面", "路面", "13800000000", "a@b.cn", "没有这个", "路"):
        client.get("/datasets/", {"q": text}, REMOTE_ADDR="203.0.113.9")
    popular.write()

    assert [(row.text, row.day) for row in SearchedWords.objects.all()] == [("路面", timezone.localdate())]
    row = SearchedWords.objects.get()
    assert "203" not in row.visitor and len(row.visitor) == 16
    SearchedWords.objects.update(day=timezone.localdate() - popular.KEPT - timedelta(days=1))
    assert popular.prune() == 1


def test_pinyin_is_read_where_letters_find_next_to_nothing(client):
    listed(title="台风路径预报", keywords=["台风"])

    assert "台风路径预报" in [text for text, _kind in suggested(client, "taifeng")]
    assert client.get("/api/v1/suggest/", {"q": "taifeng"}).json()["suggestions"]


def test_suggestions_take_less_than_fifty_milliseconds(client):
    organization = make_organization()
    made = [make_dataset(title=f"路面数据 {at}", keywords=[f"词{at}"], organization=organization, status="listed") for at in range(300)]
    index_datasets(made)
    suggested(client, "路")
    times = []
    for text in ("路面", "数据", "词1", "路面数据 2", "xx"):
        start = time.process_time()
        suggested(client, text)
        times.append(time.process_time() - start)

    assert sorted(times)[len(times) // 2] < 0.05, times


def test_what_was_looked_for_besides_is_said_with_a_way_to_the_words_as_typed(client):
    listed(title="药店分布", keywords=[])
    listed(title="药房名录", keywords=[])

    html = body(client, "/datasets/?q=药店")

    assert "已同时查找" in html and "exact=1" in html and "药房名录" in html
    exact = body(client, "/datasets/?q=药店&exact=1")
    assert "药房名录" not in exact and "恢复扩展" in exact
    assert [row["title"] for row in client.get("/api/v1/datasets/?q=药店&exact=1").json()["results"]] == ["药店分布"]


def test_nothing_found_tells_what_to_let_go_of_and_offers_a_demand_filled_in(client):
    listed(title="湖泊水质监测", sectors=["transport"], grade="B", region="330000")

    html = body(client, "/datasets/?q=湖泊水质&grade=A&sector=transport")

    assert "去掉质量等级：A 优" in html and 'href="/datasets/?q=%E6%B9%96%E6%B3%8A%E6%B0%B4%E8%B4%A8&amp;sector=transport"' in html
    assert "去掉领域" not in html  # would find nothing either
    assert "/demands/new/?q=%E6%B9%96%E6%B3%8A%E6%B0%B4%E8%B4%A8&amp;sector=transport&amp;grade=A" in html


def test_a_search_is_kept_listed_renamed_silenced_and_forgotten(client):
    user = make_user()
    client.force_login(user)

    client.post("/searches/save/", {"name": "浙江 路面", "query": "q=路面&region=330000&sort=newest"})
    client.post("/searches/save/", {"name": "浙江路面", "query": "q=路面&region=330000&sort=newest"})

    row = Subscription.objects.get(user=user)
    assert (row.name, row.query) == ("浙江路面", "q=%E8%B7%AF%E9%9D%A2&region=330000&sort=newest")
    html = body(client, "/desk/searches/")
    assert "浙江路面" in html and f"/searches/{row.feed_token}.atom" in html and "“路面”" in html
    client.post("/desk/searches/", {"search": row.pk, "do": "silence"})
    assert Subscription.objects.get().is_notified is False
    client.post("/desk/searches/", {"search": row.pk, "do": "rename", "name": "新名"})
    assert Subscription.objects.get().name == "新名"

    other = make_user()
    client.force_login(other)
    assert client.post("/desk/searches/", {"search": row.pk, "do": "forget"}).status_code == 404
    assert "新名" not in body(client, "/desk/searches/")
    client.force_login(user)
    client.post("/desk/searches/", {"search": row.pk, "do": "forget"})
    assert not Subscription.objects.exists()
    assert body(client, f"/searches/{row.feed_token}.atom", 404)


@pytest.mark.parametrize("fields", [{"name": "", "query": "q=a"}, {"name": "n", "query": "size_from=x"}, {"name": "n", "query": "q=" + "水" * 900}])
def test_what_cannot_be_kept_is_refused_in_words(client, fields):
    client.force_login(make_user())

    answer = client.post("/searches/save/", fields, follow=True)

    assert answer.status_code == 200 and not Subscription.objects.exists() and "notice--danger" in answer.content.decode()


def kept(user, text="潮位"):
    return saved_searches.save_search(user, SearchQuery(text=text), name="我的")


def test_new_listings_are_told_of_once_and_hidden_ones_never():
    user = make_user()
    listed(title="先前的潮位", listed_at=timezone.now() - timedelta(minutes=5))
    kept(user)
    assert saved_searches.ask() and jobs.run_due() and not Notification.objects.exists()

    listed(title="新的潮位")
    hidden(listed(title="被撤的潮位"))
    listed(title="无关")
    for _again in range(3):
        saved_searches.ask()
        jobs.run_due()

    note = Notification.objects.get(user=user)
    assert note.text == "“我的”有 1 个新数据集" and note.url.startswith("/datasets/?q=")


def test_a_silenced_search_tells_nothing_and_the_desk_counts_what_is_unread(client):
    user = make_user()
    kept(user)
    Subscription.objects.update(is_notified=False)
    listed(title="新的潮位")
    assert saved_searches.ask() is False
    Subscription.objects.update(is_notified=True)
    saved_searches.ask()
    jobs.run_due()
    client.force_login(user)

    assert "有 1 个新数据集" in body(client, "/desk/")


def entries(xml):
    return [entry.findtext(f"{ATOM}title") for entry in ElementTree.fromstring(xml).findall(f"{ATOM}entry")]


def test_feeds_of_a_public_search_and_of_a_kept_one_hold_what_is_public(client):
    listed(title="冰川甲", listed_at=timezone.now() - timedelta(days=1))
    listed(title="冰川乙 <&>")
    hidden(listed(title="冰川丙"))
    listed(title="海洋")
    row = kept(make_user(display_name="不该出现"), "冰川")

    public, own = body(client, "/datasets/feed.atom?q=冰川"), body(client, f"/searches/{row.feed_token}.atom")

    assert entries(public) == entries(own) == ["冰川乙 <&>", "冰川甲"]
    assert "不该出现" not in own and "user" not in own
    assert body(client, "/datasets/feed.atom?size_from=x", 400) and body(client, "/searches/nothing.atom", 404)


def test_a_result_is_exported_in_its_order_with_formulas_made_inert(client, monkeypatch):
    listed(title="=cmd|' /C calc'!A0", byte_size=5, region="330100")
    listed(title="路面", byte_size=9)
    hidden(listed(title="撤下的"))

    rows = list(csv.reader(io.StringIO(body(client, "/datasets/results.csv?sort=size").lstrip("\ufeff"))))

    assert [row[1] for row in rows[1:]] == ["路面", "'=cmd|' /C calc'!A0"]
    assert client.get("/datasets/results.csv?sort=size")["X-Result-Total"] == "2"
    assert body(client, "/datasets/results.csv?sort=nothing", 400)
    monkeypatch.setattr("catalog.views.results.MOST", 1)
    assert "共 2 行，这里是前 1 行" in body(client, "/datasets/results.csv")


def test_important_data_tell_no_more_in_an_export_or_comparison(client):
    secret = listed(
        title="管网",
        summary="密级说明",
        license="秘密许可",
        storage_place="秘密机房",
        byte_size=77_000,
        record_count=4242,
        security_level="important",
    )
    plain = listed(title="路面")

    for address in ("/datasets/results.csv?q=管网", f"/datasets/compare/?uid={secret.uid}&uid={plain.uid}"):
        text = body(client, address)
        assert "管网" in text and not [word for word in ("密级说明", "秘密许可", "秘密机房", "77000", "77 kB", "4242") if word in text], address


def test_two_to_four_datasets_are_compared_and_hidden_ones_are_not_there(client):
    made = [listed(title=f"路面 {at}", byte_size=10**9, grade=grade, is_synthetic=at == 0) for at, grade in enumerate("ABCDA")]
    gone = listed(title="撤下的路面")
    hidden(gone)
    pair = f"uid={made[0].uid}&uid={made[1].uid}"

    html = body(client, f"/datasets/compare/?{pair}&uid={gone.uid}&uid=nonsense&uid={made[0].uid}")

    assert "路面 0" in html and "路面 1" in html and "撤下的路面" not in html and "其中 2 个不在这里" in html
    assert "数据量" in html and '<tr class="compare__row--differs"><th scope="row">质量等级' in html
    assert "数据量" not in body(client, f"/datasets/compare/?{pair}&differences=1")
    assert "请选两个到四个" in body(client, f"/datasets/compare/?uid={made[0].uid}")
    assert "路面 4" not in body(client, "/datasets/compare/?" + "&".join(f"uid={row.uid}" for row in made), 400)
    assert "请选两个到四个" in body(client, "/datasets/compare/?uid=%00")


def test_cards_can_be_chosen_for_comparison_without_script(client):
    dataset = listed(title="路面")

    html = body(client, "/datasets/")

    assert f'<input type="checkbox" name="uid" value="{dataset.uid}" form="compare"' in html
    assert '<form class="tray section--inner" id="compare" action="/datasets/compare/"' in html


WEIRD = [
    "水" * 10_000,
    "\x00\x01",
    "😀👩‍👩‍👧‍👦",
    '"未闭合',
    "'; DROP TABLE catalog_dataset; --",
    "title:(a OR",
    "^~*?:\\/[]{}!&&||",
    "\ud800",
    "\u202e" * 50,
]


@pytest.mark.parametrize(
    "path",
    ["/datasets/", "/datasets/results.csv", "/datasets/feed.atom", "/datasets/suggest/", "/datasets/facets/keyword/", "/datasets/compare/"]
    + ["/demands/", "/api/v1/demands/", "/api/v1/suggest/"],
)
def test_any_text_gets_an_answer_or_is_refused(client, path):
    for text in WEIRD:
        encoded = text.encode("utf-8", "surrogatepass")
        answer = client.get(path, dict.fromkeys(("q", "find", "keyword", "sector", "state", "uid"), encoded))
        if answer.streaming:
            b"".join(answer.streaming_content)
        assert answer.status_code in (200, 400, 404), (path, text[:20], answer.status_code)
