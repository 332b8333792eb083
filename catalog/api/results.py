"""One page of search results as the API answers it: count, facets, next, results."""

from dataclasses import replace

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import PermissionDenied

from catalog.api.permissions import has_scope
from catalog.models import Dataset
from catalog.search.listing import MAX_PAGE_SIZE, PAGE_SIZE, parse_query, search_rows
from catalog.search.query import DIMENSIONS, FACETS, SORTS

MORE = [name for name in DIMENSIONS if name not in FACETS]
LIST_PARAMETERS = [
    OpenApiParameter("q", OpenApiTypes.STR, description="检索词；词与词之间为“且”。也可以是一句话、拼音；同时查找的词见 expansions。"),
    *[OpenApiParameter(name, OpenApiTypes.STR, many=True, description=f"按 {name} 筛选，可重复（或）；有分面计数。") for name in FACETS],
    *[OpenApiParameter(name, OpenApiTypes.STR, many=True, description=f"按 {name} 筛选，可重复（或）。") for name in MORE],
    OpenApiParameter("exact", {"type": "integer", "enum": [0, 1]}, description="1：只按输入的字查找，不扩展同义词、拼写和拼音。"),
    *[
        OpenApiParameter(f"size_{end}", OpenApiTypes.STR, description=f"数据量{word}：字节数，或如 10GB。没有填数据量的不在内。")
        for end, word in (("from", "不小于"), ("to", "不大于"))
    ],
    *[
        OpenApiParameter(f"modified_{end}", OpenApiTypes.DATE, description=f"更新日期{word}，含当日。没有填的不在内。")
        for end, word in (("from", "不早于"), ("to", "不晚于"))
    ],
    OpenApiParameter("sort", OpenApiTypes.STR, enum=SORTS),
    OpenApiParameter("page_size", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}),
    OpenApiParameter("cursor", OpenApiTypes.STR, description="next 中的值，原样带回；只用于同一检索。"),
    OpenApiParameter("explain", {"type": "integer", "enum": [1]}, description="每条结果附上得分的由来；仅限门户管理员。"),
]
WITHHELD = ("summary", "license", "license_type", "record_count", "byte_size", "model_stages")  # of a row of important data


def clean(params):
    """Request parameters without NUL, which PostgreSQL does not take."""
    cleaned = params.copy()
    for name, values in list(cleaned.lists()):
        cleaned.setlist(name, [value.replace("\x00", "") for value in values])
    return cleaned


def dataset_page(request) -> dict:
    params = clean(request.query_params)
    page = search_rows(replace(parse_query(params), explain=_may_explain(request, params)))
    base = settings.PORTAL_BASE_URL.rstrip("/")
    if page["next"]:
        params["cursor"] = page["next"]
        page["next"] = f"{base}{request.path}?{params.urlencode()}"
    withhold(page["results"])
    for row in page["results"]:
        row["url"] = f"{base}{row['url']}"
    return page


def _may_explain(request, params) -> bool:
    if params.get("explain") != "1":
        return False
    if not (request.user.is_authenticated and request.user.is_portal_admin and has_scope(request, "admin")):
        raise PermissionDenied(_("只有门户管理员可以查看得分的由来。"))
    return True


def withhold(rows: list[dict]) -> None:
    """Leave of important data what disclosure.MINIMAL leaves; one query for the page."""
    uids = [row["uid"] for row in rows]
    important = {str(uid) for uid in Dataset.objects.filter(uid__in=uids).exclude(security_level="general").values_list("uid", flat=True)}
    for row in rows:
        if row["uid"] in important:
            row |= {name: None if row[name] is None or isinstance(row[name], int) else type(row[name])() for name in WITHHELD}
