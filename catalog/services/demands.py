"""Demands: written by a signed-in person, read by a reviewer before anybody else, answered by providers, closed with an outcome.

draft → submitted → published (or returned) → matched → in_talks → met | closed. What nobody has reviewed is on no public page: neither
the demand, nor the outcome told at its end. Responses are between the two sides and reviewers.
"""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.exceptions import Conflict, InvalidTransition, ListingInvalid, NotAllowed
from catalog.labels import terms
from catalog.models import Dataset, Demand, Notification, Organization, Response, User
from catalog.services import audit, matching

State, Progress = Demand.State, Response.Progress
WRITTEN = (
    "title scope content availability quality sectors modalities region record_count annotation_precision priority budget_note contact "
    "contact_to deadline query"
).split()
LONGEST = 4000  # characters of a text


def finding(name: str, code: str, message: str) -> dict:
    return {"pointer": f"/{name}", "code": code, "message": message}


def shape_errors(values: dict) -> list[dict]:
    """Findings about types, lengths and codes of what was written, whoever wrote it."""
    errors = []
    for name, value in values.items():
        column = Demand._meta.get_field(name)
        if name in ("sectors", "modalities"):
            known = terms().get("sector" if name == "sectors" else "modality", {})
            if not isinstance(value, list) or len(value) > 20 or any(not isinstance(code, str) or code not in known for code in value):
                errors.append(finding(name, "unknown_code", _("有不在词表中的代码。")))
        elif name == "record_count":
            if value is not None and not (isinstance(value, int) and 0 < value <= 2**53):
                errors.append(finding(name, "invalid", _("应为正整数。")))
        elif name != "deadline":
            if not isinstance(value, str) or len(value) > (column.max_length or LONGEST):
                errors.append(finding(name, "too_long", _("最多 %(limit)d 个字。") % {"limit": column.max_length or LONGEST}))
            elif column.choices and value not in dict(column.choices):
                errors.append(finding(name, "unknown_code", _("没有这个选项。")))
            elif "\x00" in value:
                errors.append(finding(name, "invalid", _("含有不能保存的字符。")))
    if values.get("region") and values["region"] not in {**terms().get("region", {}), **terms().get("city", {})}:
        errors.append(finding("region", "unknown_code", _("地区要用 GB/T 2260 的代码，如 330000。")))
    return errors


@transaction.atomic
def save_demand(values: dict, *, user: User, demand: Demand | None = None, organization: Organization | None = None) -> Demand:
    """A draft, new or changed; ListingInvalid names the fields. A draft may be incomplete but has a title."""
    values = {name: value for name, value in values.items() if name in WRITTEN}
    errors = shape_errors(values)
    if not str(values.get("title", demand.title if demand else "") or "").strip():
        errors.append(finding("title", "required", _("请写需求名称。")))
    if errors:
        raise ListingInvalid(errors)
    if organization is not None and organization.pk not in user.organization_ids("owner", "editor"):
        raise NotAllowed(_("您不是“%(name)s”的成员。") % {"name": organization.name})
    if demand is None:
        demand = Demand(author=user, home_portal=settings.PORTAL_ID)
    else:
        demand = _locked(demand, Demand.EDITABLE)
        _require_author(demand, user)
    demand.organization = organization
    for name, value in values.items():
        setattr(demand, name, value)
    demand.save()
    audit.append("demand.saved", demand, actor=user)
    return demand


@transaction.atomic
def submit_demand(demand: Demand, *, user: User) -> Demand:
    """To the reviewers; ListingInvalid names what is still missing."""
    demand = _locked(demand, Demand.EDITABLE)
    _require_author(demand, user)
    names = {"title": _("需求名称"), "content": _("内容要求"), "sectors": _("行业领域"), "modalities": _("模态")}
    errors = [
        finding(name, "required", _("提交前请填写%(field)s。") % {"field": label}) for name, label in names.items() if not getattr(demand, name)
    ]
    if demand.deadline and demand.deadline < timezone.localdate():
        errors.append(finding("deadline", "past", _("截止日期已经过去。")))
    if errors:
        raise ListingInvalid(errors)
    return _move(demand, State.SUBMITTED, user, "demand.submitted")


@transaction.atomic
def withdraw_demand(demand: Demand, *, user: User) -> Demand:
    """Back to a draft: before the review, or off the board."""
    demand = _locked(demand, (State.SUBMITTED, *Demand.OPEN))
    _require_author(demand, user)
    demand.matches.all().delete()
    return _move(demand, State.DRAFT, user, "demand.withdrawn")


@transaction.atomic
def discard_demand(demand: Demand, *, user: User) -> None:
    demand = _locked(demand, Demand.EDITABLE)
    _require_author(demand, user)
    if demand.responses.exists():
        raise InvalidTransition(_("已经有人响应过的需求不能删除。"))
    audit.append("demand.discarded", demand, actor=user)
    demand.delete()


@transaction.atomic
def review_demand(demand: Demand, *, reviewer: User, publish: bool, reason: str = "") -> Demand:
    """Let out, or returned with a reason. Nobody reviews their own."""
    demand = _locked(demand, (State.SUBMITTED,))
    _require_reviewer(demand, reviewer)
    if not publish and not reason.strip():
        raise ListingInvalid([finding("reason", "required", _("请写明退回的理由，发布人会看到。"))])
    demand.reviewed_by, demand.reason = reviewer, "" if publish else reason.strip()[:LONGEST]
    if publish:
        demand.published_at = timezone.now()
        _move(demand, State.PUBLISHED, reviewer, "demand.published")
        matching.ask(demand)
        _tell(demand.author_id, "demand.published", _("需求“%(title)s”已公开征集") % {"title": demand.title}, demand)
    else:
        _move(demand, State.RETURNED, reviewer, "demand.returned", reason=demand.reason)
        _tell(demand.author_id, "demand.returned", _("需求“%(title)s”被退回：%(reason)s") % {"title": demand.title, "reason": demand.reason}, demand)
    return demand


@transaction.atomic
def close_demand(demand: Demand, *, user: User, met: bool, outcome: str) -> Demand:
    """Ended by its author: met or not, with an outcome that is published once a reviewer has read it."""
    demand = _locked(demand, Demand.OPEN)
    _require_author(demand, user)
    if met and not outcome.strip():
        raise ListingInvalid([finding("outcome", "required", _("请写一句对接的结果。"))])
    if len(outcome) > LONGEST:
        raise ListingInvalid([finding("outcome", "too_long", _("最多 %(limit)d 个字。") % {"limit": LONGEST})])
    demand.outcome, demand.outcome_reviewed_at = outcome.strip(), None
    return _move(demand, State.MET if met else State.CLOSED, user, "demand.closed", met=met)


@transaction.atomic
def review_outcome(demand: Demand, *, reviewer: User, publish: bool) -> Demand:
    demand = _locked(demand, (State.MET, State.CLOSED))
    _require_reviewer(demand, reviewer)
    if not demand.outcome or demand.outcome_reviewed_at:
        raise InvalidTransition(_("没有等待审核的结果。"))
    if not publish:
        demand.outcome = ""
    demand.outcome_reviewed_at = timezone.now()
    return _move(demand, demand.state, reviewer, "demand.outcome_published" if publish else "demand.outcome_refused")


@transaction.atomic
def respond(demand: Demand, *, user: User, organization: Organization, body: str, dataset: Dataset | None = None) -> Response:
    """An organization's offer: one of its public datasets, or words. Told to the author alone."""
    demand = _locked(demand, Demand.OPEN)
    if organization.pk not in user.organization_ids("owner", "editor"):
        raise NotAllowed(_("只有机构的编辑或负责人可以代表机构响应。"))
    if user.pk == demand.author_id or organization.pk == demand.organization_id:
        raise NotAllowed(_("不能响应自己或本机构的需求。"))
    errors = []
    if not body.strip():
        errors.append(finding("body", "required", _("请写明能提供什么。")))
    if len(body) > LONGEST:
        errors.append(finding("body", "too_long", _("最多 %(limit)d 个字。") % {"limit": LONGEST}))
    if dataset is not None and not (dataset.is_public and dataset.organization_id == organization.pk):
        errors.append(finding("dataset", "unknown", _("只能提供本机构已公开的数据集。")))
    if errors:
        raise ListingInvalid(errors)
    try:
        with transaction.atomic():
            response = Response.objects.create(demand=demand, organization=organization, author=user, dataset=dataset, body=body.strip())
    except IntegrityError:
        raise Conflict(_("本机构的这份响应还在，请等答复或先撤回。")) from None
    audit.append("demand.answered", demand, actor=user, response=str(response.uid))
    _tell(demand.author_id, "demand.answered", _("“%(name)s”响应了需求“%(title)s”") % {"name": organization.name, "title": demand.title}, demand)
    return response


@transaction.atomic
def decide_response(response: Response, *, user: User, accept: bool, reason: str = "") -> Response:
    """The author accepts or declines an offer; the first acceptance opens the talks."""
    demand = _locked(response.demand, Demand.OPEN)
    response = Response.objects.select_for_update().get(pk=response.pk)
    _require_author(demand, user)
    if response.progress != Progress.OFFERED:
        raise InvalidTransition(_("这份响应已经是“%(state)s”。") % {"state": response.get_progress_display()})
    response.progress = Progress.ACCEPTED if accept else Progress.DECLINED
    response.reason, response.decided_at = reason.strip()[:500], timezone.now()
    response.save()
    audit.append("demand.accepted" if accept else "demand.declined", demand, actor=user, response=str(response.uid))
    if accept and demand.state != State.IN_TALKS:
        _move(demand, State.IN_TALKS, user, "demand.in_talks")
    words = {"title": demand.title, "state": response.get_progress_display()}
    _tell(response.author_id, f"demand.{response.progress}", _("您对需求“%(title)s”的响应：%(state)s") % words, demand)
    return response


@transaction.atomic
def withdraw_response(response: Response, *, user: User) -> Response:
    response = Response.objects.select_for_update().select_related("demand").get(pk=response.pk)
    if response.organization_id not in user.organization_ids("owner", "editor"):
        raise NotAllowed(_("只有机构的编辑或负责人可以代表机构响应。"))
    if response.progress != Progress.OFFERED:
        raise InvalidTransition(_("这份响应已经是“%(state)s”。") % {"state": response.get_progress_display()})
    response.progress, response.decided_at = Progress.WITHDRAWN, timezone.now()
    response.save()
    audit.append("demand.offer_withdrawn", response.demand, actor=user, response=str(response.uid))
    return response


# --- who sees what of a demand


def contact_for(demand: Demand, user: User) -> str:
    """The contact, for those its author chose; reviewers see it because they answer for what is let out."""
    if not user.is_authenticated or not demand.contact:
        return ""
    if user.pk == demand.author_id or user.is_reviewer or user.is_portal_admin:
        return demand.contact
    if demand.contact_to == Demand.ContactTo.PROVIDERS:
        return demand.contact if user.organization_ids() else ""
    accepted = demand.responses.filter(progress=Progress.ACCEPTED, organization__in=user.organization_ids())
    return demand.contact if demand.contact_to == Demand.ContactTo.ACCEPTED and accepted.exists() else ""


def outcome_for(demand: Demand, user: User) -> str:
    """The outcome: for everybody once it was reviewed."""
    own = user.is_authenticated and (user.pk == demand.author_id or user.is_reviewer or user.is_portal_admin)
    return demand.outcome if demand.outcome_reviewed_at or own else ""


def responses_for(demand: Demand, user: User):
    """All of them for the author and reviewers; for a provider those of its organizations; nobody else reads any."""
    rows = demand.responses.select_related("organization", "dataset", "author")
    if not user.is_authenticated:
        return rows.none()
    if user.pk == demand.author_id or user.is_reviewer or user.is_portal_admin:
        return rows
    return rows.filter(organization__in=user.organization_ids())


# --- parts


def _locked(demand: Demand, states) -> Demand:
    demand = Demand.objects.select_for_update().get(pk=demand.pk)
    if demand.state not in states:
        raise InvalidTransition(_("需求现在是“%(state)s”，不能这样处理。") % {"state": demand.get_state_display()})
    return demand


def _require_author(demand: Demand, user: User) -> None:
    if user.pk != demand.author_id:
        raise NotAllowed(_("只有发布人可以处理这份需求。"))


def _require_reviewer(demand: Demand, user: User) -> None:
    if not (user.is_reviewer or user.is_portal_admin):
        raise NotAllowed(_("只有审核员可以作出审核决定。"))
    if user.pk == demand.author_id:
        raise NotAllowed(_("不能审核自己的需求。"))


def _move(demand: Demand, state: str, user: User, action: str, **data) -> Demand:
    demand.state = state
    demand.save()
    audit.append(action, demand, actor=user, **data)
    return demand


def _tell(user_pk: int | None, kind: str, text: str, demand: Demand) -> None:
    if user_pk is not None:
        Notification.objects.create(user_id=user_pk, kind=kind, text=text[:500], url=demand.get_absolute_url())
