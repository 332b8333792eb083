"""API plumbing: JSON by orjson, cursor pages, and every error as an RFC 9457 problem with a pointer to each field."""

from http import HTTPStatus

import orjson
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, pagination, parsers, renderers
from rest_framework.response import Response

from catalog.exceptions import DomainError
from catalog.interchange.reading import too_deep
from catalog.listing import LIMITS

JSON_BYTES = 1024 * 1024  # of one request; a listing has 256 KiB, and parsed JSON takes some twenty times its size


class OrjsonRenderer(renderers.BaseRenderer):
    media_type = "application/json"
    format = "json"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return b"" if data is None else orjson.dumps(data, default=str, option=orjson.OPT_NON_STR_KEYS)


class OrjsonParser(parsers.BaseParser):
    """Strict JSON: no NaN, no half of a surrogate pair, both of which a database refuses later; bounded in size and depth."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None):
        body = stream.read(JSON_BYTES + 1)
        if len(body) > JSON_BYTES:
            raise RequestDataTooBig
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise exceptions.ParseError(_("正文不是合格的 JSON：第 %(line)d 行 %(error)s") % {"line": error.lineno, "error": error.msg}) from error
        if too_deep(value, LIMITS["depth"]):
            raise exceptions.ParseError(_("JSON 嵌套超过 %(limit)d 层。") % {"limit": LIMITS["depth"]})
        return value


class CursorPagination(pagination.CursorPagination):
    page_size_query_param = "page_size"
    max_page_size = 100
    ordering = "-id"


def problem(status: int, detail: str, *, code: str = "", errors: list[dict] | None = None) -> bytes:
    return orjson.dumps(problem_body(status, detail, code=code, errors=errors))


def problem_body(status: int, detail: str, *, code: str = "", errors: list[dict] | None = None) -> dict:
    body = {
        "type": f"urn:jimu:problem:{code}" if code else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return body


def problem_handler(error, context) -> Response | None:
    """Domain errors, DRF errors and Django's own become problem details; anything else stays a 500."""
    headers = {}
    if isinstance(error, DomainError):
        body = problem_body(error.status, str(error), code=error.code, errors=getattr(error, "errors", None))
    elif isinstance(error, RequestDataTooBig):
        body = problem_body(413, _("请求正文太大。"), code="too_large")
    elif isinstance(error, Http404):
        body = problem_body(404, _("没有这个地址，或者您看不到它。"), code="not_found")
    elif isinstance(error, PermissionDenied):
        body = problem_body(403, str(error) or _("没有权限。"), code="not_allowed")
    elif isinstance(error, exceptions.ValidationError):
        errors = list(_pointers(error.detail))
        detail = "；".join(f"{item['pointer'] or '/'}: {item['message']}" for item in errors[:5])
        body = problem_body(400, detail or _("请求中有不合格的字段。"), code="invalid", errors=errors)
    elif isinstance(error, exceptions.APIException):
        body = problem_body(error.status_code, str(error.detail), code=error.default_code)
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = error.auth_header
        if getattr(error, "wait", None):
            headers["Retry-After"] = str(int(error.wait))
    else:
        return None
    from rest_framework.views import set_rollback  # imports the settings that name this module

    set_rollback()
    return Response(body, status=body["status"], headers=headers, content_type="application/problem+json")


def _pointers(detail, path=""):
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _pointers(value, f"{path}/{key}" if key != "non_field_errors" else path)
    elif isinstance(detail, list):
        for position, value in enumerate(detail):
            nested = isinstance(value, (dict, list))
            yield from _pointers(value, f"{path}/{position}" if nested else path)
    else:
        yield {"pointer": path, "code": getattr(detail, "code", "invalid"), "message": str(detail)}
