"""Searches a person keeps: saved from the result, listed on the desk, renamed, silenced, forgotten."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.exceptions import DomainError
from catalog.search.addresses import address
from catalog.search.listing import parse_query
from catalog.services import saved_searches
from catalog.views.acting import attempt, number
from catalog.views.search_parts import query_words


@login_required
@require_POST
def save(request):
    """POST name and the parameters of the search as one string, `query`."""
    back = request.POST.get("back", "")
    try:
        query = parse_query(QueryDict(request.POST.get("query", "")[:4000]))
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("catalog:search")
    done = _("已保存，有新数据集时会通知您。")
    error = attempt(request, lambda: saved_searches.save_search(request.user, query, name=request.POST.get("name", "")), done)
    if error is not None and url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect("catalog:saved_searches")


@login_required
def saved(request):
    """The list; POST carries `search` and `do`: rename, silence, notify or forget."""
    if request.method == "POST":
        row = get_object_or_404(saved_searches.searches_of(request.user), pk=number(request.POST.get("search")))
        act(request, row)
        return redirect("catalog:saved_searches")
    rows = [describe(row) for row in saved_searches.searches_of(request.user)]
    return render(request, "catalog/desk/searches.html", {"section": "searches", "rows": rows})


def act(request, row) -> None:
    do, name = request.POST.get("do"), " ".join(request.POST.get("name", "").split())[:120]
    if do == "forget":
        row.delete()
        messages.success(request, _("已删除，它的订阅地址也失效了。"))
    elif do in ("silence", "notify"):
        row.is_notified = do == "notify"
        row.save(update_fields=["is_notified"])
    elif do == "rename" and name:
        row.name = name
        row.save(update_fields=["name"])


def describe(row) -> dict:
    query = saved_searches.query_of(row)
    return {"row": row, "words": query_words(query) if query else [], "url": address(query) if query else "", "is_broken": query is None}
