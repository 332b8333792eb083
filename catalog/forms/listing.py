"""One step of the wizard as a Django form over the listing document: built from catalog/forms/steps.py, read back as changes."""

import re
from decimal import Decimal, InvalidOperation

from django import forms
from django.utils.translation import gettext as _

from catalog.forms.rows import RowsField
from catalog.forms.steps import STEPS, Entry
from catalog.labels import region_choices, term_choices
from catalog.listing import DATES, FLAGS, LISTS, NUMBERS, VOCABULARIES, digest
from catalog.models import Dataset
from catalog.services.checks import CONTROL, EMAIL

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15, "K": 10**3, "万": 10**4, "亿": 10**8}
AMOUNT = re.compile(r"\s*([0-9][0-9,，]*(?:\.[0-9]+)?)\s*([A-Za-z]{0,2}|万|亿)\s*(?:条|个|词元|字节)?\s*")
SEPARATORS = re.compile(r"[,，、;；\n]+")
LINK_FIELDS = ("landing_page", "license_url", "exchange_url")


class ListField(forms.CharField):
    """Words parted by commas or line breaks; cleans to a list without repeats."""

    def __init__(self, **kwargs):
        super().__init__(widget=forms.Textarea(attrs={"rows": 2}), **kwargs)

    def prepare_value(self, value):
        return "、".join(value) if isinstance(value, list) else value

    def to_python(self, value):
        return list(dict.fromkeys(part.strip() for part in SEPARATORS.split(value or "") if part.strip()))

    def validate(self, value):
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"])

    def run_validators(self, value):
        if len(value) > 100 or any(len(part) > 200 for part in value):
            raise forms.ValidationError(_("最多 100 项，每项 200 字。"))


class AmountField(forms.CharField):
    """A whole number, also written as 12,600, 1.5 GB or 11.6 万."""

    def to_python(self, value):
        if not (value or "").strip():
            return None
        match = AMOUNT.fullmatch(value)
        unit = UNITS.get(match[2].upper()) if match else None
        if unit is None:
            raise forms.ValidationError(_("“%(value)s”看不懂，请写成 12600、1.5 GB 或 11.6 万。"), params={"value": value[:30]})
        try:
            amount = int(Decimal(match[1].replace(",", "").replace("，", "")) * unit)
        except InvalidOperation:
            raise forms.ValidationError(_("“%(value)s”不是数字。"), params={"value": value[:30]}) from None
        if amount > 2**53:
            raise forms.ValidationError(_("数字太大。"))
        return amount

    def validate(self, value):
        if self.required and value is None:
            raise forms.ValidationError(self.error_messages["required"])

    def run_validators(self, value):
        """The whole number has been checked while it was read."""


class CriteriaWidget(forms.Widget):
    """The seven elements of TC609-5-2025-03, each with a short answer."""

    template_name = "components/criteria.html"

    def value_from_datadict(self, data, files, name):
        answers = {code: data.get(f"{name}-{code}", "").strip() for code, _label in term_choices("knowledge_criterion")}
        return {code: answer for code, answer in answers.items() if answer}

    def value_omitted_from_data(self, data, files, name):
        return f"{name}-rows" not in data

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        context["widget"]["criteria"] = [
            {"name": f"{name}-{code}", "label": label, "value": (value or {}).get(code, "")} for code, label in term_choices("knowledge_criterion")
        ]
        return context


class CriteriaField(forms.Field):
    widget = CriteriaWidget

    def clean(self, value):
        if any(len(answer) > 500 for answer in (value or {}).values()):
            raise forms.ValidationError(_("每项依据不超过 500 字。"))
        return value or {}


class TextField(forms.CharField):
    def clean(self, value):
        text = super().clean(value).replace("\r\n", "\n")
        if CONTROL.search(text):
            raise forms.ValidationError(_("含有看不见的控制字符，请删去后再存。"))
        return text


def build_field(entry: Entry) -> forms.Field:
    """The form field of an entry. Fields that submission requires may still be empty while a draft is written."""
    label = entry.label or str(Dataset._meta.get_field(entry.name).verbose_name)
    common = {"label": label, "help_text": entry.help, "required": entry.name == "title"}
    if entry.kind == "rows":
        return RowsField(entry.columns, **common)
    if entry.kind == "criteria":
        return CriteriaField(**common)
    if entry.kind in ("choices", "choice", "select"):
        return _choice_field(entry, common)
    if entry.name in FLAGS:
        return forms.BooleanField(**common)
    if entry.name in NUMBERS:
        return AmountField(**common)
    if entry.name in DATES:
        return forms.DateField(
            widget=forms.DateInput(attrs={"placeholder": "2026-01-01"}, format="%Y-%m-%d"), input_formats=["%Y-%m-%d", "%Y/%m/%d"], **common
        )
    if entry.kind == "list" or entry.name in LISTS:
        return ListField(**common)
    limit = 20_000 if entry.item else Dataset._meta.get_field(entry.name).max_length or 20_000
    long = entry.kind == "long" or (not entry.item and Dataset._meta.get_field(entry.name).get_internal_type() == "TextField")
    widget = forms.Textarea(attrs={"rows": 6 if entry.name == "description" else 3}) if long else forms.TextInput()
    return TextField(widget=widget, max_length=limit, strip=True, **common)


def _choice_field(entry, common):
    choices = region_choices() if entry.name == "region" else term_choices(VOCABULARIES[entry.name])
    if entry.kind == "choices":
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **common)
    if entry.name in ("security_level", "openness"):
        return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **common)
    if entry.kind == "choice":
        return forms.ChoiceField(choices=[*choices, ("", _("暂不填"))], widget=forms.RadioSelect, **common)
    return forms.ChoiceField(choices=[("", _("请选择")), *choices], **common)


def shape_of(field: forms.Field) -> str:
    """How templates/components/field.html sets it out."""
    if isinstance(field, forms.BooleanField):
        return "flag"
    if isinstance(field.widget, (forms.RadioSelect, forms.CheckboxSelectMultiple)):
        return "group"
    return "table" if isinstance(field, (RowsField, CriteriaField)) else "single"


class StepForm(forms.Form):
    """Fields of one step. `changes()` gives the listing-document keys of all fields that hold; the others keep their error."""

    def __init__(self, step: str, document: dict, data=None):
        self.step, self.document = step, document
        self.entries = STEPS[step][2]()
        super().__init__(data, initial={entry.form_name: value_of(document, entry) for entry in self.entries}, label_suffix="")
        for entry in self.entries:
            field = self.fields[entry.form_name] = build_field(entry)
            field.shape = shape_of(field)
            if field.shape == "single":
                field.widget.attrs["class"] = "input"

    def clean(self):
        for name in LINK_FIELDS:
            value = self.cleaned_data.get(name)
            if value and not value.lower().startswith(("http://", "https://")):
                self.add_error(name, _("网址要以 http:// 或 https:// 开头。"))
        email = self.cleaned_data.get("contact_email")
        if email and not EMAIL.fullmatch(email):
            self.add_error("contact_email", _("邮箱的写法不对，如 data@example.org。"))
        start, end = self.cleaned_data.get("temporal_start"), self.cleaned_data.get("temporal_end")
        if start and end and end < start:
            text = _("结束日期 %(end)s 早于开始日期 %(start)s。请核对年份；若仍在采集，可将结束日期留空。")
            self.add_error("temporal_end", text % {"end": end, "start": start})

    def base(self) -> str:
        """Names the stored content of this step; an edit made against another base is stale."""
        return digest({entry.form_name: _plain(value_of(self.document, entry)) for entry in self.entries})[:16]

    def changes(self) -> dict:
        """What the valid fields say, as document keys; None empties one. Fields that were not sent are left alone."""
        changes, documentation = {}, dict(self.document.get("documentation") or {})
        for entry in self.entries:
            widget = self.fields[entry.form_name].widget
            if entry.form_name not in self.cleaned_data or widget.value_omitted_from_data(self.data, self.files, entry.form_name):
                continue
            value = _plain(self.cleaned_data[entry.form_name])
            if entry.item:
                _set_item(documentation, entry, value)
            elif entry.name == "resources":
                changes["resources"] = merge_rows(self.document.get("resources") or [], value)
            else:
                changes[entry.name] = value if value not in ("", [], {}, None) else None
        if documentation != (self.document.get("documentation") or {}):
            changes["documentation"] = documentation or None
        return changes

    def cards(self):
        """(entry, bound field) in order, for the template."""
        return [(entry, self[entry.form_name]) for entry in self.entries]


def value_of(document: dict, entry: Entry):
    if not entry.item:
        return document.get(entry.name, DEFAULTS.get(entry.name))
    item = (document.get("documentation") or {}).get(entry.item)
    item = item if isinstance(item, dict) else {"text": str(item or "")}
    part = entry.name.split(".")[2:]
    return item.get(part[0], []) if part else item.get("text", "")


DEFAULTS = {"security_level": "general", "openness": "conditional"}


def _plain(value):
    return value.isoformat() if hasattr(value, "isoformat") else value


def _set_item(documentation, entry, value):
    item = documentation.get(entry.item)
    item = dict(item) if isinstance(item, dict) else ({"text": str(item)} if item else {})
    part = (entry.name.split(".")[2:] or ["text"])[0]
    item.pop(part, None)
    if value:
        item[part] = value
    documentation.pop(entry.item, None)
    if item:
        documentation[entry.item] = item


def merge_rows(existing: list[dict], rows: list[dict]) -> list[dict]:
    """Rows of the form over the stored ones: what the form does not show (hash, columns, media type) is kept."""
    known = {row.get("uid"): row for row in existing}
    shown = ("name", "kind", "format", "byte_size", "access_url")
    merged = []
    for row in rows:
        old = known.get(row.get("uid"), {})
        merged.append({key: value for key, value in old.items() if key not in shown} | {k: v for k, v in row.items() if k != "uid" or old})
    return merged
