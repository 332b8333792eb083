"""Idempotency-Key on POST: the same request sent twice is done once and answered the same.

The key's row is committed before the work, so that a second request meanwhile is a conflict; the work and the kept answer
are one transaction, so that neither exists without the other. Only successes are kept: a refused request changed nothing
and may be sent again.
"""

import functools
import hashlib
from datetime import timedelta

import orjson
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.response import Response

from catalog.exceptions import Conflict, DomainError
from catalog.models import IdempotencyKey

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=10)  # a process that died leaves its key behind for so long


class KeyReused(DomainError):
    status = 422
    code = "idempotency_key_reused"


class BadKey(DomainError):
    code = "idempotency_key_invalid"


class IdempotentMixin:
    """For API views: every POST that carries the header is run through `run_once`."""

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        key = request.headers.get(HEADER)
        if key is not None and request.method == "POST":
            self.post = functools.partial(run_once, request, key, self.request_digest(request), self.post)

    def request_digest(self, request) -> str:
        """sha256 of what was sent; a file counts by its content."""
        if not request.content_type.startswith("multipart/"):
            return hashlib.sha256(request.body).hexdigest()
        hasher = hashlib.sha256()
        for name, value in sorted(request.POST.lists()):
            hasher.update(repr((name, value)).encode())
        for name, upload in sorted(request.FILES.items()):
            hasher.update(repr((name, upload.name)).encode())
            for chunk in upload.chunks():
                hasher.update(chunk)
            upload.seek(0)
        return hasher.hexdigest()


def run_once(request, key: str, digest: str, handler, *args, **kwargs) -> Response:
    if not 1 <= len(key) <= 120 or not key.isprintable():
        raise BadKey(_("Idempotency-Key 应为 1 到 120 个可见字符。"))
    scope = hashlib.sha256(f"{request.user.pk} {request.method} {request.get_full_path()}".encode()).hexdigest()
    row = reserve(scope, key, digest)
    if row.status is not None:
        return Response(orjson.loads(row.body or "null"), status=row.status, headers={"Idempotent-Replay": "true"})
    try:
        with transaction.atomic():
            response = handler(*args, **kwargs)
            kept = 200 <= response.status_code < 300
            if kept:
                IdempotencyKey.objects.filter(pk=row.pk).update(status=response.status_code, body=orjson.dumps(response.data, default=str).decode())
    except BaseException:
        row.delete()
        raise
    if not kept:
        row.delete()
    return response


def reserve(scope: str, key: str, digest: str) -> IdempotencyKey:
    """The key's row: fresh (status None), or the finished one of the same request. Conflict while another runs."""
    now = timezone.now()
    IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()
    IdempotencyKey.objects.filter(scope=scope, key=key, status=None, created_at__lt=now - ABANDONED).delete()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(scope=scope, key=key, request_hash=digest)
    except IntegrityError:
        row = IdempotencyKey.objects.filter(scope=scope, key=key).first()
    if row is not None and row.request_hash != digest:
        raise KeyReused(_("这个 Idempotency-Key 已经用于另一份内容，请换一个。"))
    if row is None or row.status is None:
        raise Conflict(_("带同一个 Idempotency-Key 的请求正在处理，请稍后再试。"))
    return row
