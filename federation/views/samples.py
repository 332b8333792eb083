"""Samples across portals: the form that gives a ticket, and the owner's side that takes it."""

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from catalog.exceptions import DomainError
from catalog.models import Dataset, Sample
from federation.services import tickets


class TicketForm(forms.Form):
    purpose = forms.CharField(label=_("用途"), max_length=300)
    accepted = forms.BooleanField(label=_("我已阅读并同意使用条款"), error_messages={"required": _("请先同意使用条款。")})


@login_required
@require_http_methods(["GET", "POST"])
def ticket(request, uid):
    sample = get_object_or_404(Sample.objects.select_related("dataset__organization"), uid=uid, dataset__in=Dataset.objects.visible_to(request.user))
    if not sample.dataset.is_remote:
        raise Http404
    form = TicketForm(request.POST or None)
    if form.is_valid():
        try:
            return redirect(tickets.issue(sample, user=request.user, purpose=form.cleaned_data["purpose"], terms=sample.terms))
        except DomainError as error:
            form.add_error(None, str(error))
    response = render(
        request, "federation/ticket.html", {"sample": sample, "dataset": sample.dataset, "form": form}, status=400 if form.errors else 200
    )
    if owner := tickets.owner_origin(sample.dataset):
        response._csp_update = {"form-action": [owner]}  # browsers hold form-action against the redirect too
    return response


@require_GET
def redeem(request, uid):
    """Serves the file once for a ticket, as an attachment, and counts the download for the pseudonym."""
    from catalog.services.samples import open_sample, record_download

    try:
        claims = tickets.verify(request.GET.get("ticket", "")[:4000], uid)
        sample = tickets.redeem(claims, uid)
        stream = open_sample(sample)
        record_download(sample, consumer=claims["sub"], purpose=claims["purpose"], via_portal=claims["iss"])
    except DomainError as error:
        return render(request, "federation/refused.html", {"reason": str(error)}, status=error.status)
    response = FileResponse(stream, as_attachment=True, filename=sample.name, content_type="application/octet-stream")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
