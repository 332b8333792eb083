"""Markdown of people's descriptions as safe HTML. The only place that calls mark_safe on text from outside.

Raw HTML is off in the parser, and nh3 keeps only the tags below whatever the parser gave (SECURITY: stored XSS).
"""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {"p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h3", "h4", "h5", "h6"} | {
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}}
SCHEMES = {"http", "https", "mailto"}
LIMIT = 100_000  # characters rendered
_parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False}).enable(["table", "strikethrough"])


def render(text: str) -> SafeString:
    """HTML with headings two levels down, so that the page keeps its one h1."""
    html = _parser.render((text or "")[:LIMIT])
    for level in (4, 3, 2, 1):
        html = html.replace(f"<h{level}>", f"<h{level + 2}>").replace(f"</h{level}>", f"</h{level + 2}>")
    clean = nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="nofollow noopener noreferrer")
    return mark_safe(clean)  # noqa: S308  cleaned in the line above
