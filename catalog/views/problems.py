"""A domain error as a page: what happened, in its own words, with its HTTP status."""

from django.shortcuts import render


def refuse(request, error):
    return render(request, "catalog/problem.html", {"message": str(error)}, status=error.status)
