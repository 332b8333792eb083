"""Organizations of this portal: founded by a signed-in person, who becomes their owner, and kept up by their owners."""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog.exceptions import ListingInvalid, NotAllowed
from catalog.models import Membership, Organization, User
from catalog.services import audit


@transaction.atomic
def create_organization(values: dict, *, user: User) -> Organization:
    """A new organization with `user` as its owner. ListingInvalid when name or credit code is taken on this portal."""
    organization = _save(Organization(home_portal=settings.PORTAL_ID, **values))
    Membership.objects.create(user=user, organization=organization, role=Membership.Role.OWNER)
    vars(user).pop("_memberships", None)  # asked once per request; it has just changed
    audit.append("organization.created", organization, actor=user, name=organization.name)
    return organization


def require_owner(user: User, organization: Organization) -> None:
    if organization.home_portal != settings.PORTAL_ID:
        raise NotAllowed(_("这个机构由来源门户管理。"))
    if not (user.is_portal_admin or organization.pk in user.organization_ids("owner")):
        raise NotAllowed(_("只有机构负责人或门户管理员可以修改机构资料。"))


@transaction.atomic
def update_organization(organization: Organization, values: dict, *, user: User) -> Organization:
    """Change what is named in `values`. A changed credit code has to be verified again."""
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    require_owner(user, organization)
    if values.get("parent") is not None:
        _refuse_circle(organization, values["parent"])
    if values.get("credit_code", organization.credit_code) != organization.credit_code:
        organization.verified_at = None
    for name, value in values.items():
        setattr(organization, name, value)
    _save(organization)
    audit.append("organization.edited", organization, actor=user, fields=sorted(values))
    return organization


def _refuse_circle(organization, parent):
    seen = set()
    while parent is not None and parent.pk not in seen:
        if parent.pk == organization.pk:
            raise ListingInvalid([{"pointer": "/parent", "code": "circle", "message": _("上级机构不能是自己或自己的下级。")}])
        seen.add(parent.pk)
        parent = parent.parent


def _save(organization):
    try:
        with transaction.atomic():
            organization.save()
    except IntegrityError:
        taken = Organization.objects.filter(home_portal=organization.home_portal).exclude(pk=organization.pk)
        name = "name" if taken.filter(name=organization.name).exists() else "credit_code"
        message = _("这个名称已经有机构使用。") if name == "name" else _("这个统一社会信用代码已经有机构使用。")
        raise ListingInvalid([{"pointer": f"/{name}", "code": "taken", "message": message}]) from None
    return organization
