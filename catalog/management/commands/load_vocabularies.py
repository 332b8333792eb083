"""Load the controlled vocabularies and the reviewer, evaluator and administrator groups. Running it again changes nothing."""

from django.core.management.base import BaseCommand

from catalog.services.vocabularies import load_all


class Command(BaseCommand):
    help = "Load controlled vocabularies, groups and this portal's own row; idempotent."

    def handle(self, *args, **options):
        counts = load_all()
        self.stdout.write(", ".join(f"{name} {count}" for name, count in counts.items()))
