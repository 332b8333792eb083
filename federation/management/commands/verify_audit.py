"""Read the audit chain from its first entry, and compare it with the roots that other portals keep of it."""

import json

from django.core.management.base import BaseCommand, CommandError

from catalog.services import audit
from federation.services import acks

EVERY = 10_000  # entries between two signs of life


class Command(BaseCommand):
    help = "Verify the audit chain. Ends with 1, naming the entry, when it was altered, reordered or cut."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
        parser.add_argument("--offline", action="store_true", help="do not ask other portals for the root they keep")
        parser.add_argument("--against", metavar="N:HASH", help="a root kept elsewhere: the chain must hold it at entry N")

    def handle(self, *args, **options):
        kept = [self.given(options["against"])] if options["against"] else []
        count, problem = audit.verify(on_progress=lambda done: self.progress(done, options["verbosity"]))
        kept += [] if options["offline"] else acks.roots_kept_elsewhere()
        compared = [root | {"result": acks.compare_root(root)} for root in kept]
        problems = [problem] if problem else [f"{root['portal']}: {root['result']}" for root in compared if root["result"] not in acks.HOLDS]
        self.report(count, problems, compared, options)
        if problems:
            raise CommandError("; ".join(problems))

    def given(self, text):
        number, _colon, value = text.partition(":")
        if not number.isdigit() or len(value) != 64:
            raise CommandError("--against is the number of an entry and its hash: 1200:5f0c…")
        return {"portal": "--against", "entries": int(number), "hash": value}

    def progress(self, done, verbosity):
        if verbosity and done % EVERY == 0:
            self.stderr.write(f"{done} entries")

    def report(self, count, problems, compared, options):
        root = acks.audit_root()
        if options["json"]:
            values = {"entries": count, "ok": not problems, "problems": problems, "root": root, "kept_elsewhere": compared}
            self.stdout.write(json.dumps(values, ensure_ascii=False))
            return
        self.stdout.write(f"{count} entries read; root {root['entries']}:{root['hash']}")
        for row in compared:
            self.stdout.write(f"{row['portal']} keeps {row['entries'] or 'no'} entries: {row['result']}")
        if not any(row["result"] == acks.HOLDS[0] for row in compared):
            self.stdout.write(
                "No root kept elsewhere was compared: entries cut off at the end would not show. Keep the root above, and use --against."
            )
