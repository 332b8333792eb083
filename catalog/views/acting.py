"""How pages do things: a domain error becomes its sentence on the page it came from, with its status and what was typed."""

import secrets
import uuid

from django.contrib import messages

from catalog.exceptions import DomainError, ListingInvalid


def attempt(request, work, success: str = "") -> DomainError | None:
    """Run `work`; None when it went well, else the error, already shown as a message."""
    try:
        work()
    except ListingInvalid as error:
        for sentence in dict.fromkeys(found["message"] for found in error.errors):
            messages.error(request, sentence)
        return error
    except DomainError as error:
        messages.error(request, str(error))
        return error
    if success:
        messages.success(request, success)
    return None


def new_token() -> str:
    """For a form that must act once (catalog/services/once.py)."""
    return secrets.token_urlsafe(16)


def valid_uid(text) -> uuid.UUID:
    """The UUID that a form field names, or the nil one, which is nobody's."""
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return uuid.UUID(int=0)


def number(text) -> int:
    """The key that a form field names; 0 where it is none."""
    return int(text) if str(text or "").isascii() and str(text or "").isdigit() and len(text) < 15 else 0
