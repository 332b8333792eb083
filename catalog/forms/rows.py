"""Structured rows inside a form (label counts, processing steps, benchmark results): one line of inputs per entry."""

import datetime
from dataclasses import dataclass, field

from django import forms
from django.utils.translation import gettext as _

MOST = 200  # rows of one table


@dataclass(frozen=True)
class Column:
    name: str
    label: str
    kind: str = "text"  # text, whole, number, date, choice, hidden
    required: bool = False
    placeholder: str = ""
    choices: tuple = ()
    length: int = 300
    extra: dict = field(default_factory=dict)


class RowsWidget(forms.Widget):
    template_name = "components/rows.html"

    def __init__(self, columns, spare=1):
        super().__init__()
        self.columns, self.spare = columns, spare

    def value_from_datadict(self, data, files, name):
        """Rows as posted, by their index; rows left blank are dropped."""
        prefix = f"{name}-"
        indices = {key[len(prefix) :].split("-")[0] for key in data if key.startswith(prefix)}
        rows = []
        for index in sorted(int(i) for i in indices if i.isascii() and i.isdigit() and len(i) < 6):
            row = {column.name: data.get(f"{prefix}{index}-{column.name}", "").strip() for column in self.columns}
            if any(value for key, value in row.items() if not self._is_idle(key)):
                rows.append(row)
        return rows

    def _is_idle(self, name):
        return any(column.name == name and column.kind in ("choice",) for column in self.columns)

    def value_omitted_from_data(self, data, files, name):
        return f"{name}-rows" not in data

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        rows = [*(value or []), *({} for _spare in range(self.spare))]
        context["widget"] |= {"columns": self.columns, "rows": [self._row(name, index, row) for index, row in enumerate(rows)], "count": len(rows)}
        return context

    def _row(self, name, index, row):
        cells = [{"column": column, "name": f"{name}-{index}-{column.name}", "value": str(row.get(column.name, ""))} for column in self.columns]
        return {"number": index + 1, "cells": cells, "is_new": not row}


class RowsField(forms.Field):
    """Cleans to a list of plain dicts; every error names its row and column."""

    def __init__(self, columns, **kwargs):
        self.columns = columns
        super().__init__(widget=RowsWidget(columns), **kwargs)

    def clean(self, value):
        rows, errors = [], []
        for number, row in enumerate(value or [], start=1):
            clean = {}
            for column in self.columns:
                try:
                    cell = _cell(column, row.get(column.name, ""))
                except forms.ValidationError as error:
                    where = _("第 %(row)d 行“%(column)s”：") % {"row": number, "column": column.label}
                    errors.append(where + error.messages[0])
                    continue
                if cell != "":
                    clean[column.name] = cell
            rows.append(clean)
        if len(rows) > MOST:
            errors.append(_("最多 %(most)d 行。") % {"most": MOST})
        if self.required and not rows:
            errors.append(_("至少填写一行。"))
        if errors:
            raise forms.ValidationError(errors)
        return rows

    def has_changed(self, initial, data):
        return (initial or []) != (data or [])


def _cell(column, text):
    if not text:
        if column.required:
            raise forms.ValidationError(_("不能为空。"))
        return ""
    if len(text) > column.length:
        raise forms.ValidationError(_("超过 %(limit)d 个字。") % {"limit": column.length})
    if column.kind == "whole":
        return _whole(text)
    if column.kind == "number":
        return _number(text)
    if column.kind == "date":
        return _date(text)
    if column.kind == "choice" and text not in dict(column.choices):
        raise forms.ValidationError(_("请从列表中选择。"))
    return text


def _whole(text):
    digits = text.replace(",", "").replace("，", "")
    if not (digits.isascii() and digits.isdigit()) or int(digits) > 2**53:
        raise forms.ValidationError(_("“%(text)s”不是整数。") % {"text": text[:20]})
    return int(digits)


def _number(text):
    """Decimals stay text: a listing document holds no floats."""
    bare = text.removesuffix("%").strip()
    try:
        float(bare)
    except ValueError:
        raise forms.ValidationError(_("“%(text)s”不是数字。") % {"text": text[:20]}) from None
    return bare


def _date(text):
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise forms.ValidationError(_("“%(text)s”不是 2026-11-21 这样的日期。") % {"text": text[:20]}) from None
