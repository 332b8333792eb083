"""The pages of experts, evaluators, supervisors and providers: who opens them, what they show, what their forms do."""

import hashlib
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from catalog.models import Membership
from quality.models import Case, EvaluationBody, Expert, ExpertRound, LabelAudit
from quality.services import cases, raters, reruns, rounds
from quality.services.evaluation import evaluate_dataset
from quality.services.inputs import inputs_of
from tests.factories import make_member, make_organization, make_user
from tests.quality.panel.people import add_file, make_body, make_expert, make_listed, score_all

pytestmark = pytest.mark.django_db
CODES = ["0205", "0206", "0304"]


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(answer) -> str:
    return answer.content.decode()


@pytest.fixture
def evaluator():
    return make_user(role="evaluator")


@pytest.fixture
def listed():
    dataset = make_listed(title="示例：道路病害图像")
    columns = [{"name": name, "filled": 80, "missing": 0} for name in ("file", "label")]
    profile = {"readable": True, "encoding": "utf-8", "delimiter": ",", "rows": 80, "columns": columns}
    add_file(dataset, b"file,label\n" + b"".join(b"a%d.jpg,x\n" % n for n in range(80)), profile=profile)
    evaluate_dataset(dataset)
    return dataset


@pytest.fixture
def round_(listed, evaluator):
    for _place in range(4):
        make_expert()
    return rounds.start_round(listed, by=evaluator, indicators=CODES, seed=3)


def test_an_expert_finds_the_work_scores_it_and_sees_no_other_until_all_have(round_):
    first, second, third = round_.assignments.all()
    client = client_of(first.expert.user)
    desk = page(client.get("/quality/desk/"))
    assert "示例：道路病害图像" in desk

    form = page(client.get(f"/quality/assignments/{first.uid}/"))
    assert "真实性" in form and 'name="score-0205"' in form
    wrong = client.post(f"/quality/assignments/{first.uid}/", {"do": "submit", "score-0205": "40", "score-0206": "70", "score-0304": "70"})
    assert wrong.status_code == 422 and "0205：低于 60 或高于 90 分要写明理由" in page(wrong) and 'value="40"' in page(wrong)

    right = {"do": "submit"} | {f"score-{code}": "73" for code in CODES}
    assert client.post(f"/quality/assignments/{first.uid}/", right).status_code == 302
    rounds.submit_scores(second, user=second.expert.user, scores=dict.fromkeys(CODES, ("81.5", "")))
    assert "81.5" not in page(client.get(f"/quality/assignments/{first.uid}/"))

    rounds.submit_scores(third, user=third.expert.user, scores=dict.fromkeys(CODES, ("77", "")))
    assert "81.5" in page(client.get(f"/quality/assignments/{first.uid}/"))


def test_nobody_else_opens_a_scoring_form(round_, evaluator):
    first, second, _third = round_.assignments.all()
    for person in (second.expert.user, evaluator, make_user(role="reviewer"), make_user()):
        assert client_of(person).get(f"/quality/assignments/{first.uid}/").status_code == 404


def test_a_round_is_blind_for_its_leader_too(round_, evaluator):
    first = round_.assignments.first()
    rounds.submit_scores(first, user=first.expert.user, scores=dict.fromkeys(CODES, ("81.5", "")))
    client = client_of(evaluator)

    assert "盲评" in page(client.get(f"/quality/rounds/{round_.uid}/")) and "81.5" not in page(client.get(f"/quality/rounds/{round_.uid}/"))
    score_all(round_, [60, 62])
    assert "81.5" in page(client.get(f"/quality/rounds/{round_.uid}/"))
    own = make_member(round_.dataset.organization)
    own.groups.add(evaluator.groups.first())
    assert client_of(own).get(f"/quality/rounds/{round_.uid}/").status_code == 403


def test_stepping_back_hands_the_work_on(round_):
    row = round_.assignments.first()
    answer = client_of(row.expert.user).post(f"/quality/assignments/{row.uid}/", {"do": "decline", "reason": "曾参与建设", "interest": "on"})

    assert answer.status_code == 302 and round_.assignments.filter(state="assigned").count() == 3


def test_an_adjudication_shows_both_and_takes_a_reason(round_, evaluator):
    ExpertRound.objects.filter(pk=round_.pk).update(automatic={"0206": "30.00"})
    score_all(round_, [70, 72, 74])
    ruling = round_.adjudications.get()
    client = client_of(evaluator)

    shown = page(client.get(f"/quality/adjudications/{ruling.uid}/"))
    assert "30.00" in shown and "72.00" in shown
    assert client.post(f"/quality/adjudications/{ruling.uid}/", {"choice": "expert"}).status_code == 422
    assert client.post(f"/quality/adjudications/{ruling.uid}/", {"choice": "between", "value": "x", "reason": "y"}).status_code == 422
    assert client.post(f"/quality/adjudications/{ruling.uid}/", {"choice": "expert", "reason": "样例有代表性"}).status_code == 302
    assert "样例有代表性" in page(client.get(f"/quality/adjudications/{ruling.uid}/"))


def test_a_round_and_an_audit_are_started_from_the_follow_up_page(listed, evaluator):
    for _place in range(3):
        make_expert()
    client, path = client_of(evaluator), f"/datasets/{listed.uid}/quality/follow-up/"
    assert "抽取专家并分派" in page(client.get(path))
    assert "抽取专家并分派" not in page(Client().get(path)) and "申诉" in page(Client().get(path))

    assert client.post(path, {"do": "round", "wanted": "3", "goal": "listing", "indicators": CODES}).status_code == 302
    assert client.post(path, {"do": "round", "wanted": "x", "goal": "listing"}).status_code in (409, 422)
    sample = listed.samples.get()
    assert client.post(path, {"do": "audit", "column": f"{sample.uid}|label", "plan": "0-59"}).status_code == 302
    assert client.post(path, {"do": "nothing"}).status_code == 403
    assert Client().post(path, {"do": "round"}).status_code == 302
    assert client_of(make_user()).post(path, {"do": "round", "wanted": "3"}).status_code == 403
    assert (ExpertRound.objects.count(), LabelAudit.objects.count()) == (1, 1)


def test_raters_are_checked_with_known_defects_without_knowing(listed, evaluator):
    for _place in range(3):
        make_expert()
    client, path = client_of(evaluator), f"/datasets/{listed.uid}/quality/follow-up/"
    form = {"do": "round", "goal": "gold", "wanted": "3", "indicators": CODES}
    for wrong in ("", "0205", "9999 1-2", "0205 60-40", "0205 40-600"):
        assert client.post(path, form | {"gold": wrong}).status_code == 422
    assert client.post(path, form | {"gold": "0205 40-60，0304 70-85"}).status_code == 302
    round_ = ExpertRound.objects.get()
    row = round_.assignments.first()
    for shown in ("/quality/desk/", f"/quality/assignments/{row.uid}/"):
        assert "已知缺陷" not in page(client_of(row.expert.user).get(shown))

    score_all(round_, [55, 80, 58])
    if round_.state == "discussion":
        rounds.conclude(round_, by=evaluator, reason="已知缺陷不讨论")
    record = {one.expert_id: one for one in round_.assignments.select_related("expert")}
    found = {one.expert.pk: (one.gold_hits, one.gold_items) for one in raters.standings()}

    assert {found[pk] for pk in record} == {(1, 2)}  # 55 and 58 hit 0205, 80 hits 0304
    assert not inputs_of([listed])[listed.pk].opinions and not round_.adjudications.exists()


def test_labels_are_judged_one_at_a_time(listed, evaluator):
    client = client_of(evaluator)
    client.post(f"/datasets/{listed.uid}/quality/follow-up/", {"do": "audit", "column": f"{listed.samples.get().uid}|label", "plan": "0-59"})
    path = f"/quality/audits/{LabelAudit.objects.get().uid}/"

    assert "第 1 条，共 59 条" in page(client.get(path))
    assert client.post(path, {"n": "1", "verdict": "right"}).status_code == 302
    assert "第 2 条，共 59 条" in page(client.get(path))
    assert client.post(path, {"n": "2", "verdict": "wrong", "note": "应为 y"}).status_code == 302
    assert "结论是拒收" in page(client.get(path)) and "应为 y" in page(client.get(f"{path}?n=2"))
    assert client.post(path, {"n": "9999", "verdict": "right"}).status_code == 422
    assert client_of(make_user()).get(path).status_code == 403
    for number in range(3, 60):
        client.post(path, {"n": number, "verdict": "right"})
    assert "拒收" in page(client.get(path)) and "准确率的单侧 95% 精确下界" in page(client.get(path))


def test_the_provider_locks_draws_hands_in_and_appeals(listed):
    provider = client_of(make_member(listed.organization, "editor"))
    path = f"/datasets/{listed.uid}/quality/follow-up/"
    body = b"x,y\n1,2\n"
    table = f"path,size,sha256\na/1.csv,{len(body)},{hashlib.sha256(body).hexdigest()}\n".encode()
    assert provider.post(path, {"do": "manifest"}).status_code == 422
    refused = provider.post(path, {"do": "manifest", "file": SimpleUploadedFile("m.csv", b"path,size,sha256\n/x,1,y\n")})
    assert refused.status_code == 422 and "第 2 行 path" in page(refused)
    assert provider.post(path, {"do": "manifest", "file": SimpleUploadedFile("m.csv", table)}).status_code == 302
    row = listed.manifests.get()
    assert provider.post(path, {"do": "draw", "manifest": row.uid, "size": "1"}).status_code == 302
    draw = row.draws.get()
    assert "a/1.csv" in page(provider.get(f"/datasets/{listed.uid}/quality/draws/{draw.uid}.csv"))
    assert provider.post(path, {"do": "hand_in", "draw": draw.uid, "files": SimpleUploadedFile("1.csv", b"other")}).status_code == 422
    assert provider.post(path, {"do": "hand_in", "draw": draw.uid, "files": SimpleUploadedFile("1.csv", body)}).status_code == 302
    assert "已核对" in page(provider.get(path)) and str(draw.seed) in page(Client().get(path))

    assert provider.post(path, {"do": "appeal", "statement": ""}).status_code == 422
    assert provider.post(path, {"do": "appeal", "statement": "合同已经补齐", "indicator": "0205"}).status_code == 302
    assert provider.post(path, {"do": "appeal", "statement": "再诉"}).status_code == 409
    case = Case.objects.get(kind="appeal")
    assert Client().get(f"/quality/cases/{case.uid}/").status_code == 404  # public once decided
    assert "合同已经补齐" in page(provider.get(f"/quality/cases/{case.uid}/"))
    assert provider.post(f"/quality/cases/{case.uid}/", {"to": "accepted", "reason": "x"}).status_code == 403
    proof = SimpleUploadedFile("证据.txt", "合同编号 7".encode())
    reviewer = client_of(make_user(role="reviewer"))
    assert reviewer.post(f"/quality/cases/{case.uid}/", {"to": "refused", "reason": "逾期提出", "attachment": proof}).status_code == 302
    public = page(Client().get(f"/quality/cases/{case.uid}/"))
    assert "逾期提出" in public and "证据.txt" not in public
    event = case.events.last()
    answer = provider.get(f"/quality/cases/{case.uid}/files/{event.pk}/")
    assert answer["X-Content-Type-Options"] == "nosniff" and "attachment" in answer["Content-Disposition"]
    assert client_of(make_user()).get(f"/quality/cases/{case.uid}/files/{event.pk}/").status_code == 404
    assert case.number in page(Client().get("/quality/supervision/"))


def test_supervisors_register_draw_and_order_a_rectification(listed, evaluator):
    reviewer = make_user(role="reviewer")
    client, organization = client_of(reviewer), make_organization(kind="evaluator", name="示例评测中心")
    term = {"valid_from": "2026-01-01", "valid_until": "2030-01-01"}
    form = {"do": "register", "organization": organization.pk} | term
    assert client.post("/quality/bodies/", form | {"valid_until": "soon"}).status_code == 422
    assert client.post("/quality/bodies/", form).status_code == 302
    assert client_of(evaluator).post("/quality/bodies/", form).status_code == 403
    assert Client().post("/quality/bodies/", form).status_code == 302
    assert "示例评测中心" in page(Client().get("/quality/bodies/"))
    body, person = EvaluationBody.objects.get(), make_user(username="zhuanjia")
    assert client.post("/quality/experts/", {"do": "register", "username": "zhuanjia", "body": body.uid} | term).status_code == 302
    assert client.post("/quality/experts/", {"do": "register", "username": "nobody"} | term).status_code == 422
    assert Expert.objects.get(user=person).body == body
    assert (
        client.post("/quality/experts/", {"do": "state", "expert": Expert.objects.get().uid, "state": "suspended", "reason": ""}).status_code == 422
    )

    for _place in range(3):
        make_expert(body), make_expert(make_body())
    round_ = rounds.start_round(listed, by=evaluator, indicators=CODES, body=body, seed=1)
    score_all(round_, [85, 88, 88])
    quarter = reruns.quarter_of(timezone.localdate())
    assert client.post("/quality/cases/?kind=spot_check", {"quarter": "1999Q1"}).status_code == 403
    assert client.post("/quality/cases/?kind=spot_check", {"quarter": quarter}).status_code == 302
    case = Case.objects.get(kind="spot_check")
    assert case.number in page(client.get("/quality/cases/?kind=spot_check"))
    assert client.post(f"/quality/cases/{case.uid}/", {"to": "rerun", "reason": "复评"}).status_code == 302
    score_all(case.rounds.get(), [60, 62, 64])
    shown = page(client.get(f"/quality/cases/{case.uid}/"))
    assert "发现偏差" in shown and "要求限期整改" in shown
    due = (timezone.localdate() + timedelta(days=20)).isoformat()
    assert client.post(f"/quality/cases/{case.uid}/", {"do": "order", "reason": "请重新培训评分人员", "due": ""}).status_code == 422
    assert client.post(f"/quality/cases/{case.uid}/", {"do": "order", "reason": "请重新培训评分人员", "due": due}).status_code == 302
    notice = case.children.get()
    assert "请重新培训评分人员" in page(Client().get(f"/quality/cases/{notice.uid}/"))
    assert notice.number in page(Client().get("/quality/supervision/?kind=rectification"))


def test_the_register_shows_a_raters_record(round_, evaluator):
    score_all(round_, [70, 72, 74])
    shown = page(client_of(evaluator).get("/quality/experts/"))

    assert "不足 5 个" in shown and "几秒内相继提交" in shown


@pytest.mark.parametrize("path", ["/quality/desk/", "/quality/experts/", "/quality/cases/"])
def test_desks_are_closed_to_others(path):
    assert Client().get(path).status_code == 302
    assert client_of(make_user()).get(path).status_code == 403
    assert client_of(make_member(make_organization())).get(path).status_code == 403


@pytest.mark.parametrize("path", ["/quality/bodies/", "/quality/supervision/"])
def test_register_and_history_are_open(path):
    assert Client().get(path).status_code == 200


def test_lists_ask_a_fixed_number_of_questions(django_assert_max_num_queries, evaluator):
    for _place in range(12):
        make_body()
        dataset = make_listed()
        case = cases.open_case("appeal", organization=dataset.organization, statement="x", actor=None, dataset=dataset)
        Case.objects.filter(pk=case.pk).update(state="upheld")
    client = client_of(evaluator)
    for path in ("/quality/supervision/", "/quality/bodies/", "/quality/cases/?kind=appeal&ended", "/quality/desk/", "/quality/experts/"):
        with django_assert_max_num_queries(30):
            assert client.get(path).status_code == 200


def test_an_own_member_who_is_an_evaluator_cannot_start(listed, evaluator):
    Membership.objects.create(user=evaluator, organization=listed.organization, role="viewer")

    assert client_of(evaluator).post(f"/datasets/{listed.uid}/quality/follow-up/", {"do": "round", "wanted": "3"}).status_code == 403
