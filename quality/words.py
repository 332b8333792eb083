"""Findings, limits and advice in the reader's language.

Runs store them in Chinese, byte for byte the same whoever looks; here the stored sentence is told again. A sentence without
numbers is its own msgid; one with numbers was written after a pattern below, whose places are kept.
"""

import re
from functools import cache

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

HAN = re.compile(r"[\u4e00-\u9fff]")
PLACE = re.compile(r"%\((\w+)\)s")
TOLD = ("message", "lift", "field", "label", "place", "rule", "name", "text")
PATTERNS = (
    # grading
    _("不适用指标的权重 %(weight)s 超过 %(limit)s。"),
    _("%(letter)s 级要求每个维度不低于 %(floor)s 分：%(dimensions)s"),
    _("%(letter)s 级要求没有低于 %(floor)s 分的指标：%(indicators)s"),
    _("%(letter)s-维度"),
    _("%(letter)s-指标"),
    # files
    _("文件读不出：%(why)s"),
    _("编码是 %(name)s，不是 UTF-8；请声明编码或转换。"),
    _("%(count)s 个字节不合编码 %(name)s。"),
    _("%(kind)s 文件不完整：声明 %(declared)s 字节，实有 %(size)s 字节。"),
    _("Parquet 读不出：%(why)s"),
    _("JSON 文件超过 %(limit)s MiB，请改用 JSON Lines。"),
    _("不是合格的 JSON：第 %(line)s 行第 %(column)s 列，%(why)s。"),
    _("不是合格的 JSON：%(where)s。"),
    _("%(count)s 行不是合格的 JSON。"),
    _("%(count)s 条记录不是对象。"),
    _("第 %(line)s 行超过 %(limit)s 个字符。"),
    _("第 %(line)s 行读不出：%(why)s。"),
    # tables
    _("有 %(count)s 列，超过 %(limit)s 列的上限。"),
    _("超过 %(limit)s 列的上限。"),
    _("有 %(count)s 个空行。"),
    _("%(count)s 行的列数与表头不同（表头 %(width)s 列）。"),
    _("这一行的引号没有闭合，吞掉了后面 %(count)s 行。"),
    _("%(count)s 个列没有名称。"),
    _("列名重复：%(names)s。"),
    _("有 %(count)s 行与前面的行完全相同。"),
    _("缺失 %(count)s 个，占 %(share)s。"),
    _("有 %(count)s 个用 NA、无、- 等记号代替的空值。"),
    _("有 %(count)s 个 999 之类的数，可能是代替的空值。"),
    _("%(count)s 个值不合该列的类型 %(type)s。"),
    _("%(count)s 个单元格含乱码、控制字符或 HTML 残留。"),
    _("%(what)s %(count)s 处（%(distinct)s 个不同），候选中 %(share)s 通过校验。"),
    _("%(what)s：%(count)s 个单元格命中词表。命中≠违规，待人工确认。"),
    _("%(count)s 个单元格以公式开头，表格软件打开时可能执行。"),
    _("日期写法不一：%(which)s。"),
    _("单位不一：%(which)s。"),
    _("同一类别有不同写法：%(which)s。"),
    _("%(count)s 行内容相同而标签不同。"),
    _("%(count)s 条文本与前面的文本近似重复。"),
    _("%(what)s：%(count)s 条。"),
    _("%(what)s：%(count)s 张图片。"),
    _("%(what)s：%(count)s 段音频。"),
    _("采样率不一：%(which)s。"),
    _("%(count)s 条记录的 %(field)s 不合 TC609 记录格式。"),
    _("有 %(count)s 个工作表。"),
    _("有 %(count)s 处合并单元格，按表格读入会成为空值。"),
    _("有 %(count)s 个公式单元格；这里只看已存的值，不计算公式。"),
    # archives and media
    _("XLSX 读不出：%(why)s"),
    _("压缩包有 %(count)s 个成员，超过 %(limit)s 个的上限。"),
    _("压缩包成员的路径不安全：%(name)s"),
    _("压缩包里有符号链接：%(name)s"),
    _("压缩包成员已加密：%(name)s"),
    _("压缩包读不出：%(why)s"),
    _("成员读不出：%(why)s"),
    _("图片有 %(size)s 像素，超过上限。"),
    _("图片解码失败：%(why)s。"),
    _("音频解码失败：%(why)s。"),
    _("音频不完整：声明 %(declared)s 帧，读到 %(size)s 帧。"),
    # the process that reads
    _("样例没有读完，已拦截：%(why)s"),
    _("样例超过 %(limit)s MiB，不检查。"),
    _("读取进程异常结束（%(why)s"),
    _("样例里像有真实的个人信息（%(columns)s），已拦截，待人工核实。请去标识化后重新上传。"),
    # places: the words before a line or a column are a file's name
    _("%(where)s，第 %(line)s 行"),
    _("%(where)s 第 %(line)s 行"),
    _("%(where)s 表头"),
    _("%(where)s 列 %(name)s"),
    _("第 %(line)s 行第 %(column)s 列（%(why)s）"),
    _("第 %(line)s 行"),
    _("列 %(name)s 第 %(line)s 行"),
    _("列 %(name)s"),
    # a limit with its cause in brackets
    _("%(text)s（列：%(columns)s）"),
    _("%(text)s（%(count)s）"),
    # the level of a run with what limits it: "L1 样例自动评测：自动评测的等级上限。…"
    _("%(level)s：%(text)s"),
)
ALONE = (
    _("表头"), _("第 1 行"), _("文件头"), _("（空）"), _("身份证号码"), _("银行卡号"), _("手机号码"), _("电子邮箱"), _("护照号码"), _("车牌号码"),
    _("军官证号码"), _("车辆识别代号"), _("手机设备识别码"), _("网卡地址"), _("经纬度坐标"), _("密钥与口令"), _("赌博"), _("毒品"), _("色情"),
    _("诈骗与黑灰产"), _("枪爆"), _("暴力恐怖"), _("自伤"), _("歧视用语"), _("过短的文本"), _("符号过多的文本"), _("自我重复的文本"),
    _("标注框不合法（出界、为负或为空）"), _("起止位置颠倒"), _("BIO 标签序列不合法"),
)  # fmt: skip


def told(text):
    """A stored sentence in the reader's language; what no pattern knows stays as it is."""
    if not isinstance(text, str) or not (get_language() or "").startswith("en") or not HAN.search(text):
        return text
    english = gettext(text)
    return english if english != text else _by_pattern(text)


def told_row(row: dict) -> dict:
    """A cap, an advice or a piece of evidence with its words told."""
    return row | {key: told(row[key]) for key in TOLD if key in row}


def _by_pattern(text: str) -> str:
    for msgid, pattern in _patterns():
        if match := pattern.fullmatch(text):
            return gettext(msgid) % {name: _part(name, value) for name, value in match.groupdict().items()}
    return text


def _part(name: str, value: str) -> str:
    """What stands in a place: words of ours again, names in a row, or as it is."""
    if name in ("columns", "names", "dimensions", "indicators"):
        return ", ".join(_level(part) if name == "dimensions" else told(part) for part in value.split("、"))
    if name == "level":
        return _level(value)
    if name == "line":
        return value.replace("、", ", ")
    return told(value) if name in ("text", "why", "what", "where") else value


def _level(value: str) -> str:
    """A word of ours with a number beside it: "说明文档 55.0", "L1 样例自动评测"."""
    return " ".join(told(word) for word in value.split(" "))


@cache
def _patterns() -> list[tuple[str, re.Pattern]]:
    return [(msgid, re.compile(_as_expression(msgid), re.S)) for msgid in PATTERNS]


def _as_expression(msgid: str) -> str:
    """The msgid with each place as a named group."""
    parts = PLACE.split(msgid)
    return "".join(f"(?P<{part}>.+?)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
