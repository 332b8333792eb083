"""Put a backup into an empty portal, and start new histories of its feeds."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from federation.services import backup


class Command(BaseCommand):
    help = "Restore a backup into an empty data folder and database. Refuses anything else; verifies files and the audit chain."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)

    def handle(self, *args, **options):
        try:
            manifest = backup.restore(options["file"].resolve())
        except (backup.BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"restored {manifest['portal']} as it was on {manifest['created']}; the audit chain holds")
        self.stdout.write("feeds have new epochs. Next, before anybody works with it: manage.py portal take-back; then start the portal")
