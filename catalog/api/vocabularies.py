"""/api/v1/vocabularies/: the code lists that listings draw from."""

from django.db.models import Count
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api.serializers import Scheme, SchemeRow, TermRow
from catalog.models import Term


@extend_schema(tags=["vocabularies"])
class VocabularyList(APIView):
    @extend_schema(operation_id="vocabularies_list", summary="词表", responses=SchemeRow(many=True))
    def get(self, request):
        rows = Term.objects.filter(is_active=True).order_by("scheme").values("scheme").annotate(terms=Count("id"))
        return Response([row | {"url": request.build_absolute_uri(f"{row['scheme']}/")} for row in rows])


@extend_schema(tags=["vocabularies"])
class VocabularyDetail(APIView):
    @extend_schema(operation_id="vocabularies_retrieve", summary="一个词表的词条", responses=Scheme)
    def get(self, request, scheme):
        terms = Term.objects.filter(scheme=scheme, is_active=True).select_related("parent")
        if not terms:
            raise Http404
        return Response({"scheme": scheme, "terms": TermRow(terms, many=True).data})
