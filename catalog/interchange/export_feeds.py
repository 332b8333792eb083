"""News for readers and crawlers: the Atom feed of what was listed last, and the site map."""

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings

from catalog.interchange.published import base_url, published_rows

FEED_LENGTH = 50
SITEMAP_LENGTH = 45_000  # the protocol allows 50,000 addresses a file
PAGES = ("/", "/datasets/", "/map/", "/statistics/", "/organizations/", "/quality/", "/developers/")


def held(text: str) -> str:
    """What of it XML 1.0 can hold."""
    return "".join(char for char in text if char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff")


def clean(text: str) -> str:
    """Escaped, without what XML 1.0 cannot hold."""
    return escape(held(text))


def atom_feed() -> bytes:
    """The newest listings. An entry's `updated` is the record's; important data are named without summary."""
    rows = list(published_rows().select_related("organization").latest_first()[:FEED_LENGTH])
    return _atom(rows, title=settings.PORTAL_NAME, path="/feed.atom", page="/datasets/")


def search_feed(pks: list[int], *, title: str, path: str, page: str) -> bytes:
    """The public datasets with these keys, in their order, as a feed of its own."""
    found = {row.pk: row for row in published_rows().select_related("organization").filter(pk__in=pks)}
    return _atom([found[pk] for pk in pks if pk in found], title=f"{title} · {settings.PORTAL_NAME}", path=path, page=page)


def _atom(rows: list, *, title: str, path: str, page: str) -> bytes:
    updated = max((row.updated_at for row in rows), default=None)
    home = base_url()
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-Hans">',
        f"<id>{clean(home + path)}</id><title>{clean(title)}</title>",
        f"<updated>{updated.isoformat() if updated else '1970-01-01T00:00:00Z'}</updated>",
        f'<link rel="self" type="application/atom+xml" href={quoteattr(home + path)}/><link href={quoteattr(home + page)}/>',
    ]
    parts += [atom_entry(row, home) for row in rows]
    return "\n".join([*parts, "</feed>\n"]).encode()


def atom_entry(row, home) -> str:
    summary = f"<summary>{clean(row.summary)}</summary>" if row.summary and row.security_level == "general" else ""
    published = f"<published>{row.listed_at.isoformat()}</published>" if row.listed_at else ""
    return (
        f"<entry><id>urn:uuid:{row.uid}</id><title>{clean(row.title)}</title><link href={quoteattr(home + row.get_absolute_url())}/>"
        f"<updated>{row.updated_at.isoformat()}</updated>{published}<author><name>{clean(row.organization.name)}</name></author>{summary}</entry>"
    )


def sitemap(page: int | None = None) -> Iterator[bytes]:
    """One file up to 45,000 datasets, beyond that an index of such files."""
    head, home = '<?xml version="1.0" encoding="utf-8"?>\n', base_url()
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    count = published_rows().count()
    if page is None and count > SITEMAP_LENGTH:
        yield f"{head}<sitemapindex {space}>\n".encode()
        for number in range(1, -(-count // SITEMAP_LENGTH) + 1):
            yield f"<sitemap><loc>{home}/sitemap.xml?page={number}</loc></sitemap>\n".encode()
        yield b"</sitemapindex>\n"
        return
    start = ((page or 1) - 1) * SITEMAP_LENGTH
    yield f"{head}<urlset {space}>\n".encode()
    for path in PAGES if start == 0 else ():
        yield f"<url><loc>{home}{path}</loc></url>\n".encode()
    rows = published_rows().order_by("pk").values_list("uid", "updated_at")[start : start + SITEMAP_LENGTH]
    for uid, updated in rows.iterator(chunk_size=2000):
        yield f"<url><loc>{home}/datasets/{uid}/</loc><lastmod>{updated.date().isoformat()}</lastmod></url>\n".encode()
    yield b"</urlset>\n"
