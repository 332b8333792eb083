"""One page of search results as the API answers it: count, facets, next, results."""

import base64

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from catalog.api.serializers import DatasetRow
from catalog.exceptions import ListingInvalid
from catalog.models import Dataset
from catalog.search.query import FACETS, SORTS

PAGE_SIZE, MAX_PAGE_SIZE, MAX_OFFSET = 20, 100, 10_000
LIST_PARAMETERS = [
    OpenApiParameter("q", OpenApiTypes.STR, description="检索词；词与词之间为“且”。"),
    *[OpenApiParameter(name, OpenApiTypes.STR, many=True, description=f"按 {name} 筛选，可重复（或）。") for name in FACETS],
    OpenApiParameter("sort", OpenApiTypes.STR, enum=SORTS),
    OpenApiParameter("page_size", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}),
    OpenApiParameter("cursor", OpenApiTypes.STR, description="上一页 next 中的值，原样带回。"),
]


def wrong(name: str, message: str):
    error = ListingInvalid([{"pointer": f"/{name}", "code": "invalid", "message": message}])
    error.status, error.code = 400, "invalid"
    return error


def page_size(params) -> int:
    text = params.get("page_size") or str(PAGE_SIZE)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_PAGE_SIZE):
        raise wrong("page_size", _("page_size 应在 1 到 %(limit)d 之间。") % {"limit": MAX_PAGE_SIZE})
    return int(text)


def encode_cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def decode_cursor(params) -> int:
    """Rows to skip. A cursor that this API did not give is refused."""
    cursor = params.get("cursor", "")
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode() if cursor else "0"
        offset = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
    except ValueError:
        offset = -1
    if not 0 <= offset <= MAX_OFFSET:
        raise wrong("cursor", _("cursor 不是本接口给出的值，或者翻得太深；请加条件缩小范围，或取整份目录 /catalog.ndjson。"))
    return offset


def next_url(request, offset: int) -> str:
    params = request.query_params.copy()
    params["cursor"] = encode_cursor(offset)
    return f"{settings.PORTAL_BASE_URL.rstrip('/')}{request.path}?{params.urlencode()}"


def dataset_page(request) -> dict:
    params = request.query_params
    size, offset = page_size(params), decode_cursor(params)
    total, rows, facets = find(params, offset, size)
    follows = offset + len(rows) < total and offset + size <= MAX_OFFSET and rows
    return {
        "count": total,
        "facets": facets,
        "next": next_url(request, offset + size) if follows else None,
        "results": DatasetRow(rows, many=True).data,
    }


def find(params, offset, size):
    rows = Dataset.objects.published().select_related("organization").latest_first()
    text = params.get("q", "").replace("\x00", " ").strip()
    for word in text.split():
        rows = rows.filter(Q(title__icontains=word) | Q(summary__icontains=word))
    return rows.count(), list(rows[offset : offset + size]), {}
