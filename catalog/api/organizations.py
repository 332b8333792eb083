"""/api/v1/organizations/: who provides datasets."""

from django.db.models import Q
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status, viewsets
from rest_framework.response import Response

from catalog.api import writing
from catalog.api.datasets import parsed
from catalog.api.idempotency import IdempotentMixin
from catalog.api.serializers import OrganizationRow
from catalog.models import Organization
from catalog.services.organizations import create_organization, update_organization

PARAMETERS = [
    OpenApiParameter("q", OpenApiTypes.STR, description="名称中的字。"),
    OpenApiParameter("kind", OpenApiTypes.STR, enum=Organization.Kind.values),
    OpenApiParameter("region", OpenApiTypes.STR, description="GB/T 2260 代码。"),
    OpenApiParameter("portal", OpenApiTypes.STR, description="来源门户。"),
]


@extend_schema_view(
    list=extend_schema(summary="机构列表", parameters=PARAMETERS),
    retrieve=extend_schema(summary="一个机构", responses=OrganizationRow),
    create=extend_schema(summary="登记机构，自己成为负责人", request=writing.CreateOrganizationSerializer, responses={201: OrganizationRow}),
    partial_update=extend_schema(summary="修改机构资料", request=writing.ChangeOrganizationSerializer, responses=OrganizationRow),
)
@extend_schema(tags=["organizations"])
class OrganizationViewSet(IdempotentMixin, viewsets.GenericViewSet):
    lookup_field = "uid"
    lookup_value_converter = "uuid"
    serializer_class = OrganizationRow
    filter_backends = []
    queryset = Organization.objects.select_related("parent")

    def filtered(self):
        params = {name: self.request.query_params.get(name, "").replace("\x00", "").strip() for name in ("q", "kind", "region", "portal")}
        rows = self.get_queryset()
        if params["q"]:
            rows = rows.filter(Q(name__icontains=params["q"]) | Q(short_name__icontains=params["q"]))
        exact = {"kind": params["kind"], "region": params["region"], "home_portal": params["portal"]}
        return rows.filter(**{name: value for name, value in exact.items() if value})

    def list(self, request):
        page = self.paginate_queryset(self.filtered())
        return self.get_paginated_response(OrganizationRow(page, many=True).data)

    def retrieve(self, request, uid=None):
        return Response(OrganizationRow(get_object_or_404(self.get_queryset(), uid=uid)).data)

    def create(self, request):
        organization = create_organization(parsed(writing.CreateOrganizationSerializer, request), user=request.user)
        location = request.build_absolute_uri(f"{organization.uid}/")
        return Response(OrganizationRow(organization).data, status=status.HTTP_201_CREATED, headers={"Location": location})

    def partial_update(self, request, uid=None):
        organization = get_object_or_404(self.get_queryset(), uid=uid)
        serializer = writing.ChangeOrganizationSerializer(organization, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        changed = update_organization(organization, dict(serializer.validated_data), user=request.user)
        return Response(OrganizationRow(changed).data)
