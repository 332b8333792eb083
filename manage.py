#!/usr/bin/env python
"""Command line entry."""

import os
import secrets
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["demo"]:  # it serves nothing itself; each portal it starts gets its own kept key and folder
        os.environ.setdefault("PORTAL_SECRET_KEY", secrets.token_urlsafe(48))
        os.environ.setdefault("PORTAL_DATA_DIR", "var/demo/starter")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"manage.py: {error}\n")
        sys.exit(2)
    except DatabaseError as error:
        if "no such table" not in str(error) and "does not exist" not in str(error):
            raise
        sys.stderr.write("manage.py: the database has no tables yet; run `manage.py migrate` and `manage.py load_vocabularies` first.\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
