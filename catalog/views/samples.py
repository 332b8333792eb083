"""Sample download: terms and purpose first, then the file, inert and resumable; every download is counted per consumer."""

import re
from base64 import b64encode

from django.core import signing
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_cache_control
from django.utils.crypto import salted_hmac
from django.utils.encoding import iri_to_uri
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from catalog.exceptions import DomainError
from catalog.models import Dataset, Sample
from catalog.permissions import sample_states
from catalog.services.samples import open_sample, record_download
from catalog.views.problems import refuse

BLOCK = 256 * 1024
RESUME_SECONDS = 3600
SALT = "catalog.sample.resume"
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def visible_sample(request, uid):
    """A ready sample of a dataset this reader sees (a reviewer also opens waiting ones); important data have none (SECURITY: levels)."""
    sample = get_object_or_404(Sample.objects.select_related("dataset__organization"), uid=uid, state__in=sample_states(request.user))
    visible = Dataset.objects.visible_to(request.user).filter(pk=sample.dataset_id, security_level=Dataset.SecurityLevel.GENERAL)
    if not visible.exists():
        raise Http404
    return sample


def remote_url(sample) -> str:
    """Where a sample of another portal is fetched with a ticket; "" while this portal cannot issue one."""
    try:
        return reverse("federation:sample_ticket", args=[sample.uid])
    except NoReverseMatch:
        return ""


@require_http_methods(["GET", "HEAD", "POST"])
def download(request, uid):
    sample = visible_sample(request, uid)
    if sample.dataset.is_remote:
        return _elsewhere(request, sample)
    needs_user = sample.dataset.openness != Dataset.Openness.OPEN
    errors = {}
    if request.method == "POST":
        errors = _errors(request, needs_user)
        if not errors:
            return _counted(request, sample)
    signed_in = request.user.is_authenticated
    status = (403 if "user" in errors else 422) if errors else 200
    context = {"sample": sample, "dataset": sample.dataset, "errors": errors, "needs_user": needs_user, "may_download": signed_in or not needs_user}
    return render(request, "catalog/sample_download.html", context | {"values": request.POST}, status=status)


def _elsewhere(request, sample):
    context = {"sample": sample, "dataset": sample.dataset, "ticket_url": remote_url(sample)}
    return render(request, "catalog/sample_elsewhere.html", context)


def _errors(request, needs_user) -> dict:
    errors = {}
    if needs_user and not request.user.is_authenticated:
        errors["user"] = _("这份样例有条件开放，请先登录。")
    if "accepted" not in request.POST:
        errors["accepted"] = _("同意使用条款后才能下载。")
    if needs_user and len(request.POST.get("purpose", "").strip()) < 4:
        errors["purpose"] = _("请写明用途，至少 4 个字。")
    if len(request.POST.get("purpose", "")) > 300:
        errors["purpose"] = _("用途最多 300 个字。")
    return errors


def consumer_of(request) -> str:
    """The user's name; for a guest a pseudonym of the address, so that repeated downloads are seen as such."""
    if request.user.is_authenticated:
        return request.user.username
    return "guest-" + salted_hmac("catalog.consumer", request.META.get("REMOTE_ADDR", "")).hexdigest()[:12]


def _counted(request, sample):
    """Count, then send. The answer names an address where an interrupted download goes on for an hour without counting again."""
    user = request.user if request.user.is_authenticated else None
    try:
        stream = open_sample(sample)
        if sample.state == Sample.State.READY:  # a reviewer's look at a waiting one is no download
            purpose = request.POST.get("purpose", "").strip()
            record_download(sample, user=user, consumer=consumer_of(request), purpose=purpose)
    except DomainError as error:
        return refuse(request, error)
    response = send(request, sample, stream)
    token = signing.dumps(_accepted(request, sample), salt=SALT)
    response["Content-Location"] = iri_to_uri(f"{reverse('catalog:sample_file', args=[sample.uid])}?resume={token}")
    return response


def _accepted(request, sample) -> list:
    """What a resume token vouches for: this person (or a guest, where guests may) accepted the terms of this sample."""
    return [str(sample.uid), request.user.pk or 0]


@require_safe
def resume(request, uid):
    """The file again, or the rest of it, for who accepted the terms within the last hour."""
    sample = visible_sample(request, uid)
    try:
        accepted = signing.loads(request.GET.get("resume", ""), salt=SALT, max_age=RESUME_SECONDS)
    except signing.BadSignature:
        accepted = None
    if accepted != _accepted(request, sample):
        raise Http404
    try:
        return send(request, sample, open_sample(sample))
    except DomainError as error:
        return refuse(request, error)


def send(request, sample, stream):
    """The file as an inert attachment, whole or the range asked for (RFC 9110); ETag is its SHA-256."""
    size, etag = sample.byte_size, f'"{sample.sha256}"'
    wanted = request.headers.get("Range", "")
    condition = request.headers.get("If-Range", "")
    span = byte_range(wanted, size) if wanted and condition in ("", etag) else None
    if span == ():
        stream.close()
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    else:
        first, last = span or (0, size - 1)
        length = last - first + 1 if size else 0
        if request.method == "HEAD":
            stream.close()
            response = HttpResponse()
        else:
            response = StreamingHttpResponse(blocks(stream, first, length))
        response.status_code = 206 if span else 200
        response["Content-Length"] = str(length)
        if span:
            response["Content-Range"] = f"bytes {first}-{last}/{size}"
    response["Content-Type"] = "application/octet-stream"
    response["Content-Disposition"] = content_disposition_header(True, sample.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Repr-Digest"] = f"sha-256=:{_base64(sample.sha256)}:"
    patch_cache_control(response, private=True, no_store=True)
    return response


def byte_range(header: str, size: int):
    """(first, last) of a single range; () when it cannot be satisfied; None when the header is to be ignored."""
    match = RANGE.fullmatch(header.strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size - 1) if int(last) and size else ()
    if int(first) >= size or (last and int(last) < int(first)):
        return ()
    return int(first), min(int(last) if last else size - 1, size - 1)


def blocks(stream, first: int, length: int):
    with stream:
        stream.seek(first)
        while length > 0 and (block := stream.read(min(BLOCK, length))):
            length -= len(block)
            yield block


def _base64(digest: str) -> str:
    return b64encode(bytes.fromhex(digest)).decode() if digest else ""
