"""POST /api/v1/datasets/bulk/: up to 10,000 listing documents as NDJSON, with a result per line."""

import hashlib
from collections import Counter

import orjson
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api.documents import CreateDatasetSerializer
from catalog.api.idempotency import IdempotentMixin
from catalog.api.serializers import BulkReport
from catalog.exceptions import DomainError, ListingInvalid
from catalog.interchange.reading import too_deep
from catalog.listing import LIMITS
from catalog.models import Organization
from catalog.services.bulk import BulkRegistration, as_uuid

MAX_LINES = 10_000
MAX_BYTES = 64 * 1024 * 1024
LINE_BYTES = 1024 * 1024


class TooLarge(DomainError):
    status = 413
    code = "too_large"


def bad_line(number: int, message: str) -> ListingInvalid:
    error = ListingInvalid([{"pointer": f"/{number}", "code": "bad_line", "message": message}])
    error.status, error.code = 400, "bad_ndjson"
    return error


def read_body(request) -> bytes:
    """The whole body, read past Django's limit for forms but never past ours; read once."""
    raw = request._request
    if not hasattr(raw, "_bulk_body"):
        raw._bulk_body = raw.body if raw._read_started else raw.read(MAX_BYTES + 1)
    if len(raw._bulk_body) > MAX_BYTES:
        raise TooLarge(_("正文超过 64 MB，请分几次发送。"))
    return raw._bulk_body


def parse_lines(body: bytes) -> list[tuple[int, dict]]:
    """(line number, object) of every line that is not empty; a bad line refuses the whole body before anything is written."""
    found = []
    for number, raw in enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not raw.strip():
            continue
        if len(raw) > LINE_BYTES:
            raise bad_line(number, _("第 %(line)d 行超过 1 MiB。") % {"line": number})
        try:
            document = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise bad_line(number, _("第 %(line)d 行不是合格的 JSON：%(error)s") % {"line": number, "error": error.msg}) from error
        if not isinstance(document, dict):
            raise bad_line(number, _("第 %(line)d 行不是 JSON 对象。") % {"line": number})
        if too_deep(document, LIMITS["depth"]):
            raise bad_line(number, _("第 %(line)d 行嵌套超过 %(limit)d 层。") % {"line": number, "limit": LIMITS["depth"]})
        if len(found) == MAX_LINES:
            raise bad_line(number, _("第 %(line)d 行超出了一次 %(limit)d 条的上限，请分几次发送。") % {"line": number, "limit": MAX_LINES})
        found.append((number, document))
    if not found:
        raise bad_line(1, _("正文里一行也没有。"))
    return found


@extend_schema(tags=["datasets"])
class BulkView(IdempotentMixin, APIView):
    def request_digest(self, request):
        return hashlib.sha256(read_body(request)).hexdigest()

    @extend_schema(
        operation_id="datasets_bulk",
        summary="批量登记（NDJSON，至多 10,000 行）",
        description="每行一份登记文档，另有 organization（机构 uid）。uid 或 source_identifier 已存在时是修改。逐行给出结果，被拒的行不影响别的行。",
        parameters=[OpenApiParameter("organization", OpenApiTypes.UUID, description="行内没有写机构时用它。")],
        request={"application/x-ndjson": CreateDatasetSerializer},
        responses=BulkReport,
    )
    def post(self, request):
        organization = self.default_organization(request.query_params.get("organization"))
        lines = parse_lines(read_body(request))
        results = BulkRegistration(user=request.user, organization=organization).run(lines)
        counts = Counter(result["status"] for result in results)
        return Response({name: counts[name] for name in ("created", "updated", "unchanged", "rejected")} | {"results": results})

    def default_organization(self, text):
        if text is None:
            return None
        organization = Organization.objects.filter(uid=as_uuid(text)).first() if as_uuid(text) else None
        if organization is None:
            raise ListingInvalid([{"pointer": "/organization", "code": "unknown_organization", "message": _("没有这个机构；请给出它的 uid。")}])
        return organization
