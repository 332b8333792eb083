"""/api/v1/suggest/, map/, statistics/: counts and words of what is published, all through the search backend."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api.results import clean
from catalog.api.serializers import StatisticsSerializer, Suggestions
from catalog.search.backends import get_backend
from catalog.search.listing import facet_row
from catalog.search.query import DIMENSIONS, SearchQuery
from catalog.services.statistics import totals
from catalog.services.suggesting import suggestions

BREAKDOWN = ("sector", "region", "portal", "grade", "modality")


@extend_schema(tags=["search"])
class Suggest(APIView):
    @extend_schema(
        operation_id="suggest",
        summary="输入时的建议",
        parameters=[OpenApiParameter("q", OpenApiTypes.STR, description="已输入的字；也可用拼音。")],
        responses=Suggestions,
    )
    def get(self, request):
        return Response({"suggestions": suggestions(request.query_params.get("q", ""))})


@extend_schema(tags=["search"])
class Statistics(APIView):
    @extend_schema(operation_id="statistics", summary="目录的总量与分布", responses=StatisticsSerializer)
    def get(self, request):
        backend, query = get_backend(), SearchQuery()
        by = {name: [facet_row(value) for value in backend.counts(query, name)] for name in BREAKDOWN}
        return Response({"totals": totals(), "by": by})


@extend_schema(tags=["search"])
class Map(APIView):
    @extend_schema(
        operation_id="map",
        summary="资源地图：各省在一个图层上的数值",
        parameters=[
            OpenApiParameter("layer", OpenApiTypes.STR, description="count、volume、grade、ownership、collection、storage、frequency、freshness"),
            OpenApiParameter("value", OpenApiTypes.STR, description="有分类的图层取哪一类。"),
            OpenApiParameter("q", OpenApiTypes.STR),
            *[OpenApiParameter(name, OpenApiTypes.STR, many=True) for name in DIMENSIONS],
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request):
        from catalog.services.mapping import query_from, resource_map

        params = clean(request.query_params)
        return Response(resource_map(params.get("layer") or "count", query_from(params), value=params.get("value", "")))
