"""Compare what is held of a portal's feeds with what it publishes, and repair what differs."""

import json

from django.core.management.base import BaseCommand, CommandError

from federation.models import Peer
from federation.services import reconcile, sync


class Command(BaseCommand):
    help = "Find the records that differ from a portal's feeds, by digests, and repair them from signed events. Ends with 1 when some stay."

    def add_arguments(self, parser):
        parser.add_argument("portal")
        parser.add_argument("--stream", help="one stream; otherwise all that are read of this portal")
        parser.add_argument("--json", action="store_true", help="one JSON object for each stream")
        parser.add_argument("--look-only", action="store_true", help="tell what differs, repair nothing")

    def handle(self, *args, **options):
        peer = Peer.objects.filter(pk=options["portal"], state=Peer.State.ACTIVE).first()
        if peer is None:
            raise CommandError(f"{options['portal']} is no active portal; `portal list` shows them")
        sync.pull_peer(peer.pk)
        streams = [options["stream"]] if options["stream"] else list(peer.checkpoints.order_by("stream").values_list("stream", flat=True))
        fine = True
        for stream in streams:
            try:
                report = reconcile.reconcile(peer, stream, repair=not options["look_only"])
            except reconcile.FAILURES as error:
                raise CommandError(f"{stream}: {type(error).__name__}: {error}") from error
            self.report(report, options["json"])
            fine = fine and report.agrees
        if not fine:
            raise CommandError("some records still differ; the names stand above")

    def report(self, report, as_json):
        values = report.document()
        if as_json:
            self.stdout.write(json.dumps(values, ensure_ascii=False))
            return
        self.stdout.write(" ".join(f"{name}={len(value) if isinstance(value, list) else value}" for name, value in values.items() if value != ""))
        for kind in ("differing", "ours_newer", "unknown_there"):
            for identifier in values[kind][:50]:
                self.stdout.write(f"  {kind}: {identifier}{' (repaired)' if identifier in values['repaired'] else ''}")
