"""Who may do what in an evaluation: evaluators run it, experts score, supervisors watch; nobody judges their own organisation's case."""

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.exceptions import NotAllowed
from catalog.models import User
from quality.models import Expert


def is_supervisor(user) -> bool:
    return user.is_authenticated and (user.is_reviewer or user.is_portal_admin)


def is_evaluator(user) -> bool:
    return user.is_authenticated and (user.has_perm("catalog.evaluate_dataset") or is_supervisor(user))


def expert_of(user) -> Expert | None:
    """The register entry of this user, valid or not."""
    return Expert.objects.select_related("organization", "body__organization").filter(user=user).first() if user.is_authenticated else None


def belongings(user: User) -> set[int]:
    """Organisations that this person stands for: memberships, and those of the expert's register."""
    own = set(user.organization_ids())
    if expert := expert_of(user):
        own |= {expert.organization_id, expert.body.organization_id if expert.body else None}
        own |= set(expert.interests.values_list("pk", flat=True))
    return own - {None}


def require_neutral(user: User, *organizations: int | None) -> None:
    if belongings(user) & {pk for pk in organizations if pk}:
        raise NotAllowed(_("事情涉及您所在或申报了利益关系的机构，请由其他人处理。"))


def require_supervisor(user: User, *organizations: int | None) -> None:
    if not is_supervisor(user):
        raise NotAllowed(_("只有监督人员（审核员）可以这样做。"))
    require_neutral(user, *organizations)


def require_evaluator(user: User, *organizations: int | None) -> None:
    if not is_evaluator(user):
        raise NotAllowed(_("只有评测员可以这样做。"))
    require_neutral(user, *organizations)


def supervisors():
    """People told of what waits for supervision."""
    return User.objects.filter(Q(groups__permissions__codename="review_dataset"), is_active=True).distinct()


def valid_experts():
    today = timezone.localdate()
    return Expert.objects.filter(state=Expert.State.ACTIVE, valid_from__lte=today, valid_until__gte=today, user__is_active=True)
