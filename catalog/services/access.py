"""Requests to use a dataset: asked by a signed-in person, decided by the provider within a deadline (SECURITY: access requests)."""

import hashlib
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.exceptions import Conflict, InvalidTransition, ListingInvalid, NotAllowed
from catalog.models import AccessRequest, Dataset, Notification, Organization, User
from catalog.permissions import require_edit
from catalog.services import audit
from catalog.services.publication import touch_counter
from catalog.services.review import notify_organization

ANSWER_WORKDAYS = 5
GRANT_DAYS = 365
State = AccessRequest.State
WAITING = (State.SUBMITTED, State.SECOND_APPROVAL)


def workdays_after(start: datetime, days: int) -> datetime:
    """The moment so many weekdays later; holidays are not known here."""
    moment = start
    while days:
        moment += timedelta(days=1)
        days -= moment.weekday() < 5
    return moment


def agreement_text(dataset: Dataset) -> str:
    """The words a requester agrees to, kept with the request under their hash."""
    lines = [
        _("数据集：%(title)s（%(identifier)s）") % {"title": dataset.title, "identifier": dataset.identifier},
        _("提供方：%(name)s") % {"name": dataset.organization.name},
        _("许可：%(license)s") % {"license": dataset.license or dataset.license_type or _("以提供方答复为准")},
    ]
    if dataset.allowed_scenarios:
        lines.append(_("许可使用场景：%(text)s") % {"text": dataset.allowed_scenarios})
    if dataset.allowed_scope:
        lines.append(_("许可使用范围：%(text)s") % {"text": dataset.allowed_scope})
    lines.append(_("只在写明的用途和范围内使用，不转交第三方，不尝试识别个人；到期或撤销后停止使用并删除。"))
    return "\n".join(lines)


@transaction.atomic
def request_access(
    dataset: Dataset, *, user: User, purpose: str, scenario: str = "", organization: Organization | None = None, accepted: bool = True
) -> AccessRequest:
    """Ask the provider. NotAllowed where asking makes no sense, Conflict while an earlier request waits, ListingInvalid per field."""
    if dataset.is_remote:
        raise NotAllowed(_("这个数据集由来源门户管理，请在来源门户提出申请。"))
    if not dataset.is_public:
        raise NotAllowed(_("这个数据集现在没有上架，不能申请。"))
    if dataset.openness == Dataset.Openness.CLOSED:
        raise NotAllowed(_("提供方不开放这个数据集，不接受使用申请。"))
    if dataset.organization_id in user.organization_ids():
        raise NotAllowed(_("这是您所在机构的数据集，不需要申请。"))
    if organization is not None and organization.pk not in user.organization_ids():
        raise NotAllowed(_("您不是“%(name)s”的成员。") % {"name": organization.name})
    _require_filled(purpose, accepted)
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if dataset.access_requests.filter(requester=user, state__in=WAITING).exists():
        raise Conflict(_("您对这个数据集的上一次申请还在处理，请等答复。"))
    text = agreement_text(dataset)
    request = AccessRequest.objects.create(
        dataset=dataset,
        requester=user,
        organization=organization,
        purpose=purpose.strip(),
        scenario=scenario.strip(),
        agreement=text,
        agreement_sha256=hashlib.sha256(text.encode()).hexdigest(),
        due_at=workdays_after(timezone.now(), ANSWER_WORKDAYS),
    )
    touch_counter(dataset.pk, "request_count")
    audit.append("access.requested", dataset, actor=user, request=str(request.uid))
    notify_organization(dataset, kind="access.requested", text=_("“%(title)s”收到使用申请") % {"title": dataset.title})
    return request


def _require_filled(purpose: str, accepted: bool) -> None:
    errors = []
    if len(purpose.strip()) < 10:
        errors.append({"pointer": "/purpose", "code": "required", "message": _("请写明用途，至少 10 个字。")})
    elif len(purpose) > 4000:
        errors.append({"pointer": "/purpose", "code": "too_long", "message": _("用途最多 4000 个字。")})
    if not accepted:
        errors.append({"pointer": "/accepted", "code": "required", "message": _("同意使用约定后才能提交。")})
    if errors:
        raise ListingInvalid(errors)


@transaction.atomic
def decide_request(request: AccessRequest, *, user: User, decision: str, reason: str = "", scope: str = "", days: int = GRANT_DAYS) -> AccessRequest:
    """`decision` is granted, refused or revoked. Important data need a second person; a refusal or revocation says why."""
    request = AccessRequest.objects.select_for_update().select_related("dataset__organization").get(pk=request.pk)
    require_edit(user, request.dataset)
    if decision not in (State.GRANTED, State.REFUSED, State.REVOKED):
        raise ListingInvalid([{"pointer": "/decision", "code": "unknown", "message": _("只能同意、拒绝或撤销。")}])
    if request.state not in ((State.GRANTED,) if decision == State.REVOKED else WAITING):
        raise InvalidTransition(_("这份申请现在是“%(state)s”，不能这样处理。") % {"state": request.get_state_display()})
    if decision != State.GRANTED and not reason.strip():
        raise ListingInvalid([{"pointer": "/reason", "code": "required", "message": _("请写明理由，申请人会看到。")}])
    if user.pk == request.requester_id:
        raise NotAllowed(_("不能处理自己的申请。"))
    if decision == State.GRANTED and _needs_second(request, user):
        return _first_approval(request, user, scope)
    now = timezone.now()
    request.state, request.decided_by, request.decided_at, request.reason = decision, user, now, reason.strip()
    if decision == State.GRANTED:
        request.scope = scope.strip() or request.scope
        request.expires_at = now + timedelta(days=max(1, min(days, 3650)))
    request.save()
    audit.append(f"access.{decision}", request.dataset, actor=user, request=str(request.uid), reason=reason)
    _tell_requester(request)
    return request


def _needs_second(request: AccessRequest, user: User) -> bool:
    if request.dataset.security_level != Dataset.SecurityLevel.IMPORTANT:
        return False
    if request.state == State.SECOND_APPROVAL and request.decided_by_id == user.pk:
        raise NotAllowed(_("重要数据要由另一位负责人复核。"))
    return request.state == State.SUBMITTED


def _first_approval(request: AccessRequest, user: User, scope: str) -> AccessRequest:
    request.state, request.decided_by, request.scope = State.SECOND_APPROVAL, user, scope.strip()
    request.save()
    audit.append("access.first_approval", request.dataset, actor=user, request=str(request.uid))
    return request


def _tell_requester(request: AccessRequest) -> None:
    text = _("“%(title)s”的使用申请：%(state)s") % {"title": request.dataset.title, "state": request.get_state_display()}
    url = request.dataset.get_absolute_url()
    Notification.objects.create(user_id=request.requester_id, kind=f"access.{request.state}", text=text[:500], url=url)
