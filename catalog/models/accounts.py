"""People and bodies: User, Organization, Membership, and the tokens machines use."""

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.ids import is_valid_uscc, new_uid


class User(AbstractUser):
    display_name = models.CharField(_("姓名"), max_length=80, blank=True)
    phone = models.CharField(_("电话"), max_length=40, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("用户")

    def __str__(self):
        return self.display_name or self.username

    @property
    def is_reviewer(self) -> bool:
        return self.has_perm("catalog.review_dataset")

    @property
    def is_portal_admin(self) -> bool:
        return self.has_perm("catalog.administer_portal")

    def organization_ids(self, *roles) -> set[int]:
        """Organizations of this user, with one of the roles where any are given; asked once per request."""
        if not hasattr(self, "_memberships"):
            self._memberships = list(self.memberships.values_list("organization_id", "role"))
        return {pk for pk, role in self._memberships if not roles or role in roles}


def validate_uscc(code: str) -> None:
    if not is_valid_uscc(code):
        raise ValidationError(_("统一社会信用代码 %(code)s 的校验码不对（GB 32100-2015）。"), params={"code": code})


class Organization(models.Model):
    class Kind(models.TextChoices):  # 002 六(一), PRODUCT: parties
        AUTHORITY = "authority", _("主管部门")
        CENTRAL_ENTERPRISE = "central_enterprise", _("央企")
        ENTERPRISE = "enterprise", _("企业")
        UNIVERSITY = "university", _("高校")
        RESEARCH_INSTITUTE = "research_institute", _("科研机构")
        INDUSTRY_ASSOCIATION = "industry_association", _("行业协会")
        STANDARDS_BODY = "standards_body", _("标准化组织")
        DATA_EXCHANGE = "data_exchange", _("数据交易机构")
        ANNOTATION_ENTERPRISE = "annotation_enterprise", _("标注企业")
        EVALUATOR = "evaluator", _("评测机构")
        DATA_SERVICE = "data_service", _("数据服务机构")

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    name = models.CharField(_("名称"), max_length=200)
    short_name = models.CharField(_("简称"), max_length=40, blank=True)
    kind = models.CharField(_("类型"), max_length=24, choices=Kind, default=Kind.ENTERPRISE)
    credit_code = models.CharField(
        _("统一社会信用代码"), max_length=18, blank=True, validators=[validate_uscc], help_text=_("18 位，GB 32100-2015。")
    )
    region = models.CharField(_("地区"), max_length=6, blank=True, help_text=_("GB/T 2260 代码，如 330000。"))
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("上级机构"))
    home_portal = models.CharField(_("来源门户"), max_length=64, default="", blank=True)
    description = models.TextField(_("简介"), blank=True)
    website = models.URLField(_("网站"), max_length=500, blank=True)
    contact_email = models.EmailField(_("联系邮箱"), blank=True)
    verified_at = models.DateTimeField(_("核验时间"), null=True, blank=True)
    is_example = models.BooleanField(_("示例"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    members = models.ManyToManyField(User, through="Membership", related_name="organizations")

    class Meta:
        verbose_name = verbose_name_plural = _("机构")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["home_portal", "name"], name="organization_name_once_per_portal"),
            models.UniqueConstraint(fields=["home_portal", "credit_code"], condition=~models.Q(credit_code=""), name="organization_credit_code_once"),
            models.CheckConstraint(condition=~models.Q(name=""), name="organization_has_name"),
        ]

    def __str__(self):
        return self.name

    @property
    def is_verified(self) -> bool:
        return self.verified_at is not None


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner", _("负责人")
        EDITOR = "editor", _("编辑")
        VIEWER = "viewer", _("查看")

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    role = models.CharField(_("角色"), max_length=10, choices=Role, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("成员")
        constraints = [models.UniqueConstraint(fields=["user", "organization"], name="membership_once")]


class ApiToken(models.Model):
    """A bearer token: only its SHA-256 is kept; it always expires and carries scopes."""

    SCOPES = ("read", "write", "review", "admin")

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("用途"), max_length=80, blank=True)
    prefix = models.CharField(_("开头"), max_length=12)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("权限范围"), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("到期"))
    last_used_at = models.DateTimeField(_("最近使用"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("撤销"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("接口密钥")

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now() and self.user.is_active
