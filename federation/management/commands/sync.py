"""Exchange now: number what is committed, then pull. Works without a worker."""

import json

from django.core.management.base import BaseCommand, CommandError

from federation.models import Peer
from federation.services import sync


class Command(BaseCommand):
    help = "Number pending changes and pull from one portal or all active ones."

    def add_arguments(self, parser):
        parser.add_argument("portal", nargs="?")
        parser.add_argument("--all", action="store_true", help="every active portal (the default without PORTAL)")
        parser.add_argument("--json", action="store_true", help="one JSON object for each stream pulled")

    def handle(self, *args, **options):
        sync.sequence_and_notify()
        chosen = Peer.objects.filter(state=Peer.State.ACTIVE).order_by("pk")
        if options["portal"]:
            chosen = chosen.filter(pk=options["portal"])
            if not chosen:
                raise CommandError(f"{options['portal']} is no active portal; `portal list` shows them")
        runs = [run for peer in chosen for run in sync.pull_peer(peer.pk)]
        for run in runs:
            self.report(run, options["json"])
        if any(run.error for run in runs):
            raise CommandError("some portals could not be read; the reasons stand above")

    def report(self, run, as_json):
        names = ("pages", "received", "applied", "unchanged", "quarantined", "held", "bytes", "error")
        values = {"portal": run.peer_id, "stream": run.stream} | {name: getattr(run, name) for name in names}
        self.stdout.write(json.dumps(values, ensure_ascii=False) if as_json else " ".join(f"{name}={value}" for name, value in values.items()))
