"""The OpenAPI document and its page. Swagger UI's files come from this host; the page needs neither inline script nor style."""

from functools import cache

from django.shortcuts import render
from django.utils.translation import get_language
from django.views import View
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer, OpenApiYamlRenderer2
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView


@cache
def openapi_document(language: str) -> dict:
    """The whole document, made once per process and language: it follows from the code alone."""
    return SchemaGenerator().get_schema(request=None, public=True)


@extend_schema(exclude=True)
class SchemaView(APIView):
    """JSON unless YAML is asked for, by Accept or ?format=yaml."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer, OpenApiYamlRenderer2]
    permission_classes = [AllowAny]

    def get(self, request):
        return Response(openapi_document(get_language()), headers={"Content-Disposition": "inline"})


class DocsView(View):
    def get(self, request):
        return render(request, "catalog/developers/api_docs.html", {"main_element": "div"})  # Swagger UI brings its own <main>
