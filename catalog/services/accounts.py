"""Accounts and organisations: sign-up, a new organisation waiting for verification, members with roles."""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.exceptions import Conflict, NotAllowed
from catalog.models import ApiToken, Membership, Notification, Organization, User
from catalog.services import audit


@transaction.atomic
def sign_up(*, username: str, password: str, display_name: str) -> User:
    """A plain account: it may ask for data and register an organisation, and nothing else."""
    user = User.objects.create_user(username=username, password=password, display_name=display_name)
    audit.append("user.signed_up", user, actor=user)
    return user


@transaction.atomic
def register_organization(fields: dict, *, user: User) -> Organization:
    """An organisation of this portal with the user as its owner. Unverified until an administrator has looked. Conflict when known."""
    try:
        with transaction.atomic():
            organization = Organization.objects.create(home_portal=settings.PORTAL_ID, **fields)
    except IntegrityError:
        raise Conflict(_("本门户已有同名或同一信用代码的机构。请联系它的负责人把您加为成员。")) from None
    Membership.objects.create(user=user, organization=organization, role=Membership.Role.OWNER)
    audit.append("organization.registered", organization, actor=user, name=organization.name)
    return organization


@transaction.atomic
def verify_organization(organization: Organization, *, user: User) -> Organization:
    if not user.is_portal_admin:
        raise NotAllowed(_("只有门户管理员可以核验机构。"))
    organization.verified_at = timezone.now()
    organization.save(update_fields=["verified_at", "updated_at"])
    audit.append("organization.verified", organization, actor=user)
    text = _("“%(name)s”已通过核验。") % {"name": organization.name}
    owners = organization.memberships.filter(role="owner").values_list("user_id", flat=True)
    Notification.objects.bulk_create([Notification(user_id=pk, kind="organization.verified", text=text, url="/desk/members/") for pk in owners])
    return organization


def require_owner(user: User, organization: Organization) -> None:
    if not user.is_portal_admin and organization.pk not in user.organization_ids("owner"):
        raise NotAllowed(_("只有机构负责人可以管理成员。"))


@transaction.atomic
def set_member(organization: Organization, *, username: str, role: str, by: User) -> Membership:
    """Add a person or change the role; the last owner stays one."""
    require_owner(by, organization)
    if role not in Membership.Role.values:
        raise Conflict(_("没有这种角色。"))
    person = User.objects.filter(username=username.strip(), is_active=True).first()
    if person is None:
        raise Conflict(_("没有用户名为“%(name)s”的账号，请先请对方注册。") % {"name": username.strip()[:60]})
    if role != Membership.Role.OWNER:
        _keep_an_owner(organization, person)
    row, _created = Membership.objects.update_or_create(organization=organization, user=person, defaults={"role": role})
    audit.append("organization.member_set", organization, actor=by, member=person.pk, role=role)
    return row


@transaction.atomic
def remove_member(organization: Organization, *, person: User, by: User) -> None:
    require_owner(by, organization)
    _keep_an_owner(organization, person)
    Membership.objects.filter(organization=organization, user=person).delete()
    audit.append("organization.member_removed", organization, actor=by, member=person.pk)


def _keep_an_owner(organization, person):
    owners = organization.memberships.select_for_update().filter(role="owner")
    if owners.filter(user=person).exists() and owners.count() == 1:
        raise Conflict(_("这是最后一位负责人，请先指定另一位。"))


@transaction.atomic
def revoke_token(token: ApiToken, *, user: User) -> None:
    if token.user_id != user.pk and not user.is_portal_admin:
        raise NotAllowed(_("这不是您的密钥。"))
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        audit.append("token.revoked", token, actor=user)
