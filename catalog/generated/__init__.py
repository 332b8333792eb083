"""Made catalogues of any size, to try and to measure with (manage.py generate_catalog)."""
