"""/api/v1/reviews/: the review desk for machines; scope `review` and a reviewer's rights."""

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from catalog.api import serializers as out
from catalog.api import writing
from catalog.api.datasets import parsed
from catalog.api.idempotency import IdempotentMixin
from catalog.api.permissions import HasScope
from catalog.models import Review
from catalog.services import review as service


class IsReviewer(HasScope):
    """Also for reading: a queue is nobody else's business."""

    def has_permission(self, request, view):
        return super().has_permission(request, view) and (request.user.is_reviewer or request.user.is_portal_admin)


@extend_schema_view(
    list=extend_schema(
        summary="审核队列",
        parameters=[
            OpenApiParameter("state", OpenApiTypes.STR, enum=Review.State.values),
            OpenApiParameter("kind", OpenApiTypes.STR, enum=Review.Kind.values),
        ],
        responses=out.ReviewRow(many=True),
    ),
    retrieve=extend_schema(summary="一次审核：检查结果、结论、意见", responses=out.ReviewDetail),
)
@extend_schema(tags=["reviews"])
class ReviewViewSet(IdempotentMixin, viewsets.GenericViewSet):
    lookup_field = "uid"
    lookup_value_converter = "uuid"
    permission_classes = [IsReviewer]
    scope = scope_for_reading = "review"
    serializer_class = out.ReviewRow
    filter_backends = []
    queryset = Review.objects.select_related("dataset__organization")

    def find(self) -> Review:
        return get_object_or_404(self.get_queryset(), uid=self.kwargs["uid"])

    def answer(self) -> Response:
        rows = self.get_queryset().prefetch_related("checks", "verdicts__reviewer", "comments__author")
        return Response(out.ReviewDetail(get_object_or_404(rows, uid=self.kwargs["uid"])).data)

    def list(self, request):
        wanted = {name: request.query_params.get(name, "").replace("\x00", "") for name in ("state", "kind")}
        rows = self.get_queryset().filter(**{name: value for name, value in wanted.items() if value})
        return self.get_paginated_response(out.ReviewRow(self.paginate_queryset(rows), many=True).data)

    def retrieve(self, request, uid=None):
        return self.answer()

    @extend_schema(summary="领取", request=writing.EmptySerializer, responses=out.ReviewDetail)
    @action(detail=True, methods=["post"])
    def start(self, request, uid=None):
        parsed(writing.EmptySerializer, request)
        service.start_review(self.find(), reviewer=request.user)
        return self.answer()

    @extend_schema(summary="通过", request=writing.OptionalReasonSerializer, responses=out.ReviewDetail)
    @action(detail=True, methods=["post"])
    def approve(self, request, uid=None):
        service.approve_review(self.find(), reviewer=request.user, **parsed(writing.OptionalReasonSerializer, request))
        return self.answer()

    @extend_schema(summary="退回修改（写明理由）", request=writing.RequiredReasonSerializer, responses=out.ReviewDetail)
    @action(detail=True, methods=["post"], url_path="return", url_name="return")
    def send_back(self, request, uid=None):
        service.return_review(self.find(), reviewer=request.user, **parsed(writing.RequiredReasonSerializer, request))
        return self.answer()

    @extend_schema(summary="驳回（写明理由）", request=writing.RequiredReasonSerializer, responses=out.ReviewDetail)
    @action(detail=True, methods=["post"])
    def reject(self, request, uid=None):
        service.reject_review(self.find(), reviewer=request.user, **parsed(writing.RequiredReasonSerializer, request))
        return self.answer()

    @extend_schema(summary="给四个部分之一下结论", request=writing.VerdictSerializer, responses=out.ReviewDetail)
    @action(detail=True, methods=["post"])
    def verdict(self, request, uid=None):
        service.give_verdict(self.find(), reviewer=request.user, **parsed(writing.VerdictSerializer, request))
        return self.answer()

    @extend_schema(summary="写意见", request=writing.CommentSerializer, responses=out.ReviewDetail)
    @action(detail=True, methods=["post"])
    def comment(self, request, uid=None):
        service.add_comment(self.find(), author=request.user, **parsed(writing.CommentSerializer, request))
        return self.answer()
