"""Who may do what to a dataset. Visibility is DatasetQuerySet.visible_to; these are the verbs."""

from django.utils.translation import gettext as _

from catalog.exceptions import NotAllowed
from catalog.models import Dataset, Review, Sample, User


def may_edit(user: User, dataset: Dataset) -> bool:
    if not user.is_authenticated or dataset.is_remote:
        return False
    return user.is_portal_admin or dataset.organization_id in user.organization_ids("owner", "editor")


def require_edit(user: User, dataset: Dataset) -> None:
    if not may_edit(user, dataset):
        raise NotAllowed(_("只有提供方的编辑或负责人可以修改这个数据集。"))


def sees_whole(user: User, dataset: Dataset) -> bool:
    """Whether this reader gets more of a listing than its minimal form: always for general data, else the provider's people and reviewers."""
    if dataset.security_level == Dataset.SecurityLevel.GENERAL:
        return True
    return user.is_authenticated and (user.is_reviewer or user.is_portal_admin or dataset.organization_id in user.organization_ids())


def sample_states(user: User) -> list[str]:
    """States of samples that this reader may open."""
    ready = [Sample.State.READY]
    return [*ready, Sample.State.WAITING] if user.is_authenticated and user.is_reviewer else ready


def require_review(user: User, review: Review) -> None:
    """Reviewers only, and nobody approves a listing of their own."""
    if not user.is_reviewer:
        raise NotAllowed(_("只有审核员可以作出审核决定。"))
    own = user.organization_ids()
    wrote = {review.submitted_by_id, review.dataset.created_by_id, review.revision.author_id if review.revision else None}
    if user.pk in wrote or review.dataset.organization_id in own:
        raise NotAllowed(_("不能审核自己或本机构登记的数据集，请由其他审核员处理。"))
