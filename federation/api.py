"""REST: national takedown and restore."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api.permissions import visible_datasets
from federation.services import decisions


class ReasonSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=2000, allow_blank=True, default="")


class DecisionSerializer(serializers.Serializer):
    identifier = serializers.CharField()
    kind = serializers.CharField()
    admission = serializers.CharField()
    rev = serializers.IntegerField()
    reason = serializers.CharField()
    decided_at = serializers.DateTimeField()


class DecisionView(APIView):
    """National reviewers only; a token needs the scope review."""

    scope = "review"
    kind = ""

    def post(self, request, uid):
        dataset = get_object_or_404(visible_datasets(request), uid=uid)
        given = ReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        decision = decisions.decide(dataset, self.kind, actor=request.user, reason=given.validated_data["reason"])
        return Response(DecisionSerializer(decision).data, status=201)


@extend_schema_view(
    post=extend_schema(
        operation_id="datasets_takedown", summary="国家下架", tags=["federation"], request=ReasonSerializer, responses={201: DecisionSerializer}
    )
)
class TakedownView(DecisionView):
    kind = decisions.Kind.TAKEDOWN


@extend_schema_view(
    post=extend_schema(
        operation_id="datasets_restore", summary="恢复收录", tags=["federation"], request=ReasonSerializer, responses={201: DecisionSerializer}
    )
)
class RestoreView(DecisionView):
    kind = decisions.Kind.RESTORE
