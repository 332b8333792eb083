"""What every mapper gives: one record as a listing document with its gaps, or the reason why it is none."""

from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _


class Gap(NamedTuple):
    """A warning: the record is kept, something recommended is missing or was changed. `detail` is the value in question."""

    pointer: str
    code: str
    detail: str = ""

    def message(self) -> str:
        return GAP_MESSAGES.get(self.code, lambda: self.code)().format(detail=self.detail)


GAP_MESSAGES = {
    "missing": lambda: _("推荐填写，原记录中没有。"),
    "trimmed": lambda: _("超过长度而截短，全文保留在附加信息中。"),
    "not_a_date": lambda: _("“{detail}”不是能确定的日期，原文保留在附加信息中。"),
    "not_a_number": lambda: _("“{detail}”不是数，原文保留在附加信息中。"),
    "unknown_code": lambda: _("“{detail}”不能对应到词表，原文保留在附加信息中。"),
    "not_an_address": lambda: _("“{detail}”不是网址或邮箱，原文保留在附加信息中。"),
    "order": lambda: _("时间范围的终点早于起点，没有采用。"),
    "left_out": lambda: _("整条记录超过 256 KiB，略去了 {detail}。"),
    "name_as_title": lambda: _("没有名称，用短名“{detail}”代替。"),
    "ragged": lambda: _("这一行比表头多出 {detail} 格。"),
}


class RecordError(Exception):
    """This record cannot become a listing. `pointer` leads into the source record."""

    def __init__(self, code: str, message: str, pointer: str = ""):
        self.code, self.message, self.pointer = code, message, pointer
        super().__init__(message)


class Unreadable(Exception):
    """The source as a whole cannot be read; the text says where and why."""


@dataclass
class Parsed:
    """`record` counts from 1. Either `document` (with `organization` {"name", …}) or `error` is set.

    `mark` tells apart records that share title and publisher and have no identifier of their own (a row number, an address).
    """

    record: int
    document: dict = field(default_factory=dict)
    organization: dict = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    error: RecordError | None = None
    mark: str = ""
    source: str = ""
    digest: str = ""  # of the whole record, set by the import once it has its identifier

    @property
    def label(self) -> str | int:
        return self.document.get("source_identifier") or self.record
