"""Role × state × every address found in the URLconf: nobody sees a draft that is not theirs, and nobody changes what is not theirs.

A new address is picked up by itself. When this module fails with "register a filler", add to FILLERS what stands in its place.
A hidden dataset must answer exactly as one that does not exist, and its title must appear in no body, whatever the address.
"""

import json
import uuid
from dataclasses import dataclass, field

import pytest
from django.test import Client
from django.utils import timezone

from catalog.api.authentication import create_token
from catalog.models import Dataset, Organization, Portal, Review, Sample, Term, Version
from catalog.search import index_datasets
from catalog.services.versions import record_version
from federation.models import Peer, Quarantine
from quality.models import Adjudication, Case, CaseEvent, Expert, ExpertAssignment, ExpertRound, LabelAudit, SampleDraw, SampleManifest
from tests.factories import make_dataset, make_member, make_organization, make_user
from tests.urlwalk import addresses

HIDDEN = ("draft", "submitted", "in_review", "returned", "rejected")
GONE = ("suspended", "delisted")
COUNTERS = {"view_count", "download_count", "request_count"}
ROLES = (
    ["anonymous", "outsider", "other_member", "viewer", "editor", "reviewer", "administrator", "evaluator", "expert", "reviewer_token_read"]
    + [f"outsider_token_{scope}" for scope in ("read", "write", "review", "admin")]
    + ["viewer_token_write"]
)
SEES_EVERYTHING = {"reviewer", "administrator"}
NO_SUCH = uuid.UUID("00000000-0000-7000-8000-000000000000")


@dataclass
class World:
    own: Organization
    other: Organization
    expert: Expert
    datasets: dict[str, Dataset] = field(default_factory=dict)

    def forbidden(self, role) -> dict[str, Dataset]:
        """Datasets that this role may not know of."""
        if role in SEES_EVERYTHING:
            return {}
        mine = "own" if role.startswith(("viewer", "editor")) else None
        return {name: row for name, row in self.datasets.items() if name.split("/")[1] in (*HIDDEN, "pending") and name.split("/")[0] != mine}

    def gone(self, role) -> dict[str, Dataset]:
        if role in SEES_EVERYTHING or role.startswith(("viewer", "editor")):
            return {}
        return {name: row for name, row in self.datasets.items() if name.split("/")[1] in (*GONE, "taken_down")}


def unique(name: str) -> str:
    return f"绝密{uuid.uuid4().hex[:10]}{name.replace('/', '')}"


def add(world: World, name: str, **fields) -> None:
    title = unique(name)
    dataset = make_dataset(title=title, summary=f"{title}的摘要", source_identifier=title, keywords=[title], storage_place=title, **fields)
    record_version(dataset, change_note=f"{title}首版", user=None)
    Sample.objects.create(dataset=dataset, name=f"{title}.csv", state="ready", sha256=uuid.uuid4().hex * 2)
    Review.objects.create(dataset=dataset, due_at=timezone.now(), reason=title)
    evaluate(world, dataset, title)
    world.datasets[name] = dataset


def evaluate(world: World, dataset: Dataset, title: str) -> None:
    """What people did about its quality: a round with its sheet and difference, a label audit, a drawn manifest, a decided appeal."""
    round_ = ExpertRound.objects.create(dataset=dataset, indicators=["0205"], seed=1, due_at=timezone.now(), state="closed", scenario=title)
    ExpertAssignment.objects.create(round=round_, expert=world.expert, state="submitted")
    Adjudication.objects.create(round=round_, indicator="0205", automatic=10, expert=90, reason=title)
    LabelAudit.objects.create(dataset=dataset, source_name=title, column=title, algorithm="x", seed=1, accept=0, size=1, created_by=world.expert.user)
    manifest = SampleManifest.objects.create(dataset=dataset, number=1, sha256="a" * 64, item_count=1, total_bytes=1)
    SampleDraw.objects.create(manifest=manifest, number=1, algorithm="x", seed=1, size=1, items=[{"path": title, "size": 1, "sha256": "a" * 64}])
    for kind in ("appeal", "remedy"):
        fields = {"organization": dataset.organization, "dataset": dataset, "due_at": timezone.now()}
        case = Case.objects.create(kind=kind, state="upheld" if kind == "appeal" else "open", statement="理由", **fields)
        CaseEvent.objects.create(case=case, at=timezone.now(), after=case.state, reason="理由", audit_id=1, attachment="x", attachment_name="x")


@pytest.fixture
def world(db):
    term = {"valid_from": timezone.localdate(), "valid_until": timezone.localdate()}
    world = World(make_organization(name="甲机构"), make_organization(name="乙机构"), Expert.objects.create(user=make_user(), **term))
    remote = make_organization(name="远方机构", home_portal="cn-33")
    for side, organization in (("own", world.own), ("other", world.other)):
        for status in (*HIDDEN, *GONE, "listed", "public_notice"):
            listed_at = timezone.now() if status in (*GONE, "listed") else None
            add(world, f"{side}/{status}", organization=organization, status=status, listed_at=listed_at)
    for admission in ("pending", "admitted", "taken_down"):
        fields = {"status": "listed", "admission": admission, "listed_at": timezone.now()}
        add(world, f"remote/{admission}", organization=remote, home_portal="cn-33", **fields)
    index_datasets(list(world.datasets.values()))
    wait_in_quarantine(world.datasets["own/draft"])
    return world


def wait_in_quarantine(dataset: Dataset) -> None:
    """An event that a portal sent and that could not be applied, with the words of a dataset that few may know of."""
    portal = Portal.objects.update_or_create(id="cn-33", defaults={"role": "local", "name": "浙江门户", "short_name": "浙江"})[0]
    peer = Peer.objects.create(portal=portal, state="active")
    values = {"seq": 1, "rev": 1, "hash": "a" * 64, "error": "invalid", "reason": dataset.title, "event": dataset.title.encode()}
    Quarantine.objects.create(pk=1, peer=peer, stream="listings", identifier=dataset.identifier, title=dataset.title, **values)


def caller(role: str, world: World) -> Client:
    name, _token, scope = role.partition("_token_")
    people = {
        "outsider": lambda: make_user(),
        "other_member": lambda: make_member(make_organization()),
        "viewer": lambda: make_member(world.own, "viewer"),
        "editor": lambda: make_member(world.own, "editor"),
        "reviewer": lambda: make_user(role="reviewer"),
        "administrator": lambda: make_user(role="admin"),
        "evaluator": lambda: make_user(role="evaluator"),
        "expert": lambda: world.expert.user,
    }
    if name == "anonymous":
        return Client(raise_request_exception=False)
    user = people[name]()
    if scope:
        secret = create_token(user, scopes=[scope], days=1)[1]
        return Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def fillers(dataset: Dataset | None) -> dict[tuple[str, str], object]:
    """What stands in the place of each parameter, by the path segment before it. None fills with what does not exist."""
    uid = dataset.uid if dataset else NO_SUCH
    first = {"sample": None, "review": None}
    if dataset:
        first = {"sample": dataset.samples.first(), "review": dataset.reviews.first()}
    sample_uid = first["sample"].uid if first["sample"] else NO_SUCH
    review_uid = first["review"].uid if first["review"] else NO_SUCH
    rounds = ExpertRound.objects.filter(dataset=dataset) if dataset else ExpertRound.objects.none()
    cases = dataset.quality_cases.filter(kind="appeal") if dataset else Case.objects.none()
    return {
        ("datasets", "uid"): uid,
        ("id", "identifier"): dataset.identifier if dataset else f"urn:dataset:cn:{NO_SUCH}",
        ("samples", "uid"): sample_uid,
        ("samples", "sample_uid"): sample_uid,
        ("reviews", "uid"): review_uid,
        ("review", "uid"): review_uid,
        ("versions", "number"): 1,
        ("organizations", "uid"): dataset.organization.uid if dataset else NO_SUCH,
        ("vocabularies", "scheme"): "sector",
        ("announcements", "pk"): 1,
        ("facets", "name"): "keyword",
        ("methods", "version"): "2026.1",
        ("schemes", "version"): "2026.1",
        ("searches", "token"): "x",
        ("demands", "uid"): NO_SUCH,
        ("register", "uid"): uid,
        ("register", "step"): "basics",
        ("samples", "sample"): sample_uid,
        ("keys", "pk"): 1,
        ("quarantine", "pk"): 1,
        ("action", "name"): "package_list",
        ("streams", "stream"): "listings",
        ("inbox", "stream"): "listings",
        ("custody", "portal_id"): "cn-33",
        ("portals", "portal_id"): "cn-33",
        ("reset", "uidb64"): "x",
        ("reset", "token"): "x",
        ("rounds", "uid"): uid_of(rounds),
        ("assignments", "uid"): uid_of(ExpertAssignment.objects.filter(round__in=rounds)),
        ("adjudications", "uid"): uid_of(Adjudication.objects.filter(round__in=rounds)),
        ("audits", "uid"): uid_of(LabelAudit.objects.filter(dataset=dataset)) if dataset else NO_SUCH,
        ("cases", "uid"): uid_of(cases),
        ("files", "pk"): getattr(CaseEvent.objects.filter(case__in=cases).first(), "pk", 0),
        ("draws", "draw"): uid_of(SampleDraw.objects.filter(manifest__dataset=dataset)) if dataset else NO_SUCH,
    }


def uid_of(rows):
    return getattr(rows.first(), "uid", NO_SUCH)


# Parameters that lead to a dataset: its address must answer as if the dataset did not exist.
OF_DATASETS = ("datasets", "samples", "reviews", "review", "register", "desk", "rounds", "assignments", "adjudications", "audits", "cases")
OF_A_DATASET = {(segment, "uid") for segment in OF_DATASETS} | {("id", "identifier")}


def all_addresses(with_dataset: bool):
    known = set(fillers(None))
    for address in addresses():
        missing = [pair for pair in address.parameters if pair not in known]
        assert not missing, f"register a filler for {missing} of {address.route!r} in tests/test_visibility_matrix.py"
        if bool(OF_A_DATASET & set(address.parameters)) == with_dataset:
            yield address


def read(client, path, query=None):
    answer = client.get(path, query or {})
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, decoded(body)


def decoded(body: bytes) -> str:
    """Text with JSON's escapes undone, so that a title is found however it is written."""
    text = body.decode("utf-8", "replace")
    return text + (json.dumps(json.loads(text), ensure_ascii=False) if text[:1] in "{[" and "\\u" in text else "")


@pytest.mark.parametrize("role", ROLES)
def test_lists_feeds_and_exports_name_no_hidden_dataset(role, world):
    client = caller(role, world)
    secrets = {row.title for row in [*world.forbidden(role).values(), *world.gone(role).values()]}

    leaks, filled = [], fillers(world.datasets["other/draft"])
    for address in all_addresses(with_dataset=False):
        path = address.fill(filled)
        for query in ({}, {"q": "绝密"}):
            status, body = read(client, path, query)
            leaks += [f"{path} {query} fails"] if status >= 500 else []
            leaks += [f"{path} {query} shows {title}" for title in secrets if title in body]

    assert not leaks, "\n".join(leaks)


@pytest.mark.parametrize("role", ROLES)
def test_a_hidden_dataset_answers_as_one_that_does_not_exist(role, world):
    client = caller(role, world)

    leaks, nowhere = [], fillers(None)
    hidden = [(name, dataset, fillers(dataset)) for name, dataset in world.forbidden(role).items()]
    for address in all_addresses(with_dataset=True):
        absent, _body = read(client, address.fill(nowhere))
        for name, dataset, filled in hidden:
            path = address.fill(filled)
            status, body = read(client, path)
            if status != absent or status == 200 or status >= 500:
                leaks.append(f"{path} ({name}) answers {status}, an absent one {absent}")
            if dataset.title in body:
                leaks.append(f"{path} ({name}) shows the title")

    assert not leaks, "\n".join(leaks)


def state_of(world) -> list:
    names = [column.attname for column in Dataset._meta.concrete_fields if column.attname not in COUNTERS]
    counts = [model.objects.count() for model in (Dataset, Sample, Version, Organization, Term)]
    rows = [list(Dataset.objects.order_by("pk").values_list(*names)), list(Review.objects.order_by("pk").values_list("pk", "state", "reason"))]
    return [*rows, counts, list(Sample.objects.order_by("pk").values_list("pk", "state", "name"))]


BODY = {"title": "改过的题名", "reason": "理由", "change_note": "改", "body": "意见", "part": "quality", "verdict": "pass", "grade": "A"}


WRITERS = [role for role in ROLES if role not in SEES_EVERYTHING and role != "editor"]
VERBS = ("post", "patch", "put", "delete")
ON_PAGES_ONLY = {"evaluator", "expert"}  # they write on pages, and pages know but POST


@pytest.mark.parametrize(("verb", "role"), [(verb, role) for verb in VERBS for role in WRITERS if verb == "post" or role not in ON_PAGES_ONLY])
def test_who_may_not_write_changes_nothing(role, verb, world):
    client = caller(role, world)
    before = state_of(world)

    wrong, nowhere = [], fillers(None)
    filled = {name: fillers(world.datasets[name]) for name in ("own/draft", "other/submitted", "own/listed", "remote/admitted")}
    for address in all_addresses(with_dataset=True):
        absent = send(client, verb, address.fill(nowhere))
        for name, places in filled.items():
            path = address.fill(places)
            answer = send(client, verb, path)
            if name in world.forbidden(role) and not (refused(answer) or same_refusal(answer, absent)):
                wrong.append(f"{verb} {path} ({name}) answers {answer.status_code}")
            if answer.status_code >= 500:
                wrong.append(f"{verb} {path} fails")

    assert not wrong, "\n".join(wrong)
    assert state_of(world) == before


def send(client, verb, path):
    if path.startswith("/api/"):
        return getattr(client, verb)(path, data=json.dumps(BODY), content_type="application/json")
    return client.post(path, BODY) if verb == "post" else getattr(client, verb)(path)


def same_refusal(answer, absent) -> bool:
    """Refused for its body, in the very words that a dataset that does not exist gets."""
    return 400 <= answer.status_code < 500 and (answer.status_code, answer.content) == (absent.status_code, absent.content)


def refused(answer) -> bool:
    to_login = answer.status_code == 302 and "/login/" in answer["Location"]
    return answer.status_code in (401, 403, 404, 405) or to_login


def test_reviewers_and_members_do_see_what_is_theirs(world):
    for role in ("reviewer", "administrator", "editor", "viewer"):
        client = caller(role, world)
        assert client.get(f"/api/v1/datasets/{world.datasets['own/draft'].uid}/").status_code == 200, role


def test_the_admin_lets_only_staff_in(world):
    for role in ("anonymous", "outsider", "editor", "reviewer"):
        assert refused(caller(role, world).get("/admin/")), role
