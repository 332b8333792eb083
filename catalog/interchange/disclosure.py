"""What of a listing leaves the portal: important data show only that they exist and whom to ask (SECURITY.md: levels)."""

MINIMAL = frozenset(
    """schema source_identifier title title_en organization sectors modalities region security_level openness access_method
    update_frequency issued modified contact_name contact_email is_example""".split()
)


def is_minimal(document: dict, level: str) -> bool:
    """True for important (and core) data; the stricter of the present level and the document's own counts (就高从严)."""
    return {document.get("security_level", "general"), level} != {"general"}


def disclosed(document: dict, level: str) -> dict:
    """The document as the public may have it."""
    return {key: value for key, value in document.items() if key in MINIMAL} if is_minimal(document, level) else document


def veil(dataset) -> None:
    """Empty on this object, which must not be saved afterwards, every owner-written field that is not minimal."""
    from catalog.listing import FIELDS

    for name in FIELDS:
        if name not in MINIMAL:
            setattr(dataset, name, dataset._meta.get_field(name).get_default())
