"""What differs from the run before: kept on the new run as its reasons, so that the trend can say why a score moved."""

from collections.abc import Sequence

import orjson
from django.db.models import Max

from quality.drift import drifted
from quality.models import Evaluation, EvaluationRequest


def previous_runs(datasets: Sequence) -> dict[int, Evaluation]:
    """{dataset.pk: its latest finished run}."""
    last = Evaluation.objects.filter(dataset__in=datasets, state=Evaluation.State.DONE).order_by().values("dataset").annotate(last=Max("pk"))
    found = Evaluation.objects.filter(pk__in=[row["last"] for row in last])
    return {run.dataset_id: run for run in found.only("dataset", "version", "scheme", "input_hashes", "result", "final_grade")}


def asked(datasets: Sequence) -> dict[int, list[str]]:
    """{dataset.pk: reasons of its open request}."""
    return dict(EvaluationRequest.objects.filter(dataset__in=datasets, closed_at=None).values_list("dataset", "reasons"))


def reasons_of(run: Evaluation, before: Evaluation | None, asked_for: Sequence[str] = ()) -> list[str]:
    """Codes of quality/services/triggers.py; "first" where there was no run before."""
    if before is None:
        return ["first", *asked_for]
    found, old, new = list(asked_for), before.input_hashes, run.input_hashes
    if run.scheme_id != before.scheme_id:
        found.append("scheme")
    if run.version_id != before.version_id:
        found.append("version")
    if new.get("profiles") != old.get("profiles"):
        found.append("sample")
        if drift_between(before, run):
            found.append("drift")
    if new.get("document") != old.get("document"):
        found.append("metadata")
    if new.get("people") != old.get("people"):
        found.append("opinions")
    if "version" in found or "sample" in found:
        found = [code for code in found if code != "metadata"]  # a version and a sample change the document by themselves
    return list(dict.fromkeys(found))


def drift_between(before: Evaluation, run: Evaluation) -> list[dict]:
    """[{"column", "psi"}] beyond the limit."""
    old, new = (orjson.loads(row.result).get("distributions", {}) if row.result else {} for row in (before, run))
    return drifted(old, new) if old and new else []
