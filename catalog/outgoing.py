"""The one guarded HTTP client: every request this portal sends goes through fetch().

The address is checked at connect time, on the very resolution that is then connected to, and again on every redirect.
https everywhere; http, and private addresses, only inside PORTAL_ALLOWED_PRIVATE_NETWORKS. Size and time are capped.
"""

import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from dataclasses import dataclass
from functools import cache
from urllib.parse import urljoin

import certifi
import urllib3
from django.conf import settings
from django.utils.translation import gettext as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

PUBLIC_PORTS = {443, 8443}
# Inside allowed private networks any web port goes, but not the ones where other services listen.
PRIVATE_PORTS_CLOSED = {2375, 2379, 3306, 5432, 5672, 6379, 6443, 9200, 9300, 10250, 11211, 27017}
TIMEOUT = 20.0  # seconds for the whole exchange, redirects included
CONNECT_TIMEOUT = 5.0
MAX_BYTES = 16 * 1024 * 1024  # of the body, after decompression
REDIRECTS = 5
CHUNK = 64 * 1024
OWN_HOST_ONLY = {"authorization", "cookie", "signature", "signature-input", "proxy-authorization"}

NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
NEVER = tuple(
    ipaddress.ip_network(net)
    for net in (
        *("0.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/3"),
        *("::/128", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
NUMBER_LIKE = re.compile(r"(0x[0-9a-f]*|[0-9]+)\.?", re.I)


class OutgoingRefused(Exception):
    """The request must not be made: address, scheme, port or form of the URL is not allowed. Nothing was sent there."""


class OutgoingFailed(Exception):
    """The other side could not be reached, broke off, took too long or sent too much."""


@dataclass(frozen=True)
class Answer:
    """`headers` is case-insensitive; `content` is decompressed unless fetch was told not to; `url` is where the last redirect led."""

    status: int
    headers: urllib3.HTTPHeaderDict
    content: bytes
    url: str


def get(url: str, **options) -> Answer:
    return fetch("GET", url, **options)


def post(url: str, body: bytes, **options) -> Answer:
    return fetch("POST", url, body=body, **options)


def fetch(
    method: str,
    url: str,
    *,
    headers: dict | None = None,
    body: bytes | None = None,
    timeout: float = TIMEOUT,
    idle: float | None = None,
    max_bytes: int = MAX_BYTES,
    allow_redirects: bool = True,
    decode: bool = True,
) -> Answer:
    """Send one request. OutgoingRefused when it may not be sent, OutgoingFailed when it did not work; 4xx and 5xx are answers.

    `timeout` is for the whole exchange, `idle` for each silence within it. decode=False gives the body as received, whatever its
    Content-Encoding; max_bytes then caps these bytes.
    """
    deadline = time.monotonic() + timeout
    headers = {"Accept-Encoding": "gzip", "User-Agent": "Jimu"} | (headers or {})
    for _hop in range(REDIRECTS + 1):
        answer = _exchange(method, url, headers, body, deadline, idle, max_bytes, decode)
        location = answer.headers.get("Location")
        if not (allow_redirects and location and answer.status in (301, 302, 303, 307, 308)):
            return answer
        target = urljoin(answer.url, location)
        if _origin(target) != _origin(url):
            headers = {name: value for name, value in headers.items() if name.lower() not in OWN_HOST_ONLY}
        if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
            method, body = "GET", None
        url = target
    raise OutgoingFailed(_("%(url)s：重定向超过 %(count)d 次。") % {"url": url, "count": REDIRECTS})


def _origin(url):
    parts = check_url(url)
    return parts.scheme, parts.host, parts.port


def check_url(url: str) -> urllib3.util.Url:
    """The parsed URL; OutgoingRefused for forms that readers of URLs disagree about, or schemes that are not web."""
    if not url.isprintable() or " " in url or "\\" in url:
        raise OutgoingRefused(_("地址含有空格、反斜线或控制字符。"))
    try:
        parts = urllib3.util.parse_url(url)
    except urllib3.exceptions.LocationParseError:
        raise OutgoingRefused(_("%(url)s 不是有效的网址。") % {"url": url[:200]}) from None
    if parts.scheme not in ("http", "https") or not parts.host:
        raise OutgoingRefused(_("只能访问 https 网址（或许可内网的 http 网址）：%(url)s") % {"url": url[:200]})
    if parts.auth:
        raise OutgoingRefused(_("网址里不能带用户名或口令。"))
    host = parts.host.strip("[]")
    last = host.rstrip(".").rsplit(".", 1)[-1]
    if NUMBER_LIKE.fullmatch(last) and not _is_address(host):  # 0177.1, 2130706433, 0x7f.1: resolvers read these as addresses
        raise OutgoingRefused(_("%(host)s 不是规范的地址写法。") % {"host": host[:80]})
    return parts


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def check_address(address: str, *, port: int, secure: bool) -> None:
    """OutgoingRefused unless this numeric address may be connected to on this port."""
    ip = ipaddress.ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if any(ip.version == net.version and ip in net for net in settings.PORTAL_ALLOWED_PRIVATE_NETWORKS):
        if port in PRIVATE_PORTS_CLOSED or (port < 1024 and port not in (80, 443)):
            raise OutgoingRefused(_("端口 %(port)d 不在许可之列。") % {"port": port})
        return
    if not all(_is_public(inner) for inner in (ip, *_embedded(ip))):
        raise OutgoingRefused(_("%(address)s 是内网或保留地址，不能访问（PORTAL_ALLOWED_PRIVATE_NETWORKS 中没有它）。") % {"address": address})
    if not secure:
        raise OutgoingRefused(_("公网地址只能用 https 访问。"))
    if port not in PUBLIC_PORTS:
        raise OutgoingRefused(_("端口 %(port)d 不在许可之列。") % {"port": port})


def _is_public(ip) -> bool:
    return ip.is_global and not ip.is_multicast and not any(ip.version == net.version and ip in net for net in NEVER)


def _embedded(ip) -> list:
    """IPv4 addresses inside an IPv6 one: 6to4, Teredo, NAT64, v4-compatible, ISATAP. A gateway would connect to them."""
    if ip.version == 4:
        return []
    found = [ip.sixtofour] if ip.sixtofour else []
    found += list(ip.teredo) if ip.teredo else []
    low = ipaddress.ip_address(int(ip) & 0xFFFFFFFF)
    if any(ip in net for net in NAT64) or int(ip) >> 32 == 0 or (int(ip) >> 32) & 0xFFFFFFFF in (0x5EFE, 0x02005EFE):
        found.append(low)
    return found


def _connect(connection, *, secure: bool) -> socket.socket:
    """Resolve once, refuse unless every address is allowed, and connect to one of exactly these."""
    host, port = connection.host.strip("[]").rstrip("."), connection.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutgoingFailed(_("找不到主机 %(host)s。") % {"host": host}) from error
    for *_rest, place in found:
        check_address(place[0], port=port, secure=secure)
    problem = None
    for family, kind, protocol, _name, place in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(CONNECT_TIMEOUT)
            sock.connect(place)
            sock.settimeout(connection.timeout)
            connection.watch = sock.dup()  # outlives the TLS wrapper, so that the deadline can end the exchange
            return sock
        except OSError as error:
            sock.close()
            problem = error
    raise OutgoingFailed(_("无法连接 %(host)s:%(port)d。") % {"host": host, "port": port}) from problem


class _Plain(HTTPConnection):
    watch = None

    def _new_conn(self):
        return _connect(self, secure=False)


class _Secure(HTTPSConnection):
    watch = None

    def _new_conn(self):
        return _connect(self, secure=True)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _exchange(method, url, headers, body, deadline, idle, max_bytes, decode) -> Answer:
    parts = check_url(url)
    left = deadline - time.monotonic()
    if left <= 0:
        raise OutgoingFailed(_("%(url)s：超时。") % {"url": url})
    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=min(left, idle or left))
    options = {"timeout": timeout, "retries": False, "maxsize": 1, "block": True}
    if parts.scheme == "https":
        pool = _SecurePool(parts.host, parts.port or 443, ssl_context=_tls(), **options)
    else:
        pool = _PlainPool(parts.host, parts.port or 80, **options)
    connection = pool._get_conn()
    pool._put_conn(connection)
    timer = threading.Timer(left, _end, [connection])
    timer.daemon = True
    timer.start()
    try:
        response = pool.urlopen(method, parts.request_uri, body=body, headers=headers, redirect=False, preload_content=False, decode_content=False)
        content = _read(response, deadline, max_bytes, decode)
        return Answer(response.status, response.headers, content, url)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise OutgoingFailed(_("%(url)s：%(error)s") % {"url": url, "error": _plainly(error)}) from error
    finally:
        timer.cancel()
        pool.close()
        if connection.watch:
            connection.watch.close()


def _end(connection):
    if connection.watch:
        try:
            connection.watch.shutdown(socket.SHUT_RDWR)
        except OSError:  # the exchange ended meanwhile
            return


def _plainly(error) -> str:
    if isinstance(error, (urllib3.exceptions.SSLError, ssl.SSLError)):
        return _("TLS 证书或加密连接有问题")
    if isinstance(error, (urllib3.exceptions.TimeoutError, TimeoutError)):
        return _("超时")
    return _("连接中断")


def _read(response, deadline, max_bytes, decode) -> bytes:
    """The whole body, inflated at most to max_bytes."""
    coding = (response.headers.get("Content-Encoding") or "identity").strip().lower() if decode else "identity"
    if coding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise OutgoingFailed(_("不认识的压缩方式 %(coding)s。") % {"coding": coding[:40]})
    inflate = zlib.decompressobj(47) if coding in ("gzip", "x-gzip", "deflate") else None
    parts, size = [], 0
    while chunk := response.read(CHUNK, decode_content=False):
        if inflate:
            chunk = _inflated(inflate, chunk, max_bytes - size)
        size += len(chunk)
        if size > max_bytes:
            raise OutgoingFailed(_("内容超过 %(limit)d 字节。") % {"limit": max_bytes})
        if time.monotonic() > deadline:
            raise OutgoingFailed(_("超时"))
        parts.append(chunk)
    if inflate and size and not inflate.eof:
        raise OutgoingFailed(_("压缩内容不完整。"))
    return b"".join(parts)


def _inflated(inflate, chunk, left) -> bytes:
    try:
        return inflate.decompress(chunk, left + 1)
    except zlib.error as error:
        raise OutgoingFailed(_("压缩内容损坏。")) from error
