"""The error pages that a reverse proxy asks for, so that they look and speak like the rest."""

from django.conf import settings

from config.middleware import refuse_upload


def too_large(request):
    """What nginx shows for a body above its client_max_body_size; X-Original-URI tells page from API."""
    return refuse_upload(request, path=request.headers.get("X-Original-URI", ""), size=None, limit=settings.PORTAL_UPLOAD_MAX_BYTES)
