"""/api/v1/demands/: the board for machines. What a token may, its user may: drafts are the author's, responses of the two sides."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response as Answer

from catalog.api.datasets import parsed
from catalog.api.documents import OrganizationRef, StrictSerializer
from catalog.api.idempotency import IdempotentMixin
from catalog.api.permissions import has_scope
from catalog.api.serializers import OrganizationBrief, page_url
from catalog.api.writing import EmptySerializer
from catalog.models import Dataset, Demand, Response
from catalog.services import demand_board, demands

FIELDS = "uid title sectors modalities region scope content availability quality record_count annotation_precision priority deadline".split()
PARAMETERS = [
    OpenApiParameter("q", OpenApiTypes.STR, description="名称、内容、范围或机构名中的字。"),
    OpenApiParameter("sector", OpenApiTypes.STR),
    OpenApiParameter("modality", OpenApiTypes.STR),
    OpenApiParameter("region", OpenApiTypes.STR, description="GB/T 2260 代码的前两位起。"),
    OpenApiParameter("state", OpenApiTypes.STR, enum=["all", *Demand.PUBLIC], description="不给时是可以响应的。"),
    OpenApiParameter("priority", OpenApiTypes.STR, enum=Demand.Priority.values),
    OpenApiParameter("mine", OpenApiTypes.BOOL, description="1：自己的，含草稿；要登录或密钥。"),
]


@extend_schema_field({"type": "string", "format": "uuid"})
class OrganizationUid(OrganizationRef):
    pass


class DemandRow(serializers.ModelSerializer):
    organization = OrganizationBrief(allow_null=True)
    url = serializers.SerializerMethodField()
    matches = serializers.IntegerField(source="match_count", default=0)
    responses = serializers.IntegerField(source="response_count", default=0)

    class Meta:
        model = Demand
        fields = [*FIELDS, "state", "organization", "matches", "responses", "published_at", "url"]

    def get_url(self, demand) -> str:
        return page_url(demand)


class ReasonRow(serializers.Serializer):
    kind = serializers.CharField()
    values = serializers.ListField(child=serializers.CharField())


class MatchRow(serializers.Serializer):
    uid = serializers.UUIDField()
    title = serializers.CharField()
    score = serializers.IntegerField()
    reasons = ReasonRow(many=True)


class ResponseRow(serializers.ModelSerializer):
    organization = OrganizationBrief()
    dataset = serializers.SlugRelatedField(slug_field="uid", read_only=True)

    class Meta:
        model = Response
        fields = ["uid", "organization", "dataset", "body", "progress", "reason", "created_at"]


class DemandDetail(DemandRow):
    contact = serializers.CharField(help_text="空：您看不到，或者没有。")
    outcome = serializers.CharField()
    reason = serializers.CharField(help_text="退回的理由，只给发布人。")
    match_rows = MatchRow(many=True)
    response_rows = ResponseRow(many=True, help_text="发布人看全部，提供方看自己机构的。")

    class Meta(DemandRow.Meta):
        fields = [*DemandRow.Meta.fields, "contact", "outcome", "reason", "match_rows", "response_rows"]


class DemandInput(StrictSerializer):
    title = serializers.CharField(max_length=300)
    content = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)
    scope = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)
    availability = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)
    quality = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)
    sectors = serializers.ListField(child=serializers.CharField(max_length=64), required=False, default=list, max_length=20)
    modalities = serializers.ListField(child=serializers.CharField(max_length=64), required=False, default=list, max_length=20)
    region = serializers.CharField(required=False, allow_blank=True, default="", max_length=6)
    record_count = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=2**53)
    annotation_precision = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    priority = serializers.ChoiceField(choices=Demand.Priority.choices, required=False, default=Demand.Priority.NORMAL)
    deadline = serializers.DateField(required=False, allow_null=True, default=None)
    budget_note = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    contact = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    contact_to = serializers.ChoiceField(choices=Demand.ContactTo.choices, required=False, default=Demand.ContactTo.ACCEPTED)
    organization = OrganizationUid(required=False, allow_null=True, default=None)


class RespondInput(StrictSerializer):
    organization = OrganizationUid()
    body = serializers.CharField(max_length=4000)
    dataset = serializers.UUIDField(required=False, allow_null=True, default=None)


@extend_schema_view(
    list=extend_schema(summary="数据需求", parameters=PARAMETERS, responses=DemandRow(many=True)),
    retrieve=extend_schema(summary="一份需求：匹配的数据集和响应", responses=DemandDetail),
    create=extend_schema(summary="写一份需求（草稿）", request=DemandInput, responses={201: DemandDetail}),
)
@extend_schema(tags=["demands"])
class DemandViewSet(IdempotentMixin, viewsets.GenericViewSet):
    lookup_field = "uid"
    lookup_value_converter = "uuid"
    serializer_class = DemandRow
    filter_backends = []
    queryset = Demand.objects.none()

    def find(self) -> Demand:
        as_reviewer = has_scope(self.request, "review") or has_scope(self.request, "admin")
        rows = Demand.objects.visible_to(self.request.user, as_reviewer=as_reviewer).select_related("organization")
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    def answer(self, demand: Demand, status_code=status.HTTP_200_OK) -> Answer:
        user = self.request.user
        demand = get_object_or_404(Demand.objects.select_related("organization"), pk=demand.pk)
        public = demand.matches.filter(dataset__in=Dataset.objects.published()) if demand.is_public else demand.matches.none()
        demand.match_rows = [
            {"uid": row.dataset.uid, "title": row.dataset.title, "score": row.score, "reasons": row.reasons}
            for row in public.select_related("dataset")
        ]
        demand.response_rows = demands.responses_for(demand, user)
        demand.match_count, demand.response_count = len(demand.match_rows), demand.responses.count()
        demand.contact, demand.outcome = demands.contact_for(demand, user), demands.outcome_for(demand, user)
        demand.reason = demand.reason if user.is_authenticated and user.pk == demand.author_id else ""
        return Answer(DemandDetail(demand).data, status=status_code)

    def list(self, request):
        params = {name: request.query_params.get(name, "").replace("\x00", "").strip()[:100] for name in ("q", "sector", "modality", "region")}
        if request.query_params.get("mine") in ("1", "true"):
            if not request.user.is_authenticated:
                raise Http404
            rows = Demand.objects.filter(author=request.user).select_related("organization")
        else:
            rows = demand_board.board(**params, state=request.query_params.get("state", ""), priority=request.query_params.get("priority", ""))
        return self.get_paginated_response(DemandRow(self.paginate_queryset(rows), many=True).data)

    def retrieve(self, request, uid=None):
        return self.answer(self.find())

    def create(self, request):
        values = parsed(DemandInput, request)
        organization = values.pop("organization")
        demand = demands.save_demand(values, user=request.user, organization=organization)
        return self.answer(demand, status.HTTP_201_CREATED)

    @extend_schema(summary="提交审核", request=EmptySerializer, responses=DemandDetail)
    @action(detail=True, methods=["post"])
    def submit(self, request, uid=None):
        parsed(EmptySerializer, request)
        return self.answer(demands.submit_demand(self.find(), user=request.user))

    @extend_schema(summary="响应一份需求：提供一个数据集，或说明能提供什么", request=RespondInput, responses={201: ResponseRow})
    @action(detail=True, methods=["post"])
    def responses(self, request, uid=None):
        demand, values = self.find(), parsed(RespondInput, request)
        dataset = None
        if values["dataset"]:
            dataset = Dataset.objects.published().filter(uid=values["dataset"], organization=values["organization"]).first()
            if dataset is None:
                raise serializers.ValidationError({"dataset": [_("只能提供本机构已公开的数据集。")]})
        response = demands.respond(demand, user=request.user, organization=values["organization"], body=values["body"], dataset=dataset)
        return Answer(ResponseRow(response).data, status=status.HTTP_201_CREATED)
