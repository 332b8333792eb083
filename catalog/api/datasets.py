"""/api/v1/datasets/: list, read, register, change, submit and take off the list."""

from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from catalog.api import serializers as out
from catalog.api import writing
from catalog.api.documents import ChangeDatasetSerializer, CreateDatasetSerializer
from catalog.api.etags import dataset_etag, not_modified, require_match
from catalog.api.idempotency import IdempotentMixin
from catalog.api.permissions import has_scope, visible_datasets
from catalog.api.results import LIST_PARAMETERS, dataset_page
from catalog.exceptions import ListingInvalid
from catalog.interchange.disclosure import disclosed, is_minimal
from catalog.listing import to_document
from catalog.models import Dataset, Revision
from catalog.permissions import may_edit
from catalog.services import registration, review
from catalog.services.samples import add_sample
from catalog.services.versions import compare_documents

FORMATS = {"dcat": "jsonld", "turtle": "ttl", "croissant": "croissant.json", "datapackage": "datapackage.json", "listing": "json"}
ETAG = OpenApiParameter("If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="上次得到的 ETag；没有变化时答 304。")
MATCH = OpenApiParameter("If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="读取时的 ETag；记录已被别人改动时答 412。")


def parsed(serializer_class, request) -> dict:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


@contextmanager
def refusing_twins():
    """What the database allows only once becomes a finding instead of a failure."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        message = _("本机构已有一个数据集用了这个原标识，或者资源的 uid 属于另一个数据集。")
        raise ListingInvalid([{"pointer": "/source_identifier", "code": "taken", "message": message}]) from None


def open_revision(dataset) -> Revision | None:
    return dataset.revisions.filter(state__in=["open", "submitted"]).first()


def sees_all(request, dataset) -> bool:
    """The provider's people and reviewers get a listing with all its samples, whatever its level and their state."""
    user = request.user
    if not user.is_authenticated:
        return False
    as_reviewer = has_scope(request, "review") or has_scope(request, "admin")
    return (as_reviewer and (user.is_reviewer or user.is_portal_admin)) or dataset.organization_id in user.organization_ids()


def detail(request, dataset) -> tuple[dict, str]:
    """(answer, ETag) of one dataset for this caller."""
    revision = open_revision(dataset) if may_edit(request.user, dataset) else None
    document = to_document(dataset)
    minimal = is_minimal(document, dataset.security_level) and not sees_all(request, dataset)
    body = (disclosed(document, dataset.security_level) if minimal else document) | kept(dataset)
    if revision is not None:
        body["pending"] = {
            "state": revision.state,
            "change_note": revision.change_note,
            "updated_at": revision.updated_at,
            "changes": compare_documents(document, revision.document),
        }
    return body, dataset_etag(dataset, revision, minimal=minimal)


def kept(dataset) -> dict:
    """What the portal, not the owner, says of a dataset."""
    address = out.page_url(dataset)
    return {
        "uid": str(dataset.uid),
        "identifier": dataset.identifier,
        "url": address,
        "status": dataset.status,
        "status_reason": dataset.status_reason,
        "portal": dataset.home_portal,
        "is_remote": dataset.is_remote,
        "admission": dataset.admission,
        "grade": dataset.grade,
        "quality": {
            "grade": dataset.grade,
            "score": None if dataset.score is None else str(dataset.score),
            "assurance": dataset.assurance,
            "graded_at": dataset.graded_at,
            "source": dataset.grade_source,
        },
        "version": dataset.current_version.number if dataset.current_version_id else None,
        "rev": dataset.rev,
        "listed_at": dataset.listed_at,
        "updated_at": dataset.updated_at,
        "formats": {name: f"{address.rstrip('/')}.{ending}" for name, ending in FORMATS.items()} if dataset.is_public else {},
    }


@extend_schema_view(
    list=extend_schema(summary="检索数据集", parameters=LIST_PARAMETERS, responses=out.DatasetPage),
    create=extend_schema(summary="登记一个数据集（草稿）", request=CreateDatasetSerializer, responses={201: out.DatasetDetail}),
    retrieve=extend_schema(summary="读取一个数据集", parameters=[ETAG], responses={200: out.DatasetDetail, 304: None}),
    partial_update=extend_schema(
        summary="修改登记内容",
        description="键合并进草稿；已上架的数据集合并进它的变更，审核通过后生效。null 清空一个键。",
        parameters=[MATCH],
        request=ChangeDatasetSerializer,
        responses=out.DatasetDetail,
    ),
)
@extend_schema(tags=["datasets"])
class DatasetViewSet(IdempotentMixin, viewsets.GenericViewSet):
    lookup_field = "uid"
    lookup_value_converter = "uuid"
    pagination_class = None
    filter_backends = []
    serializer_class = out.DatasetDetail
    queryset = Dataset.objects.none()

    def get_queryset(self):
        rows = visible_datasets(self.request).select_related("organization", "current_version")
        return rows.prefetch_related("resources", "samples")

    def find(self) -> Dataset:
        return get_object_or_404(self.get_queryset(), uid=self.kwargs["uid"])

    def answer(self, dataset, status_code=status.HTTP_200_OK, **headers) -> Response:
        dataset = get_object_or_404(self.get_queryset(), pk=dataset.pk)
        body, etag = detail(self.request, dataset)
        return Response(body, status=status_code, headers={"ETag": etag} | headers)

    def list(self, request):
        page = dataset_page(request)
        return Response(page, headers={"X-Search-Engine": "database; degraded"} if page["degraded"] else None)

    def create(self, request):
        document = {key: value for key, value in parsed(CreateDatasetSerializer, request).items() if value is not None}
        organization = document.pop("organization")
        with refusing_twins():
            dataset = registration.create_dataset(document, organization=organization, user=request.user)
        return self.answer(dataset, status.HTTP_201_CREATED, Location=request.build_absolute_uri(f"{dataset.uid}/"))

    def retrieve(self, request, uid=None):
        body, etag = detail(request, self.find())
        if not_modified(request, etag):
            return HttpResponse(status=304, headers={"ETag": etag})
        return Response(body, headers={"ETag": etag, "Cache-Control": "private, no-cache"})

    @transaction.atomic
    def partial_update(self, request, uid=None):
        changes = parsed(ChangeDatasetSerializer, request)
        dataset = self.find()
        Dataset.objects.select_for_update().get(pk=dataset.pk)
        dataset = self.find()  # as the lock holder sees it
        require_match(request, detail(request, dataset)[1])
        note = changes.pop("change_note", "")
        with refusing_twins():
            registration.update_dataset(dataset, changes, user=request.user, change_note=note)
        return self.answer(dataset)

    @extend_schema(summary="提交审核", request=writing.SubmitSerializer, responses=out.DatasetDetail)
    @action(detail=True, methods=["post"])
    def submit(self, request, uid=None):
        dataset = self.find()
        registration.submit_dataset(dataset, user=request.user, change_note=parsed(writing.SubmitSerializer, request)["change_note"])
        return self.answer(dataset)

    @extend_schema(summary="撤回提交", request=writing.EmptySerializer, responses=out.DatasetDetail)
    @action(detail=True, methods=["post"])
    def withdraw(self, request, uid=None):
        parsed(writing.EmptySerializer, request)
        dataset = self.find()
        registration.withdraw_submission(dataset, user=request.user)
        return self.answer(dataset)

    @extend_schema(summary="下架（写明原因）", request=writing.RequiredReasonSerializer, responses={204: None})
    @action(detail=True, methods=["post"])
    def delist(self, request, uid=None):
        review.delist_dataset(self.find(), user=request.user, reason=parsed(writing.RequiredReasonSerializer, request)["reason"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["datasets"])
class VersionViewSet(viewsets.GenericViewSet):
    serializer_class = out.VersionRow
    queryset = Dataset.objects.none()
    pagination_class = None
    filter_backends = []

    def dataset(self) -> Dataset:
        return get_object_or_404(visible_datasets(self.request).select_related("organization"), uid=self.kwargs["uid"])

    @extend_schema(summary="版本列表", responses=out.VersionRow(many=True))
    def list(self, request, uid):
        return Response(out.VersionRow(self.dataset().versions.defer("document"), many=True).data)

    @extend_schema(summary="某一版本的快照", responses=out.VersionDetail)
    def retrieve(self, request, uid, number):
        dataset = self.dataset()
        version = get_object_or_404(dataset.versions, number=number)
        version.document = self.shown(dataset, version)
        return Response(out.VersionDetail(version).data)

    @extend_schema(
        operation_id="datasets_versions_compare",
        summary="比较两个版本",
        parameters=[
            OpenApiParameter(name, {"type": "integer", "minimum": 1}, required=True, description=text)
            for name, text in (("from", "旧版本号"), ("to", "新版本号"))
        ],
        responses=out.Comparison,
    )
    def compare(self, request, uid):
        dataset = self.dataset()
        old, new = (self.by_number(dataset, request.query_params.get(name, "")) for name in ("from", "to"))
        changes = compare_documents(self.shown(dataset, old), self.shown(dataset, new))
        return Response({"from": old.number, "to": new.number, "changes": changes})

    def by_number(self, dataset, text):
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise Http404
        return get_object_or_404(dataset.versions, number=int(text))

    def shown(self, dataset, version) -> dict:
        return version.document if sees_all(self.request, dataset) else disclosed(version.document, dataset.security_level)


@extend_schema(tags=["datasets"])
class SampleViewSet(IdempotentMixin, viewsets.GenericViewSet):
    serializer_class = out.SampleRow
    queryset = Dataset.objects.none()
    pagination_class = None
    filter_backends = []
    parser_classes = [MultiPartParser]

    def dataset(self) -> Dataset:
        return get_object_or_404(visible_datasets(self.request).select_related("organization"), uid=self.kwargs["uid"])

    @extend_schema(summary="样例列表", responses=out.SampleRow(many=True))
    def list(self, request, uid):
        dataset = self.dataset()
        rows = dataset.samples.all()
        if not sees_all(request, dataset):
            rows = rows.none() if dataset.security_level != "general" else rows.filter(state="ready")
        return Response(out.SampleRow(rows, many=True).data)

    @extend_schema(
        summary="上传样例（检查之后才可下载）", request={"multipart/form-data": writing.SampleUploadSerializer}, responses={201: out.SampleRow}
    )
    def create(self, request, uid):
        values = parsed(writing.SampleUploadSerializer, request)
        sample = add_sample(self.dataset(), values.pop("file"), user=request.user, **values)
        return Response(out.SampleRow(sample).data, status=status.HTTP_201_CREATED)
