"""A scheme's numbers as form fields and back. A field's name is its place in the document; only what is there can be changed."""

import copy
import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?")
PARTS = (
    ("bands", gettext_lazy("分数线")),
    ("floors", gettext_lazy("A 与 B 的最低分")),
    ("assurance", gettext_lazy("保证级别")),
    ("caps", gettext_lazy("否决与上限")),
    ("confidence", gettext_lazy("可信度：各来源值多少")),
    ("shares", gettext_lazy("来源份额：自动、专家、用户")),
    ("declared", gettext_lazy("声明占自动部分的百分比")),
    ("limits", gettext_lazy("检查的阈值")),
    ("not_applicable_limit", gettext_lazy("不适用权重的上限")),
)


def leaves(value, path=()):
    """(path, value) of every number, and of the strings that are numbers or grades."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*path, str(key)))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from leaves(part, (*path, str(place)))
    elif is_editable(path, value):
        yield path, value


def is_editable(path, value) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    return isinstance(value, (int, float)) or path[-1] in ("grade", "cap", "confirmed_grade") and path[0] != "bands" or is_number(value)


def is_number(value) -> bool:
    return isinstance(value, str) and NUMBER.fullmatch(value) is not None


def sections(document: dict) -> list[dict]:
    out = []
    for key, title in PARTS:
        fields = [{"name": ".".join(path), "label": label(path, document), "value": value} for path, value in leaves(document.get(key), (key,))]
        if fields:
            out.append({"title": title, "key": key, "fields": fields})
    return out


def label(path, document) -> str:
    """What people call the place: the grade of a band instead of its number in the list."""
    if path[0] == "bands":
        return document["bands"][int(path[1])]["grade"]
    if path[0] == "shares":
        return f"{path[1]} {(_('自动'), _('专家'), _('用户'))[int(path[2])]}"
    return " ".join(path[1:]) or _("权重之和")


def from_post(post, document: dict) -> dict:
    """The document with what was entered; text that is no number stays as it was typed, so that the check names it."""
    out = copy.deepcopy(document)
    out["title"] = post.get("title", out["title"]).strip()
    for key, _title in PARTS:
        for path, value in leaves(document.get(key), (key,)):
            name = ".".join(path)
            if name in post:
                put(out, path, read(post[name], value))
    for number, profile in enumerate(out["profiles"]):
        for code in list(profile["weights"]):
            entered = post.get(f"w.{number}.{code}")
            if entered is not None:
                profile["weights"][code] = int(entered) if entered.strip().isascii() and entered.strip().isdigit() and len(entered) < 6 else entered
    return out


def read(text: str, before):
    text = text.strip()
    if isinstance(before, str):
        return text
    return int(text) if NUMBER.fullmatch(text) and "." not in text else text


def put(document, path, value):
    for part in path[:-1]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    if isinstance(document, list):
        document[int(path[-1])] = value
    else:
        document[path[-1]] = value
