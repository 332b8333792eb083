"""What the API answers, one serializer per kind of answer."""

from django.conf import settings
from rest_framework import serializers

from catalog.models import Dataset, Organization, Review, ReviewComment, ReviewVerdict, Revision, Sample, Term, Version
from catalog.search.query import EXPANSION_KINDS


class OrganizationBrief(serializers.Serializer):
    uid = serializers.UUIDField()
    name = serializers.CharField()


class DatasetRow(serializers.Serializer):
    """One result of a list."""

    uid = serializers.UUIDField()
    identifier = serializers.CharField()
    source_identifier = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    organization = OrganizationBrief()
    grade = serializers.CharField()
    score = serializers.CharField(allow_null=True)
    assurance = serializers.CharField()
    portal = serializers.CharField()
    title_en = serializers.CharField()
    sectors = serializers.ListField(child=serializers.CharField())
    modalities = serializers.ListField(child=serializers.CharField())
    model_stages = serializers.ListField(child=serializers.CharField())
    region = serializers.CharField()
    license_type = serializers.CharField()
    license = serializers.CharField()
    openness = serializers.CharField()
    record_count = serializers.IntegerField(allow_null=True)
    byte_size = serializers.IntegerField(allow_null=True)
    download_count = serializers.IntegerField()
    is_example = serializers.BooleanField()
    modified = serializers.DateField()
    listed_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField()
    url = serializers.URLField()


def page_url(dataset) -> str:
    return f"{settings.PORTAL_BASE_URL.rstrip('/')}{dataset.get_absolute_url()}"


class FacetValueSerializer(serializers.Serializer):
    value = serializers.CharField()
    label = serializers.CharField()
    count = serializers.IntegerField()
    parent = serializers.CharField(required=False)  # in region, industry and knowledge_node: the value above this one


class ExpansionRow(serializers.Serializer):
    kind = serializers.ChoiceField(choices=EXPANSION_KINDS)
    typed = serializers.CharField()
    used = serializers.CharField()


class DatasetPage(serializers.Serializer):
    count = serializers.IntegerField()
    facets = serializers.DictField(child=FacetValueSerializer(many=True))
    next = serializers.URLField(allow_null=True)
    results = DatasetRow(many=True)
    engine = serializers.CharField()
    degraded = serializers.BooleanField()
    expansions = ExpansionRow(many=True)
    did_you_mean = serializers.CharField(allow_blank=True)
    is_relaxed = serializers.BooleanField()


class QualityBrief(serializers.Serializer):
    grade = serializers.CharField()
    score = serializers.CharField(allow_null=True)
    assurance = serializers.CharField()
    graded_at = serializers.DateTimeField(allow_null=True)
    source = serializers.CharField()


class PendingChange(serializers.ModelSerializer):
    changes = serializers.ListField(child=serializers.DictField(), read_only=True)

    class Meta:
        model = Revision
        fields = ["state", "change_note", "updated_at", "changes"]


class DatasetDetail(serializers.Serializer):
    """The listing document with what the portal keeps of it. Keys of the document stand beside these."""

    uid = serializers.UUIDField()
    identifier = serializers.CharField()
    url = serializers.URLField()
    status = serializers.ChoiceField(choices=Dataset.Status.choices)
    status_reason = serializers.CharField()
    portal = serializers.CharField()
    is_remote = serializers.BooleanField()
    admission = serializers.CharField()
    grade = serializers.CharField()
    quality = QualityBrief()
    version = serializers.IntegerField(allow_null=True)
    rev = serializers.IntegerField()
    listed_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField()
    formats = serializers.DictField(child=serializers.URLField())
    pending = PendingChange(allow_null=True, required=False)
    title = serializers.CharField()
    organization = OrganizationBrief()


class VersionRow(serializers.ModelSerializer):
    class Meta:
        model = Version
        fields = ["number", "label", "change_note", "responsible", "recorded_at", "sha256"]


class VersionDetail(VersionRow):
    document = serializers.DictField()

    class Meta(VersionRow.Meta):
        fields = [*VersionRow.Meta.fields, "document"]


class Difference(serializers.Serializer):
    field = serializers.CharField()
    old = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)


class Comparison(serializers.Serializer):
    changes = Difference(many=True)

    def get_fields(self):
        # `from` is a Python keyword, so these two cannot be declared above
        return {"from": serializers.IntegerField(), "to": serializers.IntegerField()} | super().get_fields()


class SampleRow(serializers.ModelSerializer):
    class Meta:
        model = Sample
        fields = [
            "uid",
            "name",
            "description",
            "format",
            "media_type",
            "byte_size",
            "sha256",
            "row_count",
            "state",
            "state_reason",
            "is_synthetic",
            "terms",
            "created_at",
        ]


class OrganizationRow(serializers.ModelSerializer):
    parent = serializers.SlugRelatedField(slug_field="uid", read_only=True)
    portal = serializers.CharField(source="home_portal")

    class Meta:
        model = Organization
        fields = [
            "uid",
            "name",
            "short_name",
            "kind",
            "credit_code",
            "region",
            "parent",
            "portal",
            "description",
            "website",
            "is_verified",
            "is_example",
        ]


class TermRow(serializers.ModelSerializer):
    parent = serializers.SlugRelatedField(slug_field="code", read_only=True)

    class Meta:
        model = Term
        fields = ["code", "label", "label_en", "parent", "version"]


class SchemeRow(serializers.Serializer):
    scheme = serializers.CharField()
    terms = serializers.IntegerField()
    url = serializers.URLField()


class Scheme(serializers.Serializer):
    scheme = serializers.CharField()
    terms = TermRow(many=True)


SUGGESTION_KINDS = [("title", "title"), ("organization", "organization"), ("keyword", "keyword"), ("query", "query")]


class Suggestion(serializers.Serializer):
    text = serializers.CharField()
    kind = serializers.ChoiceField(choices=SUGGESTION_KINDS)


class Suggestions(serializers.Serializer):
    suggestions = Suggestion(many=True)


class StatisticsSerializer(serializers.Serializer):
    totals = serializers.DictField(child=serializers.IntegerField())
    by = serializers.DictField(child=FacetValueSerializer(many=True))


class CheckRow(serializers.Serializer):
    code = serializers.CharField()
    severity = serializers.CharField()
    pointer = serializers.CharField()
    message = serializers.CharField()


class VerdictRow(serializers.ModelSerializer):
    reviewer = serializers.CharField(source="reviewer.__str__")

    class Meta:
        model = ReviewVerdict
        fields = ["part", "verdict", "note", "reviewer", "at"]


class CommentRow(serializers.ModelSerializer):
    author = serializers.CharField(source="author.__str__")

    class Meta:
        model = ReviewComment
        fields = ["pointer", "body", "author", "at"]


class ReviewDataset(serializers.Serializer):
    uid = serializers.UUIDField()
    identifier = serializers.CharField()
    title = serializers.CharField()
    organization = OrganizationBrief()


class ReviewRow(serializers.ModelSerializer):
    dataset = ReviewDataset()

    class Meta:
        model = Review
        fields = ["uid", "kind", "round", "state", "submitted_at", "due_at", "decided_at", "reason", "dataset"]


class ReviewDetail(ReviewRow):
    checks = CheckRow(many=True)
    verdicts = VerdictRow(many=True)
    comments = CommentRow(many=True)

    class Meta(ReviewRow.Meta):
        fields = [*ReviewRow.Meta.fields, "checks", "verdicts", "comments"]


class BulkErrorRow(serializers.Serializer):
    pointer = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class BulkLine(serializers.Serializer):
    line = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["created", "updated", "unchanged", "rejected"])
    uid = serializers.UUIDField(allow_null=True)
    errors = BulkErrorRow(many=True)


class BulkReport(serializers.Serializer):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = BulkLine(many=True)


class Problem(serializers.Serializer):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = BulkErrorRow(many=True, required=False)
