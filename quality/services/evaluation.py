"""Evaluate a listed dataset of this portal: one immutable run, its scores, the published grade."""

import logging
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from catalog.exceptions import InvalidTransition
from catalog.listing import digest, to_document
from catalog.models import Dataset, Sample
from catalog.services.datasets import publish_grade
from quality import engine
from quality.indicators.registry import Snapshot
from quality.models import Evaluation, GradeChange, Indicator, IndicatorScore
from quality.services.schemes import active_scheme, profile_dicts

logger = logging.getLogger(__name__)
SEED = 20261118
EVALUATED = (Dataset.Status.LISTED, Dataset.Status.PUBLIC_NOTICE)


def snapshot_of(dataset: Dataset, limits: dict) -> Snapshot:
    """What the run may look at: the document as it stands and every sample's profile, blocked ones included."""
    samples = [sample.profile for sample in dataset.samples.all() if sample.state != Sample.State.PENDING]
    profiles = tuple(profile for profile in samples if engine.is_profile(profile))
    return Snapshot(to_document(dataset), profiles, dataset.versions.count(), limits)


def is_evaluated(dataset: Dataset) -> bool:
    """Own and on offer. An entry quoted from a public document (extras.entry_kind "cited") was not registered by the body it
    names, so that body is not graded for what the quotation leaves out."""
    return not dataset.is_remote and dataset.status in EVALUATED and dataset.extras.get("entry_kind") != "cited"


def evaluate_dataset(dataset: Dataset, *, goal: str = Evaluation.Goal.LISTING) -> Evaluation:
    """Run and publish. A failure is recorded on the run with its reason, the grade that stood stays, the error is raised."""
    if not is_evaluated(dataset):
        raise InvalidTransition(f"“{dataset.title}”不是提供方在本门户登记并上架的数据集，不在这里评测。")
    scheme = active_scheme()
    profiles = profile_dicts(scheme)
    content = scheme.content
    snapshot = snapshot_of(dataset, content["limits"])
    chosen = engine.choose_profile(snapshot.document, profiles)
    run = Evaluation.objects.create(
        dataset=dataset,
        version=dataset.current_version,
        document_hash=digest(snapshot.document),
        scheme=scheme,
        profile=next(row for row in scheme.profiles.all() if row.code == chosen["code"]),
        goal=goal,
        state=Evaluation.State.RUNNING,
        seed=SEED,
    )
    try:
        measured, grading = engine.evaluate(snapshot, content, chosen)
        body = engine.result_bytes(snapshot, content, chosen, measured, grading, SEED)
        with transaction.atomic():
            _record(run, snapshot, measured, grading, chosen, body)
    except Exception as error:  # whatever went wrong, the old grade stands and the run says why
        Evaluation.objects.filter(pk=run.pk).update(
            state=Evaluation.State.FAILED, reason=f"{type(error).__name__}: {error}"[:2000], finished_at=timezone.now()
        )
        logger.warning("Evaluation %s of dataset %s failed: %s", run.pk, dataset.pk, type(error).__name__)
        raise
    return run


def _record(run: Evaluation, snapshot: Snapshot, measured: dict, grading, profile: dict, body: bytes) -> None:
    run.state, run.finished_at = Evaluation.State.DONE, timezone.now()
    run.input_hashes, run.libraries = engine.input_hashes(snapshot), engine.libraries()
    run.raw_score, run.raw_grade, run.final_grade = _decimal(grading.raw_score), grading.raw_grade, grading.final_grade
    run.caps, run.assurance, run.confidence = list(grading.caps), grading.assurance, Decimal(f"{grading.confidence:.3f}")
    run.documentation_score = engine.documentation_score(measured)
    run.result, run.result_sha256 = body.decode(), engine.hashlib.sha256(body).hexdigest()
    run.save()
    indicators = {row.code: row for row in Indicator.objects.filter(parent__isnull=False)}
    IndicatorScore.objects.bulk_create(
        IndicatorScore(
            evaluation=run,
            indicator=indicators[code],
            status=measure.status,
            value=measure.value,
            n=measure.n,
            score=_decimal(measure.score),
            weight=profile["weights"].get(code, 0),
            source=measure.source,
            rule=measure.rule,
            evidence=list(measure.evidence),
        )
        for code, measure in measured.items()
    )
    dataset = Dataset.objects.select_for_update().get(pk=run.dataset_id)
    if dataset.grade != run.final_grade:
        GradeChange.objects.create(dataset=dataset, evaluation=run, before=dataset.grade, after=run.final_grade, score=run.raw_score)
    if dataset.grade_source == Dataset.GradeSource.NATIONAL:
        return  # the national portal's decision stands; our own run stays visible in the report
    publish_grade(dataset, grade=run.final_grade, score=run.raw_score, assurance=run.assurance, documentation_score=run.documentation_score)


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.2f}")


def latest_run(dataset: Dataset) -> Evaluation | None:
    return dataset.evaluations.filter(state=Evaluation.State.DONE).select_related("scheme", "profile").first()


def candidates():
    """Datasets that are evaluated here."""
    cited = Dataset.objects.filter(extras__entry_kind="cited")
    return Dataset.objects.own().filter(status__in=EVALUATED).exclude(pk__in=cited)


def stale():
    """Candidates without a run for their present document."""
    current = Evaluation.objects.filter(dataset=OuterRef("pk"), state=Evaluation.State.DONE, document_hash=OuterRef("document_hash"))
    return candidates().filter(~Exists(current.filter(scheme__state="active")))


def is_current(dataset: Dataset) -> bool:
    return Evaluation.objects.filter(
        dataset=dataset, state=Evaluation.State.DONE, document_hash=F("dataset__document_hash"), scheme__state="active"
    ).exists()


def quality_block(dataset: Dataset) -> dict:
    """What federation sends of a grade, in strings and integers: {"grade", "score", "assurance", "documentation_score",
    "evaluated_at", "scheme"}; {} when the dataset has no grade."""
    if not dataset.grade:
        return {}
    run = latest_run(dataset)
    block = {"grade": dataset.grade, "score": f"{dataset.score:.2f}" if dataset.score is not None else "", "assurance": dataset.assurance}
    at = run.finished_at if run else dataset.graded_at
    return block | {
        "documentation_score": int(dataset.documentation_score),
        "evaluated_at": at.astimezone(timezone.get_default_timezone()).isoformat(timespec="seconds") if at else "",
        "scheme": run.scheme.version if run else "",
    }
