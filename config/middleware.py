"""Web plumbing that belongs to no app."""

from django.conf import settings
from django.http import HttpResponse
from django.middleware import locale
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _

ALLOWANCE = 1024 * 1024  # form fields and boundaries around the file


class UploadLimitMiddleware:
    """Refuse a body above PORTAL_UPLOAD_MAX_BYTES by its declared length, before a byte of it is read."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        limit = settings.PORTAL_UPLOAD_MAX_BYTES
        if length > limit + ALLOWANCE:
            return refuse_upload(request, path=request.path, size=length, limit=limit)
        return self.get_response(request)


class RefuseNulMiddleware:
    """No address, query or form brings a NUL character further: PostgreSQL takes none, and no person types one.

    In a query it is read as a space. Forms are looked at where the CSRF check has read them already; the API and fed/1 judge their own bodies.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "\x00" in request.path:
            return refuse_nul(request)
        if not request.path.startswith("/fed/"):  # signed as it was sent
            request.META["QUERY_STRING"] = request.META.get("QUERY_STRING", "").replace("%00", "+")
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if request.method != "POST" or request.path.startswith(("/api/", "/fed/")):
            return None
        if any("\x00" in value for name, values in request.POST.lists() for value in (name, *values)):
            return refuse_nul(request)
        return None


def refuse_nul(request) -> HttpResponse:
    message = _("地址或表单里有空字符（NUL），无法处理。请去掉后再试。")
    if request.path.startswith("/api/"):
        from config.api import problem  # imports the settings that name this module

        return HttpResponse(problem(400, message, code="invalid"), status=400, content_type="application/problem+json")
    return render(request, "catalog/problem.html", {"message": message}, status=400)


def refuse_upload(request, *, path: str, size: int | None, limit: int) -> HttpResponse:
    """413 as a page, or as problem details below /api/. The connection is closed: the rest of the body is not read."""
    if size is None:
        message = _("上传的内容超过本门户的上限 %(limit)d MB。请压缩或截取后再上传。") % {"limit": limit // 2**20}
    else:
        numbers = {"size": size // 2**20, "limit": limit // 2**20}
        message = _("上传了 %(size)d MB，超过本门户的上限 %(limit)d MB。请压缩或截取后再上传。") % numbers
    if path.startswith("/api/"):
        from config.api import problem  # imports the settings that name this module

        return HttpResponse(problem(413, message, code="too_large"), status=413, content_type="application/problem+json")
    return render(request, "413.html", {"message": message}, status=413)


class LocaleMiddleware(locale.LocaleMiddleware):
    """Chinese first: a page is in English only when its reader switched. The API answers by Accept-Language."""

    def process_request(self, request):
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        if chosen in dict(settings.LANGUAGES):
            language = chosen
        elif request.path.startswith("/api/"):
            language = translation.get_language_from_request(request)
        else:
            language = settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()
