"""Cells of CSV files for spreadsheets."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full-width ones are read as the others in East Asian editions


def inert(value) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP: CSV injection); numbers stay numbers."""
    text = "" if value is None else "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if isinstance(value, (str, list)) and text.startswith(FORMULA) else text
