"""The listing document as the API takes it: known keys only; types, lengths and codes are checked by services.checks."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.listing import DATES, FLAGS, LIST_OBJECTS, LISTS, NUMBERS, OBJECTS, RESOURCE_FIELDS, TEXT
from catalog.models import Organization


class StrictSerializer(serializers.Serializer):
    """Refuses keys it does not know, by name: a caller who tries to set a grade or an owner is told so."""

    def to_internal_value(self, data):
        if isinstance(data, dict) and (unknown := [key for key in data if key not in self.fields]):
            raise serializers.ValidationError(
                {str(key): [serializers.ErrorDetail(_("没有这个可写的字段。"), code="unknown_key")] for key in unknown[:50]}
            )
        return super().to_internal_value(data)


class AnyField(serializers.Field):
    """Hands its value on untouched: the listing checks judge it, so that every door gives the same findings."""

    def to_internal_value(self, data):
        return data

    def to_representation(self, value):
        return value


def _annotated(schema: dict):
    return extend_schema_field(schema)(type("ListingValue", (AnyField,), {}))


def _field(schema: dict):
    # null empties a field, as a missing key does at creation
    return _annotated(schema)(required=False, allow_null=True)


SHAPES = (
    dict.fromkeys(TEXT, {"type": "string"})
    | dict.fromkeys(FLAGS, {"type": "boolean"})
    | dict.fromkeys(NUMBERS, {"type": "integer", "minimum": 0, "maximum": 2**53})
    | dict.fromkeys(DATES, {"type": "string", "format": "date"})
    | dict.fromkeys(LISTS, {"type": "array", "items": {"type": "string"}, "maxItems": 100})
    | dict.fromkeys(OBJECTS, {"type": "object", "additionalProperties": True})
    | dict.fromkeys(LIST_OBJECTS, {"type": "array", "items": {"type": "object", "additionalProperties": True}})
)
RESOURCE_SHAPES = {name: {"type": "string"} for name in ("uid", *RESOURCE_FIELDS)} | {
    "byte_size": {"type": "integer", "minimum": 0},
    "columns": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
}
RESOURCES = {"type": "array", "items": {"type": "object", "properties": RESOURCE_SHAPES, "required": ["name"], "additionalProperties": False}}


class ListingSerializer(StrictSerializer):
    """The owner-written keys of a listing (catalog/listing.py)."""

    def get_fields(self):
        fields = super().get_fields()
        fields |= {name: _field(schema) for name, schema in SHAPES.items()}
        fields["resources"] = _field(RESOURCES)
        return fields


class OrganizationRef(serializers.Field):
    """The uid of an organization, or the `organization` object of a listing document."""

    def to_internal_value(self, data):
        uid = data.get("uid") if isinstance(data, dict) else data
        organization = None
        if isinstance(uid, str):
            organization = Organization.objects.filter(uid=serializers.UUIDField().run_validation(uid)).first()
        if organization is None:
            raise serializers.ValidationError(_("没有这个机构；请给出它的 uid。"), code="unknown_organization")
        return organization

    def to_representation(self, value):
        return str(value.uid)


class CreateDatasetSerializer(ListingSerializer):
    organization = extend_schema_field({"type": "string", "format": "uuid"})(OrganizationRef)()

    def get_fields(self):
        fields = super().get_fields()
        fields["title"].required = True
        return fields


class ChangeDatasetSerializer(ListingSerializer):
    change_note = serializers.CharField(required=False, allow_blank=True, max_length=2000, help_text="更新内容，用于已上架数据集的变更。")
