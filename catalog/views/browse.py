"""Pages for people who look around: home, search, dataset."""

from django.db import connection
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog.models import Dataset


def health(request):
    """Answers 200 once the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


def home(request):
    return render(request, "catalog/home.html", {})


def dataset_detail(request, uid):
    dataset = get_object_or_404(Dataset.objects.visible_to(request.user), uid=uid)
    return render(request, "catalog/dataset/detail.html", {"dataset": dataset})
