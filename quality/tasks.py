"""Handlers of the durable jobs; running one twice does no harm."""

from catalog.jobs import job_handler
from catalog.models import Dataset, Job, Sample
from quality.services import evaluation, samples

PROFILE, EVALUATE = "quality.profile_sample", "quality.evaluate"


@job_handler(PROFILE)
def profile_sample(job: Job) -> dict:
    sample = Sample.objects.select_related("dataset").filter(pk=job.payload["sample"]).first()
    if sample is None or not sample.file or sample.state != Sample.State.PENDING:
        return {"skipped": True}
    profile = samples.profile_sample(sample)
    return {"rows": profile.get("rows"), "readable": profile["readable"]}


@job_handler(EVALUATE)
def evaluate(job: Job) -> dict:
    dataset = Dataset.objects.select_related("organization", "current_version").filter(pk=job.payload["dataset"]).first()
    if dataset is None or dataset.is_remote or dataset.status not in evaluation.EVALUATED or evaluation.is_current(dataset):
        return {"skipped": True}
    run = evaluation.evaluate_dataset(dataset)
    return {"evaluation": str(run.uid), "grade": run.final_grade, "score": str(run.raw_score)}
