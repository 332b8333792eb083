"""Problems that users report: returned to the provider, and a reason to evaluate again once enough verified ones agree."""

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import Feedback
from quality.panel.users import LEAST
from quality.permissions import supervisors
from quality.services import triggers
from quality.services.appeals import open_remedy
from quality.services.cases import notify
from quality.services.voices import is_verified

ENOUGH = 3  # verified complaints that are not closed


@transaction.atomic
def receive(feedback: Feedback) -> None:
    """A verified complaint or a security report becomes a remedy; three open complaints of different people, or one security report, a new run."""
    dataset = feedback.dataset
    if feedback.kind == Feedback.Kind.RATING and not dataset.is_remote and dataset.feedback.filter(kind="rating").count() >= LEAST:
        triggers.ask(dataset, "opinions")
    if feedback.kind != Feedback.Kind.PROBLEM or dataset.is_remote:
        return
    is_security = bool(feedback.data.get("security"))
    if not is_security and not is_verified(feedback):
        return
    if dataset.organization_id in feedback.author.organization_ids():
        return
    open_remedy(dataset, by=feedback.author, statement=feedback.body, feedback=feedback)
    if is_security:
        text = _("安全问题报告：“%(title)s”") % {"title": dataset.title}
        notify(set(supervisors().values_list("pk", flat=True)), kind="quality.security", text=text, url=f"/desk/datasets/{dataset.uid}/")
        triggers.ask(dataset, "security", at_once=True)
    elif complaining(dataset) >= ENOUGH:
        triggers.ask(dataset, "complaints")


def complaining(dataset) -> int:
    """People whose verified complaints are still open."""
    rows = dataset.quality_cases.filter(kind="remedy", feedback__isnull=False).exclude(state="closed")
    return rows.values("feedback__author").distinct().count()
