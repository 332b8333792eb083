"""Pages in English show no Chinese beyond what providers wrote, seals, and the button that leads back to Chinese."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from catalog.search import index_datasets
from tests.factories import make_dataset, make_member, make_organization, make_user
from tests.messages import HAN

pytestmark = pytest.mark.django_db
NOT_SHOWN = re.compile(r"<(script|style)\b.*?</\1>|<!--.*?-->", re.S)
CHINESE_FOR_GOOD = re.compile(r'<span class="stamp\b.*?</span>[^<]*</span>|<(\w+)[^>]*\blang="zh-Hans"[^>]*>.*?</\1>', re.S)
ENGLISH = {
    "title": "Images of road surface defects",
    "summary": "Annotated images for training.",
    "keywords": ["road"],
    "rights_holder": "Example Transport",
    "rights_basis": "Own collection",
}


@pytest.fixture
def english():
    reader = Client()
    reader.cookies["language"] = "en"
    return reader


@pytest.fixture
def organization():
    return make_organization(name="Example Transport", short_name="Example", verified_at=timezone.now(), kind="enterprise", region="330000")


@pytest.fixture
def dataset(organization):
    row = make_dataset(**ENGLISH, organization=organization, status="listed", listed_at=timezone.now(), byte_size=48_300_000_000)
    index_datasets([row])
    return row


def chinese_left(response) -> list[str]:
    text = CHINESE_FOR_GOOD.sub("", NOT_SHOWN.sub("", response.content.decode()))
    return [line.strip()[:300] for line in re.split(r"[<>\n]", text) if HAN.search(line)]


PUBLIC = ["/", "/datasets/?q=road&sort=newest", "/datasets/?q=nothing-of-the-kind", "/map/", "/map/?layer=grade", "/map/?layer=frequency"]
PUBLIC += [
    "/organizations/",
    "/announcements/",
    "/quality/",
    "/quality/overview/",
    "/quality/methods/2026.1/",
    "/federation/",
    "/developers/",
    "/accounts/login/",
    "/accounts/signup/",
    "/nowhere/",
]
TABS = ["files", "card", "quality", "versions", "lineage", "feedback", "metadata"]
DESKS = ["/desk/", "/desk/members/", "/desk/keys/", "/desk/organizations/new/", "/register/", "/register/bulk/"]
STEPS = ["basics", "content", "construction", "application", "rights", "files", "score", "preview"]


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page_is_english(english, dataset, path):
    response = english.get(path)
    assert '<html lang="en"' in response.content.decode()
    assert chinese_left(response) == []


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_of_a_dataset_is_english(english, dataset, tab):
    response = english.get(reverse("catalog:dataset_detail", args=[dataset.uid]), {"tab": tab})
    assert chinese_left(response) == []


def test_the_quality_report_its_comparison_and_the_schemes_are_english(english, dataset):
    from quality.services import evaluation, triggers

    for _time in range(2):
        evaluation.evaluate_dataset(dataset)
    triggers.ask(dataset, "appeal")
    assert chinese_left(english.get(reverse("quality:report", args=[dataset.uid]))) == []
    assert chinese_left(english.get(reverse("quality:compare", args=[dataset.uid]))) == []
    english.force_login(make_user(role="admin", username="admin"))
    assert chinese_left(english.get("/quality/schemes/")) == []
    assert [line for line in chinese_left(english.get("/quality/schemes/2026.1/")) if "集目评测方案" not in line] == []


@pytest.mark.parametrize("path", DESKS)
def test_a_page_of_a_provider_is_english(english, dataset, organization, path):
    english.force_login(make_member(organization, username="provider"))
    assert chinese_left(english.get(path)) == []


@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_the_form_is_english(english, organization, step):
    draft = make_dataset(**ENGLISH, organization=organization)
    english.force_login(make_member(organization, username="provider"))
    assert chinese_left(english.get(reverse("catalog:register_step", args=[draft.uid, step]))) == []


def test_the_review_desk_is_english(english, organization):
    from catalog.services.registration import submit_dataset

    member = make_member(organization, username="provider")
    with translation.override("en"):  # findings are kept in the language of who submits
        submit_dataset(make_dataset(**ENGLISH, organization=organization), user=member)
    english.force_login(make_user(role="reviewer", username="reviewer"))
    assert chinese_left(english.get("/review/")) == []


def test_the_switch_keeps_the_page_and_is_remembered(client):
    page = client.get("/map/?layer=volume").content.decode()
    assert 'name="next" value="/map/?layer=volume"' in page and '<html lang="zh-Hans"' in page
    response = client.post(reverse("set_language"), {"language": "en", "next": "/map/?layer=volume"})
    assert response.url == "/map/?layer=volume"
    assert '<html lang="en"' in client.get(response.url).content.decode()


def test_an_error_of_the_api_follows_the_language_asked_for(client):
    asked = {"path": "/api/v1/datasets/00000000-0000-0000-0000-000000000000/"}
    chinese, english = client.get(**asked), client.get(**asked, headers={"accept-language": "en"})
    assert HAN.search(chinese.json()["detail"])
    assert not HAN.search(english.content.decode())


def test_the_english_title_stands_first_in_english(client, organization):
    row = make_dataset(title="道路病害图像", title_en="Road defects", organization=organization, status="listed", listed_at=timezone.now())
    address = reverse("catalog:dataset_detail", args=[row.uid])
    assert "<h1>道路病害图像</h1>" in client.get(address).content.decode()
    client.cookies["language"] = "en"
    assert "<h1>Road defects</h1>" in client.get(address).content.decode()


def test_a_page_is_chinese_until_its_reader_switches(client):
    assert '<html lang="zh-Hans"' in client.get("/", headers={"accept-language": "en-US,en"}).content.decode()
