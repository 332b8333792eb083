"""Registration: from an empty draft to a submission, and changes to what is already listed."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.exceptions import Conflict, ListingInvalid, NotAllowed
from catalog.ids import dataset_urn, new_uid
from catalog.listing import FIELDS, assign, to_document
from catalog.models import Dataset, Organization, Review, Revision, User
from catalog.permissions import require_edit
from catalog.services import audit, checks
from catalog.services.datasets import replace_files
from catalog.services.publication import announce

EDITABLE = (Dataset.Status.DRAFT, Dataset.Status.RETURNED)
PUBLIC = (Dataset.Status.LISTED, Dataset.Status.SUSPENDED)


@transaction.atomic
def create_dataset(document: dict, *, organization: Organization, user: User | None) -> Dataset:
    """A draft of this portal with its permanent identifier. NotAllowed for a user who may not write for the organization."""
    if user is not None and not user.is_portal_admin and organization.pk not in user.organization_ids("owner", "editor"):
        raise NotAllowed(_("您不是“%(name)s”的编辑或负责人。") % {"name": organization.name})
    uid = new_uid()
    dataset = Dataset(
        uid=uid, identifier=dataset_urn(settings.PORTAL_ID, uid), home_portal=settings.PORTAL_ID, organization=organization, created_by=user
    )
    checks.require_valid(document)
    assign(dataset, document)
    dataset.save()
    replace_files(dataset, document)
    audit.append("dataset.created", dataset, actor=user, title=dataset.title)
    announce([dataset])
    return dataset


@transaction.atomic
def update_dataset(dataset: Dataset, changes: dict, *, user: User, change_note: str = "") -> Dataset | Revision:
    """Merge changes into a draft; for a listed dataset into its open revision, which is reviewed while the old one stays.

    `changes` holds listing-document keys; None empties a field. ListingInvalid names every field that does not hold.
    """
    require_edit(user, dataset)
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if dataset.status in EDITABLE:
        document = merge(to_document(dataset), changes)
        checks.require_valid(document)
        assign(dataset, document)
        dataset.save()
        if "resources" in changes:
            replace_files(dataset, document)
        audit.append("dataset.edited", dataset, actor=user, fields=sorted(changes))
        announce([dataset])
        return dataset
    dataset.require_status(*PUBLIC)
    revision = dataset.revisions.filter(state=Revision.State.OPEN).first()
    document = merge(revision.document if revision else to_document(dataset), changes)
    checks.require_valid(document)
    if revision is None:
        if dataset.revisions.filter(state=Revision.State.SUBMITTED).exists():
            raise ListingInvalid([{"pointer": "", "code": "in_review", "message": _("上一次变更还在审核中，请等结果出来再修改。")}])
        revision = Revision(dataset=dataset, base=dataset.current_version, author=user)
    revision.document, revision.change_note = document, change_note or revision.change_note
    revision.save()
    audit.append("revision.edited", dataset, actor=user, fields=sorted(changes))
    return revision


def editing_document(dataset: Dataset) -> tuple[dict, Revision | None]:
    """(what an edit starts from, the open revision of a listed dataset where there is one)."""
    revision = dataset.revisions.filter(state=Revision.State.OPEN).first() if dataset.status in PUBLIC else None
    return (revision.document if revision else to_document(dataset)), revision


def is_open_to_edits(dataset: Dataset) -> bool:
    """Drafts and returned ones are; a listed dataset is unless its last change is still under review."""
    if dataset.status in PUBLIC:
        return not dataset.revisions.filter(state=Revision.State.SUBMITTED).exists()
    return dataset.status in EDITABLE


def merge(document: dict, changes: dict) -> dict:
    merged = document | {name: value for name, value in changes.items() if name in FIELDS or name in ("resources", "samples")}
    return {name: value for name, value in merged.items() if value is not None}


@transaction.atomic
def submit_dataset(dataset: Dataset, *, user: User, change_note: str = "") -> Review:
    """Run the automatic checks and open a review round. ListingInvalid when a check of severity error fails."""
    require_edit(user, dataset)
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    revision = None
    if dataset.status in PUBLIC:
        revision = dataset.revisions.filter(state=Revision.State.OPEN).first()
        if revision is None:
            revision = _revision_for_samples(dataset, user)
        if change_note:
            revision.change_note = change_note
        if not revision.change_note:
            raise ListingInvalid([{"pointer": "/change_note", "code": "required", "message": _("请写明本次更新了什么。")}])
    else:
        dataset.require_status(*EDITABLE)
    findings = checks.check_listing(dataset, revision.document if revision else to_document(dataset))
    if revision and dataset.samples.filter(needs_review=True, state="pending").exists():
        findings.append(checks.finding("pending_sample", "/samples", _("新增的样例还在检查中，请等检查完再提交。")))
    if errors := [finding for finding in findings if finding["severity"] == "error"]:
        raise ListingInvalid(errors)
    if revision and revision.pk is None:
        revision.save()
    review = Review.objects.create(
        dataset=dataset,
        revision=revision,
        kind=Review.Kind.CHANGE if revision else Review.Kind.FIRST,
        round=dataset.reviews.count() + 1,
        submitted_by=user,
        due_at=timezone.now() + timedelta(days=settings.PORTAL_REVIEW_DAYS),
    )
    checks.store(review, findings)
    if revision:
        revision.state = Revision.State.SUBMITTED
        revision.save()
    else:
        dataset.status, dataset.submitted_at, dataset.status_reason = Dataset.Status.SUBMITTED, timezone.now(), ""
        dataset.save(update_fields=["status", "submitted_at", "status_reason"])
        announce([dataset])
    audit.append("dataset.submitted", dataset, actor=user, review=str(review.uid), warnings=len(findings))
    return review


def _revision_for_samples(dataset: Dataset, user: User) -> Revision:
    """Samples added to a listed dataset are a change that a reviewer sees, also where nothing else has changed."""
    if not dataset.samples.filter(needs_review=True).exists():
        raise ListingInvalid([{"pointer": "", "code": "no_change", "message": _("没有可提交的变更。")}])
    if dataset.revisions.filter(state=Revision.State.SUBMITTED).exists():
        raise ListingInvalid([{"pointer": "", "code": "in_review", "message": _("上一次变更还在审核中，请等结果出来再修改。")}])
    return Revision(dataset=dataset, base=dataset.current_version, author=user, document=to_document(dataset), change_note=_("新增样例"))


@transaction.atomic
def withdraw_submission(dataset: Dataset, *, user: User) -> Dataset:
    """The provider takes a submission back before it is decided."""
    require_edit(user, dataset)
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    review = dataset.reviews.filter(state__in=Review.OPEN_STATES).first()
    if review is None:
        dataset.require_status("submitted or in review")
    review.state, review.decided_at = Review.State.WITHDRAWN, timezone.now()
    review.save()
    if review.revision:
        review.revision.state = Revision.State.OPEN
        review.revision.save()
    else:
        dataset.require_status(Dataset.Status.SUBMITTED, Dataset.Status.IN_REVIEW)
        dataset.status = Dataset.Status.DRAFT
        dataset.save(update_fields=["status"])
        announce([dataset])
    audit.append("dataset.withdrawn", dataset, actor=user)
    return dataset


@transaction.atomic
def discard_revision(dataset: Dataset, *, user: User) -> Dataset:
    """Give up an open change of a listed dataset; what is listed stays as it is."""
    require_edit(user, dataset)
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    revision = dataset.revisions.filter(state=Revision.State.OPEN).first()
    if revision is None:
        raise Conflict(_("没有正在编辑的变更。"))
    revision.state = Revision.State.DISCARDED
    revision.save(update_fields=["state", "updated_at"])
    audit.append("revision.discarded", dataset, actor=user)
    return dataset


@transaction.atomic
def discard_draft(dataset: Dataset, *, user: User) -> None:
    """Delete a draft that was never listed; nothing public is lost."""
    require_edit(user, dataset)
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    dataset.require_status(*EDITABLE)
    if dataset.versions.exists():
        dataset.require_status("never listed")
    audit.append("dataset.discarded", dataset, actor=user, title=dataset.title)
    for sample in dataset.samples.exclude(file=""):
        transaction.on_commit(lambda sample=sample: sample.file.storage.delete(sample.file.name))
    dataset.serial += 1
    from catalog.search.backends import get_backend

    get_backend().remove([dataset.pk])
    dataset.delete()
