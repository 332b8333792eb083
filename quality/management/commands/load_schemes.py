"""Load the indicators and the evaluation schemes. Running it again changes nothing."""

from django.core.management.base import BaseCommand

from quality.services.schemes import load_schemes


class Command(BaseCommand):
    help = "Load the 17 indicators and the evaluation schemes; idempotent."

    def handle(self, *args, **options):
        counts = load_schemes()
        self.stdout.write(", ".join(f"{name} {count}" for name, count in counts.items()))
