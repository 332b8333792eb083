"""The scheme as rows: validated, copied, tried, activated; one that was used is never rewritten."""

import copy
import datetime

import pytest
from django.utils import timezone

from catalog import jobs
from catalog.exceptions import Conflict, InvalidTransition, ListingInvalid, NotAllowed
from catalog.models import AuditEntry, Dataset
from quality.engine import default_scheme
from quality.models import EvaluationScheme
from quality.schemes import findings
from quality.services import editing, schemes, trying
from tests.factories import make_user
from tests.quality.test_evaluation import listed

BREAKS = {
    "/profiles/0/weights": lambda d: d["profiles"][0]["weights"].update({"0101": 7}),
    "/bands": lambda d: d["bands"].reverse(),
    "/shares/0202": lambda d: d["shares"].update({"0202": [50, 40, 0]}),
    "/floors/A": lambda d: d["floors"]["A"].update({"dimension": 140}),
    "/limits/0208/bad": lambda d: d["limits"]["0208"].update({"bad": ["0.2", "0.1"]}),
    "/caps/V3/grade": lambda d: d["caps"]["V3"].update({"grade": "E"}),
    "/caps/V5/months": lambda d: d["caps"]["V5"].update({"months": 0}),
    "/effective_from": lambda d: d.update({"effective_from": "bald"}),
    "/confidence/sample": lambda d: d["confidence"].pop("sample"),
    "/profiles": lambda d: d["profiles"].append(d["profiles"][0]),
    "/not_applicable_limit": lambda d: d.update({"not_applicable_limit": 12.5}),
    "/version": lambda d: d.update({"version": "../x"}),
}


@pytest.mark.parametrize("pointer", BREAKS)
def test_a_wrong_scheme_is_refused_at_its_place(pointer):
    document = copy.deepcopy(default_scheme())
    BREAKS[pointer](document)

    assert pointer in [row["pointer"] for row in findings(document)]
    assert list(findings(default_scheme())) == []


@pytest.mark.parametrize("document", [None, [], {}, {"version": 1}, dict.fromkeys(default_scheme(), 3), dict.fromkeys(default_scheme(), {})])
def test_no_document_however_odd_crashes_the_check(document):
    assert list(findings(document))


@pytest.mark.django_db
def test_a_scheme_travels_as_one_document_and_arrives_once():
    document = schemes.to_document(schemes.active_scheme()) | {"version": "2027.1"}

    first, again = schemes.from_document(document), schemes.from_document(document)

    assert first == again and first.state == "draft"
    assert schemes.fingerprint(schemes.to_document(first)) == schemes.fingerprint(document)
    assert schemes.from_document(schemes.to_document(schemes.active_scheme())) == schemes.active_scheme()


@pytest.mark.django_db
def test_the_national_portal_publishes_schemes_but_no_drafts():
    from federation.protocol import canonical
    from federation.services.reference import _scheme_documents

    editing.copy(schemes.active_scheme(), version="2027.1", actor=make_user(role="admin"))

    documents = _scheme_documents()
    assert list(documents) == ["urn:scheme:cn:2026.1"] and canonical(documents["urn:scheme:cn:2026.1"])


@pytest.mark.django_db
def test_a_document_cannot_overwrite_a_scheme_that_was_active():
    document = copy.deepcopy(schemes.to_document(schemes.active_scheme()))
    document["title"] = "别的"

    with pytest.raises(Conflict):
        schemes.from_document(document)
    with pytest.raises(ListingInvalid):
        schemes.from_document({"version": "x"})


@pytest.mark.django_db
def test_a_used_scheme_is_copied_not_edited():
    admin, active = make_user(role="admin"), schemes.active_scheme()

    with pytest.raises(InvalidTransition):
        editing.save(active, schemes.to_document(active), actor=admin)
    draft = editing.copy(active, version="2027.1", actor=admin)
    document = schemes.to_document(draft)
    document["bands"][0]["from"] = 92
    editing.save(draft, document, actor=admin)

    assert EvaluationScheme.objects.get(version="2027.1").content["bands"][0]["from"] == 92
    assert schemes.active_scheme().content["bands"][0]["from"] == 90
    with pytest.raises(Conflict):
        editing.copy(active, version="2027.1", actor=admin)
    with pytest.raises(NotAllowed):
        editing.copy(active, version="2027.2", actor=make_user(role="reviewer"))


@pytest.mark.django_db
def test_a_dry_run_says_which_grades_would_change_and_writes_none():
    dataset = listed()
    jobs.run_due()
    before = Dataset.objects.get(pk=dataset.pk)
    admin = make_user(role="admin")
    draft = editing.copy(schemes.active_scheme(), version="2027.1", actor=admin)
    document = schemes.to_document(draft)
    document["bands"] = [band | {"from": bound} for band, bound in zip(document["bands"], (4, 3, 2, 0), strict=True)]
    editing.save(draft, document, actor=admin)

    trying.start(draft)
    jobs.run_due()
    result = trying.latest(draft).result

    assert (result["total"], result["changed"], result["failed"]) == (1, 1, 0)
    assert result["rows"][0] | {"title": ""} == result["rows"][0] | {"title": "", "uid": str(dataset.uid)}
    assert result["moves"] == [{"before": before.grade, "after": "C", "count": 1}]
    assert Dataset.objects.get(pk=dataset.pk).grade == before.grade and dataset.evaluations.count() == 1


@pytest.mark.django_db
def test_activation_needs_a_reason_reevaluates_everything_and_is_audited():
    dataset, admin = listed(), make_user(role="admin")
    jobs.run_due()
    old = schemes.active_scheme()
    draft = editing.copy(old, version="2027.1", actor=admin)

    with pytest.raises(ListingInvalid):
        editing.schedule(draft, effective_from=timezone.localdate(), reason=" ", actor=admin)
    editing.schedule(draft, effective_from=timezone.localdate(), reason="提高安全规范性的权重", actor=admin)
    jobs.run_due()

    run = dataset.evaluations.first()
    assert schemes.active_scheme() == draft and EvaluationScheme.objects.get(pk=old.pk).state == "retired"
    assert run.scheme == draft and run.reasons == ["scheme"] and dataset.evaluations.count() == 2
    assert list(AuditEntry.objects.filter(action__startswith="scheme.").order_by("id").values_list("action", flat=True)) == [
        "scheme.copied",
        "scheme.scheduled",
        "scheme.activated",
    ]


@pytest.mark.django_db
def test_a_scheme_waits_for_its_date():
    admin, tomorrow = make_user(role="admin"), timezone.localdate() + datetime.timedelta(days=1)
    old = schemes.active_scheme()
    draft = editing.copy(old, version="2027.1", actor=admin)
    editing.schedule(draft, effective_from=tomorrow, reason="明年起施行", actor=admin)

    assert editing.activate_due() == 0 and schemes.active_scheme() == old
    EvaluationScheme.objects.filter(pk=draft.pk).update(effective_from=timezone.localdate())
    assert editing.activate_due() == 1 and schemes.active_scheme() == draft
