"""A scheme tried on the whole catalogue before it applies: what would change, without writing a grade."""

from collections import Counter
from collections.abc import Callable

from catalog.jobs import enqueue
from catalog.models import Job
from quality import engine
from quality.models import EvaluationScheme
from quality.services import evaluation
from quality.services.inputs import inputs_of
from quality.services.schemes import active_scheme, profile_dicts

DRY_RUN = "quality.dry_run"
BATCH = 200
LISTED = 200  # changes named one by one; the counts cover all


def start(scheme: EvaluationScheme) -> Job:
    return enqueue(DRY_RUN, {"scheme": scheme.pk}, key=f"{DRY_RUN}:{scheme.pk}", max_attempts=2)


def latest(scheme: EvaluationScheme) -> Job | None:
    return Job.objects.filter(kind=DRY_RUN, payload__scheme=scheme.pk).order_by("-id").first()


def dry_run(scheme_pk: int, *, tell: Callable[[int, int], None] = lambda done, of: None) -> dict:
    """{"total", "changed", "moves": [{"before", "after", "count"}], "rows": the first that change, "mean_change"}."""
    tried, active = EvaluationScheme.objects.prefetch_related("profiles").get(pk=scheme_pk), active_scheme()
    sides = [(scheme.content, profile_dicts(scheme)) for scheme in (active, tried)]
    pks = list(evaluation.candidates().order_by("id").values_list("pk", flat=True))
    moves, rows, shift, failed = Counter(), [], 0.0, 0
    for start_at in range(0, len(pks), BATCH):
        tell(start_at, len(pks))
        for dataset, snapshot in snapshots(pks[start_at : start_at + BATCH]):
            try:
                before, after = (graded(snapshot, content, profiles) for content, profiles in sides)
            except Exception:  # its own evaluation says why; the trial goes on
                failed += 1
                continue
            moves[before.final_grade, after.final_grade] += 1
            shift += after.raw_score - before.raw_score
            if before.final_grade != after.final_grade and len(rows) < LISTED:
                rows.append({"uid": str(dataset.uid), "title": dataset.title[:120], "before": before.final_grade, "after": after.final_grade,
                             "score_before": f"{before.raw_score:.2f}", "score_after": f"{after.raw_score:.2f}"})  # fmt: skip
    total = sum(moves.values())
    return {
        "scheme": tried.version, "against": active.version, "sha256": tried.sha256, "total": total, "failed": failed,
        "changed": sum(count for (before, after), count in moves.items() if before != after),
        "moves": [{"before": before, "after": after, "count": count} for (before, after), count in sorted(moves.items())],
        "mean_change": f"{shift / total if total else 0:+.2f}", "rows": rows,
    }  # fmt: skip


def snapshots(pks):
    """(dataset, snapshot without limits) of a batch, in few queries."""
    found = evaluation.batch(pks)
    said = inputs_of(found)
    versions = evaluation.version_counts(found)
    for dataset in found:
        yield dataset, evaluation.snapshot_of(dataset, {}, versions.get(dataset.pk, 0), said[dataset.pk])


def graded(snapshot, content: dict, profiles: list[dict]):
    from dataclasses import replace

    chosen = engine.choose_profile(snapshot.document, profiles)
    return engine.evaluate(replace(snapshot, limits=content.get("limits", {})), content, chosen)[1]
