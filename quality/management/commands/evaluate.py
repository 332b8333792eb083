"""Evaluate one dataset, all of this portal's, or those whose document changed since their last run."""

import sys
import uuid

import orjson
from django.core.management.base import BaseCommand, CommandError

from catalog.exceptions import DomainError
from catalog.models import Dataset
from quality.models import Evaluation
from quality.services import evaluation


class Command(BaseCommand):
    help = "Evaluate listed datasets of this portal and publish their grades."

    def add_arguments(self, parser):
        parser.add_argument("uid", nargs="?")
        parser.add_argument("--all", action="store_true")
        parser.add_argument("--stale", action="store_true", help="only those without a run for their present document")
        parser.add_argument(
            "--goal", choices=Evaluation.Goal.values, default=Evaluation.Goal.LISTING, help="what the runs are for; said in the report"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args, uid=None, **options):
        summary = {"evaluated": 0, "failed": 0, "grades": {}, "errors": []}
        try:
            if [bool(uid), options["all"], options["stale"]].count(True) != 1:
                raise CommandError("请给出一个 UID，或 --all，或 --stale。")
            chosen = evaluation.candidates() if options["all"] else evaluation.stale()
            self._one(uid, summary, options["goal"]) if uid else self._many(chosen, summary, options["goal"])
        except KeyboardInterrupt:
            self.stderr.write(f"中断：已评测 {summary['evaluated']} 个。")
            sys.exit(130)
        if options["json"]:
            self.stdout.write(orjson.dumps(summary).decode())
        else:
            grades = " ".join(f"{grade} {count}" for grade, count in sorted(summary["grades"].items()))
            self.stdout.write(f"已评测 {summary['evaluated']}，未完成 {summary['failed']}。{grades}")
        if summary["failed"]:
            sys.exit(1)

    def _one(self, uid, summary, goal):
        try:
            dataset = Dataset.objects.select_related("organization", "current_version").filter(uid=uuid.UUID(uid)).first()
        except ValueError as error:
            raise CommandError(f"{uid} 不是 UID。") from error
        if dataset is None:
            raise CommandError(f"没有数据集 {uid}。")
        try:
            self._count([evaluation.evaluate_dataset(dataset, goal=goal)], {}, summary)
        except Exception as error:  # the run keeps the reason
            self._count([], {dataset.pk: error}, summary)

    def _many(self, chosen, summary, goal):
        from tqdm import tqdm

        pks = list(chosen.order_by("id").values_list("pk", flat=True))
        interval = 0.5 if sys.stderr.isatty() else 15
        with tqdm(total=len(pks), unit="个", desc="评测", disable=len(pks) < 2, mininterval=interval) as bar:
            for start in range(0, len(pks), evaluation.BATCH):
                batch = pks[start : start + evaluation.BATCH]
                self._count(*evaluation.evaluate_datasets(batch, goal=goal), summary)
                bar.update(len(batch))

    def _count(self, runs, errors, summary):
        for run in runs:
            summary["evaluated"] += 1
            summary["grades"][run.final_grade] = summary["grades"].get(run.final_grade, 0) + 1
        summary["failed"] += len(errors)
        uids = dict(Dataset.objects.filter(pk__in=errors).values_list("pk", "uid")) if errors else {}
        for pk, error in errors.items():
            text = str(error) if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"[:300]
            summary["errors"].append({"uid": str(uids.get(pk, "")), "message": text})
