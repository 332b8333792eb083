"""Review decisions and what happens to a listing afterwards. Every transition not written here is refused."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.exceptions import Conflict, ListingInvalid, NotAllowed
from catalog.listing import assign
from catalog.models import Dataset, Notification, Review, ReviewAssignment, ReviewComment, ReviewVerdict, Revision, User
from catalog.permissions import require_edit, require_review
from catalog.services import audit
from catalog.services.datasets import replace_files
from catalog.services.publication import announce
from catalog.services.samples import release_samples
from catalog.services.versions import record_version
from catalog.signals import review_decided

Status = Dataset.Status


def locked(review_pk: int, *states: str) -> Review:
    review = Review.objects.select_for_update().get(pk=review_pk)
    if review.state not in states:
        raise ListingInvalid(
            [{"pointer": "", "code": "decided", "message": _("这次审核已经有结论：%(state)s。") % {"state": review.get_state_display()}}]
        )
    review.dataset = Dataset.objects.select_for_update().get(pk=review.dataset_id)
    return review


@transaction.atomic
def start_review(review: Review, *, reviewer: User) -> Review:
    """A reviewer takes a submission from the queue."""
    review = locked(review.pk, *Review.OPEN_STATES)
    require_review(reviewer, review)
    ReviewAssignment.objects.get_or_create(review=review, reviewer=reviewer, defaults={"assigned_by": reviewer})
    if review.kind == Review.Kind.FIRST and review.dataset.status == Status.SUBMITTED:
        _move(review.dataset, Status.IN_REVIEW)
    audit.append("review.started", review.dataset, actor=reviewer, review=str(review.uid))
    return review


@transaction.atomic
def assign_review(review: Review, *, reviewer: User, by: User) -> ReviewAssignment:
    review = locked(review.pk, *Review.OPEN_STATES)
    require_review(reviewer, review)
    assignment, _created = ReviewAssignment.objects.get_or_create(review=review, reviewer=reviewer, defaults={"assigned_by": by})
    audit.append("review.assigned", review.dataset, actor=by, reviewer=reviewer.pk)
    return assignment


@transaction.atomic
def give_verdict(review: Review, *, part: str, verdict: str, reviewer: User, note: str = "") -> ReviewVerdict:
    """Judge one of the four parts (annotation, quality, ethics, rights); a failed part says why."""
    review = locked(review.pk, *Review.OPEN_STATES)
    require_review(reviewer, review)
    if verdict == ReviewVerdict.Verdict.FAIL and not note.strip():
        raise ListingInvalid([{"pointer": f"/verdicts/{part}", "code": "required", "message": _("不通过要写明理由。")}])
    row, _created = ReviewVerdict.objects.update_or_create(review=review, part=part, reviewer=reviewer, defaults={"verdict": verdict, "note": note})
    audit.append("review.verdict", review.dataset, actor=reviewer, part=part, verdict=verdict)
    return row


@transaction.atomic
def add_comment(review: Review, *, author: User, body: str, pointer: str = "") -> ReviewComment:
    """Comment on a field; reviewers and the provider's people both may, also after the decision."""
    if not author.is_reviewer:
        require_edit(author, review.dataset)
    if not body.strip():
        raise ListingInvalid([{"pointer": "/body", "code": "required", "message": _("意见不能为空。")}])
    comment = ReviewComment.objects.create(review=review, author=author, body=body.strip(), pointer=pointer)
    audit.append("review.commented", review.dataset, actor=author, pointer=pointer)
    return comment


@transaction.atomic
def approve_review(review: Review, *, reviewer: User, reason: str = "", notice_days: int | None = None) -> Review:
    """Approve; important data need a second reviewer (SECURITY: levels). Then public notice or listing.

    `notice_days` overrides PORTAL_PUBLIC_NOTICE_DAYS for this listing.
    """
    notice_days = settings.PORTAL_PUBLIC_NOTICE_DAYS if notice_days is None else notice_days
    review = locked(review.pk, *Review.OPEN_STATES)
    require_review(reviewer, review)
    parts = {row.part: row.verdict for row in review.verdicts.order_by("at")}
    if failed := [part for part, verdict in parts.items() if verdict == ReviewVerdict.Verdict.FAIL]:
        raise ListingInvalid(
            [{"pointer": f"/verdicts/{part}", "code": "failed", "message": _("这一部分判为不通过，不能通过审核。")} for part in failed]
        )
    require_decidable(review)
    if is_important(review):
        if review.first_approver_id is None:
            review.first_approver, review.state = reviewer, Review.State.AWAITING_SECOND
            review.save()
            audit.append("review.first_approval", review.dataset, actor=reviewer)
            return review
        if review.first_approver_id == reviewer.pk:
            raise NotAllowed(_("重要数据要由另一位审核员复核。"))
    _decide(review, Review.State.APPROVED, reviewer, reason)
    if review.kind == Review.Kind.NATIONAL:
        return review  # the listing is its home portal's; federation turns the decision into one that travels
    if review.revision:
        _apply_revision(review, reviewer)
    elif notice_days:
        review.dataset.notice_until = timezone.now() + timedelta(days=notice_days)
        _move(review.dataset, Status.PUBLIC_NOTICE, "notice_until")
    else:
        list_dataset(review.dataset, user=reviewer)
    return review


def require_decidable(review: Review) -> None:
    """The listing must still be where the review found it."""
    if review.revision:
        review.dataset.require_status(Status.LISTED, Status.SUSPENDED)
    elif review.kind == Review.Kind.FIRST:
        review.dataset.require_status(Status.SUBMITTED, Status.IN_REVIEW)


def is_important(review: Review) -> bool:
    """Also a change that lowers the level counts by the level it leaves."""
    levels = {review.dataset.security_level, (review.revision.document if review.revision else {}).get("security_level")}
    return Dataset.SecurityLevel.IMPORTANT in levels


@transaction.atomic
def approve_clean(review: Review, *, reviewer: User) -> Review:
    """Approval without opening the listing, for those without any finding, open question or protected level."""
    if review.checks.exclude(severity="info").exists():
        raise Conflict(_("自动检查有发现，请打开逐项审核。"))
    if review.comments.filter(resolved_at=None).exists():
        raise Conflict(_("还有未解决的意见，请打开逐项审核。"))
    if is_important(review):
        raise Conflict(_("重要数据不能批量通过。"))
    return approve_review(review, reviewer=reviewer)


@transaction.atomic
def resolve_comment(review: Review, *, comment_pk: int, user: User) -> ReviewComment:
    """Mark a question as settled; whoever asked or any reviewer may."""
    comment = ReviewComment.objects.filter(pk=comment_pk, review__dataset=review.dataset_id).first()
    if comment is None:
        raise Conflict(_("没有这条意见。"))
    if not (user.is_reviewer or comment.author_id == user.pk):
        raise NotAllowed(_("只有审核员可以把意见标为已解决。"))
    if comment.resolved_at is None:
        comment.resolved_at = timezone.now()
        comment.save(update_fields=["resolved_at"])
        audit.append("review.comment_resolved", review.dataset, actor=user, comment=comment.pk)
    return comment


@transaction.atomic
def return_review(review: Review, *, reviewer: User, reason: str) -> Review:
    """Send back to the provider with a reason; it can be submitted again and the conversation stays."""
    return _refuse(review, reviewer, reason, Review.State.RETURNED, Status.RETURNED)


@transaction.atomic
def reject_review(review: Review, *, reviewer: User, reason: str) -> Review:
    """The negative end of a registration; of a change it only ends the change."""
    return _refuse(review, reviewer, reason, Review.State.REJECTED, Status.REJECTED)


def _refuse(review, reviewer, reason, state, status):
    review = locked(review.pk, *Review.OPEN_STATES)
    require_review(reviewer, review)
    if not reason.strip():
        raise ListingInvalid([{"pointer": "/reason", "code": "required", "message": _("请写明理由，提供方会看到。")}])
    require_decidable(review)
    _decide(review, state, reviewer, reason)
    if review.kind == Review.Kind.NATIONAL:
        return review
    if review.revision:
        review.revision.state = Revision.State.OPEN if state == Review.State.RETURNED else Revision.State.DISCARDED
        review.revision.save()
    else:
        review.dataset.status_reason = reason
        _move(review.dataset, status, "status_reason")
    return review


def _decide(review, state, reviewer, reason):
    review.state, review.decided_by, review.decided_at, review.reason = state, reviewer, timezone.now(), reason
    review.save()
    audit.append(f"review.{state}", review.dataset, actor=reviewer, review=str(review.uid), reason=reason)
    review_decided.send(sender=Review, review=review)
    text = _("“%(title)s”：%(state)s") % {"title": review.dataset.title, "state": review.get_state_display()}
    notify_organization(review.dataset, kind=f"review.{state}", text=text)


def _apply_revision(review, reviewer):
    dataset, revision = review.dataset, review.revision
    assign(dataset, revision.document)
    dataset.save()
    replace_files(dataset, revision.document)
    release_samples(dataset, until=review.submitted_at)
    revision.state = Revision.State.APPLIED
    revision.save()
    record_version(dataset, change_note=revision.change_note, user=revision.author)
    announce([dataset])


def _move(dataset, status, *names):
    dataset.status = status
    dataset.save(update_fields=["status", *names])
    announce([dataset])


@transaction.atomic
def list_dataset(dataset: Dataset, *, user: User | None, change_note: str = "") -> Dataset:
    """Put on offer, with its version. From review or after public notice."""
    dataset.require_status(Status.SUBMITTED, Status.IN_REVIEW, Status.PUBLIC_NOTICE)
    dataset.listed_at, dataset.notice_until = dataset.listed_at or timezone.now(), None
    dataset.status = Status.LISTED
    dataset.save(update_fields=["status", "listed_at", "notice_until"])
    provider = dataset.created_by or user
    record_version(dataset, change_note=change_note or _("首次上架"), user=provider)
    audit.append("dataset.listed", dataset, actor=user)
    announce([dataset])
    return dataset


def end_public_notices() -> int:
    """List what has been in public notice long enough. Run by the schedule; running it twice does no harm."""
    count = 0
    due = Dataset.objects.own().filter(status=Status.PUBLIC_NOTICE, notice_until__lte=timezone.now())
    for pk in due.values_list("pk", flat=True):
        with transaction.atomic():
            dataset = Dataset.objects.select_for_update().get(pk=pk)
            if dataset.status == Status.PUBLIC_NOTICE:
                list_dataset(dataset, user=None)
                count += 1
    return count


@transaction.atomic
def object_to_notice(dataset: Dataset, *, reviewer: User, reason: str) -> Dataset:
    """An upheld objection during public notice sends the listing back."""
    return _leave(dataset, reviewer, reason, Status.RETURNED, "dataset.objection_upheld", Status.PUBLIC_NOTICE)


@transaction.atomic
def suspend_dataset(dataset: Dataset, *, user: User, reason: str) -> Dataset:
    """Hide for a time; the tombstone page says why."""
    return _leave(dataset, user, reason, Status.SUSPENDED, "dataset.suspended", Status.LISTED)


@transaction.atomic
def resume_dataset(dataset: Dataset, *, user: User) -> Dataset:
    if not (user.is_reviewer or user.is_portal_admin):
        raise NotAllowed(_("只有审核员可以恢复上架。"))
    if dataset.is_remote:
        raise NotAllowed(_("这个数据集由来源门户管理，本门户不能改动它的登记。"))
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    dataset.require_status(Status.SUSPENDED)
    dataset.status_reason = ""
    _move(dataset, Status.LISTED, "status_reason")
    audit.append("dataset.resumed", dataset, actor=user)
    return dataset


@transaction.atomic
def delist_dataset(dataset: Dataset, *, user: User, reason: str) -> Dataset:
    """Take off the list for good; identifier, title and reason stay as a tombstone."""
    return _leave(dataset, user, reason, Status.DELISTED, "dataset.delisted", Status.LISTED, Status.SUSPENDED)


def _leave(dataset, user, reason, status, action, *allowed):
    if not reason.strip():
        raise ListingInvalid([{"pointer": "/reason", "code": "required", "message": _("请写明原因。")}])
    if dataset.is_remote:
        raise NotAllowed(_("这个数据集由来源门户管理，本门户不能改动它的登记。"))
    if not (user.is_reviewer or user.is_portal_admin):
        require_edit(user, dataset)
        if status == Status.RETURNED:
            raise NotAllowed(_("只有审核员可以处理异议。"))
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    dataset.require_status(*allowed)
    dataset.status_reason = reason
    if status == Status.DELISTED:
        _close_open_change(dataset)
    _move(dataset, status, "status_reason")
    audit.append(action, dataset, actor=user, reason=reason)
    return dataset


def _close_open_change(dataset):
    """A delisted dataset has nothing left to change: its open round ends with it."""
    dataset.reviews.filter(state__in=Review.OPEN_STATES).update(state=Review.State.WITHDRAWN, decided_at=timezone.now())
    dataset.revisions.filter(state__in=[Revision.State.OPEN, Revision.State.SUBMITTED]).update(state=Revision.State.DISCARDED)


def notify_organization(dataset: Dataset, *, kind: str, text: str) -> None:
    """Tell the provider's people."""
    users = dataset.organization.memberships.exclude(role="viewer").values_list("user_id", flat=True)
    url = f"/desk/datasets/{dataset.uid}/"
    Notification.objects.bulk_create([Notification(user_id=pk, kind=kind, text=text[:500], url=url) for pk in users])
