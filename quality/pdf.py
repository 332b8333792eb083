"""The report on paper. WeasyPrint draws the page's own templates; where its libraries or a Chinese font are missing, one sentence says so."""

import logging
import shutil
import subprocess
from ctypes.util import find_library
from functools import cache
from importlib.util import find_spec

from django.contrib.staticfiles import finders
from django.core.cache import cache as kept
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)
SHEETS = ("css/tokens.css", "css/base.css", "css/components.css", "css/pages.css", "css/report_print.css")
KEEP = 3600


class Unavailable(Exception):
    """The text tells the operator what is missing."""


def render(context: dict, *, key: str) -> bytes:
    """PDF of a report; `key` names what it shows, so that the same report is drawn once."""
    name = f"quality.pdf/1:{key}:{translation.get_language()}"
    body = kept.get(name)
    if body is None:
        body = _drawn(context)
        kept.set(name, body, KEEP)
    return body


def _drawn(context: dict) -> bytes:
    weasyprint = require()
    html = render_to_string("quality/report_pdf.html", context | {"on_paper": True})
    sheets = [weasyprint.CSS(string=_sheet(name), url_fetcher=refuse) for name in SHEETS]
    return weasyprint.HTML(string=html, base_url=None, url_fetcher=refuse).write_pdf(stylesheets=sheets)


def _sheet(name: str) -> str:
    path = finders.find(name)
    if path is None:
        raise Unavailable(_("样式文件 %(name)s 不在，不能生成 PDF。") % {"name": name})
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def refuse(url: str, *_more, **_named):
    """A report brings everything with it: whatever a listing names, nothing is fetched."""
    raise ValueError(f"not fetched: {url[:60]}")


def require():
    """The weasyprint module; Unavailable with one sentence where it cannot work here."""
    reason = lacking()
    if reason:
        raise Unavailable(reason)
    try:
        import weasyprint
    except OSError as error:  # pango is loaded as a shared library
        logger.warning("WeasyPrint cannot load pango: %s", str(error).splitlines()[0][:200])
        raise Unavailable(no_pango()) from error
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it tells of every rule of a sheet that paper has no use for
    return weasyprint


def no_pango() -> str:
    return _("系统缺少 pango 库，不能生成 PDF（Debian：libpangoft2-1.0-0）；网页可以直接打印。")


@cache
def _missing() -> str:
    """weasyprint, pango, font or "": looked for without loading anything, since every report page asks."""
    if find_spec("weasyprint") is None:
        return "weasyprint"
    if not (find_library("pango-1.0") and find_library("pangoft2-1.0")):
        return "pango"
    tool = shutil.which("fc-list")
    if tool and not subprocess.run([tool, ":lang=zh"], capture_output=True, timeout=20, check=False).stdout.strip():
        return "font"
    return ""


def lacking() -> str:
    """What is missing on this machine, in the reader's language; "" where PDF works."""
    return {
        "": "",
        "weasyprint": _("没有安装 WeasyPrint，不能生成 PDF；网页可以直接打印。"),
        "pango": no_pango(),
        "font": _("系统没有中文字体，不能生成 PDF（Debian：fonts-noto-cjk）；网页可以直接打印。"),
    }[_missing()]
