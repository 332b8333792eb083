"""Write one file that holds this portal: database, sample files, keys."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from federation.services import backup


class Command(BaseCommand):
    help = "Back up the database, the sample files and the keys into one new file. The portal may go on running."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)

    def handle(self, *args, **options):
        try:
            manifest = backup.backup(options["file"].resolve())
        except (backup.BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        root = manifest["audit"]
        self.stdout.write(f"{options['file']}: {len(manifest['files'])} files, {sum(item['size'] for item in manifest['files'])} bytes")
        self.stdout.write(f"audit root {root['entries']}:{root['hash']}; keep PORTAL_SECRET_KEY apart from the file")
