"""What the pages of people's work share: who may open them, and rows found only where their dataset may be seen."""

from datetime import datetime, time
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from catalog.exceptions import ListingInvalid
from catalog.models import Dataset
from quality.permissions import is_evaluator, is_supervisor


def evaluators_only(view):
    @wraps(view)
    @login_required
    def guarded(request, *args, **kwargs):
        if not is_evaluator(request.user):
            raise PermissionDenied(_("这里只对评测员和监督人员开放。"))
        return view(request, *args, **kwargs)

    return guarded


def supervisors_only(view):
    @wraps(view)
    @login_required
    def guarded(request, *args, **kwargs):
        if not is_supervisor(request.user):
            raise PermissionDenied(_("这里只对监督人员开放。"))
        return view(request, *args, **kwargs)

    return guarded


def of_visible(request, rows, uid, path="dataset"):
    """The row with this uid whose dataset the reader may see; 404 otherwise."""
    row = get_object_or_404(rows, uid=uid)
    dataset = row
    for name in path.split("__"):
        dataset = getattr(dataset, name)
    if not sees(request.user, dataset):
        raise Http404
    return row


def sees(user, dataset) -> bool:
    return Dataset.objects.visible_to(user).filter(pk=dataset.pk).exists()


def day(text: str, pointer: str):
    """A date of a form; ListingInvalid names the field."""
    try:
        found = parse_date(text or "")
    except ValueError:
        found = None
    if found is None:
        raise ListingInvalid([{"pointer": pointer, "code": "date", "message": _("日期要写成 2026-01-31 的样子。")}])
    return found


def end_of_day(text: str, pointer: str) -> datetime:
    return timezone.make_aware(datetime.combine(day(text, pointer), time(23, 59)))


def codes(request, name: str) -> list[str]:
    return [text[:40] for text in request.POST.getlist(name)][:60]
