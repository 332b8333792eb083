"""/api/v1/datasets/<uid>/quality/: the report as data."""

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api.datasets import sees_all
from catalog.api.permissions import visible_datasets
from quality.report import report, summary


class DatasetQualityView(APIView):
    """The latest evaluation of a dataset: grade, score, caps, the 17 indicators with evidence, advice by points gained."""

    @extend_schema(responses=OpenApiTypes.OBJECT, summary="数据集的质量报告", tags=["datasets"])
    def get(self, request, uid):
        dataset = get_object_or_404(visible_datasets(request).prefetch_related("samples"), uid=uid)
        is_whole = dataset.security_level == "general" or sees_all(request, dataset)
        return Response(report(dataset) if is_whole else summary(dataset))
