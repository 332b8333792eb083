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

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"manage.py: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
