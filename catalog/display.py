"""Listing documents in words for people: labels of fields, values with their codes spelt out, differences side by side."""

import difflib
import re
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.formatting import in_a_row, is_english, size_text
from catalog.labels import term_label, term_labels, terms
from catalog.listing import FIELDS, FLAGS, VOCABULARIES
from catalog.models import Dataset
from catalog.services.versions import compare_documents

OTHER = {
    "resources": gettext_lazy("文件与服务"),
    "samples": gettext_lazy("样例"),
    "organization": gettext_lazy("提供方"),
    "change_note": gettext_lazy("更新内容"),
    "schema": gettext_lazy("格式"),
}
SHOWN_PARTS = ("name", "label", "title", "model", "organization", "version", "type")
HAN = re.compile(r"[\u4e00-\u9fff]")
DIFF_LIMIT = 1500  # characters; above that the two texts stand side by side unmarked


def field_label(name: str) -> str:
    """The words for a document key or a JSON pointer."""
    parts = name.strip("/").split("/")
    if parts[0] == "documentation" and len(parts) > 1:
        return term_label("documentation_item", parts[1]) if parts[1] not in item_names() else item_names()[parts[1]]
    if parts[0] in FIELDS:
        return str(Dataset._meta.get_field(parts[0]).verbose_name)
    return str(OTHER.get(parts[0], parts[0])) if parts[0] else _("整体")


def item_names() -> dict[str, str]:
    """{key in the documentation: its words}."""
    return {key: _(label) for label, key in terms().get("documentation_item", {}).values()}


def field_text(name: str, value) -> str:
    """A value of the document as one text; "" when empty."""
    if value in (None, "", [], {}):
        return ""
    if name in FLAGS:
        return _("是") if value else _("否")
    if name in VOCABULARIES:
        labels = term_labels(VOCABULARIES[name], value) if isinstance(value, list) else [term_label(VOCABULARIES[name], value)]
        return in_a_row(labels)
    if name == "byte_size":
        return f"{size_text(value)} ({value:,})" if is_english() else f"{size_text(value)}（{value:,}）"
    if isinstance(value, int):
        return f"{value:,}"
    return plain_text(value)


def plain_text(value) -> str:
    """Lists and objects as readable lines, deepest values last."""
    if isinstance(value, list):
        separator = _("；") if any(isinstance(item, dict) for item in value) else _("、")
        return separator.join(plain_text(item) for item in value)
    if isinstance(value, dict):
        if "text" in value:
            rest = [plain_text(part) for key, part in value.items() if key != "text"]
            return "\n".join([str(value["text"]), *rest])
        return _("，").join(plain_text(item) for key, item in value.items() if key not in ("uid", "profile", "sha256") and item not in ("", None))
    return str(value)


def rows(document: dict):
    """[{"name", "label", "text"}] of everything filled in, documentation items one by one."""
    for name in FIELDS:
        if name in ("documentation", "extras"):
            continue
        if text := field_text(name, document.get(name)):
            yield {"name": name, "pointer": f"/{name}", "label": field_label(name), "text": text}
    for item, value in (document.get("documentation") or {}).items():
        if text := plain_text(value):
            yield {"name": item, "pointer": f"/documentation/{item}", "label": field_label(f"/documentation/{item}"), "text": text}


def flat(document: dict) -> dict:
    """The document with its documentation items as keys of their own, so that they are compared one by one."""
    values = {name: value for name, value in document.items() if name not in ("documentation", "schema", "organization")}
    return values | {f"documentation/{item}": value for item, value in (document.get("documentation") or {}).items()}


def differences(old: dict, new: dict) -> list[dict]:
    """[{"label", "pointer", "old": [(text, marked)], "new": [(text, marked)]}] of the fields that differ."""
    found = []
    for change in compare_documents(flat(old), flat(new)):
        before, after = field_text(change["field"], change["old"]), field_text(change["field"], change["new"])
        if before == after:
            continue
        left, right = marked(before, after)
        found.append({"label": field_label(change["field"]), "pointer": f"/{change['field']}", "old": left, "new": right})
    return found


def marked(before: str, after: str) -> tuple[list, list]:
    """Both texts cut into (piece, whether it changed)."""
    is_value = not HAN.search(before + after) and len(before + after) < 60  # numbers, dates, codes: changed as a whole
    if not before or not after or is_value or len(before) + len(after) > 2 * DIFF_LIMIT:
        return [(before, bool(before))], [(after, bool(after))]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < 0.3:
        return [(before, True)], [(after, True)]
    left, right = [], []
    for tag, a1, a2, b1, b2 in matcher.get_opcodes():
        if a2 > a1:
            left.append((before[a1:a2], tag != "equal"))
        if b2 > b1:
            right.append((after[b1:b2], tag != "equal"))
    return left, right


def trail(entries) -> list:
    """The audit entries, newest first; the same step of the same person within a minute is told once."""
    kept = []
    for entry in entries:
        last = kept[-1] if kept else None
        if last and (last.action, last.actor_id) == (entry.action, entry.actor_id) and last.at - entry.at < timedelta(minutes=1):
            continue
        kept.append(entry)
    return kept
