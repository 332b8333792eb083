"""Evaluate a listed dataset of this portal: one immutable run, its scores, the published grade."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import DatabaseError, transaction
from django.db.models import Count, Exists, F, OuterRef
from django.utils import timezone

from catalog import rows
from catalog.exceptions import DomainError, InvalidTransition
from catalog.listing import digest, to_document
from catalog.models import Dataset, Sample, Version
from catalog.services import audit
from catalog.services.datasets import Grade, publish_grades
from quality import engine
from quality.indicators.registry import Snapshot
from quality.models import Evaluation, EvaluationScheme, GradeChange, Indicator, IndicatorScore, Profile
from quality.opinions import Inputs
from quality.services import alerts, reasons, triggers
from quality.services.expiry import expires_at
from quality.services.inputs import inputs_of
from quality.services.schemes import active_scheme, profile_dicts

logger = logging.getLogger(__name__)
SEED = 20261118
BATCH = 50
EVALUATED = (Dataset.Status.LISTED, Dataset.Status.PUBLIC_NOTICE)


def snapshot_of(dataset: Dataset, limits: dict, versions: int | None = None, inputs: Inputs | None = None) -> Snapshot:
    """What the run may look at: the document as it stands, every sample's profile, blocked ones included, and what people said.

    A sample that waits for a reviewer is not part of what is listed.
    """
    unseen = (Sample.State.PENDING, Sample.State.WAITING)
    samples = [sample.profile for sample in dataset.samples.all() if sample.state not in unseen]
    profiles = tuple(profile for profile in samples if engine.is_profile(profile))
    inputs = inputs_of([dataset])[dataset.pk] if inputs is None else inputs
    return Snapshot(to_document(dataset), profiles, dataset.versions.count() if versions is None else versions, limits, inputs)


def is_evaluated(dataset: Dataset) -> bool:
    """Own and on offer. An entry quoted from a public document (extras.entry_kind "cited") was not registered by the body it
    names, so that body is not graded for what the quotation leaves out."""
    return not dataset.is_remote and dataset.status in EVALUATED and not dataset.is_cited


def batch(pks: Sequence[int]) -> list[Dataset]:
    """Those of these datasets that are evaluated here, with what a snapshot reads, in few queries."""
    found = Dataset.objects.filter(pk__in=pks).select_related("organization", "current_version").prefetch_related("resources", "samples")
    return [dataset for dataset in found.order_by("pk") if is_evaluated(dataset)]


def version_counts(datasets: Sequence[Dataset]) -> dict[int, int]:
    return dict(Version.objects.filter(dataset__in=datasets).order_by().values_list("dataset").annotate(number=Count("pk")))


@dataclass
class Plan:
    """What every run of a batch shares."""

    scheme: EvaluationScheme
    profiles: dict[str, Profile]
    dicts: list[dict]
    indicators: dict[str, int]  # primary keys


def plan() -> Plan:
    scheme = active_scheme()
    indicators = dict(Indicator.objects.filter(parent__isnull=False).values_list("code", "pk"))
    return Plan(scheme, {row.code: row for row in scheme.profiles.all()}, profile_dicts(scheme), indicators)


def evaluate_dataset(dataset: Dataset, *, goal: str = Evaluation.Goal.LISTING) -> Evaluation:
    """Run and publish. A failure is recorded on the run with its reason, the grade that stood stays, the error is raised."""
    if not is_evaluated(dataset):
        raise InvalidTransition(f"“{dataset.title}”不是提供方在本门户登记并上架的数据集，不在这里评测。")
    shared = plan()
    snapshot = snapshot_of(dataset, shared.scheme.content["limits"])
    run = _begun(dataset, snapshot, shared, goal)
    run.save()
    try:
        scores = _measure(run, snapshot, shared)
        with transaction.atomic():
            _explain([run])
            run.save()
            rows.insert(IndicatorScore, scores)
            _publish([run])
    except Exception as error:  # whatever went wrong, the old grade stands and the run says why
        Evaluation.objects.filter(pk=run.pk).update(
            state=Evaluation.State.FAILED, reason=f"{type(error).__name__}: {error}"[:2000], finished_at=timezone.now()
        )
        logger.warning("Evaluation %s of dataset %s failed: %s", run.pk, dataset.pk, type(error).__name__)
        raise
    return run


def evaluate_datasets(pks: Sequence[int], *, goal: str = Evaluation.Goal.LISTING) -> tuple[list[Evaluation], dict[int, Exception]]:
    """(runs, {primary key: error}) of datasets that are evaluated here, in one short transaction: keep to BATCH of them.
    One that fails so is run alone, which records why."""
    shared, datasets = plan(), batch(pks)
    versions = version_counts(datasets)
    said = inputs_of(datasets)
    runs, scores, alone, errors = [], [], [], {}
    for dataset in datasets:
        try:
            snapshot = snapshot_of(dataset, shared.scheme.content["limits"], versions.get(dataset.pk, 0), said[dataset.pk])
            run = _begun(dataset, snapshot, shared, goal)
            scores += _measure(run, snapshot, shared)
            runs.append(run)
        except Exception:  # run again below, where the reason is kept
            alone.append(dataset)
    try:
        with transaction.atomic():
            _store(runs, scores)
    except (DatabaseError, DomainError) as error:
        logger.info("%d evaluations go one by one (%s)", len(runs), type(error).__name__)
        runs, alone = [], datasets
    for dataset in alone:
        try:
            runs.append(evaluate_dataset(dataset, goal=goal))
        except Exception as error:  # one bad dataset must not stop the others
            errors[dataset.pk] = error
    return runs, errors


def _begun(dataset: Dataset, snapshot: Snapshot, shared: Plan, goal: str) -> Evaluation:
    chosen = engine.choose_profile(snapshot.document, shared.dicts)
    return Evaluation(
        dataset=dataset,
        version=dataset.current_version,
        document_hash=digest(snapshot.document),
        scheme=shared.scheme,
        profile=shared.profiles[chosen["code"]],
        goal=goal,
        state=Evaluation.State.RUNNING,
        seed=SEED,
    )


def _measure(run: Evaluation, snapshot: Snapshot, shared: Plan) -> list[IndicatorScore]:
    """Fill the run in; its scores. Writes nothing."""
    content, chosen = shared.scheme.content, next(row for row in shared.dicts if row["code"] == run.profile.code)
    measured, grading = engine.evaluate(snapshot, content, chosen, seed=SEED)
    body = engine.result_bytes(snapshot, content, chosen, measured, grading, SEED)
    run.state, run.finished_at = Evaluation.State.DONE, timezone.now()
    run.input_hashes, run.libraries = engine.input_hashes(snapshot), engine.libraries()
    run.raw_score, run.raw_grade, run.final_grade = _decimal(grading.raw_score), grading.raw_grade, grading.final_grade
    run.half_width, run.expires_at = _decimal(grading.half_width), expires_at(snapshot.document, content, run.finished_at)
    run.caps, run.assurance, run.confidence = list(grading.caps), grading.assurance, Decimal(f"{grading.confidence:.3f}")
    run.documentation_score = engine.documentation_score(measured)
    run.result, run.result_sha256 = body.decode(), engine.hashlib.sha256(body).hexdigest()
    return [
        IndicatorScore(
            evaluation=run,
            indicator_id=shared.indicators[code],
            status=grading.combined[code].status,
            value=measure.value,
            n=measure.n,
            low=_decimal(grading.combined[code].low),
            high=_decimal(grading.combined[code].high),
            score=_decimal(grading.combined[code].score),
            weight=chosen["weights"].get(code, 0),
            source=measure.source,
            rule=measure.rule,
            evidence=list(measure.evidence),
        )
        for code, measure in measured.items()
    ]


def _explain(runs: list[Evaluation]) -> None:
    """Why each run came about, from what was asked and what differs from the run before."""
    datasets = [run.dataset_id for run in runs]
    before, wanted = reasons.previous_runs(datasets), reasons.asked(datasets)
    for run in runs:
        run.reasons = reasons.reasons_of(run, before.get(run.dataset_id), wanted.get(run.dataset_id, ()))


def _store(runs: list[Evaluation], scores: list[IndicatorScore]) -> None:
    _explain(runs)
    rows.insert(Evaluation, runs)
    for score in scores:
        score.evaluation_id = score.evaluation.pk
    rows.insert(IndicatorScore, scores)
    _publish(runs)


def _publish(runs: Sequence[Evaluation]) -> None:
    """History and grades; where the national portal has graded, its decision stands and our run stays visible in the report."""
    locked = Dataset.objects.select_for_update().filter(pk__in=[run.dataset_id for run in runs]).order_by("pk")
    standing = {pk: (grade, source) for pk, grade, source in locked.values_list("pk", "grade", "grade_source")}
    changes = [
        GradeChange(dataset_id=run.dataset_id, evaluation=run, before=standing[run.dataset_id][0], after=run.final_grade, score=run.raw_score)
        for run in runs
        if standing[run.dataset_id][0] != run.final_grade
    ]
    rows.insert(GradeChange, changes)
    triggers.close(runs)
    alerts.tell(changes)
    publish_grades(
        {
            run.dataset_id: Grade(run.final_grade, run.raw_score, run.assurance, run.documentation_score)
            for run in runs
            if standing[run.dataset_id][1] != Dataset.GradeSource.NATIONAL
        }
    )


@transaction.atomic
def void_run(run: Evaluation, reason: str) -> None:
    """A run whose result must not stand (V8). Its record stays, with the reason; the dataset is evaluated anew."""
    Evaluation.objects.filter(pk=run.pk).update(state=Evaluation.State.VOID, reason=reason[:2000])
    audit.append("evaluation.voided", run.dataset, label="quality", evaluation=str(run.uid), reason=reason)
    triggers.ask(run.dataset, "void", at_once=True)


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.2f}")


def latest_run(dataset: Dataset) -> Evaluation | None:
    return dataset.evaluations.filter(state=Evaluation.State.DONE).select_related("scheme", "profile", "version").first()


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
