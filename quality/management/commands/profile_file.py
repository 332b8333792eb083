"""Profile one data file. Exit 1 when it cannot be read, with the reason."""

import sys
from pathlib import Path

import orjson
from django.core.management.base import BaseCommand, CommandError

from quality.profiling import EMPTY as UNREAD
from quality.sandbox import ProfileFailed, profile_apart


class Command(BaseCommand):
    help = "Show format, encoding, rows, columns and defects of a data file."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("path")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args, path, **options):
        try:
            profile = profile_apart(path, Path(path).name)
        except ProfileFailed as failure:
            profile = UNREAD | {"name": Path(path).name, "reason": str(failure)}
        if options["json"]:
            self.stdout.write(orjson.dumps(profile, option=orjson.OPT_INDENT_2, default=str).decode())
            if not profile["readable"]:
                sys.exit(1)
            return
        if not profile["readable"]:
            raise CommandError(f"{path}: {profile['reason']}")
        self._print(profile)

    def _print(self, profile):
        self.stdout.write(f"格式 {profile['format']}　编码 {profile['encoding'] or '—'}　行 {profile['rows']}　列 {len(profile['columns'])}")
        if profile["reason"]:
            self.stdout.write(profile["reason"])
        self.stdout.write(f"列数不符的行 {profile['ragged_rows']}　重复行 {profile['duplicate_rows']}　缺失 {profile['missing_cells']}")
        for group in profile.get("media", []):
            self.stdout.write(f"  {group['kind']}: {group['count']} 读出，{group['broken']} 读不出，{group['faults'] or '没有发现问题'}")
        for column in profile["columns"][:50]:
            self.stdout.write(f"  {column['name']}: {column.get('type', '')} 缺失 {column['missing']} 不同 {column.get('distinct', '—')}")
        for item in profile["findings"]:
            self.stdout.write(f"  [{item['severity']}] {item['indicator']} {item['place']} {item['message']}")
