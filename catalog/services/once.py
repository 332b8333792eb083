"""Forms that are sent twice do their work once."""

from collections.abc import Callable

from django.db import IntegrityError, transaction

from catalog.models import IdempotencyKey, User


def once(user: User, action: str, token: str, work: Callable[[], str]) -> tuple[str, bool]:
    """(what the work answered, whether it was done now). A second call with the same token gives the first answer.

    The token is a random value printed into the form; the row and the work commit together, so a failed try can be repeated.
    """
    scope = f"page:{user.pk}:{action}"[:120]
    key = {"scope": scope, "key": token[:120]}
    if (done := IdempotencyKey.objects.filter(**key).first()) is not None:
        return done.body, False
    try:
        with transaction.atomic():
            row = IdempotencyKey.objects.create(**key, request_hash="", status=200)
            row.body = work()
            row.save(update_fields=["body"])
        return row.body, True
    except IntegrityError:
        done = IdempotencyKey.objects.filter(**key).first()
        if done is None:
            raise
        return done.body, False
