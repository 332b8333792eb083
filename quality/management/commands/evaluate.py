"""Evaluate one dataset, all of this portal's, or those whose document changed since their last run."""

import sys
import uuid

import orjson
from django.core.management.base import BaseCommand, CommandError

from catalog.exceptions import DomainError
from catalog.models import Dataset
from quality.services import evaluation


class Command(BaseCommand):
    help = "Evaluate listed datasets of this portal and publish their grades."

    def add_arguments(self, parser):
        parser.add_argument("uid", nargs="?")
        parser.add_argument("--all", action="store_true")
        parser.add_argument("--stale", action="store_true", help="only those without a run for their present document")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args, uid=None, **options):
        rows = self._chosen(uid, options)
        summary = {"evaluated": 0, "failed": 0, "grades": {}, "errors": []}
        try:
            for dataset in self._progress(rows):
                self._one(dataset, summary)
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

    def _chosen(self, uid, options):
        if [bool(uid), options["all"], options["stale"]].count(True) != 1:
            raise CommandError("请给出一个 UID，或 --all，或 --stale。")
        if not uid:
            rows = evaluation.candidates() if options["all"] else evaluation.stale()
            return rows.order_by("id").values_list("pk", flat=True)
        try:
            row = Dataset.objects.filter(uid=uuid.UUID(uid)).first()
        except ValueError as error:
            raise CommandError(f"{uid} 不是 UID。") from error
        if row is None:
            raise CommandError(f"没有数据集 {uid}。")
        return [row.pk]

    def _progress(self, pks):
        from tqdm import tqdm

        pks = list(pks)
        yield from tqdm(pks, unit="个", desc="评测", disable=len(pks) < 2, mininterval=0.5 if sys.stderr.isatty() else 15)

    def _one(self, pk, summary):
        dataset = Dataset.objects.select_related("organization", "current_version").get(pk=pk)
        try:
            run = evaluation.evaluate_dataset(dataset)
        except DomainError as error:
            summary["failed"] += 1
            summary["errors"].append({"uid": str(dataset.uid), "message": str(error)})
        except Exception as error:  # one bad dataset must not stop the others; the run keeps the reason
            summary["failed"] += 1
            summary["errors"].append({"uid": str(dataset.uid), "message": f"{type(error).__name__}: {error}"[:300]})
        else:
            summary["evaluated"] += 1
            summary["grades"][run.final_grade] = summary["grades"].get(run.final_grade, 0) + 1
