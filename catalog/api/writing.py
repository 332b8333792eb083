"""Serializers of what callers send beside listing documents, one per action."""

from django.utils.translation import gettext as _
from rest_framework import serializers

from catalog.api.documents import StrictSerializer
from catalog.ids import is_valid_uscc
from catalog.models import Organization, ReviewVerdict, Term


class RequiredReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=2000)


class OptionalReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class SubmitSerializer(StrictSerializer):
    change_note = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class EmptySerializer(StrictSerializer):
    pass


class SampleUploadSerializer(StrictSerializer):
    file = serializers.FileField(max_length=255)
    description = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    terms = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="")
    is_synthetic = serializers.BooleanField(required=False, default=False)


class VerdictSerializer(StrictSerializer):
    part = serializers.ChoiceField(choices=ReviewVerdict.Part.choices)
    verdict = serializers.ChoiceField(choices=ReviewVerdict.Verdict.choices)
    note = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")


class CommentSerializer(StrictSerializer):
    body = serializers.CharField(max_length=4000)
    pointer = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ParentField(serializers.UUIDField):
    """The uid of an organization of this portal."""

    def to_internal_value(self, data):
        parent = Organization.objects.filter(uid=super().to_internal_value(data)).first()
        if parent is None:
            raise serializers.ValidationError(_("没有这个上级机构。"), code="unknown_organization")
        return parent

    def to_representation(self, value):
        return str(value.uid)


class OrganizationFields(StrictSerializer, serializers.ModelSerializer):
    parent = ParentField(required=False, allow_null=True)

    class Meta:
        model = Organization
        fields = ["name", "short_name", "kind", "credit_code", "region", "parent", "description", "website", "contact_email"]

    def validate_region(self, code):
        if code and not Term.objects.filter(scheme="region", code=code).exists():
            raise serializers.ValidationError(_("地区要用 GB/T 2260 的代码，如 330000。"), code="unknown_code")
        return code

    def validate_credit_code(self, code):
        if code and not is_valid_uscc(code):
            raise serializers.ValidationError(_("统一社会信用代码的校验码不对（GB 32100-2015）。"), code="check_digit")
        return code


class CreateOrganizationSerializer(OrganizationFields):
    pass


class ChangeOrganizationSerializer(OrganizationFields):
    """The owner may change everything but the name under which the organization was verified."""

    class Meta(OrganizationFields.Meta):
        fields = [name for name in OrganizationFields.Meta.fields if name != "name"]
