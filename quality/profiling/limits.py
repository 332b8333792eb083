"""Bounds of one profile. A file past a bound is refused with the reason, or read up to it and marked `partial`."""

DECOMPRESSED_BYTES = 1024**3  # of a gzip file
GZIP_RATIO = 200  # decompressed to compressed, once more than 16 MiB came out
LINE_CHARS = 4 * 1024 * 1024
CELL_CHARS = 2 * 1024 * 1024
JSON_BYTES = 32 * 1024 * 1024  # one JSON document, which takes some twenty times its size; JSON Lines have no such bound
ZIP_DIRECTORY = 8 * 1024 * 1024  # bytes of a ZIP's list of members
JSON_DEPTH = 60
COLUMNS = 100_000  # refused beyond
DETAILED_COLUMNS = 300  # columns with full statistics; the others have name, missing and filled
STATISTIC_ROWS = 1_000_000  # rows that enter column statistics; all rows are counted
SCAN_CHARS = 100_000  # of one cell are searched for personal information
ROW_HASHES = 5_000_000  # rows compared with each other for duplicates
PREVIEW_ROWS, PREVIEW_COLUMNS, PREVIEW_CHARS = 20, 60, 500
BATCH_CELLS = 500_000
FINDINGS = 60
EXAMPLES = 20
STORED_BYTES = 48 * 1024  # of the form kept in a listing document
