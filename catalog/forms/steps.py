"""The steps of registration, as data: which field stands where, what it is called for people and what helps to fill it.

A name that starts with `doc.` is one of the 20 documentation items; `doc.item.part` are its structured rows.
"""

from dataclasses import dataclass
from functools import cache

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.forms.rows import Column
from catalog.models import Resource
from catalog.services.checks import REQUIRED


@dataclass(frozen=True)
class Entry:
    name: str
    label: str = ""  # "" = the model's own name for the field
    help: str = ""
    kind: str = ""  # "" = by the document's type; choice, choices, select, list, long, flag, number, date, rows
    columns: tuple = ()
    item: str = ""

    @property
    def is_required(self) -> bool:
        return self.name in REQUIRED

    @property
    def form_name(self) -> str:
        return self.name.replace(".", "-")

    @property
    def pointer(self) -> str:
        """JSON pointer into the listing document."""
        parts = self.name.split(".")
        return "/" + "/".join(["documentation", *parts[1:]] if parts[0] == "doc" else parts)


def item(name, label, help="", **kwargs):
    return Entry(f"doc.{name}", label, help, "long", item=name, **kwargs)


def table(name, label, help, *columns):
    return Entry(name, label, help, "rows", columns=columns, item=name.split(".")[1] if "." in name else "")


def basics():
    return [
        Entry("title", help=_("写清对象、内容和用途，如“高速公路路面病害标注图像”。不超过 300 字。")),
        Entry("title_en"),
        Entry("summary", kind="long", help=_("两三句话：是什么，有多少，能做什么。列表和搜索结果里显示。")),
        Entry("description", kind="long", help=_("可用 Markdown。")),
        Entry("keywords", kind="list", help=_("用逗号、顿号或换行分开。")),
        Entry("sectors", kind="choices"),
        Entry("industry", kind="select", help=_("GB/T 4754 门类。")),
        Entry("region", kind="select", help=_("数据覆盖的地区，全国性的可以不选。")),
        Entry("update_frequency", kind="choice"),
        Entry("modified", help=_("数据最近一次更新的日期。")),
        Entry("landing_page", help=_("介绍这个数据集的网页。")),
        Entry("contact_name"),
        Entry("contact_email", help=_("使用者和审核员从这里找到您。")),
        Entry("contact_phone"),
    ]


def content():
    return [
        Entry("modalities", kind="choices", help=_("多选时按多模态展示。")),
        Entry("model_stages", kind="choices"),
        Entry("has_chain_of_thought"),
        Entry("knowledge_tier", kind="choice", help=_("拿不准时，用下面的七项要素判断。")),
        Entry("tier_criteria", label=_("层级判定依据"), kind="criteria"),
        Entry("cognition_layer", kind="choice"),
        Entry("tasks", kind="list"),
        Entry("languages", kind="list", help=_("如 zh-Hans、en、粤语。")),
        Entry("record_count"),
        Entry("byte_size", help=_("可以写 1.5 GB、960 PB，按十进制换算。")),
        Entry("token_count"),
        Entry("file_count"),
        item("scale", _("数据集规模"), _("写数量和单位，如 12,600 段，2.1 TB。")),
        item("format_spec", _("格式规范"), _("文件格式、编码、字段约定。")),
        item("file_structure", _("文件结构"), _("目录怎样组织，清单文件叫什么。")),
        item("modality", _("模态说明"), _("每种模态各有什么，怎样对应。")),
        item("distribution_note", _("数据分布情况"), _("按类别、地区、时间等的分布。")),
        table(
            "doc.distribution_note.parts",
            _("分布占比"),
            _("各行占比相加应为 100。"),
            Column("name", _("部分"), required=True),
            Column("share", _("占比（%）"), "number", True, "25.0"),
        ),
        item("label_statistics", _("标签类别统计")),
        table(
            "doc.label_statistics.labels",
            _("标签与数量"),
            _("每行一个标签；写明数量才得满分。"),
            Column("name", _("标签"), required=True),
            Column("count", _("数量"), "whole", True, "1200"),
        ),
        item("sample_examples", _("样本示例"), _("一条样本是什么样，字段各是什么意思。")),
        item("limitations", _("局限性说明"), _("已知的偏差、缺口和不适用的情形，60 字以上得满分。")),
    ]


def construction():
    return [
        Entry("source_types", kind="choices"),
        Entry("collection_method", kind="choice", help=_("选“生成”时，需写明生成方法；未声明的合成数据会被评为 D。")),
        Entry("collection_channel"),
        Entry("resource_kind", kind="choice"),
        Entry("temporal_start", label=_("采集时间：开始")),
        Entry("temporal_end", label=_("采集时间：结束"), help=_("仍在采集的，结束日期留空。")),
        Entry("is_synthetic"),
        Entry("synthetic_method", help=_("生成器、参数和检验办法。")),
        item("data_source", _("数据来源"), _("写明来源和授权依据。授权文件在“权属与安全”一步登记。")),
        table(
            "doc.data_source.sources",
            _("来源清单"),
            "",
            Column("name", _("来源"), required=True),
            Column("type", _("类型"), placeholder=_("自行采集")),
            Column("authorization", _("授权依据"), placeholder=_("合同编号")),
        ),
        item("collection_method", _("采集方法")),
        item("processing_flow", _("加工处理流程")),
        table(
            "doc.processing_flow.steps",
            _("处理步骤"),
            _("每一步写明工具和日期才能得满分，评分不看文字长短。"),
            Column("name", _("做了什么"), required=True),
            Column("tool", _("工具与版本")),
            Column("date", _("日期"), "date", placeholder="2026-01-01"),
        ),
        Entry("annotation_method", kind="choice"),
        Entry("annotator_type", kind="choice"),
        item("annotation_rules", _("标注规范"), _("标签定义、示例和质检流程。")),
        item("version_control", _("版本控制")),
        table(
            "doc.version_control.changes",
            _("变更记录"),
            "",
            Column("version", _("版本"), required=True, placeholder="1.0.0"),
            Column("date", _("日期"), "date", placeholder="2026-01-01"),
            Column("note", _("改了什么")),
        ),
        Entry("build_mode", kind="choice"),
        Entry("standards", kind="list"),
    ]


def application():
    return [
        Entry("scenarios", kind="list", help=_("用逗号、顿号或换行分开。")),
        item("target_scenarios", _("目标应用场景")),
        item("evaluation_method", _("评估方法"), _("用什么数据、什么指标检验效果。")),
        item("benchmark_results", _("基准测试结果")),
        table(
            "doc.benchmark_results.results",
            _("测试结果"),
            _("模型、指标、数值、划分和日期齐全才得满分。"),
            Column("model", _("模型"), required=True),
            Column("metric", _("指标"), required=True, placeholder="F1"),
            Column("value", _("数值"), "number", True, "0.91"),
            Column("split", _("划分"), placeholder="test"),
            Column("date", _("日期"), "date", placeholder="2026-01-01"),
        ),
        item("typical_cases", _("典型应用案例")),
        table(
            "doc.typical_cases.cases",
            _("案例"),
            "",
            Column("organization", _("使用单位"), required=True),
            Column("model", _("模型")),
            Column("effect", _("效果")),
        ),
        item("access_channel", _("访问渠道"), _("怎样取得数据，多久答复。")),
        item("technical_support", _("技术支持方式")),
        Entry("price_model"),
        Entry("price_note"),
        Entry("exchange_url", help=_("在数据交易机构的页面。")),
        Entry("citation", kind="long"),
    ]


def rights():
    return [
        Entry("rights_holder"),
        Entry("has_holding_right", help=_("三项权利按“数据二十条”，有哪项声明哪项。")),
        Entry("has_processing_right"),
        Entry("has_operating_right"),
        Entry("rights_basis", kind="long", help=_("自行采集、合同、授权书……写明依据和期限。")),
        Entry("rights_evidence", help=_("证书或合同的编号、网址。")),
        Entry("ip_registration"),
        Entry("license_type", kind="choice"),
        Entry("license", help=_("如 CC-BY-4.0、木兰公共许可。")),
        Entry("license_url"),
        item("licence", _("使用许可说明")),
        Entry("allowed_scenarios", kind="long"),
        Entry("allowed_scope", kind="long"),
        Entry("security_level", kind="choice", help=_("GB/T 43697-2024。核心数据不得进入门户；重要数据只登记元数据，要两人批准。")),
        Entry("has_personal_information"),
        Entry("deidentification", kind="long", help=_("含个人信息时必填：用什么办法，漏检率多少，谁复核。")),
        Entry("openness", kind="choice"),
        Entry("access_method", kind="choice"),
        Entry("access_note", kind="long"),
        Entry("storage_place"),
        Entry("maintenance_contact"),
    ]


def files():
    return [
        table(
            "resources",
            _("文件与服务清单"),
            _("数据留在原处，这里只登记清单。"),
            Column("uid", "", "hidden"),
            Column("name", _("名称"), required=True),
            Column("kind", _("类别"), "choice", choices=tuple((code, str(label)) for code, label in Resource.Kind.choices)),
            Column("format", _("格式"), placeholder="Parquet", length=40),
            Column("byte_size", _("字节数"), "whole"),
            Column("access_url", _("访问地址"), placeholder="https://", length=2000),
        ),
    ]


STEPS = {
    "basics": (gettext_lazy("基本信息"), gettext_lazy("先写清这是什么、谁提供、怎样联系。标“选填”的可以以后再补。"), basics),
    "content": (gettext_lazy("内容特征"), gettext_lazy("有什么、有多少、怎样分布、有什么不足。"), content),
    "construction": (gettext_lazy("建设过程"), gettext_lazy("写清数据从哪里来、怎样处理、谁来标注。标“选填”的可以以后再补。"), construction),
    "application": (gettext_lazy("应用说明"), gettext_lazy("用在哪里，效果如何，怎样取得。"), application),
    "rights": (gettext_lazy("权属与安全"), gettext_lazy("谁有什么权利，别人可以怎样用，是什么安全级别。"), rights),
    "files": (gettext_lazy("文件与样例"), gettext_lazy("登记文件清单，上传一小部分真实样例供试用。"), files),
    "score": (gettext_lazy("评分与改进"), gettext_lazy("按质量评测办法预评，列出还能加的分。"), list),
    "preview": (gettext_lazy("预览与提交"), gettext_lazy("核对无误后提交审核。"), list),
}
NAMES = list(STEPS)


@cache
def step_of_pointer() -> dict[str, tuple[str, str]]:
    """{pointer: (step, form field name)}, so that a finding leads to its field."""
    return {entry.pointer: (step, entry.form_name) for step, (_label, _lead, entries) in STEPS.items() for entry in entries()}


def place(pointer: str) -> tuple[str, str]:
    """(step, anchor) of a finding's pointer; the preview where no field is meant."""
    known = step_of_pointer()
    parts = pointer.split("/")
    while len(parts) > 1:
        if (found := known.get("/".join(parts))) is not None:
            return found[0], f"id_{found[1]}"
        parts.pop()
    return ("files", "samples") if pointer.startswith("/samples") else ("preview", "main")
