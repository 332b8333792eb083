"""What the provider is told of its grades: a change of the letter, and a run that could not be finished."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from catalog.models import Membership, Notification
from quality.models import GradeChange


def tell(changes: Sequence[GradeChange]) -> None:
    """Notify the provider's people of grades that changed; the first grade of a listing is news of its own elsewhere."""
    moved = [change for change in changes if change.before and change.before != change.after]
    _write([(change.dataset, _("“%(title)s”的质量等级由 %(before)s 变为 %(after)s，得分 %(score)s。") % {
        "title": change.dataset.title[:80], "before": change.before, "after": change.after, "score": change.score}) for change in moved])  # fmt: skip


def tell_failed(dataset, reason: str) -> None:
    text = _("“%(title)s”的评测没有完成，原等级不变：%(reason)s") % {"title": dataset.title[:80], "reason": reason[:200]}
    _write([(dataset, text)])


def _write(rows: list) -> None:
    if not rows:
        return
    people: dict[int, list[int]] = {}
    members = Membership.objects.filter(organization__in={dataset.organization_id for dataset, _text in rows}).exclude(role="viewer")
    for organization, user in members.values_list("organization_id", "user_id"):
        people.setdefault(organization, []).append(user)
    Notification.objects.bulk_create(
        Notification(user_id=user, kind="quality", text=text[:500], url=f"/datasets/{dataset.uid}/quality/")
        for dataset, text in rows
        for user in people.get(dataset.organization_id, [])
    )
