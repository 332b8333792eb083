"""Fill this portal with the demonstration (called by `manage.py demo` for each of the three)."""

import os

from django.core.management.base import BaseCommand, CommandError

from catalog.demo import filling
from catalog.demo.load import load


class Command(BaseCommand):
    help = "Create the demonstration's accounts and listings on this portal; running it again changes nothing."

    def handle(self, *args, **options):
        password = os.environ.get("PORTAL_DEMO_PASSWORD", "")
        if len(password) < 8:
            raise CommandError("Set PORTAL_DEMO_PASSWORD (8 or more characters), or use `manage.py demo`.", returncode=2)
        with filling():
            count = load(password=password)
        self.stdout.write(f"{count} listings made" if count else "the demonstration is already here")
