"""Why a dataset is evaluated again. Every reason goes through `ask`; reasons within the debounce become one run."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.jobs import enqueue
from catalog.models import Dataset
from quality.models import Evaluation, EvaluationRequest

EVALUATE = "quality.evaluate"
REASONS = {
    "first": _("首次评测"),
    "version": _("发布了新版本"),
    "metadata": _("计分的说明有变化"),
    "sample": _("样例有变化"),
    "drift": _("数据分布与上次相比有漂移"),
    "scheme": _("评测方案有变化"),
    "expiry": _("评测到期"),
    "complaints": _("有多起查实的投诉"),
    "security": _("有安全问题的报告"),
    "spot_check": _("被抽中复查"),
    "appeal": _("申诉成立"),
    "opinions": _("有新的专家意见或用户评价"),
    "void": _("上一次评测作废"),
    "request": _("人工发起"),
}
AUTOMATIC = ("version", "metadata", "sample", "drift")  # what a change of the dataset itself brings


@transaction.atomic
def ask(dataset: Dataset, reason: str, *, at_once: bool = False) -> EvaluationRequest:
    """Let the dataset be evaluated again, whatever its document says: one open run a dataset, after the debounce unless `at_once`."""
    if reason not in REASONS:
        raise ValueError(f"unknown reason {reason!r}")
    delay = timedelta(0) if at_once else debounce()
    request, created = EvaluationRequest.objects.select_for_update().get_or_create(
        dataset=dataset, closed_at=None, defaults={"reasons": [reason], "due_at": timezone.now() + delay}
    )
    if not created and reason not in request.reasons:
        request.reasons = [*request.reasons, reason]
        request.save(update_fields=["reasons"])
    enqueue(EVALUATE, {"dataset": dataset.pk, "again": True}, key=f"{EVALUATE}:{dataset.pk}", delay=delay)
    return request


def open_reasons(dataset: Dataset) -> list[str]:
    request = dataset.evaluation_requests.filter(closed_at=None).first()
    return list(request.reasons) if request else []


def close(runs: Sequence[Evaluation]) -> None:
    """The runs answer what was asked about their datasets until now."""
    by_dataset = {run.dataset_id: run for run in runs}
    waiting = list(EvaluationRequest.objects.filter(dataset__in=by_dataset, closed_at=None))
    for request in waiting:
        request.closed_at, request.evaluation = timezone.now(), by_dataset[request.dataset_id]
    if waiting:
        EvaluationRequest.objects.bulk_update(waiting, ["closed_at", "evaluation"])


def debounce() -> timedelta:
    """How long an evaluation waits for further changes of the same dataset."""
    return timedelta(seconds=settings.PORTAL_EVALUATION_DELAY)
