"""Supply and demand: from a draft to a published outcome, who reads what of it, matches with reasons, the board and the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import jobs
from catalog.api.authentication import create_token
from catalog.exceptions import Conflict, InvalidTransition, ListingInvalid, NotAllowed
from catalog.models import AuditEntry, Dataset, Demand, Notification, Response
from catalog.search import index_datasets
from catalog.services import demand_board, demands, matching
from tests.factories import make_dataset, make_member, make_organization, make_user

pytestmark = pytest.mark.django_db
WORDS = {"title": "山区道路积雪图像", "content": "可见光图像，标注积雪与结冰", "sectors": ["transport"], "modalities": ["image"]}


def listed(**fields):
    dataset = make_dataset(**{"status": "listed", "listed_at": timezone.now()} | fields)
    index_datasets([dataset])
    return dataset


def make_demand(*, user=None, state="published", **fields):
    user = user or make_user()
    return Demand.objects.create(**{"author": user, "home_portal": "cn", "state": state, "published_at": timezone.now()} | WORDS | fields)


def fields_of(error):
    return sorted(item["pointer"].strip("/") for item in error.value.errors)


def test_the_way_of_a_demand_from_draft_to_published_outcome():
    author, reviewer, organization = make_user(), make_user(role="reviewer"), make_organization()
    provider = make_member(organization, "editor")
    dataset = listed(organization=organization, title="道路积雪")

    demand = demands.save_demand(WORDS, user=author)
    demands.submit_demand(demand, user=author)
    demands.review_demand(demand, reviewer=reviewer, publish=False, reason="请写用途")
    demand = demands.save_demand({"quality": "一致率 95%"}, user=author, demand=demand)
    demands.submit_demand(demand, user=author)
    demands.review_demand(demand, reviewer=reviewer, publish=True)
    jobs.run_due()
    demand.refresh_from_db()
    assert demand.state == "matched" and demand.matches.get().dataset == dataset
    response = demands.respond(demand, user=provider, organization=organization, body="可以提供", dataset=dataset)
    demands.decide_response(response, user=author, accept=True, reason="请联系")
    demand.refresh_from_db()
    assert demand.state == "in_talks"
    demands.close_demand(demand, user=author, met=True, outcome="已签约")
    demand.refresh_from_db()
    assert (demand.state, demands.outcome_for(demand, provider)) == ("met", "")
    demands.review_outcome(demand, reviewer=reviewer, publish=True)
    demand.refresh_from_db()

    assert demands.outcome_for(demand, provider) == "已签约"
    actions = list(AuditEntry.objects.filter(object_id=str(demand.uid)).values_list("action", flat=True))
    assert actions == [
        "demand.saved", "demand.submitted", "demand.returned", "demand.saved", "demand.submitted", "demand.published", "demand.answered",
        "demand.accepted", "demand.in_talks", "demand.closed", "demand.outcome_published",
    ]  # fmt: skip
    kinds = set(Notification.objects.filter(user=author).values_list("kind", flat=True))
    assert {"demand.returned", "demand.published", "demand.matched", "demand.answered"} <= kinds
    assert set(Notification.objects.filter(user=provider).values_list("kind", flat=True)) == {"demand.for_you", "demand.accepted"}


def test_a_demand_names_every_field_that_is_wrong_or_missing():
    user = make_user()
    wrong = {
        "title": " ",
        "sectors": ["nothing"],
        "modalities": "image",
        "region": "999999",
        "record_count": -1,
        "priority": "soon",
        "contact": "x" * 201,
    }

    with pytest.raises(ListingInvalid) as error:
        demands.save_demand(wrong, user=user)
    assert fields_of(error) == ["contact", "modalities", "priority", "record_count", "region", "sectors", "title"]
    assert not Demand.objects.exists()

    draft = demands.save_demand({"title": "只有名称", "deadline": timezone.localdate() - timedelta(days=1)}, user=user)
    with pytest.raises(ListingInvalid) as error:
        demands.submit_demand(draft, user=user)
    assert fields_of(error) == ["content", "deadline", "modalities", "sectors"]


@pytest.mark.parametrize("state", ["submitted", "published", "matched", "in_talks", "met", "closed"])
def test_what_was_handed_in_is_changed_by_nobody(state):
    demand = make_demand(state=state)

    with pytest.raises(InvalidTransition):
        demands.save_demand({"title": "换掉"}, user=demand.author, demand=demand)
    with pytest.raises(InvalidTransition):
        demands.discard_demand(demand, user=demand.author)


def test_rights_author_reviewer_and_provider():
    organization = make_organization()
    provider, viewer, stranger = make_member(organization, "editor"), make_member(organization, "viewer"), make_user()
    reviewer = make_user(role="reviewer")
    waiting, public, own = make_demand(state="submitted"), make_demand(), make_demand(user=reviewer, state="submitted")
    closed = make_demand(state="closed")
    foreign, draft = listed(), make_dataset(organization=organization)

    for user in (stranger, waiting.author, provider):
        with pytest.raises(NotAllowed):
            demands.review_demand(waiting, reviewer=user, publish=True)
    with pytest.raises(NotAllowed):
        demands.review_demand(own, reviewer=reviewer, publish=True)
    with pytest.raises(NotAllowed):
        demands.close_demand(public, user=stranger, met=False, outcome="")
    for user in (viewer, stranger):
        with pytest.raises(NotAllowed):
            demands.respond(public, user=user, organization=organization, body="x")
    for dataset in (foreign, draft):
        with pytest.raises(ListingInvalid):
            demands.respond(public, user=provider, organization=organization, body="x", dataset=dataset)
    with pytest.raises(InvalidTransition):
        demands.respond(closed, user=provider, organization=organization, body="x")
    response = demands.respond(public, user=provider, organization=organization, body="x")
    with pytest.raises(Conflict):
        demands.respond(public, user=provider, organization=organization, body="y")
    with pytest.raises(NotAllowed):
        demands.decide_response(response, user=provider, accept=True)
    demands.withdraw_response(response, user=provider)
    assert demands.respond(public, user=provider, organization=organization, body="y")


def test_matches_say_why_and_follow_the_catalogue():
    demand = make_demand(region="330000", record_count=500)
    good = listed(title="山区道路积雪结冰", keywords=["积雪", "结冰"], region="330100", grade="A", record_count=1000)
    listed(title="文学", sectors=["education"], modalities=["text"], keywords=["诗"], region="440000")
    secret = listed(title="道路", keywords=["积雪"], record_count=10**6, security_level="important", region="110000")

    assert matching.match_demand(demand.pk) == 2
    reasons = {match.dataset: {item["kind"]: item["values"] for item in match.reasons} for match in demand.matches.all()}
    assert reasons[good] == {
        "sector": ["transport"], "modality": ["image"], "keyword": ["积雪", "结冰"], "near": [], "region": ["330000"], "scale": [], "grade": ["A"],
    }  # fmt: skip
    assert not {"keyword", "scale"} & set(reasons[secret])  # what important data do not tell decides nothing
    assert "关键词：积雪、结冰" in demand_board.matches_of(demand)[0]["reasons"]

    Dataset.objects.filter(pk=good.pk).update(status="suspended")
    assert [item["row"]["title"] for item in demand_board.matches_of(demand)] == ["道路"]  # at once, before any job
    index_datasets([Dataset.objects.get(pk=good.pk)])
    assert matching.ask_all() and jobs.run_due()
    assert [match.dataset for match in demand.matches.all()] == [secret]
    assert matching.ask_all() is False  # nothing changed since


def test_new_matches_are_told_once_to_author_and_providers():
    organization = make_organization()
    provider, demand = make_member(organization), make_demand()
    listed(organization=organization)

    matching.match_demand(demand.pk)
    matching.match_demand(demand.pk)

    assert [note.user for note in Notification.objects.filter(kind="demand.for_you")] == [provider]
    assert Notification.objects.filter(user=demand.author, kind="demand.matched").count() == 1


SECRET = "绝密电话 0571-999"


@pytest.mark.parametrize("contact_to", ["accepted", "providers", "nobody"])
def test_the_contact_is_read_by_whom_its_author_chose(client, contact_to):
    demand = make_demand(contact=SECRET, contact_to=contact_to)
    accepted, other = make_organization(), make_organization()
    Response.objects.create(demand=demand, organization=accepted, author=make_user(), body="x", progress="accepted")
    Response.objects.create(demand=demand, organization=other, author=make_user(), body="x")
    readers = {
        "anonymous": None,
        "stranger": make_user(),
        "accepted": make_member(accepted),
        "other": make_member(other),
        "author": demand.author,
        "reviewer": make_user(role="reviewer"),
    }
    may = {"author", "reviewer"} | {"accepted": {"accepted"}, "providers": {"accepted", "other"}, "nobody": set()}[contact_to]

    for name, user in readers.items():
        client.logout()
        if user:
            client.force_login(user)
        for address in (f"/demands/{demand.uid}/", f"/api/v1/demands/{demand.uid}/"):
            assert (SECRET in client.get(address).content.decode()) == (name in may), (name, address)
        for address in ("/demands/?q=绝密", "/demands/", "/", "/api/v1/demands/", "/map/"):
            assert SECRET not in client.get(address).content.decode(), (name, address)


@pytest.mark.parametrize("state", ["draft", "submitted", "returned"])
def test_what_nobody_reviewed_is_on_no_page_but_its_authors_and_the_reviewers(client, state):
    demand = make_demand(title="绝密需求名称", state=state, reason="绝密理由", outcome="绝密结果")
    listed()
    readers = {"anonymous": None, "stranger": make_user(), "member": make_member(make_organization()), "reviewer": make_user(role="reviewer")}
    public = [
        "/demands/",
        "/demands/?state=all",
        f"/demands/?state={state}",
        "/",
        "/map/",
        "/api/v1/demands/",
        "/api/v1/demands/?state=all",
        "/desk/demands/",
    ]

    for name, user in readers.items():
        client.logout()
        if user:
            client.force_login(user)
        for address in public:
            assert "绝密" not in client.get(address).content.decode(), (name, address)
        seen = name == "reviewer" and state == "submitted"
        for address in (f"/demands/{demand.uid}/", f"/api/v1/demands/{demand.uid}/"):
            assert client.get(address).status_code == (200 if seen else 404), (name, address)
        assert client.post(f"/demands/{demand.uid}/", {"do": "discard"}).status_code in (302, 403, 404, 409)
        assert client.get(f"/demands/{demand.uid}/edit/").status_code in (302, 404)
    assert Demand.objects.filter(pk=demand.pk, state=state).exists()
    client.force_login(demand.author)
    assert client.get(f"/demands/{demand.uid}/").status_code == 200


def test_responses_are_between_the_two_sides(client):
    demand, one, other = make_demand(), make_organization(), make_organization()
    for organization in (one, other):
        Response.objects.create(demand=demand, organization=organization, author=make_user(), body=f"绝密报价 {organization.name}")

    def read(user):
        client.force_login(user)
        return client.get(f"/demands/{demand.uid}/").content.decode() + client.get(f"/api/v1/demands/{demand.uid}/").content.decode()

    assert "绝密报价" not in client.get(f"/demands/{demand.uid}/").content.decode()
    assert "绝密报价" not in read(make_user())
    mine = read(make_member(one))
    assert f"绝密报价 {one.name}" in mine and f"绝密报价 {other.name}" not in mine
    assert f"绝密报价 {other.name}" in read(demand.author)


def test_the_board_filters_searches_and_shows_where_supply_is_thin(client):
    make_demand(title="积雪图像", priority="urgent")
    make_demand(title="门诊文本", sectors=["healthcare"], modalities=["text"], state="met", region="330000")
    make_demand(title="航道图像", deadline=timezone.localdate())
    listed()

    def titles(query):
        html = client.get(f"/demands/?{query}").content.decode()
        return {name for name in ("积雪图像", "门诊文本", "航道图像") if name in html}

    assert titles("") == {"积雪图像", "航道图像"} and titles("state=all") == {"积雪图像", "门诊文本", "航道图像"}
    assert titles("state=met&sector=healthcare&modality=text&region=330100") == {"门诊文本"}
    assert titles("q=积雪图像") == {"积雪图像"} == titles("priority=urgent")
    assert titles("sector=healthcare") == set()
    assert [row["title"] for row in client.get("/api/v1/demands/?q=航道").json()["results"]] == ["航道图像"]
    gap = demand_board.supply_gap()
    assert [(row["code"], row["demands"], row["unmet"], row["datasets"]) for row in gap] == [("transport", 2, 2, 1)]
    for sort in demand_board.SORTS:
        assert titles(f"sort={sort}") == {"积雪图像", "航道图像"}


def test_a_search_that_found_nothing_fills_the_form_and_the_form_makes_a_demand(client):
    user = make_user()
    client.force_login(user)

    html = client.get("/demands/new/?q=积雪图像&sector=transport&modality=image&region=330100&modality=none").content.decode()
    assert 'value="积雪图像"' in html and html.count(" checked") == 2 and '<option value="330100" selected>' in html
    assert client.get("/demands/new/?size_from=x&q=%00").status_code == 200

    data = {"title": "积雪图像", "content": "图像", "sectors": ["transport"], "modalities": ["image"], "priority": "high", "contact_to": "nobody"}
    answer = client.post("/demands/new/", data | {"do": "submit", "query": "q=积雪图像"})
    demand = Demand.objects.get()
    assert answer["Location"] == demand.get_absolute_url() and (demand.state, demand.author) == ("submitted", user)
    bad = client.post("/demands/new/", data | {"title": "", "record_count": "viel", "sectors": ["nothing"]})
    assert bad.status_code == 422 and Demand.objects.count() == 1 and "请改正下面的内容" in bad.content.decode()


def test_a_reviewer_finds_and_lets_out_what_waits(client):
    demand = make_demand(state="submitted")
    make_demand(title="结果待审", state="met", outcome="已签约")
    client.force_login(make_user(role="reviewer"))

    html = client.get("/review/demands/").content.decode()
    assert demand.title in html and "已签约" in html
    assert client.post(f"/demands/{demand.uid}/", {"do": "return", "reason": ""}).status_code == 422
    assert client.post(f"/demands/{demand.uid}/", {"do": "publish"}).status_code == 302
    assert Demand.objects.get(pk=demand.pk).state == "published"
    client.force_login(make_user())
    assert client.get("/review/demands/").status_code == 403


def test_machines_write_submit_and_answer_with_the_scope_for_it(client):
    author, organization = make_user(), make_organization()
    provider = make_member(organization, "editor")
    write, read = create_token(author, scopes=["write"], days=1)[1], create_token(author, scopes=["read"], days=1)[1]
    answers = create_token(provider, scopes=["write"], days=1)[1]

    def post(path, token, data):
        return client.post(path, data, content_type="application/json", headers={"Authorization": f"Bearer {token}"} if token else {})

    assert post("/api/v1/demands/", "", WORDS).status_code in (401, 403) and post("/api/v1/demands/", read, WORDS).status_code == 403
    problem = post("/api/v1/demands/", write, WORDS | {"sectors": ["nothing"], "state": "published"})
    assert problem.status_code == 400 and problem.json()["errors"][0]["pointer"] == "/state"
    assert post("/api/v1/demands/", write, WORDS | {"sectors": ["nothing"]}).status_code == 422
    made = post("/api/v1/demands/", write, WORDS)
    assert made.status_code == 201 and made.json()["state"] == "draft"
    path = f"/api/v1/demands/{made.json()['uid']}/"
    assert post(f"{path}submit/", write, {}).json()["state"] == "submitted"
    assert post(f"{path}responses/", answers, {"organization": str(organization.uid), "body": "有"}).status_code == 404
    Demand.objects.update(state="published")
    assert post(f"{path}responses/", answers, {"organization": str(organization.uid), "body": "有"}).status_code == 201
    assert post(f"{path}responses/", answers, {"organization": str(organization.uid), "body": "有"}).status_code == 409
    mine = client.get("/api/v1/demands/?mine=1", headers={"Authorization": f"Bearer {write}"}).json()["results"]
    assert [row["uid"] for row in mine] == [made.json()["uid"]]
