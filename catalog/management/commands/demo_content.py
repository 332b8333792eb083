"""Fill this portal with the demonstration (called by `manage.py demo` for each of the three)."""

from django.core.management.base import BaseCommand

from catalog.demo.load import load
from catalog.services.vocabularies import load_all


class Command(BaseCommand):
    help = "Create the demonstration's accounts and listings on this portal; running it again changes nothing."

    def handle(self, *args, **options):
        load_all()
        count = load()
        self.stdout.write(f"{count} listings made" if count else "the demonstration is already here")
