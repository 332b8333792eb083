"""Bounds of one profile. A file past a bound is refused with the reason, or read up to it and marked `partial`."""

SAMPLE_BYTES = 200 * 1024**2  # of a sample that was uploaded
DECOMPRESSED_BYTES = 1024**3  # of a gzip file
GZIP_RATIO = 200  # decompressed to compressed, once more than 16 MiB came out
LINE_CHARS = 4 * 1024 * 1024
CELL_CHARS = 2 * 1024 * 1024
JSON_BYTES = 32 * 1024 * 1024  # one JSON document, which takes some twenty times its size; JSON Lines have no such bound
JSON_DEPTH = 60
COLUMNS = 100_000  # refused beyond
DETAILED_COLUMNS = 300  # columns with full statistics; the others have name, missing and filled
STATISTIC_ROWS = 1_000_000  # rows that enter column statistics; all rows are counted
BLOCK_BYTES = 8 * 1024 * 1024  # of a delimited file at a time
SCAN_CHARS = 100_000  # of one cell are searched for personal information
SCANNED_CELLS = 50_000  # candidate cells of a column looked at one by one
ROW_HASHES = 5_000_000  # rows compared with each other for duplicates
KEPT_ROWS, KEPT_COLUMNS, KEPT_CHARS = 20_000, 60, 2_000  # for near duplicates, conflicts, the trial model
LABELS = 60  # shares of a label column that are kept
PREVIEW_ROWS, PREVIEW_COLUMNS, PREVIEW_CHARS = 20, 60, 500
BATCH_CELLS = 500_000
FINDINGS = 60
EXAMPLES = 20
STORED_BYTES = 48 * 1024  # of the form kept in a listing document

# Archives: read member by member, never extracted.
ZIP_DIRECTORY = 8 * 1024 * 1024  # bytes of a ZIP's list of members
ZIP_MEMBERS = 10_000
ZIP_RATIO = 100  # of a member, once more than 1 MiB would come out
ZIP_MEMBER_BYTES = 200 * 1024 * 1024
ZIP_BYTES = 1024**3  # of all members together
ZIP_TABLES = 200  # tables of one archive with full statistics

# Media
IMAGES = 2_000
IMAGE_PIXELS = 50_000_000
AUDIO_SECONDS = 3_600
SHEETS = 20

# The process that reads a sample
MEMORY_BYTES = 2 * 1024**3
SECONDS = 600
