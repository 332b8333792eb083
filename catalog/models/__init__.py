"""Domain model of the catalogue, one module per subject."""

from catalog.models.accounts import ApiToken, Membership, Organization, User
from catalog.models.announcements import Announcement
from catalog.models.audit import AuditEntry
from catalog.models.dataset import Dataset, Version
from catalog.models.demands import Demand, Match, Response
from catalog.models.imports import ImportRecord
from catalog.models.jobs import IdempotencyKey, Job
from catalog.models.portals import Portal
from catalog.models.resources import Resource, Sample
from catalog.models.review import CheckResult, Review, ReviewAssignment, ReviewComment, ReviewVerdict, Revision
from catalog.models.search import SearchedWords, SearchRow, SearchState, SynonymGroup
from catalog.models.usage import AccessRequest, DownloadEvent, Feedback, Notification, Subscription
from catalog.models.vocabulary import KnowledgeNode, Term

__all__ = [
    "AccessRequest",
    "Announcement",
    "ApiToken",
    "AuditEntry",
    "CheckResult",
    "Dataset",
    "Demand",
    "DownloadEvent",
    "Feedback",
    "IdempotencyKey",
    "ImportRecord",
    "Job",
    "KnowledgeNode",
    "Match",
    "Membership",
    "Notification",
    "Organization",
    "Portal",
    "Resource",
    "Response",
    "Review",
    "ReviewAssignment",
    "ReviewComment",
    "ReviewVerdict",
    "Revision",
    "Sample",
    "SearchRow",
    "SearchedWords",
    "SearchState",
    "Subscription",
    "SynonymGroup",
    "Term",
    "User",
    "Version",
]
