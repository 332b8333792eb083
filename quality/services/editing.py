"""Schemes in the hands of staff: copied, edited while nothing used them, activated with a date and a reason."""

import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.exceptions import Conflict, InvalidTransition, ListingInvalid, NotAllowed
from catalog.jobs import enqueue
from catalog.models import User
from catalog.services import audit
from quality.models import EvaluationScheme
from quality.schemes import require_valid
from quality.services import schemes

EVALUATE_ALL = "quality.evaluate_all"
State = EvaluationScheme.State


def require_staff(user: User) -> None:
    if not user.is_authenticated or not user.is_portal_admin:
        raise NotAllowed(_("只有门户管理员可以修改评测方案。"))


@transaction.atomic
def copy(scheme: EvaluationScheme, *, version: str, actor: User) -> EvaluationScheme:
    """A draft with the same content under a new version."""
    require_staff(actor)
    version = version.strip()
    if EvaluationScheme.objects.filter(version=version).exists():
        raise Conflict(_("版本号 %(version)s 已经有了，请换一个。") % {"version": version})
    document = schemes.to_document(scheme) | {"version": version, "effective_from": timezone.localdate().isoformat()}
    draft = schemes.from_document(document)
    draft.based_on, draft.author = scheme, actor
    draft.save(update_fields=["based_on", "author"])
    audit.append("scheme.copied", draft, actor=actor, version=version, based_on=scheme.version)
    return draft


@transaction.atomic
def save(scheme: EvaluationScheme, document: dict, *, actor: User) -> EvaluationScheme:
    """Let a draft say what the document says; its version stays. A scheme that was active or used is never rewritten."""
    require_staff(actor)
    scheme = EvaluationScheme.objects.select_for_update().get(pk=scheme.pk)
    require_draft(scheme)
    document = document | {"version": scheme.version}
    require_valid(document)
    before = scheme.sha256
    schemes.rewrite(scheme, document)
    audit.append("scheme.edited", scheme, actor=actor, version=scheme.version, before=before, after=scheme.sha256)
    return scheme


def require_draft(scheme: EvaluationScheme) -> None:
    if scheme.state != State.DRAFT or schemes.is_used(scheme):
        raise InvalidTransition(_("方案 %(version)s 已经启用过，不能改；请复制成新版本再改。") % {"version": scheme.version})


@transaction.atomic
def schedule(scheme: EvaluationScheme, *, effective_from: datetime.date, reason: str, actor: User) -> EvaluationScheme:
    """Let a draft apply from a date on, at once if that is today or before. The reason is published."""
    require_staff(actor)
    scheme = EvaluationScheme.objects.select_for_update().get(pk=scheme.pk)
    if scheme.state not in (State.DRAFT, State.WAITING):
        raise InvalidTransition(_("方案 %(version)s 是“%(state)s”，不能再启用。") % {"version": scheme.version, "state": scheme.get_state_display()})
    if len(reason.strip()) < 5:
        raise ListingInvalid([{"pointer": "/reason", "code": "required", "message": _("请写明变更理由，会随方案公布。")}])
    document = schemes.to_document(scheme) | {"effective_from": effective_from.isoformat()}
    schemes.rewrite(scheme, document)
    scheme.note, scheme.state = reason.strip()[:2000], State.WAITING
    scheme.save(update_fields=["note", "state"])
    audit.append("scheme.scheduled", scheme, actor=actor, version=scheme.version, effective_from=effective_from.isoformat(), reason=scheme.note)
    if effective_from <= timezone.localdate():
        activate(scheme, actor=actor)
    return scheme


@transaction.atomic
def withdraw(scheme: EvaluationScheme, *, actor: User) -> EvaluationScheme:
    """Back to a draft, while it only waits."""
    require_staff(actor)
    if EvaluationScheme.objects.filter(pk=scheme.pk, state=State.WAITING).update(state=State.DRAFT) == 0:
        raise InvalidTransition(_("这个方案不在等待生效。"))
    audit.append("scheme.withdrawn", scheme, actor=actor, version=scheme.version)
    scheme.state = State.DRAFT
    return scheme


@transaction.atomic
def activate(scheme: EvaluationScheme, *, actor: User | None = None) -> None:
    """The scheme applies from now on; everything evaluated here is evaluated again under it."""
    EvaluationScheme.objects.filter(state=State.ACTIVE).update(state=State.RETIRED)
    scheme.state, scheme.activated_at = State.ACTIVE, timezone.now()
    scheme.save(update_fields=["state", "activated_at"])
    audit.append("scheme.activated", scheme, actor=actor, label="" if actor else "quality", version=scheme.version, sha256=scheme.sha256)
    enqueue(EVALUATE_ALL, {"scheme": scheme.pk}, key=EVALUATE_ALL)


def activate_due() -> int:
    """Activate what waits for a date that has come; only the latest of them ends up active."""
    due = EvaluationScheme.objects.filter(state=State.WAITING, effective_from__lte=timezone.localdate()).order_by("effective_from", "id")
    count = 0
    for scheme in due:
        activate(scheme)
        count += 1
    return count
