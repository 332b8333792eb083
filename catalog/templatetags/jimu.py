"""Filters for people's eyes: sizes, counts, dates and the words of codes."""

from urllib.parse import urlencode

from django import template
from django.urls import reverse

from catalog import formatting, labels

register = template.Library()
register.filter("size", formatting.size_text)
register.filter("count", formatting.count_text)
register.filter("moment", formatting.time_text)
register.filter("day", formatting.date_text)
register.filter("region", labels.region_label)


@register.filter
def term(code, scheme):
    """{{ dataset.license_type|term:"license_type" }}"""
    return labels.term_label(scheme, code) if code else ""


@register.filter
def terms(codes, scheme):
    """A list of codes as words."""
    return labels.term_labels(scheme, codes)


@register.filter
def joined(values):
    """Words in a row, as Chinese writes them; in English with commas."""
    return (", " if formatting.is_english() else "、").join(str(value) for value in values or [] if value)


@register.filter
def lookup(mapping, key):
    return mapping.get(key, "") if isinstance(mapping, dict) else ""


@register.filter
def short_hash(digest):
    return f"{digest[:4]}…{digest[-4:]}" if digest else ""


@register.simple_tag
def listing_url(**filters):
    """Address of the dataset list under filters: {% listing_url region="330000" %}; empty values are left out."""
    query = urlencode({name: value for name, value in filters.items() if value not in ("", None)}, doseq=True)
    return reverse("catalog:search") + (f"?{query}" if query else "")
