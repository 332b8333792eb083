"""Write what is published in one of the catalogue formats, with progress."""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from catalog.interchange.published import entries, published_rows
from catalog.views.export import CATALOG_FORMATS


class Command(BaseCommand):
    help = "Export the published catalogue: " + ", ".join(CATALOG_FORMATS) + "."

    def add_arguments(self, parser):
        parser.add_argument("--format", required=True, choices=sorted(CATALOG_FORMATS))
        parser.add_argument("--out", default="-", help="file to write (default: standard output); it appears only when complete")

    def handle(self, *, format, out, **options):
        write = CATALOG_FORMATS[format][2]
        if out == "-":
            return self.copy(write, sys.stdout.buffer)
        target = Path(out)
        partial = target.with_name(f".{target.name}.partial")
        try:
            with open(partial, "wb") as stream:
                self.copy(write, stream)
            partial.replace(target)
        except OSError as error:
            raise CommandError(f"Cannot write {out}: {error.strerror}.") from None
        finally:
            partial.unlink(missing_ok=True)

    def copy(self, write, stream):
        total = published_rows().count()
        # On a terminal a bar; in a log a line now and then.
        with tqdm(total=total, unit="datasets", file=sys.stderr, mininterval=0.5 if sys.stderr.isatty() else 30) as bar:
            for piece in write(counted(bar)):
                stream.write(piece)


def counted(bar):
    for entry in entries():
        yield entry
        bar.update()
