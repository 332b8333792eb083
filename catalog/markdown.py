"""Markdown of people's descriptions as safe HTML. The only place that calls mark_safe on text from outside.

Raw HTML is off in the parser, and nh3 keeps only the tags below whatever the parser gave (SECURITY: stored XSS).
"""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {"p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h2", "h3", "h4", "h5", "h6"} | {
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}}
SCHEMES = {"http", "https", "mailto"}
LIMIT = 100_000  # characters rendered
_parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False}).enable(["table", "strikethrough"])


def render(text: str, top: int = 3) -> SafeString:
    """HTML whose highest heading is h`top`, whatever level the author began with, so that a page's outline holds."""
    tokens = _parser.parse((text or "")[:LIMIT])
    headings = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    levels = sorted({token.tag for token in headings})
    for token in headings:
        token.tag = f"h{min(6, top + levels.index(token.tag))}"
    html = _parser.renderer.render(tokens, _parser.options, {})
    clean = nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="nofollow noopener noreferrer")
    return mark_safe(clean)  # noqa: S308  cleaned in the line above
