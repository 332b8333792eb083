"""The registers of evaluation bodies and experts: entries with scope and term, changed by supervisors only, each change audited."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.exceptions import Conflict, ListingInvalid
from catalog.models import Organization, Term, User
from catalog.services import audit
from quality.indicators.registry import CODES
from quality.models import EvaluationBody, Expert
from quality.permissions import require_supervisor


@transaction.atomic
def register_body(organization: Organization, *, by: User, valid_from: date, valid_until: date, sectors=(), indicators=(), is_accredited=False,
                  note: str = "") -> EvaluationBody:  # fmt: skip
    """A new body, or the entry that is there with its new scope and term."""
    require_supervisor(by, organization.pk)
    _check(valid_from, valid_until, sectors, indicators)
    body = EvaluationBody.objects.select_for_update().filter(organization=organization).first() or EvaluationBody(organization=organization)
    body.valid_from, body.valid_until, body.is_accredited, body.note = valid_from, valid_until, is_accredited, note
    body.sectors, body.indicators, body.registered_by = sorted(sectors), sorted(indicators), by
    body.save()
    audit.append("quality.body.registered", body, actor=by, organization=str(organization.uid), valid_until=str(valid_until), sectors=body.sectors,
                 indicators=body.indicators, accredited=is_accredited)  # fmt: skip
    return body


@transaction.atomic
def register_expert(user: User, *, by: User, valid_from: date, valid_until: date, organization: Organization | None = None,
                    body: EvaluationBody | None = None, sectors=(), indicators=(), interests=(), note: str = "") -> Expert:  # fmt: skip
    """A new expert, or the entry that is there with its new scope and term. Declared interests are only ever added to."""
    require_supervisor(by, organization.pk if organization else None, body.organization_id if body else None)
    if user.pk == by.pk:
        raise Conflict(_("不能登记自己，请由其他监督人员登记。"))
    _check(valid_from, valid_until, sectors, indicators)
    expert = Expert.objects.select_for_update().filter(user=user).first() or Expert(user=user)
    expert.valid_from, expert.valid_until, expert.note = valid_from, valid_until, note
    expert.organization, expert.body = organization, body
    expert.sectors, expert.indicators, expert.registered_by = sorted(sectors), sorted(indicators), by
    expert.save()
    expert.interests.add(*interests)
    audit.append("quality.expert.registered", expert, actor=by, user=user.pk, valid_until=str(valid_until), sectors=expert.sectors,
                 indicators=expert.indicators, body=str(body.uid) if body else "")  # fmt: skip
    return expert


@transaction.atomic
def set_state(entry: EvaluationBody | Expert, state: str, *, by: User | None, reason: str) -> None:
    """Suspend, withdraw or restore; `by` None is the end of a rectification."""
    kind = "body" if isinstance(entry, EvaluationBody) else "expert"
    if by is not None:
        body = entry if kind == "body" else entry.body
        require_supervisor(by, body.organization_id if body else None, entry.organization_id)
    if state not in entry.State.values:
        raise ListingInvalid([{"pointer": "/state", "code": "unknown", "message": _("没有这种状态。")}])
    if not reason.strip():
        raise ListingInvalid([{"pointer": "/reason", "code": "required", "message": _("请写明理由。")}])
    entry = type(entry).objects.select_for_update().get(pk=entry.pk)
    before, entry.state = entry.state, state
    entry.save(update_fields=["state"])
    audit.append(f"quality.{kind}.{state}", entry, actor=by, before=before, reason=reason.strip())


def _check(valid_from: date, valid_until: date, sectors, indicators) -> None:
    errors = []
    if valid_until < valid_from:
        errors.append({"pointer": "/valid_until", "code": "order", "message": _("有效期止不能早于有效期起。")})
    known = set(Term.objects.filter(scheme="sector", code__in=list(sectors)).values_list("code", flat=True))
    errors += [_unknown("/sectors", code) for code in sectors if code not in known]
    errors += [_unknown("/indicators", code) for code in indicators if code not in CODES]
    if errors:
        raise ListingInvalid(errors)


def _unknown(pointer: str, code: str) -> dict:
    return {"pointer": pointer, "code": "unknown", "message": _("不认识的编码：%(code)s。") % {"code": code[:40]}}
