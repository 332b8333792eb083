import datetime

import pytest
from django.utils import timezone

from catalog.counting import write_views
from catalog.models import AccessRequest, Dataset, Feedback, Portal, Resource, Sample, Subscription, Version
from catalog.search import index_datasets
from tests.factories import make_dataset, make_member, make_organization, make_user

pytestmark = pytest.mark.django_db
TABS = ("files", "card", "quality", "versions", "lineage", "feedback", "metadata")
PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[x](javascript:alert(1))",
    "<svg onload=alert(1)>",
    "![x](data:text/html;base64,PHNjcmlwdD4=)",
    "<a href='vbscript:x'>y</a>",
    "</title><script>1</script>",
)


def listed(**fields):
    dataset = make_dataset(status=Dataset.Status.LISTED, listed_at=timezone.now(), **fields)
    index_datasets([dataset])
    return dataset


def add_version(dataset, number, **document):
    version = Version.objects.create(
        dataset=dataset,
        number=number,
        change_note=f"第 {number} 次",
        responsible="陈某",
        recorded_at=timezone.now(),
        document={"title": dataset.title} | document,
        sha256=f"{number:064x}",
    )
    Dataset.objects.filter(pk=dataset.pk).update(current_version=version)
    return version


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_of_a_listed_dataset_answers_anybody(client, tab):
    dataset = listed()

    response = client.get(f"{dataset.get_absolute_url()}?tab={tab}")

    assert response.status_code == 200 and dataset.title in response.content.decode()


def test_a_draft_is_there_for_its_members_and_reviewers_only(client):
    draft = make_dataset()
    readers = {
        None: 404,
        make_member(draft.organization): 200,
        make_member(make_organization()): 404,
        make_user(role="reviewer"): 200,
        make_user(role="evaluator"): 404,
    }

    for user, status in readers.items():
        client.logout()
        if user:
            client.force_login(user)
        for tab in TABS:
            assert client.get(f"{draft.get_absolute_url()}?tab={tab}").status_code == status, (user, tab)
        assert client.get(f"/id/{draft.identifier}").status_code == (303 if status == 200 else 404)


@pytest.mark.parametrize("fields", [{"status": "delisted"}, {"status": "suspended"}, {"status": "listed", "admission": "taken_down"}])
def test_what_was_once_on_offer_leaves_a_tombstone(client, fields):
    dataset = make_dataset(listed_at=timezone.now(), status_reason="授权到期", admission_reason="授权到期", summary="不再公开的摘要", **fields)

    response = client.get(dataset.get_absolute_url())

    page = response.content.decode()
    assert response.status_code == 410
    assert dataset.title in page and dataset.identifier in page and "授权到期" in page
    assert "不再公开的摘要" not in page


def test_public_notice_is_told_on_the_page(client):
    dataset = make_dataset(status="public_notice", notice_until=timezone.now() + datetime.timedelta(days=3))

    assert "公示中" in client.get(dataset.get_absolute_url()).content.decode()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_people_write_stays_inert(client, payload):
    organization = make_organization(name=f"机构 {payload}"[:200], description=payload)
    names = ("summary", "description", "license", "case_badge", "allowed_scenarios", "citation", "access_note", "title_en")
    text = dict.fromkeys(names, payload)
    dataset = listed(
        title=f"标题 {payload}",
        organization=organization,
        keywords=[payload],
        lineage=[{"relation": payload, "identifier": payload, "title": payload}],
        documentation={"limitations": {"text": payload}, "processing_flow": {"text": payload, payload: payload}},
        extras={payload: payload},
        landing_page="javascript:alert(1)",
        **text,
    )
    Resource.objects.create(dataset=dataset, name=payload, description=payload, format=payload[:40], download_url="javascript:alert(1)")
    profile = {"columns": [{"name": payload, "type": payload, "min": payload}], "rows": payload, "preview": [[payload]], "encoding": payload}
    Sample.objects.create(dataset=dataset, name=payload, description=payload, state="ready", profile=profile, terms=payload)
    Feedback.objects.create(dataset=dataset, author=make_user(display_name=payload[:80]), kind="use_case", body=payload, answer=payload)
    add_version(dataset, 1, summary="")
    add_version(dataset, 2, summary=payload)

    tabs = [f"{dataset.get_absolute_url()}?tab={tab}&version=2" for tab in TABS]
    live = ("<script>alert", "<script>1", "<img src=x", "<svg onload", 'href="javascript:', "<a href='vbscript", 'src="data:', 'href="data:')
    for path in [*tabs, f"/organizations/{organization.uid}/", "/", "/organizations/"]:
        page = client.get(path).content.decode()
        assert [text for text in live if text in page] == [], path


@pytest.mark.parametrize(
    "profile",
    [
        {},
        {"columns": "x"},
        {"columns": [1, None, {}]},
        {"columns": [{"name": None, "missing": "x", "histogram": [1, "y", {"count": []}]}], "rows": [], "preview": "no"},
        {
            "columns": [{"name": "a", "missing": 10**30, "top": {"a": 1}, "min": [], "max": {}, "type": "integer"}],
            "rows": "1e999",
            "preview": [5, ["a", {}]],
        },
        {
            "columns": [{"name": "a", "histogram": [{"count": 3}, {"count": "4"}], "type": "number", "distinct": True}],
            "rows": 3,
            "preview": [[None, 1]],
        },
        [],
    ],
)
def test_a_profile_of_any_shape_is_shown_or_left_out(client, profile):
    dataset = listed()
    Sample.objects.create(dataset=dataset, name="a.csv", state="ready", profile=profile)

    assert client.get(dataset.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("documentation", [{"scale": "文"}, {"scale": {"text": ["x"]}}, {"scale": None}, {"scale": {"parts": [{"a": [1]}]}}])
def test_the_data_card_takes_documentation_of_any_shape(client, documentation):
    dataset = listed(documentation=documentation)

    page = client.get(f"{dataset.get_absolute_url()}?tab=card").content.decode()

    assert page.count('class="cardlist__item"') == 20


@pytest.mark.parametrize("tab", ["files", "card", "versions", "feedback", "metadata"])
@pytest.mark.parametrize("signed_in", [False, True])
def test_the_page_costs_at_most_twelve_queries_whatever_it_holds(client, tab, signed_in, django_assert_max_num_queries):
    dataset = listed()
    for number in range(30):
        Resource.objects.create(dataset=dataset, name=f"f{number}", format="CSV", position=number)
        Sample.objects.create(dataset=dataset, name=f"s{number}", state="ready")
        add_version(dataset, number + 1)
        Feedback.objects.create(dataset=dataset, author=make_user(), kind="problem", body="x")
    if signed_in:
        client.force_login(make_member(make_organization()))
    client.get("/healthz")

    with django_assert_max_num_queries(12):
        client.get(f"{dataset.get_absolute_url()}?tab={tab}")


def test_any_two_versions_are_compared_and_any_one_is_looked_up(client):
    dataset = listed()
    add_version(dataset, 1, record_count=10)
    add_version(dataset, 2, record_count=11)
    add_version(dataset, 3, record_count=12345)

    page = client.get(f"{dataset.get_absolute_url()}?tab=versions&old=1&new=3&version=2").content.decode()

    assert "<del>10</del>" in page and "<ins>12,345</ins>" in page
    assert "&quot;record_count&quot;: 11" in page


def test_versions_that_do_not_exist_are_ignored(client):
    dataset = listed()
    add_version(dataset, 1)

    assert client.get(f"{dataset.get_absolute_url()}?tab=versions&old=9&new=abc&version=²").status_code == 200


def test_important_data_show_no_sample(client):
    dataset = listed(security_level="important")
    sample = Sample.objects.create(dataset=dataset, name="secret.csv", state="ready")

    assert "secret.csv" not in client.get(dataset.get_absolute_url()).content.decode()
    assert client.get(f"/samples/{sample.uid}/download/").status_code == 404


def test_a_remote_dataset_names_its_home_and_sends_there(client):
    Portal.objects.create(id="cn-33", role="local", name="浙江门户", short_name="浙江", base_url="https://zj.example")
    dataset = listed(home_portal="cn-33", admission="admitted", synced_at=timezone.now())

    page = client.get(dataset.get_absolute_url()).content.decode()

    assert "stamp--local" in page and "同步于" in page and "到来源门户申请使用" in page


def test_views_are_counted_after_the_answer(client):
    write_views(force=True)
    dataset = listed()

    client.get(dataset.get_absolute_url())
    client.get(dataset.get_absolute_url())
    client.head(dataset.get_absolute_url())
    write_views(force=True)

    dataset.refresh_from_db()
    assert dataset.view_count == 2


@pytest.mark.parametrize(
    "accept,ending", [("text/html", "/"), ("application/ld+json", ".jsonld"), ("text/turtle", ".ttl"), ("*/*", "/"), ("image/png", "/")]
)
def test_the_permanent_address_answers_by_content_negotiation(client, accept, ending):
    dataset = listed()

    response = client.get(f"/id/{dataset.identifier}", HTTP_ACCEPT=accept)

    assert response.status_code == 303 and response["Location"] == f"/datasets/{dataset.uid}{ending}"
    assert "Accept" in response["Vary"]


def test_an_identifier_nobody_knows_is_404(client):
    assert client.get("/id/urn:dataset:cn:nonsense").status_code == 404


def test_following_needs_a_sign_in_and_can_be_ended(client):
    dataset, user = listed(), make_user()
    assert client.post(f"/datasets/{dataset.uid}/follow/").status_code == 302
    assert not Subscription.objects.exists()
    client.force_login(user)

    client.post(f"/datasets/{dataset.uid}/follow/")
    client.post(f"/datasets/{dataset.uid}/follow/")

    assert Subscription.objects.filter(user=user, dataset=dataset).count() == 1
    assert "取消关注" in client.get(dataset.get_absolute_url()).content.decode()
    client.post(f"/datasets/{dataset.uid}/follow/", {"stop": "1"})
    assert not Subscription.objects.exists()


def test_nobody_follows_what_they_cannot_see(client):
    client.force_login(make_user())

    assert client.post(f"/datasets/{make_dataset().uid}/follow/").status_code == 404


@pytest.mark.parametrize(
    "data", [{"kind": "rating"}, {"kind": "problem", "body": " "}, {"kind": "x", "body": "y"}, {"kind": "problem", "body": "x" * 4001}]
)
def test_feedback_without_its_content_is_refused_in_words(client, data):
    dataset = listed()
    client.force_login(make_user())

    response = client.post(f"/datasets/{dataset.uid}/feedback/", data, follow=True)

    assert not Feedback.objects.exists() and "notice--danger" in response.content.decode()


def test_feedback_is_shown_to_everybody_and_told_to_the_provider(client):
    dataset = listed()
    owner, user = make_member(dataset.organization), make_user()
    client.force_login(user)

    client.post(f"/datasets/{dataset.uid}/feedback/", {"kind": "rating", "rating": "4", "body": "标注准确"})
    client.logout()

    assert "标注准确" in client.get(f"{dataset.get_absolute_url()}?tab=feedback").content.decode()
    assert owner.notifications.filter(kind="feedback").exists()


def test_the_effect_on_a_model_is_recorded_and_told_to_the_provider(client):
    dataset = listed()
    owner = make_member(dataset.organization)
    client.force_login(make_user())

    client.post(f"/datasets/{dataset.uid}/feedback/", {"kind": "model_effect", "body": "夜间样本误检多，疑有漏标"})

    assert dataset.feedback.get().kind == "model_effect"
    assert "夜间样本误检多" in client.get(f"{dataset.get_absolute_url()}?tab=feedback").content.decode()
    assert owner.notifications.filter(kind="feedback").exists()


def test_datasets_of_the_same_field_and_modality_are_named_and_others_are_not(client):
    dataset = listed(title="路面裂缝", sectors=["transport"], modalities=["image"])
    listed(title="桥梁病害", sectors=["transport"], modalities=["image"])
    listed(title="方言语音", sectors=["culture_tourism"], modalities=["audio"])

    html = client.get(f"{dataset.get_absolute_url()}?tab=lineage").content.decode()

    assert "桥梁病害" in html and "方言语音" not in html


def test_a_request_is_asked_for_with_a_deadline_and_the_providers_people_are_told(client):
    dataset = listed()
    owner, user = make_member(dataset.organization), make_user()
    client.force_login(user)

    client.post(f"/datasets/{dataset.uid}/request/", {"purpose": "训练路面病害识别模型并发表评测结果", "accepted": "1"})

    request = AccessRequest.objects.get()
    assert request.requester == user and request.due_at > timezone.now() + datetime.timedelta(days=4)
    assert len(request.agreement_sha256) == 64
    assert owner.notifications.filter(kind="access.requested").exists()


def test_an_incomplete_request_keeps_what_was_typed(client):
    dataset = listed()
    client.force_login(make_user())

    response = client.post(f"/datasets/{dataset.uid}/request/", {"purpose": "太短"})

    page = response.content.decode()
    assert response.status_code == 422 and "太短" in page and "同意使用约定" in page
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize("path", ["", "request/", "?tab=card"])
def test_pages_speak_english_too(client, path):
    dataset = listed()
    client.force_login(make_user())

    assert client.get(f"/datasets/{dataset.uid}/{path}", HTTP_ACCEPT_LANGUAGE="en").status_code == 200


def test_an_organization_page_lists_its_published_datasets_only(client):
    organization = make_organization()
    shown, hidden = listed(organization=organization, title="已上架的一个"), make_dataset(organization=organization, title="草稿一个")

    page = client.get(f"/organizations/{organization.uid}/").content.decode()

    assert shown.title in page and hidden.title not in page
    assert organization.name in client.get("/organizations/").content.decode()
