"""The dataset page, its tabs and what a reader does there: follow, tell, ask for access."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Exists, OuterRef, Q
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.cards import card_rows, with_portal
from catalog.counting import count_view
from catalog.datacard import data_card
from catalog.exceptions import DomainError, ListingInvalid
from catalog.interchange.disclosure import disclosed, veil
from catalog.metadata import field_label, metadata_rows, value_text
from catalog.models import AccessRequest, Dataset, Feedback, Organization, Portal, Subscription, Version
from catalog.permissions import may_edit, sample_states, sees_whole
from catalog.previews import sample_preview
from catalog.search import backends
from catalog.search.query import SearchQuery
from catalog.services import access, usage
from catalog.services.versions import compare_documents
from catalog.views.problems import refuse

TABS = ("files", "card", "quality", "versions", "lineage", "feedback", "metadata")
EXPORTS = (("JSON-LD", "jsonld"), ("Turtle", "ttl"), ("Croissant", "croissant.json"), ("Data Package", "datapackage.json"))
MEDIA = {
    "text/html": "",
    "application/ld+json": ".jsonld",
    "application/json": ".jsonld",
    "text/turtle": ".ttl",
}
PANEL_VERSIONS, VERSIONS, FEEDBACK, RELATED = 3, 200, 50, 6


def visible_dataset(request, uid):
    """The dataset with what every part of its page needs, in one query; 404 for what this reader may not see."""
    user = request.user
    rows = with_portal(Dataset.objects.visible_to(user)).select_related("organization", "current_version").defer("current_version__document")
    rows = rows.annotate(feedback_count=Count("feedback", filter=Q(feedback__is_public=True), distinct=True))
    if user.is_authenticated:
        rows = rows.annotate(is_followed=Exists(Subscription.objects.filter(user=user, dataset=OuterRef("pk"))))
    return get_object_or_404(rows, uid=uid)


@require_safe
def dataset_detail(request, uid):
    try:
        dataset = visible_dataset(request, uid)
    except Http404:
        return _tombstone(request, uid)
    if request.method == "GET" and dataset.is_public:
        count_view(dataset.pk)
    tab = request.GET.get("tab", "files")
    if tab not in TABS:
        tab = "files"
    resources, samples, versions = _parts(dataset, request.user)
    if not (is_whole := sees_whole(request.user, dataset)):
        veil(dataset)
        resources = []
    formats = list(dict.fromkeys(resource.format for resource in resources if resource.format))
    context = {
        "dataset": dataset,
        "resources": resources,
        "samples": samples,
        "versions": versions[:VERSIONS],
        "formats": formats,
        "action": main_action(dataset, samples),
        "tabs": _tabs(dataset, tab, len(versions)),
        "tab": tab,
        "is_whole": is_whole,
        "tab_template": f"catalog/dataset/tab_{tab}.html",
        "may_edit": may_edit(request.user, dataset),
        "exports": _exports(dataset),
        "answer_days": access.ANSWER_WORKDAYS,
    }
    return render(request, "catalog/dataset/detail.html", context | TAB_CONTEXT[tab](request, dataset, context))


def _parts(dataset, user):
    """Resources, ready samples and the list of versions: three queries, however many there are. Reviewers see waiting samples too."""
    samples = [] if dataset.security_level != Dataset.SecurityLevel.GENERAL else list(dataset.samples.filter(state__in=sample_states(user)))
    return list(dataset.resources.all()), samples, list(dataset.versions.defer("document"))


def main_action(dataset, samples) -> str:
    """The one main action of the side panel: sample, request, source (at its home portal) or none."""
    if samples:
        return "sample"
    if dataset.openness == Dataset.Openness.CLOSED or not dataset.is_public:
        return "none"
    return "source" if dataset.is_remote else "request"


def _tabs(dataset, current, version_count):
    labels = {
        "files": (_("文件与样例"), 0),
        "card": (_("数据卡"), 0),
        "quality": (_("质量报告"), 0),
        "versions": (_("版本与差异"), version_count),
        "lineage": (_("血缘与相关"), len(dataset.lineage)),
        "feedback": (_("反馈与用例"), dataset.feedback_count),
        "metadata": (_("元数据"), 0),
    }
    return [{"url": f"?tab={key}#tabs", "label": label, "count": count, "current": key == current} for key, (label, count) in labels.items()]


def _exports(dataset):
    """Machine-readable forms of a public, general listing; served by the API under the page's own address."""
    if not dataset.is_public or dataset.security_level != Dataset.SecurityLevel.GENERAL:
        return []
    return [{"label": label, "url": f"/datasets/{dataset.uid}.{suffix}"} for label, suffix in EXPORTS]


def _files_tab(request, dataset, context):
    """The chosen sample's preview; the first one unless another is asked for."""
    samples = context["samples"]
    wanted = request.GET.get("sample", "")
    chosen = next((sample for sample in samples if str(sample.uid) == wanted), samples[0] if samples else None)
    return {"sample": chosen, "preview": sample_preview(chosen.profile) if chosen else None}


def _card_tab(request, dataset, context):
    return {"groups": data_card(dataset, formats=context["formats"])}


def _versions_tab(request, dataset, context):
    """Compare any two (?old=1&new=3), look up any one (?version=2)."""
    numbers = [version.number for version in context["versions"]]
    new = _number(request.GET.get("new"), numbers, numbers[0] if numbers else None)
    old = _number(request.GET.get("old"), numbers, numbers[1] if len(numbers) > 1 else None)
    single = _number(request.GET.get("version"), numbers, None)
    wanted = {number for number in (old, new, single) if number is not None}
    documents = {version.number: version for version in Version.objects.filter(dataset=dataset, number__in=wanted)}
    if not context["is_whole"]:
        for version in documents.values():
            version.document = disclosed(version.document, dataset.security_level)
    changes = []
    if old in documents and new in documents and old != new:
        changes = [metadata_change(item) for item in compare_documents(documents[old].document, documents[new].document)]
    return {"old": old, "new": new, "changes": changes, "shown_version": documents.get(single)}


def metadata_change(item):
    return {"label": field_label(item["field"]), "old": value_text(item["field"], item["old"]), "new": value_text(item["field"], item["new"])}


def _number(text, allowed, default):
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 and int(text) in allowed else default


def _lineage_tab(request, dataset, context):
    """What this dataset was made from or into, and others of the same sector and modality."""
    identifiers = [item.get("identifier") for item in dataset.lineage if isinstance(item, dict) and isinstance(item.get("identifier"), str)]
    known = {row.identifier: row for row in Dataset.objects.visible_to(request.user).filter(identifier__in=identifiers)}
    lineage = [item | {"dataset": known.get(item.get("identifier"))} for item in dataset.lineage if isinstance(item, dict)]
    return {"lineage": lineage, "related": card_rows(related_ids(dataset))}


def related_ids(dataset):
    """Other public datasets of the same sectors, those sharing a modality or the provider first."""
    if not dataset.sectors:
        return []
    filters = {"sector": tuple(str(code) for code in dataset.sectors)}
    if dataset.modalities:
        filters["modality"] = tuple(str(code) for code in dataset.modalities)
    found = backends.get_backend().search(SearchQuery(filters=filters, sort="grade", limit=RELATED + 1, facets=()))
    return [pk for pk in found.ids if pk != dataset.pk][:RELATED]


def _feedback_tab(request, dataset, context):
    rows = dataset.feedback.filter(is_public=True).select_related("author")[:FEEDBACK]
    ratings = [row.rating for row in rows if row.rating]
    mean = f"{sum(ratings) / len(ratings):.1f}" if ratings else ""
    return {"feedback": rows, "kinds": Feedback.Kind.choices, "rating": mean, "rating_count": len(ratings), "scores": range(5, 0, -1)}


def _metadata_tab(request, dataset, context):
    return {"groups": metadata_rows(dataset)}


TAB_CONTEXT = {
    "files": _files_tab,
    "card": _card_tab,
    "quality": lambda request, dataset, context: {},
    "versions": _versions_tab,
    "lineage": _lineage_tab,
    "feedback": _feedback_tab,
    "metadata": _metadata_tab,
}


def _tombstone(request, uid):
    """410 for what was once on offer: title, identifier, when and why, and nothing else."""
    dataset = get_object_or_404(Dataset.objects.tombstones().select_related("organization"), uid=uid)
    reason = dataset.admission_reason if dataset.admission == Dataset.Admission.TAKEN_DOWN else dataset.status_reason
    return render(request, "catalog/dataset/tombstone.html", {"dataset": dataset, "reason": reason}, status=410)


@require_safe
def identifier(request, identifier):
    """The short permanent address: to the page, or to the form the Accept header asks for."""
    named = Q(identifier=identifier) | Q(uid=_uuid(identifier))
    found = Dataset.objects.visible_to(request.user).filter(named).first() or Dataset.objects.tombstones().filter(named).first()
    if found is None:
        raise Http404
    preferred = request.get_preferred_type(list(MEDIA)) or "text/html"
    suffix = MEDIA[preferred]
    target = f"/datasets/{found.uid}{suffix}" if suffix else found.get_absolute_url()
    response = HttpResponseRedirect(target, status=303)
    response["Vary"] = "Accept"
    return response


def _uuid(text):
    try:
        return UUID(text)
    except ValueError:
        return None


@require_POST
@login_required
def follow(request, uid):
    """Follow, or with `stop` in the form no longer."""
    dataset = visible_dataset(request, uid)
    if "stop" in request.POST:
        usage.unfollow_dataset(dataset, user=request.user)
        messages.success(request, _("已取消关注。"))
    else:
        usage.follow_dataset(dataset, user=request.user)
        messages.success(request, _("已关注，有新版本或状态变化时会通知您。"))
    return redirect(dataset)


@require_POST
@login_required
def feedback(request, uid):
    dataset = visible_dataset(request, uid)
    rating = request.POST.get("rating", "")
    try:
        usage.give_feedback(
            dataset,
            user=request.user,
            kind=request.POST.get("kind", ""),
            body=request.POST.get("body", ""),
            rating=int(rating) if rating in {"1", "2", "3", "4", "5"} else None,
            is_security=request.POST.get("security") == "on",
        )
    except ListingInvalid as error:
        for item in error.errors:
            messages.error(request, item["message"])
    except DomainError as error:
        return refuse(request, error)
    else:
        messages.success(request, _("反馈已提交，提供方会看到。"))
    return redirect(f"{dataset.get_absolute_url()}?tab=feedback#tabs")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def request_access(request, uid):
    """The form to ask for the whole dataset; errors beside their fields, what was typed stays."""
    dataset = visible_dataset(request, uid)
    errors, status = {}, 200
    if request.method == "POST":
        organization = Organization.objects.filter(pk__in=request.user.organization_ids(), uid=_uuid(request.POST.get("organization", ""))).first()
        try:
            asked = access.request_access(
                dataset,
                user=request.user,
                purpose=request.POST.get("purpose", ""),
                scenario=request.POST.get("scenario", "")[:300],
                organization=organization,
                accepted="accepted" in request.POST,
            )
        except ListingInvalid as error:
            errors, status = {item["pointer"].strip("/"): item["message"] for item in error.errors}, error.status
        except DomainError as error:
            return refuse(request, error)
        else:
            due = asked.due_at.strftime("%Y-%m-%d")
            messages.success(request, _("申请已提交，提供方会在 %(due)s 前答复。") % {"due": due})
            return redirect(dataset)
    context = {
        "dataset": dataset,
        "errors": errors,
        "values": request.POST,
        "agreement": access.agreement_text(dataset),
        "organizations": Organization.objects.filter(pk__in=request.user.organization_ids()),
        "earlier": AccessRequest.objects.filter(dataset=dataset, requester=request.user)[:5],
        "home": Portal.objects.filter(id=dataset.home_portal).first() if dataset.is_remote else None,
        "days": access.ANSWER_WORKDAYS,
        "back": reverse("catalog:dataset_detail", args=[dataset.uid]),
    }
    return render(request, "catalog/dataset/request.html", context, status=status)
