"""Plain functions that give valid objects of the catalogue."""

import itertools

from django.conf import settings
from django.contrib.auth.models import Group

from catalog.ids import dataset_urn, new_uid
from catalog.models import Dataset, Membership, Organization, User

serial = itertools.count(1)

# A listing document that passes every automatic check.
COMPLETE = {
    "title": "示例：浙江高速公路路面病害图像",
    "summary": "用于训练路面病害识别模型的标注图像。",
    "keywords": ["路面", "病害"],
    "sectors": ["transport"],
    "modalities": ["image"],
    "model_stages": ["finetune"],
    "region": "330000",
    "contact_email": "data@example.org",
    "rights_holder": "示例交通科技",
    "rights_basis": "自行采集",
    "has_holding_right": True,
    "license_type": "commercial_authorization",
    "update_frequency": "monthly",
    "record_count": 1000,
}


def make_user(*, role: str = "", **fields) -> User:
    """role: reviewer, evaluator, admin, or "" for a plain member."""
    user = User.objects.create_user(**{"username": f"user{next(serial)}", "password": "secret-word-1"} | fields)
    group = {"reviewer": "审核员", "evaluator": "评测员", "admin": "门户管理员"}.get(role)
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def make_organization(**fields) -> Organization:
    return Organization.objects.create(**{"name": f"示例机构 {next(serial)}", "home_portal": settings.PORTAL_ID} | fields)


def make_member(organization: Organization, role: str = "owner", **fields) -> User:
    user = make_user(**fields)
    Membership.objects.create(user=user, organization=organization, role=role)
    return user


def make_dataset(**fields) -> Dataset:
    """A saved dataset of this portal, draft unless said otherwise, with the values of COMPLETE; not announced to the index."""
    portal = fields.pop("home_portal", settings.PORTAL_ID)
    uid = new_uid()
    if "organization" not in fields:
        fields["organization"] = make_organization()
    values = {"title": f"数据集 {next(serial)}", "uid": uid, "identifier": dataset_urn(portal, uid), "home_portal": portal}
    return Dataset.objects.create(**COMPLETE | values | fields)
