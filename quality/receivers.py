"""Reacts to catalogue news by writing jobs; measures nothing inside the sender's transaction."""

import hashlib
from datetime import timedelta

from django.db import transaction
from django.dispatch import receiver

from catalog.jobs import enqueue
from catalog.signals import dataset_purged, datasets_changed, demo_filled, feedback_given, sample_added
from quality.models import Evaluation
from quality.services import triggers
from quality.services.evaluation import is_evaluated
from quality.tasks import EVALUATE, EVALUATE_MANY, PROFILE


@receiver(sample_added, dispatch_uid="quality.sample_added")
def sample_waits(sample, **_more):
    enqueue(PROFILE, {"sample": sample.pk}, key=f"{PROFILE}:{sample.pk}:{sample.sha256[:16]}")


@receiver(datasets_changed, dispatch_uid="quality.datasets_changed")
def documents_changed(datasets, **_more):
    """Enqueue what has no run for its document, a batch as one job. A published grade is not part of the document, so this cannot loop."""
    due = [dataset for dataset in datasets if is_evaluated(dataset) and dataset.document_hash]
    if not due:
        return
    done = Evaluation.objects.filter(dataset__in=due, state=Evaluation.State.DONE, scheme__state="active")
    hashes = set(done.values_list("dataset_id", "document_hash"))
    waiting = [dataset for dataset in due if (dataset.pk, dataset.document_hash) not in hashes]
    known = {pk for pk, _hash in hashes} | set(Evaluation.objects.filter(dataset__in=waiting, state="done").values_list("dataset_id", flat=True))
    if len(waiting) == 1:
        (dataset,) = waiting
        if dataset.pk in known:
            triggers.ask(dataset, "metadata")
        else:
            enqueue(EVALUATE, {"dataset": dataset.pk}, key=f"{EVALUATE}:{dataset.pk}")  # the first grade does not wait
    elif waiting:
        pks = [dataset.pk for dataset in waiting]
        name = hashlib.sha256(repr(pks).encode()).hexdigest()[:32]
        delay = triggers.debounce() if known & set(pks) else timedelta(0)
        enqueue(EVALUATE_MANY, {"datasets": pks}, key=f"{EVALUATE_MANY}:{name}", delay=delay)


@receiver(feedback_given, dispatch_uid="quality.feedback_given")
def feedback_arrived(feedback, **_more):
    """Rows only: a remedy for the provider, and a job where enough complain (quality/services/complaints.py)."""
    from quality.services import complaints

    complaints.receive(feedback)


@receiver(dataset_purged, dispatch_uid="quality.dataset_purged")
def manifests_leave(dataset, **_more):
    for row in dataset.manifests.all():
        transaction.on_commit(lambda storage=row.file.storage, name=row.file.name: storage.delete(name))


@receiver(demo_filled, dispatch_uid="quality.demo_filled")
def demonstration_filled(users, password, **_more):
    from quality import demo

    demo.fill(users, password)
