"""Vetoes and limits of a grade: each names what was found, where, and how it is lifted. Pure."""

from django.utils.translation import gettext_noop as _

from quality.indicators.declared import is_undeclared_synthetic
from quality.indicators.documentation import has_licence
from quality.indicators.registry import Snapshot

DIMENSION_NAMES = {"documentation": _("说明文档"), "data_quality": _("数据质量"), "model_application": _("模型应用")}
LIFTS = {
    "V1": _("去标识化后重新上传样例；确有合法依据或属误报的，可以申诉。"),
    "V2": _("修好或换下读不出的文件，重新上传样例。"),
    "V3": _("在登记的“权属与安全”一步选择授权类型，写明许可。"),
    "V4": _("如实声明合成数据及其生成方法，或更正来源，再提交。"),
    "V7": _("上传样例文件，由系统自动评测。"),
    "V8": _("由没有利害关系的评测人员重新评测。"),
    "L1": _("由三名以上专家评测。"),
}


def cap(rule: str, grade: str, message: str, lift: str = "") -> dict:
    return {"rule": rule, "grade": grade, "message": message, "lift": lift or LIFTS.get(rule, "")}


def vetoes(snapshot: Snapshot, scheme: dict, assurance: str):
    caps = scheme["caps"]
    rulings = {(row.rule, row.state): row for row in snapshot.inputs.rulings}
    yield from _personal(snapshot, caps, rulings)
    broken = sum(not profile.get("readable") for profile in snapshot.profiles)
    if broken * 100 > caps["V2"]["over_percent"] * len(snapshot.profiles):
        yield cap("V2", caps["V2"]["grade"], f"{caps['V2']['text']}（{broken} / {len(snapshot.profiles)}）")
    if not has_licence(snapshot.document):
        yield cap("V3", caps["V3"]["grade"], caps["V3"]["text"])
    if (ruling := rulings.get(("V4", "confirmed"))) or is_undeclared_synthetic(snapshot.document):
        yield cap("V4", caps["V4"]["grade"], ruling.message if ruling and ruling.message else caps["V4"]["text"])
    if ruling := rulings.get(("V8", "confirmed")):
        yield cap("V8", caps["V8"]["grade"], ruling.message or caps["V8"]["text"])
    level = scheme["assurance"][assurance]
    if assurance == "L0":
        yield cap("V7", level["cap"], f"{assurance} {level['name']}：{caps['V7']['text']}")
    elif assurance == "L1":
        yield cap("L1", level["cap"], f"{assurance} {level['name']}：{_('自动评测的等级上限。专家评测之后可以更高。')}")


def _personal(snapshot: Snapshot, caps: dict, rulings: dict):
    """Real personal information: a limit while a person has to look, D once one has confirmed it, nothing once one has not."""
    risky = [item for profile in snapshot.profiles for item in profile.get("personal_information", []) if item.get("high_risk")]
    places = "、".join(dict.fromkeys(item["column"][:40] for item in risky[:5]))
    if ruling := rulings.get(("V1", "confirmed")):
        text = ruling.message or caps["V1"].get("confirmed_text", caps["V1"]["text"])
        yield cap("V1", caps["V1"].get("confirmed_grade", "D"), f"{text}（列：{places}）" if places else text)
    elif risky and ("V1", "dismissed") not in rulings:
        yield cap("V1", caps["V1"]["grade"], f"{caps['V1']['text']}（列：{places}）")


def floors(combined: dict, dimensions: dict, weights: dict, scheme: dict, order: str):
    """A and B also ask for no weak dimension and no weak indicator."""
    for letter in ("A", "B"):
        floor = scheme["floors"][letter]
        below = order[order.index(letter) + 1]
        weak = [name for name, score in dimensions.items() if score is not None and score < floor["dimension"]]
        if weak:
            listed = "、".join(f"{DIMENSION_NAMES[name]} {dimensions[name]:.1f}" for name in weak)
            yield cap(f"{letter}-维度", below, f"{letter} 级要求每个维度不低于 {floor['dimension']} 分：{listed}", _("先提高这些维度的得分。"))
        low = [code for code in weights if combined[code].status == "measured" and combined[code].score < floor["indicator"]]
        if low:
            listed = "、".join(f"{code} {combined[code].score:.1f}" for code in low[:5])
            yield cap(f"{letter}-指标", below, f"{letter} 级要求没有低于 {floor['indicator']} 分的指标：{listed}", _("先提高这些指标的得分。"))
