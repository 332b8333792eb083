"""Automatic checks before a person looks: the shape of a listing document, then what a reviewer would trip over.

Findings are {"code", "severity", "pointer", "message"} with JSON pointers into the listing document.
"""

import datetime
import difflib
import re
import unicodedata
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.exceptions import ListingInvalid
from catalog.listing import DATES, FLAGS, LIMITS, LIST_OBJECTS, LISTS, NUMBERS, OBJECTS, RESOURCE_FIELDS, TEXT, VOCABULARIES, canonical
from catalog.models import CheckResult, Dataset, Resource, Review, Term

REQUIRED = {  # 必填 for submission (R114: required and optional kept apart)
    "title": gettext_lazy("名称"),
    "summary": gettext_lazy("摘要"),
    "sectors": gettext_lazy("行业领域"),
    "modalities": gettext_lazy("模态"),
    "contact_email": gettext_lazy("联系邮箱"),
    "rights_holder": gettext_lazy("权利人"),
    "rights_basis": gettext_lazy("权利依据"),
    "license_type": gettext_lazy("授权类型"),
    "update_frequency": gettext_lazy("更新频率"),
}
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
HIDDEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
ID_CARD = re.compile(r"(?<![0-9])[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx](?![0-9])")
SECRET = re.compile(r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----|(?:password|passwd|secret|token)\s*[=:]\s*\S{8,}", re.I)


MOBILE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")
CONTACTS = ("/contact_phone", "/maintenance_contact")
SIMILAR = 0.85  # share of equal characters above which two titles of one provider are shown to the reviewer


def finding(code: str, pointer: str, message: str, severity: str = "error") -> dict:
    return {"code": code, "severity": severity, "pointer": pointer, "message": message}


def require_valid(document: dict) -> None:
    """ListingInvalid unless every value has its field's type, length and vocabulary. Says nothing of completeness."""
    if errors := shape_errors(document):
        raise ListingInvalid(errors)


def shape_errors(document: dict, *, codes: dict[str, set[str]] | None = None) -> list[dict]:
    """Findings of severity error about types, lengths and codes. `codes` saves the vocabulary query in bulk work."""
    errors = [error for name, check in SHAPES.items() if name in document for error in check(name, document[name])]
    if not str(document.get("title") or "").strip():
        errors.append(finding("required", "/title", _("名称不能为空。")))
    codes = codes if codes is not None else active_codes()
    for name, scheme in VOCABULARIES.items():
        value = document.get(name)
        for code in value if isinstance(value, list) else [value] if value else []:
            if isinstance(code, str) and code not in codes.get(scheme, set()):
                errors.append(finding("unknown_code", f"/{name}", _("“%(code)s”不在词表 %(scheme)s 中。") % {"code": code[:60], "scheme": scheme}))
    start, end = document.get("temporal_start"), document.get("temporal_end")
    if isinstance(start, str) and isinstance(end, str) and start > end:
        errors.append(finding("order", "/temporal_end", _("时间范围的终点早于起点。")))
    errors += resource_errors(document.get("resources"))
    if not errors and len(canonical(document)) > LIMITS["document"]:
        errors.append(finding("too_large", "", _("整条记录超过 256 KiB。")))
    return errors


def resource_errors(resources) -> list[dict]:
    """Findings about the manifest: every item an object with a name, its values of their fields' type and length."""
    if resources is None:
        return []
    if not isinstance(resources, list) or len(resources) > 1000:
        return [finding("type", "/resources", _("应是至多 1000 项的列表。"))]
    return [found for position, item in enumerate(resources) for found in _resource(f"/resources/{position}", item)]


def _resource(pointer, item):
    if not isinstance(item, dict) or not str(item.get("name") or "").strip():
        yield finding("required", f"{pointer}/name", _("资源要有名称。"))
        return
    if item.get("kind") not in (None, *Resource.Kind.values):
        yield finding("unknown_code", f"{pointer}/kind", _("资源类别不在 file、service、document 之中。"))
    if item.get("uid") is not None and not (isinstance(item["uid"], str) and UUID.fullmatch(item["uid"])):
        yield finding("type", f"{pointer}/uid", _("应是一个 UUID。"))
    for name in RESOURCE_FIELDS:
        value = item.get(name)
        if value is None or name == "kind":
            continue
        check = {"byte_size": _number, "columns": _objects}.get(name)
        yield from (
            check(f"{pointer[1:]}/{name}", value) if check else _text(f"{pointer[1:]}/{name}", value, Resource._meta.get_field(name).max_length)
        )


def active_codes() -> dict[str, set[str]]:
    """{scheme: codes} of the vocabularies that listings use."""
    codes: dict[str, set[str]] = {}
    for scheme, code in Term.objects.filter(is_active=True, scheme__in={*VOCABULARIES.values(), "city"}).values_list("scheme", "code"):
        codes.setdefault("region" if scheme == "city" else scheme, set()).add(code)
    return codes


def _text(name, value, limit=0):
    limit = limit if "/" in name else Dataset._meta.get_field(name).max_length
    if not isinstance(value, str):
        yield finding("type", f"/{name}", _("应是文字。"))
    elif limit and len(value) > limit:
        yield finding("too_long", f"/{name}", _("超过 %(limit)d 个字。") % {"limit": limit})
    elif CONTROL.search(value):
        yield finding("control_character", f"/{name}", _("含有控制字符。"))


def _flag(name, value):
    if not isinstance(value, bool):
        yield finding("type", f"/{name}", _("应是 true 或 false。"))


def _number(name, value):
    limit = 2**31 - 1 if name == "price_index" else 2**53
    if isinstance(value, bool) or not isinstance(value, int):
        yield finding("type", f"/{name}", _("应是整数。"))
    elif not 0 <= value <= limit:
        yield finding("range", f"/{name}", _("应在 0 到 %(limit)d 之间。") % {"limit": limit})


def _date(name, value):
    try:
        # fromisoformat alone also takes 20261121 and 2026-W47-6, which do not sort with the others
        right = len(value) == 10 and value[4] == value[7] == "-" and bool(datetime.date.fromisoformat(value))
    except (TypeError, ValueError):
        right = False
    if not right:
        yield finding("date", f"/{name}", _("应是 2026-11-21 这样的日期。"))


def _list(name, value):
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        yield finding("type", f"/{name}", _("应是文字的列表。"))
    elif len(value) > 100 or any(len(item) > 200 for item in value):
        yield finding("too_long", f"/{name}", _("最多 100 项，每项 200 字。"))
    elif any(CONTROL.search(item) for item in value):
        yield finding("control_character", f"/{name}", _("含有控制字符。"))


def _object(name, value):
    if not isinstance(value, dict):
        yield finding("type", f"/{name}", _("应是对象。"))
    elif problem := _not_plain(value):
        yield finding("type", f"/{name}", problem)


def _objects(name, value):
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        yield finding("type", f"/{name}", _("应是对象的列表。"))
    elif problem := _not_plain(value):
        yield finding("type", f"/{name}", problem)


def _not_plain(value, depth=0) -> str:
    """Why a nested value may not stand in a listing document: floats, huge integers, depth, keys that are not ASCII."""
    if depth > LIMITS["depth"] - 2:
        return _("嵌套太深。")
    if isinstance(value, str) and CONTROL.search(value):
        return _("含有控制字符。")
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > 2**53):
        return _("数字要用整数，小数请写成文字。")
    if isinstance(value, dict):
        if any(not str(key).isascii() for key in value):
            return _("键要用 ASCII。")
        return next((problem for item in value.values() if (problem := _not_plain(item, depth + 1))), "")
    if isinstance(value, list):
        return next((problem for item in value if (problem := _not_plain(item, depth + 1))), "")
    return ""


SHAPES = (
    dict.fromkeys(TEXT, _text)
    | dict.fromkeys(FLAGS, _flag)
    | dict.fromkeys(NUMBERS, _number)
    | dict.fromkeys(DATES, _date)
    | dict.fromkeys(LISTS, _list)
    | dict.fromkeys(OBJECTS, _object)
    | dict.fromkeys(LIST_OBJECTS, _objects)
)


def check_listing(dataset: Dataset, document: dict) -> list[dict]:
    """Everything known against a submission: errors block it, warnings go to the reviewer."""
    findings = shape_errors(document)
    for name, label in REQUIRED.items():
        if not document.get(name) and not any(found["pointer"] == f"/{name}" for found in findings):
            findings.append(finding("required", f"/{name}", _("“%(label)s”是必填项。") % {"label": label}))
    for check in (_texts(document), _links(document), _security(dataset, document), _files(dataset, document), _duplicates(dataset, document)):
        findings += check
    if document.get("contact_email") and not EMAIL.fullmatch(str(document["contact_email"])):
        findings.append(finding("email", "/contact_email", _("邮箱的写法不对。")))
    if not document.get("resources") and not document.get("samples"):
        findings.append(finding("no_files", "/resources", _("没有资源也没有样例，使用者无从判断。"), "warning"))
    return findings


def _security(dataset, document):
    level = document.get("security_level", "general")
    if level == "core":
        yield finding("core_data", "/security_level", _("核心数据不得进入门户（GB/T 43697-2024）。"))
    if level == "important" and (document.get("samples") or (dataset.pk and dataset.samples.exists())):
        yield finding("important_sample", "/samples", _("重要数据只登记元数据，不提供样例。"))
    if document.get("has_personal_information") and not document.get("deidentification"):
        yield finding("deidentification", "/deidentification", _("含个人信息的数据集要说明去标识化处理。"))
    if document.get("is_synthetic") and not document.get("synthetic_method"):
        yield finding("synthetic_method", "/synthetic_method", _("合成数据要说明生成方法。"))
    if not any(document.get(name) for name in ("has_holding_right", "has_processing_right", "has_operating_right")):
        yield finding("rights", "/has_holding_right", _("三项权利一项也没有声明。"), "warning")
    elif not document.get("rights_evidence") and not document.get("ip_registration"):
        yield finding("rights_evidence", "/rights_evidence", _("声明了权利，但没有权属证明或登记号。"), "warning")


def _texts(document):
    """Personal information and secrets in any text of the document; hidden and look-alike characters in its titles."""
    for pointer, text in _strings(document):
        if any(is_id_number(match) for match in ID_CARD.findall(text)):
            yield finding("personal_information", pointer, _("文字里有身份证号码，请删去或遮挡。"))
        if SECRET.search(text):
            yield finding("secret", pointer, _("文字里像有口令或密钥，请删去。"))
        if pointer not in CONTACTS and MOBILE.search(text):
            yield finding("mobile_number", pointer, _("文字里像有手机号码，请确认可以公开。"), "warning")
    for name in ("title", "title_en"):
        text = document.get(name) or ""
        if HIDDEN.search(text):
            yield finding("hidden_character", f"/{name}", _("含有零宽或改变方向的字符。"), "warning")
        scripts = {unicodedata.name(char, "?").split()[0] for char in text if char.isalpha()}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK"}:
            yield finding("homoglyph", f"/{name}", _("混用了形近的外文字母。"), "warning")


def _strings(document):
    """(pointer of the field, text) of all that the owner wrote; files are profiled on their own."""
    for name in (*TEXT, *LISTS, "lineage", "tier_criteria", "extras"):
        if text := "\n".join(_leaves(document.get(name))):
            yield f"/{name}", text
    documentation = document.get("documentation")
    for item, value in (documentation if isinstance(documentation, dict) else {}).items():
        yield f"/documentation/{item}", "\n".join(_leaves(value))


def _leaves(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)


def is_id_number(digits: str) -> bool:
    """Checksum of GB 11643-1999; one order number in eleven still passes by chance."""
    total = sum(int(digit) * (2 ** (17 - position) % 11) for position, digit in enumerate(digits[:17]))
    return "10X98765432"[total % 11] == digits[17].upper()


def _links(document):
    """Addresses must be usable as links; whether they answer is checked by a job of its own and told from its result."""
    for name in ("landing_page", "license_url", "exchange_url"):
        if document.get(name) and not is_link(document[name]):
            yield finding("link", f"/{name}", _("网址要写成 https://… 的样子。"))
    for position, item in enumerate(document.get("resources") or []):
        for name in ("access_url", "download_url"):
            if isinstance(item, dict) and item.get(name) and not is_link(item[name]):
                yield finding("link", f"/resources/{position}/{name}", _("网址要写成 https://… 的样子。"))


def is_link(text) -> bool:
    try:
        parts = urlsplit(str(text))
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s<>\"]", str(text))
    except ValueError:
        return False


def _files(dataset, document):
    """What is known of the files: links that did not answer, formats, samples held back or still waiting."""
    if dataset.pk is None:
        return
    for resource in dataset.resources.all():
        if resource.link_status is not None and not 200 <= resource.link_status < 400:
            message = _("“%(name)s”的地址打不开（%(status)d）。") % {"name": resource.name, "status": resource.link_status}
            yield finding("dead_link", "/resources", message, "warning")
    for position, item in enumerate(document.get("resources") or []):
        if isinstance(item, dict) and item.get("kind", "file") == "file" and not item.get("format") and not item.get("media_type"):
            yield finding("format", f"/resources/{position}/format", _("没有写文件格式。"), "warning")
    for sample in dataset.samples.all():
        if sample.state == "blocked":
            message = _("样例“%(name)s”被拦截：%(why)s") % {"name": sample.name, "why": sample.state_reason}
            yield finding("blocked_sample", "/samples", message)
        elif sample.state == "pending":
            yield finding("pending_sample", "/samples", _("样例“%(name)s”还在检查中。") % {"name": sample.name}, "warning")


def _duplicates(dataset, document):
    title = str(document.get("title") or "")
    twins = Dataset.objects.filter(title=title).exclude(pk=dataset.pk).exclude(status__in=["draft", "rejected", "delisted"])
    for twin in twins.select_related("organization")[:3]:
        same = twin.organization.name == dataset.organization.name
        message = _("与“%(title)s”（%(provider)s，%(portal)s）同名。") % {
            "title": twin.title,
            "provider": twin.organization.name,
            "portal": twin.home_portal,
        }
        yield finding("duplicate_title", "/title", message, "error" if same and not twin.is_remote else "warning")
    names = {twin.pk for twin in twins[:3]}
    own = Dataset.objects.filter(organization__name=dataset.organization.name).exclude(pk__in=[*names, dataset.pk])
    for other in own.exclude(status__in=["draft", "rejected", "delisted"]).values_list("title", flat=True).order_by("-id")[:500]:
        ratio = difflib.SequenceMatcher(None, title, other).ratio() if abs(len(title) - len(other)) < 30 else 0
        if SIMILAR <= ratio < 1:
            message = _("与同一提供方的“%(title)s”名称相似（%(ratio)s）。") % {"title": other, "ratio": f"{ratio:.2f}"}
            yield finding("similar_title", "/title", message, "warning")
    hashes = [item["sha256"] for key in ("samples", "resources") for item in document.get(key) or [] if item.get("sha256")]
    if hashes:
        from catalog.models import Sample

        for other in Sample.objects.filter(sha256__in=hashes).exclude(dataset=dataset).select_related("dataset")[:3]:
            yield finding("duplicate_file", "/samples", _("样例文件与“%(title)s”的相同。") % {"title": other.dataset.title}, "warning")


def store(review: Review, findings: list[dict]) -> None:
    CheckResult.objects.bulk_create([CheckResult(review=review, **found) for found in findings])
