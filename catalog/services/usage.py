"""What readers tell and follow: feedback on a dataset, and subscriptions."""

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.exceptions import ListingInvalid, NotAllowed
from catalog.models import Dataset, Feedback, Subscription, User
from catalog.services import audit
from catalog.services.review import notify_organization
from catalog.signals import feedback_given

BODY_LIMIT = 4000


@transaction.atomic
def give_feedback(dataset: Dataset, *, user: User, kind: str, body: str, rating: int | None = None, is_public: bool = True,
                  is_security: bool = False) -> Feedback:  # fmt: skip
    """One statement about a dataset; a rating needs its 1 to 5, everything else needs words. ListingInvalid names the field.

    A problem of security (`is_security`) is not shown to the public: it may tell how to do harm."""
    errors = []
    if kind not in Feedback.Kind.values:
        errors.append({"pointer": "/kind", "code": "unknown", "message": _("请选择反馈的类别。")})
    if kind == Feedback.Kind.RATING and rating not in range(1, 6):
        errors.append({"pointer": "/rating", "code": "required", "message": _("请选择 1 到 5 分。")})
    if kind != Feedback.Kind.RATING and not body.strip():
        errors.append({"pointer": "/body", "code": "required", "message": _("请写下内容。")})
    if len(body) > BODY_LIMIT:
        errors.append({"pointer": "/body", "code": "too_long", "message": _("内容最多 4000 个字。")})
    if errors:
        raise ListingInvalid(errors)
    if kind == Feedback.Kind.RATING and dataset.organization_id in user.organization_ids():
        raise NotAllowed(_("不能给本机构的数据集打分。"))
    feedback = Feedback.objects.create(
        dataset=dataset,
        author=user,
        kind=kind,
        rating=rating if kind == Feedback.Kind.RATING else None,
        body=body.strip(),
        data={"security": True} if is_security and kind == Feedback.Kind.PROBLEM else {},
        is_public=is_public and not (is_security and kind == Feedback.Kind.PROBLEM),
    )
    audit.append("feedback.given", dataset, actor=user, kind=kind, feedback=feedback.pk)
    if not dataset.is_remote:
        notify_organization(dataset, kind="feedback", text=_("“%(title)s”收到反馈") % {"title": dataset.title})
    feedback_given.send(sender=Feedback, feedback=feedback)
    return feedback


def follow_dataset(dataset: Dataset, *, user: User) -> Subscription:
    return Subscription.objects.get_or_create(user=user, dataset=dataset)[0]


def unfollow_dataset(dataset: Dataset, *, user: User) -> None:
    Subscription.objects.filter(user=user, dataset=dataset).delete()
