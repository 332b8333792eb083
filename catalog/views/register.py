"""Registration wizard: start (new, imported, cloned), the steps with autosave, samples, preview and submission."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog import display
from catalog.exceptions import DomainError, ListingInvalid
from catalog.formatting import in_a_row
from catalog.forms.listing import StepForm
from catalog.forms.steps import NAMES, STEPS, place
from catalog.listing import FIELDS, to_document
from catalog.models import Dataset, Organization
from catalog.services import checks, registration, samples
from catalog.services.once import once
from catalog.services.sample_formats import MEDIA_TYPES
from catalog.views.acting import attempt, new_token, valid_uid

NOT_CLONED = ("source_identifier", "ip_registration", "issued", "modified", "is_example", "extras")


def writable_organizations(user):
    own = Organization.objects.filter(home_portal__in=["", settings.PORTAL_ID])
    return own if user.is_portal_admin else own.filter(pk__in=user.organization_ids("owner", "editor"))


@login_required
def start(request):
    """Choose for whom and from what; one draft per form, however often it is sent."""
    organizations = writable_organizations(request.user)
    entered, error = request.POST, ""
    if request.method == "POST":
        try:
            uid, is_new = once(request.user, "register", entered.get("token") or new_token(), lambda: create(request, organizations))
            if not is_new:
                messages.info(request, _("这份草稿刚才已经建好，没有重复建立。"))
            return redirect("catalog:register_step", uid, "basics")
        except ListingInvalid as invalid:
            error = "；".join(dict.fromkeys(found["message"] for found in invalid.errors))
        except DomainError as refused:
            error = str(refused)
    context = {
        "organizations": organizations,
        "own": Dataset.objects.editable_by(request.user).order_by("-updated_at")[:50],
        "entered": entered,
        "how": entered.get("how", "new"),
        "error": error,
        "token": entered.get("token") or new_token(),
    }
    return render(request, "catalog/register/start.html", context, status=422 if error else 200)


def create(request, organizations) -> str:
    organization = organizations.filter(uid=valid_uid(request.POST.get("organization"))).first()
    if organization is None:
        fail("/organization", _("请选择一个您可以代表的机构。"))
    document = starting_document(request)
    return str(registration.create_dataset(document, organization=organization, user=request.user).uid)


def starting_document(request) -> dict:
    how = request.POST.get("how", "new")
    if how == "clone":
        original = Dataset.objects.editable_by(request.user).filter(uid=valid_uid(request.POST.get("original"))).first()
        if original is None:
            fail("/original", _("请选择要复制的数据集。"))
        document = {name: value for name, value in to_document(original).items() if name in FIELDS and name not in NOT_CLONED}
        return document | {"title": _("%(title)s（副本）") % {"title": original.title[:290]}}
    if how == "import":
        return imported_document(request.FILES.get("file"))
    title = request.POST.get("title", "").strip()
    if not title:
        fail("/title", _("请先给数据集起个名称，以后还能改。"))
    return {"title": title}


def imported_document(upload) -> dict:
    """The first record of an uploaded catalogue file."""
    if upload is None:
        fail("/file", _("请选择一个文件。"))
    from catalog.services.from_files import read_first

    return read_first(upload)


def fail(pointer: str, message: str):
    raise ListingInvalid([{"pointer": pointer, "code": "required", "message": message}])


def editable(request, uid) -> Dataset:
    return get_object_or_404(Dataset.objects.editable_by(request.user).select_related("organization", "current_version"), uid=uid)


@login_required
def step(request, uid, step):
    dataset = editable(request, uid)
    if step not in STEPS:
        raise Http404
    if not registration.is_open_to_edits(dataset):
        messages.warning(request, _("“%(title)s”现在是“%(state)s”，不能修改。") % {"title": dataset.title, "state": dataset.get_status_display()})
        return redirect("catalog:desk_dataset", dataset.uid)
    document, _revision = registration.editing_document(dataset)
    if step == "preview":
        return preview(request, dataset)
    if request.method == "POST" and step != "score":
        return save_step(request, dataset, document, step)
    return show_step(request, dataset, step, StepForm(step, document))


def show_step(request, dataset, step, form, *, stale=(), status=200):
    document, revision = registration.editing_document(dataset)
    findings = checks.check_listing(dataset, document)
    context = {
        "dataset": dataset,
        "document": document,
        "revision": revision,
        "form": form,
        "base": StepForm(step, document).base(),
        "stale": stale,
        "step": step,
        "number": NAMES.index(step) + 1,
        "label": STEPS[step][0],
        "lead": STEPS[step][1],
        "steps": stepper(document, findings, step),
        "previous": NAMES[NAMES.index(step) - 1] if NAMES.index(step) else "",
        "next_label": STEPS[NAMES[min(NAMES.index(step) + 1, 7)]][0],
        "findings": [found | dict(zip(("step", "anchor"), place(found["pointer"]), strict=True)) for found in findings],
        "errors": [(entry, bound) for entry, bound in form.cards() if bound.errors],
        "samples": dataset.samples.all() if step == "files" else [],
        "formats": in_a_row(MEDIA_TYPES) if step == "files" else "",
        "accept": ",".join(f".{name}" for name in [*MEDIA_TYPES, "ndjson", "jpg"]),
        "limit": settings.PORTAL_UPLOAD_MAX_BYTES,
    }
    template = {"files": "files", "score": "score", "preview": "preview"}.get(step, "step")
    return render(request, f"catalog/register/{template}.html", context, status=status)


def stepper(document, findings, current):
    """[{"name", "label", "url name", "state", "note"}] with what each step still lacks."""
    missing = {}
    for found in findings:
        if found["severity"] == "error":
            name = place(found["pointer"])[0]
            missing[name] = missing.get(name, 0) + 1
    rows = []
    for name, (label, _lead, _entries) in STEPS.items():
        filled = any(StepForm(name, document).initial.values()) if name not in ("score", "preview") else False
        state = "current" if name == current else "done" if filled and not missing.get(name) else ""
        note = _("%(count)d 处待补") % {"count": missing[name]} if missing.get(name) and name != "preview" else ""
        rows.append({"name": name, "label": label, "state": state, "note": note})
    return rows


def save_step(request, dataset, document, step):
    """Store every field that holds; show what does not. A stale edit stores nothing and loses nothing."""
    form = StepForm(step, document, request.POST)
    is_valid = form.is_valid()
    if (stale := stale_fields(form, request.POST.get("base", ""))) and request.POST.get("base"):
        if is_autosave(request):
            return JsonResponse({"message": _("别人刚改过这一步，自动保存已停。请点“保存”查看差别。")}, status=409)
        return show_step(request, dataset, step, form, stale=stale, status=409)
    store(dataset, form, request.user)
    if is_autosave(request):
        return autosaved(dataset, step, form)
    if form.errors:
        return show_step(request, Dataset.objects.get(pk=dataset.pk), step, form, status=422)
    messages.success(request, _("已保存。")) if "stay" in request.POST or not is_valid else None
    following = step if "stay" in request.POST else NAMES[NAMES.index(step) + 1]
    return redirect("catalog:register_step", dataset.uid, following)


def is_autosave(request):
    return request.headers.get("X-Autosave") == "1"


def stale_fields(form, base) -> list[dict]:
    """What somebody else stored since this page was opened, where it differs from what was sent."""
    if base == form.base():
        return []
    sent = form.changes()
    return [
        {"label": display.field_label(name), "stored": display.field_text(name, form.document.get(name))}
        for name, value in sent.items()
        if (form.document.get(name) or None) != value
    ]


def store(dataset, form, user):
    changes = {name: value for name, value in form.changes().items() if (form.document.get(name) or None) != (value or None)}
    if not changes:
        return
    try:
        registration.update_dataset(dataset, changes, user=user)
    except ListingInvalid as invalid:
        names = {entry.pointer: entry.form_name for entry in form.entries}
        for found in invalid.errors:
            pointer = found["pointer"]
            name = names.get(pointer) or names.get("/" + pointer.split("/")[1] if "/" in pointer else "")
            form.add_error(name, found["message"])
            changes.pop(pointer.split("/")[1] if "/" in pointer else "", None)
        if changes and form.errors:
            retry(dataset, changes, form, user)


def retry(dataset, changes, form, user):
    """The fields that hold, without those just refused."""
    try:
        registration.update_dataset(dataset, changes, user=user)
    except ListingInvalid as invalid:
        form.add_error(None, str(invalid))


def autosaved(dataset, step, form):
    document, _revision = registration.editing_document(Dataset.objects.select_related("organization").get(pk=dataset.pk))
    errors = {f"id_{name}": list(found) for name, found in form.errors.items()}
    at = timezone.localtime().strftime("%H:%M:%S")
    return JsonResponse({"message": _("%(at)s 已自动保存为草稿") % {"at": at}, "base": StepForm(step, document).base(), "errors": errors})


def preview(request, dataset):
    """Everything as readers will see it, the findings, and the one button that submits."""
    document, revision = registration.editing_document(dataset)
    status = 200
    if request.method == "POST":
        error = submit(request, dataset)
        if error is None:
            return redirect("catalog:desk_dataset", dataset.uid)
        status = error.status
    findings = checks.check_listing(dataset, document)
    current = to_document(dataset) if revision else {}
    context = {
        "dataset": dataset,
        "document": document,
        "revision": revision,
        "rows": list(display.rows(document)),
        "differences": display.differences(current, document) if revision else [],
        "findings": [found | dict(zip(("step", "anchor"), place(found["pointer"]), strict=True)) for found in findings],
        "blocked": any(found["severity"] == "error" for found in findings),
        "entered": request.POST,
        "step": "preview",
        "number": 8,
        "label": STEPS["preview"][0],
        "lead": STEPS["preview"][1],
        "steps": stepper(document, findings, "preview"),
    }
    return render(request, "catalog/register/preview.html", context, status=status)


def submit(request, dataset):
    note = request.POST.get("change_note", "").strip()
    done = _("“%(title)s”已提交审核，%(days)d 天内会有结论。") % {"title": dataset.title, "days": settings.PORTAL_REVIEW_DAYS}
    return attempt(request, lambda: registration.submit_dataset(dataset, user=request.user, change_note=note), done)


@login_required
@require_POST
def upload_sample(request, uid):
    """Take one sample; answers JSON to the script that shows progress, else goes back to the step."""
    dataset = editable(request, uid)
    upload, message, status = request.FILES.get("file"), "", 200
    if upload is None:
        message, status = _("请选择一个文件。"), 422
    else:
        try:
            sample = samples.add_sample(
                dataset,
                upload,
                user=request.user,
                terms=request.POST.get("terms", "").strip()[:20_000],
                description=request.POST.get("description", "").strip()[:2000],
                is_synthetic="is_synthetic" in request.POST,
            )
            message = _("“%(name)s”已收到，正在检查。") % {"name": sample.name}
        except DomainError as error:
            message, status = "；".join(found["message"] for found in getattr(error, "errors", [])) or str(error), error.status
    if request.headers.get("X-Requested-With") == "upload":
        return JsonResponse({"message": message, "url": reverse("catalog:register_step", args=[dataset.uid, "files"])}, status=status)
    (messages.success if status == 200 else messages.error)(request, message)
    if status == 200:
        return redirect("catalog:register_step", dataset.uid, "files")
    document, _revision = registration.editing_document(dataset)
    return show_step(request, dataset, "files", StepForm("files", document), status=status)


@login_required
@require_POST
def delete_sample(request, uid, sample):
    dataset = editable(request, uid)
    row = get_object_or_404(dataset.samples, uid=sample)
    attempt(request, lambda: samples.remove_sample(row, user=request.user), _("“%(name)s”已移除。") % {"name": row.name})
    return redirect("catalog:register_step", dataset.uid, "files")
