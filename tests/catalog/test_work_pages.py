"""Registration wizard, provider desk, review desk, accounts: what each person can see and do there."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from catalog.forms.steps import NAMES, STEPS
from catalog.models import AccessRequest, Dataset, Membership, Organization, Review, User
from catalog.services import registration, review
from catalog.services.samples import add_sample
from tests.factories import COMPLETE, make_dataset, make_member, make_organization, make_user

pytestmark = pytest.mark.django_db
XSS = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def editor(organization):
    return make_member(organization, "editor")


@pytest.fixture
def draft(organization, editor):
    return registration.create_dataset(COMPLETE, organization=organization, user=editor)


@pytest.fixture
def submitted(draft, editor):
    return registration.submit_dataset(draft, user=editor)


def step_url(dataset, step):
    return reverse("catalog:register_step", args=[dataset.uid, step])


def listed(dataset, reviewer):
    review.approve_review(dataset.reviews.get(), reviewer=reviewer)
    return Dataset.objects.get(pk=dataset.pk)


# --- who sees what
@pytest.mark.parametrize("path", ["/register/", "/register/bulk/", "/desk/", "/desk/members/", "/desk/keys/", "/desk/organizations/new/", "/review/"])
def test_strangers_are_sent_to_the_login(client, path):
    answer = client.get(path)

    assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={path}")


@pytest.mark.parametrize("step", NAMES)
def test_every_step_opens_for_the_editor_and_for_nobody_else(client, draft, editor, step):
    url = step_url(draft, step)

    for other in (make_user(), make_member(make_organization()), make_member(draft.organization, "viewer"), make_user(role="reviewer")):
        client.force_login(other)
        assert client.get(url).status_code == 404
    client.force_login(editor)
    assert client.get(url).status_code == 200


def test_the_review_desk_is_closed_to_providers(client, submitted, editor):
    client.force_login(editor)

    assert client.get("/review/").status_code == 403
    assert client.get(f"/review/{submitted.uid}/").status_code == 403


def test_another_organisation_cannot_open_the_desk_page_of_a_dataset(client, draft):
    client.force_login(make_member(make_organization()))

    assert client.get(f"/desk/datasets/{draft.uid}/").status_code == 404
    assert client.post(f"/desk/datasets/{draft.uid}/", {"do": "discard"}).status_code == 404
    assert Dataset.objects.filter(pk=draft.pk).exists()


# --- wizard
def test_a_new_draft_is_made_once_however_often_the_form_is_sent(client, organization, editor):
    client.force_login(editor)
    form = {"organization": str(organization.uid), "how": "new", "title": "水稻高光谱图像", "token": "one-time"}

    first = client.post("/register/", form)
    second = client.post("/register/", form, follow=True)

    assert Dataset.objects.filter(title="水稻高光谱图像").count() == 1
    assert first.status_code == 302
    assert "没有重复建立" in second.content.decode()


def test_a_start_without_title_says_so_and_keeps_the_choice(client, organization, editor):
    client.force_login(editor)

    answer = client.post("/register/", {"organization": str(organization.uid), "how": "new", "title": " "})

    assert answer.status_code == 422
    assert "名称" in answer.content.decode()


def test_a_member_without_an_organisation_gets_a_next_step(client):
    client.force_login(make_user())

    for path in ("/desk/", "/register/", "/register/bulk/"):
        assert reverse("catalog:organization_new") in client.get(path).content.decode()


def test_a_clone_takes_the_content_and_not_the_identity(client, draft, editor):
    client.force_login(editor)

    client.post("/register/", {"organization": str(draft.organization.uid), "how": "clone", "original": str(draft.uid)})

    copy = Dataset.objects.exclude(pk=draft.pk).get()
    assert copy.title == f"{draft.title}（副本）"
    assert (copy.summary, copy.sectors) == (draft.summary, draft.sectors)
    assert copy.identifier != draft.identifier


def filled(dataset, step, **changes):
    """What a browser would send for a step: its present values with some changed."""
    from catalog.forms.listing import StepForm

    document, _revision = registration.editing_document(dataset)
    form = StepForm(step, document)
    data = {"base": form.base()}
    for entry in form.entries:
        bound, value = form[entry.form_name], form.initial[entry.form_name]
        if bound.field.shape == "flag":
            data |= {entry.form_name: "on"} if value else {}
        elif bound.field.shape == "table":
            data[f"{entry.form_name}-rows"] = "0"
        else:
            data[entry.form_name] = bound.field.prepare_value(value) or "" if value is not None else ""
    return data | changes


def test_saving_a_step_stores_it_and_goes_on(client, draft, editor):
    client.force_login(editor)

    answer = client.post(step_url(draft, "basics"), filled(draft, "basics", summary="新的摘要", keywords="路面、病害，裂缝"))

    draft.refresh_from_db()
    assert answer.url == step_url(draft, "content")
    assert (draft.summary, draft.keywords) == ("新的摘要", ["路面", "病害", "裂缝"])


def test_a_wrong_field_is_named_and_the_others_are_saved(client, draft, editor):
    client.force_login(editor)

    answer = client.post(
        step_url(draft, "construction"),
        filled(draft, "construction", temporal_start="2022-04-01", temporal_end="2021-03-31", collection_channel="道路巡检车"),
    )

    page = answer.content.decode()
    draft.refresh_from_db()
    assert answer.status_code == 422
    assert "结束日期 2021-03-31 早于开始日期 2022-04-01" in page
    assert 'href="#id_temporal_end"' in page
    assert 'value="2021-03-31"' in page
    assert (draft.collection_channel, draft.temporal_end) == ("道路巡检车", None)


@pytest.mark.parametrize(
    ("step", "field", "value", "sentence"),
    [
        ("basics", "contact_email", "not-an-address", "邮箱的写法不对"),
        ("basics", "landing_page", "javascript:alert(1)", "https://"),
        ("basics", "title", "", "必填"),
        ("basics", "title", "长" * 301, "300"),
        ("basics", "sectors", "no-such-sector", "no-such-sector"),
        ("basics", "modified", "2026-13-40", "日期"),
        ("basics", "summary", "a\x01b", "控制字符"),
        ("content", "record_count", "很多", "看不懂"),
        ("content", "byte_size", "-5", "看不懂"),
        ("content", "doc-label_statistics-labels-0-count", "许多", "第 1 行“数量”"),
        ("construction", "doc-processing_flow-steps-0-date", "昨天", "第 1 行“日期”"),
        ("rights", "security_level", "secret", "secret"),
    ],
)
def test_bad_input_gets_a_sentence_beside_its_field(client, draft, editor, step, field, value, sentence):
    client.force_login(editor)
    before = Dataset.objects.get(pk=draft.pk).rev

    answer = client.post(step_url(draft, step), filled(draft, step, **{field: value}))

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert Dataset.objects.get(pk=draft.pk).rev == before


def test_structured_rows_become_the_documentation(client, draft, editor):
    client.force_login(editor)
    rows = {
        "doc-label_statistics": "两类",
        "doc-label_statistics-labels-rows": "2",
        "doc-label_statistics-labels-0-name": "裂缝",
        "doc-label_statistics-labels-0-count": "1,200",
        "doc-label_statistics-labels-1-name": "坑槽",
        "doc-label_statistics-labels-1-count": "300",
        "byte_size": "1.5 GB",
    }

    client.post(step_url(draft, "content"), filled(draft, "content", **rows))

    draft.refresh_from_db()
    assert draft.byte_size == 1_500_000_000
    assert draft.documentation["label_statistics"] == {"text": "两类", "labels": [{"name": "裂缝", "count": 1200}, {"name": "坑槽", "count": 300}]}


def test_autosave_answers_when_and_names_what_does_not_hold(client, draft, editor):
    client.force_login(editor)

    answer = client.post(step_url(draft, "basics"), filled(draft, "basics", summary="改", contact_email="x"), headers={"X-Autosave": "1"})

    draft.refresh_from_db()
    assert "已自动保存" in answer.json()["message"]
    assert list(answer.json()["errors"]) == ["id_contact_email"]
    assert draft.summary == "改"


def test_an_edit_made_on_an_old_page_is_told_and_loses_nothing(client, draft, editor):
    client.force_login(editor)
    mine = filled(draft, "basics", summary="我写的摘要")
    client.post(step_url(draft, "basics"), filled(draft, "basics", summary="别人写的摘要"))

    answer = client.post(step_url(draft, "basics"), mine)

    page = answer.content.decode()
    draft.refresh_from_db()
    assert answer.status_code == 409
    assert "我写的摘要" in page and "别人写的摘要" in page
    assert draft.summary == "别人写的摘要"


def test_two_people_on_different_steps_do_not_disturb_each_other(client, draft, editor):
    client.force_login(editor)
    mine = filled(draft, "basics", summary="我写的摘要")
    client.post(step_url(draft, "rights"), filled(draft, "rights", rights_basis="合同"))

    assert client.post(step_url(draft, "basics"), mine).status_code == 302


def test_submitting_twice_opens_one_review_and_says_why(client, draft, editor):
    client.force_login(editor)

    first = client.post(step_url(draft, "preview"), {})
    second = client.post(step_url(draft, "preview"), {}, follow=True)

    assert first.url == reverse("catalog:desk_dataset", args=[draft.uid])
    assert "不能修改" in second.content.decode()
    assert draft.reviews.count() == 1


def test_an_incomplete_draft_is_not_submitted_and_links_to_the_gap(client, organization, editor):
    draft = registration.create_dataset({"title": "只有名称"}, organization=organization, user=editor)
    client.force_login(editor)

    answer = client.post(step_url(draft, "preview"), {})

    assert answer.status_code == 422
    assert f"{step_url(draft, 'rights')}#id_license_type" in answer.content.decode()
    assert not draft.reviews.exists()


def test_a_listed_dataset_is_changed_through_a_revision_with_a_note(client, submitted, editor):
    dataset = listed(submitted.dataset, make_user(role="reviewer"))
    client.force_login(editor)

    client.post(step_url(dataset, "basics"), filled(dataset, "basics", summary="改过的摘要"))
    refused = client.post(step_url(dataset, "preview"), {})
    accepted = client.post(step_url(dataset, "preview"), {"change_note": "改了摘要"})

    dataset.refresh_from_db()
    assert refused.status_code == 422 and "更新了什么" in refused.content.decode()
    assert accepted.status_code == 302
    assert dataset.summary == COMPLETE["summary"]
    assert dataset.reviews.latest("id").kind == Review.Kind.CHANGE


def test_text_that_looks_like_markup_stays_text_on_every_work_page(client, organization, editor):
    values = {
        "title": XSS,
        "summary": XSS,
        "keywords": [XSS],
        "documentation": {"scale": {"text": XSS}, "label_statistics": {"labels": [{"name": XSS}]}},
    }
    dataset = registration.create_dataset(COMPLETE | values, organization=organization, user=editor)
    Organization.objects.filter(pk=organization.pk).update(name=XSS)
    round_ = registration.submit_dataset(dataset, user=editor)
    reviewer = make_user(role="reviewer", display_name=XSS)
    review.add_comment(round_, author=reviewer, body=XSS, pointer="/title")
    client.force_login(reviewer)
    pages = [client.get(f"/review/{round_.uid}/"), client.get("/review/?batch")]
    review.return_review(round_, reviewer=reviewer, reason=XSS)
    client.force_login(editor)
    pages += [client.get(path) for path in ("/desk/", f"/desk/datasets/{dataset.uid}/", "/desk/members/", "/register/")]
    pages += [client.get(step_url(dataset, step)) for step in NAMES]

    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()
        assert "<img src=x" not in page.content.decode()


# --- samples
def test_an_upload_is_kept_and_a_page_is_refused(client, draft, editor):
    client.force_login(editor)
    url = reverse("catalog:register_sample", args=[draft.uid])

    good = client.post(url, {"file": SimpleUploadedFile("a.csv", b"a,b\n1,2\n"), "terms": "研究"})
    bad = client.post(url, {"file": SimpleUploadedFile("a.html", b"<html>")}, headers={"X-Requested-With": "upload"})
    missing = client.post(url, {})

    assert good.status_code == 302
    assert draft.samples.get().terms == "研究"
    assert (bad.status_code, "HTML" in bad.json()["message"]) == (422, True)
    assert missing.status_code == 422


def test_a_sample_is_removed_by_its_own_people_only(client, draft, editor):
    sample = add_sample(draft, SimpleUploadedFile("a.csv", b"a,b\n1,2\n"), user=editor)
    url = reverse("catalog:register_sample_delete", args=[draft.uid, sample.uid])
    client.force_login(make_member(make_organization()))
    assert client.post(url).status_code == 404

    client.force_login(editor)
    client.post(url)

    assert not draft.samples.exists()


# --- bulk
CSV = "名称,摘要,关键词\n数据一,摘要一,甲\n数据二,摘要二,乙\n"


def bulk(client, organization, text, do):
    return client.post("/register/bulk/", {"organization": str(organization.uid), "do": do, "file": SimpleUploadedFile("list.csv", text.encode())})


def test_a_dry_run_writes_nothing_and_a_registration_writes_all(client, organization, editor):
    client.force_login(editor)

    tried = bulk(client, organization, CSV, "check")
    between = Dataset.objects.count()
    done = bulk(client, organization, CSV, "register")

    assert (tried.status_code, between) == (200, 0)
    assert done.status_code == 302
    assert set(Dataset.objects.values_list("title", "status")) == {("数据一", "draft"), ("数据二", "draft")}


def test_one_bad_line_keeps_the_whole_file_out(client, organization, editor):
    client.force_login(editor)
    text = CSV + ",没有名称,丙\n"

    answer = bulk(client, organization, text, "register")
    errors = bulk(client, organization, text, "errors")

    assert answer.status_code == 422
    assert Dataset.objects.count() == 0
    assert errors["Content-Type"].startswith("text/csv")
    assert len(errors.content.decode("utf-8-sig").splitlines()) >= 2


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"{", b"PK\x03\x04", "只有一列\n".encode()])
def test_a_file_that_is_no_catalogue_is_explained(client, organization, editor, content):
    client.force_login(editor)

    answer = client.post("/register/bulk/", {"organization": str(organization.uid), "do": "check", "file": SimpleUploadedFile("a.csv", content)})

    assert answer.status_code == 422


def test_a_draft_can_start_from_a_catalogue_file(client, organization, editor):
    client.force_login(editor)

    client.post(
        "/register/", {"organization": str(organization.uid), "how": "import", "file": SimpleUploadedFile("a.csv", CSV.encode()), "token": "t"}
    )

    assert Dataset.objects.get().title == "数据一"


# --- review desk
def test_a_reviewer_decides_on_one_screen(client, submitted, editor):
    reviewer = make_user(role="reviewer")
    client.force_login(reviewer)
    url = f"/review/{submitted.uid}/"

    client.post(url, {"do": "start"})
    client.post(url, {"do": "comment", "pointer": "/summary", "body": "请写清数量"})
    answer = client.post(url, {"do": "approve", "verdict-annotation": "na", "verdict-quality": "pass"})

    submitted.refresh_from_db()
    assert answer.status_code == 302
    assert submitted.state == "approved"
    assert submitted.verdicts.count() == 2
    assert submitted.comments.get().pointer == "/summary"


def test_returning_without_a_reason_keeps_what_was_typed(client, submitted):
    client.force_login(make_user(role="reviewer"))

    answer = client.post(f"/review/{submitted.uid}/", {"do": "return", "reason": " "})

    assert answer.status_code == 422
    assert "请写明理由" in answer.content.decode()


def test_a_reviewer_of_the_same_organisation_is_refused(client, submitted, organization):
    own = make_user(role="reviewer")
    Membership.objects.create(user=own, organization=organization, role="viewer")
    client.force_login(own)

    page = client.get(f"/review/{submitted.uid}/")
    answer = client.post(f"/review/{submitted.uid}/", {"do": "approve"})

    assert "不能审核自己或本机构" in page.content.decode()
    assert answer.status_code == 403
    submitted.refresh_from_db()
    assert submitted.state == "open"


def test_a_failed_part_blocks_the_approval_and_writes_nothing(client, submitted):
    client.force_login(make_user(role="reviewer"))

    answer = client.post(f"/review/{submitted.uid}/", {"do": "approve", "verdict-rights": "fail", "reason": "没有授权书"})

    submitted.refresh_from_db()
    assert answer.status_code == 422
    assert submitted.state == "open"


def test_a_batch_approves_the_clean_ones_and_explains_the_rest(client, organization, editor):
    clean_values = COMPLETE | {"title": "干净的登记", "rights_evidence": "证书 1", "resources": [{"name": "a", "format": "csv"}]}
    clean = registration.submit_dataset(registration.create_dataset(clean_values, organization=organization, user=editor), user=editor)
    other = registration.submit_dataset(
        registration.create_dataset(COMPLETE | {"title": "毫不相干的气象记录"}, organization=organization, user=editor), user=editor
    )
    client.force_login(make_user(role="reviewer"))

    answer = client.post("/review/?batch", {"review": [str(clean.uid), str(other.uid)]})

    clean.refresh_from_db()
    other.refresh_from_db()
    assert (clean.state, other.state) == ("approved", "open")
    assert "自动检查有发现" in answer.content.decode()


def test_the_queue_filters_by_scope(client, submitted):
    reviewer = make_user(role="reviewer")
    client.force_login(reviewer)
    link = f"/review/{submitted.uid}/"

    assert link in client.get("/review/?scope=free").content.decode()
    assert f'href="{link}?' not in client.get("/review/?scope=mine").content.decode()
    review.start_review(submitted, reviewer=reviewer)
    assert link in client.get("/review/?scope=mine").content.decode()


def test_the_review_desk_asks_a_fixed_number_of_questions(client, organization, editor, django_assert_max_num_queries):
    for number in range(12):
        title = f"{number}{'甲乙丙丁戊己庚辛壬癸子丑'[number] * 9}"
        registration.submit_dataset(registration.create_dataset(COMPLETE | {"title": title}, organization=organization, user=editor), user=editor)
    client.force_login(make_user(role="reviewer"))
    client.get("/review/")

    with django_assert_max_num_queries(45):
        client.get("/review/")


# --- provider desk
@pytest.mark.parametrize(
    ("do", "status", "after"), [("suspend", "listed", "suspended"), ("delist", "listed", "delisted"), ("withdraw", "submitted", "draft")]
)
def test_the_provider_acts_on_the_own_listing(client, submitted, editor, do, status, after):
    dataset = submitted.dataset
    if status == "listed":
        listed(dataset, make_user(role="reviewer"))
    client.force_login(editor)

    answer = client.post(f"/desk/datasets/{dataset.uid}/", {"do": do, "reason": "数据有误"})

    dataset.refresh_from_db()
    assert (answer.status_code, dataset.status) == (302, after)


def test_delisting_without_a_reason_is_refused(client, submitted, editor):
    listed(submitted.dataset, make_user(role="reviewer"))
    client.force_login(editor)

    answer = client.post(f"/desk/datasets/{submitted.dataset.uid}/", {"do": "delist"})

    assert answer.status_code == 422
    assert Dataset.objects.get().status == "listed"


def test_an_unknown_action_is_a_clear_refusal(client, draft, editor):
    client.force_login(editor)

    assert client.post(f"/desk/datasets/{draft.uid}/", {"do": "grade"}).status_code == 409
    client.force_login(make_user(role="admin"))


def test_the_desk_shows_reason_and_conversation_of_a_return(client, submitted, editor):
    review.return_review(submitted, reviewer=make_user(role="reviewer"), reason="缺采集授权书")
    client.force_login(editor)

    assert "缺采集授权书" in client.get("/desk/").content.decode()
    page = client.get(f"/desk/datasets/{submitted.dataset.uid}/").content.decode()
    assert "缺采集授权书" in page
    answer = client.post(f"/desk/datasets/{submitted.dataset.uid}/", {"do": "answer", "body": "已补上"})
    assert answer.status_code == 302
    assert submitted.comments.get().body == "已补上"


def test_the_provider_answers_a_request_for_use(client, submitted, editor):
    dataset = listed(submitted.dataset, make_user(role="reviewer"))
    asked = AccessRequest.objects.create(dataset=dataset, requester=make_user(), purpose="训练路面模型", due_at=timezone.now())
    client.force_login(editor)
    url = f"/desk/datasets/{dataset.uid}/"

    assert "训练路面模型" in client.get(url).content.decode()
    assert client.post(url, {"do": "refused", "request": str(asked.uid)}).status_code == 422
    assert client.post(url, {"do": "granted", "request": "nonsense"}).status_code == 409
    assert client.post(url, {"do": "granted", "request": str(asked.uid)}).status_code == 302
    asked.refresh_from_db()
    assert asked.state == "granted"


@pytest.mark.parametrize("value", ["", "x", "0" * 40, "²", "-1", "'; --"])
def test_nonsense_in_hidden_fields_is_no_server_error(client, organization, editor, submitted, value):
    client.force_login(make_member(organization, "owner"))
    answers = [
        client.post("/desk/members/", {"organization_uid": value, "remove": value}),
        client.post("/desk/members/", {"organization_uid": str(organization.uid), "remove": value}),
        client.post("/register/", {"organization": value, "how": value, "original": value}),
        client.post("/register/bulk/", {"organization": value, "do": value}),
        client.get(f"/desk/?state={value}&page={value}"),
    ]
    client.force_login(make_user(role="reviewer"))
    answers += [
        client.post("/review/?batch", {"review": value}),
        client.get(f"/review/?scope={value}&kind={value}"),
        *(
            client.post(f"/review/{submitted.uid}/", {"do": do, "comment": value, "reviewer": value})
            for do in ("resolve", "assign", "comment", value)
        ),
    ]

    assert all(answer.status_code < 500 for answer in answers)


# --- accounts
def test_signing_up_opens_the_desk(client):
    answer = client.post(
        "/accounts/signup/", {"username": "newcomer", "password": "a-long-secret-9", "again": "a-long-secret-9", "display_name": "新人"}
    )

    assert answer.url == "/desk/"
    assert client.get("/desk/").status_code == 200
    assert User.objects.get(username="newcomer").is_staff is False


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"again": "other-secret-10"}, "不一样"),
        ({"password": "12345678", "again": "12345678"}, "id_password_error"),
        ({"username": "不行"}, "id_username_error"),
        ({"username": "TAKEN"}, "已经有人用了"),
    ],
)
def test_a_bad_sign_up_says_what_is_wrong(client, fields, sentence):
    make_user(username="taken")
    form = {"username": "newcomer", "password": "a-long-secret-9", "again": "a-long-secret-9"} | fields

    answer = client.post("/accounts/signup/", form)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert User.objects.count() == 1


def test_an_organisation_waits_for_verification_and_its_code_is_checked(client):
    user = make_user()
    client.force_login(user)
    form = {"name": "示例数据公司", "kind": "enterprise", "region": "330000"}

    wrong = client.post("/desk/organizations/new/", form | {"credit_code": "91330000123456789X"})
    right = client.post("/desk/organizations/new/", form | {"credit_code": "91350100M000100Y43"})
    again = client.post("/desk/organizations/new/", form)

    organization = Organization.objects.get()
    assert wrong.status_code == 422 and "校验码" in wrong.content.decode()
    assert right.status_code == 302
    assert again.status_code == 409
    assert (organization.is_verified, organization.memberships.get().role) == (False, "owner")


def test_members_are_managed_by_owners_and_the_last_owner_stays(client, organization, editor):
    owner, person = make_member(organization, "owner"), make_user()
    url, data = "/desk/members/", {"organization_uid": str(organization.uid)}
    client.force_login(editor)
    assert client.post(url, data | {"username": person.username, "role": "owner"}).status_code == 403

    client.force_login(owner)
    client.post(url, data | {"username": person.username, "role": "editor"})
    last = client.post(url, data | {"remove": str(owner.pk)})

    assert organization.memberships.filter(user=person, role="editor").exists()
    assert last.status_code == 409


def test_a_key_is_shown_once_and_cannot_exceed_its_person(client, editor):
    client.force_login(editor)

    made = client.post("/desk/keys/", {"name": "采集", "scopes": ["read", "write"], "days": "30"})
    wide = client.post("/desk/keys/", {"name": "越权", "scopes": ["admin"], "days": "30"})

    secret = made.content.decode().split("<code>jimu_")[1].split("<")[0]
    assert secret not in client.get("/desk/keys/").content.decode()
    assert wide.status_code == 422
    token = editor.api_tokens.get()
    client.post(reverse("catalog:desk_key_revoke", args=[token.pk]))
    token.refresh_from_db()
    assert token.is_usable is False


def test_nobody_revokes_the_key_of_another(client, editor):
    client.force_login(editor)
    client.post("/desk/keys/", {"name": "x", "scopes": ["read"], "days": "30"})
    client.force_login(make_user())

    assert client.post(reverse("catalog:desk_key_revoke", args=[editor.api_tokens.get().pk])).status_code == 404


# --- admin
@pytest.mark.parametrize(
    "model", ["user", "organization", "term", "knowledgenode", "portal", "dataset", "review", "auditentry", "job", "notification"]
)
def test_the_admin_lists_and_opens_every_table(client, submitted, model):
    client.force_login(make_user(is_superuser=True, is_staff=True))

    assert client.get(f"/admin/catalog/{model}/?q=a").status_code == 200
    rows = client.get(f"/admin/catalog/{model}/").context["cl"].result_list
    for row in rows[:1]:
        assert client.get(f"/admin/catalog/{model}/{row.pk}/change/").status_code == 200


@pytest.mark.parametrize("model", ["dataset", "auditentry", "review", "notification", "job", "portal"])
def test_the_admin_changes_nothing_that_services_guard(client, submitted, model):
    client.force_login(make_user(is_superuser=True, is_staff=True))

    assert client.get(f"/admin/catalog/{model}/add/").status_code == 403


def test_every_documentation_item_has_its_field():
    items = {entry.item for _label, _lead, entries in STEPS.values() for entry in entries() if entry.item}

    from catalog.models import Term

    assert items == set(Term.objects.filter(scheme="documentation_item").values_list("label_en", flat=True))


def test_a_draft_of_another_portal_is_never_editable(client, editor, organization):
    remote = make_dataset(organization=organization, home_portal="cn-44", status="listed", admission="admitted")
    client.force_login(editor)

    assert client.get(step_url(remote, "basics")).status_code == 404
