"""How a request reaches a peer: HTTP through the one guarded client, or straight into a function in tests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from catalog.outgoing import OutgoingFailed, OutgoingRefused, fetch
from federation.protocol import MAX_PAGE_BYTES

TIMEOUT, IDLE = 60.0, 15.0  # seconds for the whole exchange, and of silence within it


class TransportError(Exception):
    """The peer could not be reached or may not be; the text is for the run's record."""


@dataclass(frozen=True)
class Answer:
    """`headers` has lower-case names; `content` is as received, its Content-Encoding not undone."""

    status: int
    headers: dict[str, str]
    content: bytes


class Transport(Protocol):
    def send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer: ...


class HttpTransport:
    """No redirects: a peer that moved is enrolled anew. Bodies stay coded as they came: the content digest is of those bytes."""

    def send(self, method, url, headers, body):
        headers = {"Accept-Encoding": "identity"} | headers
        try:
            answer = fetch(
                method,
                url,
                headers=headers,
                body=body or None,
                timeout=TIMEOUT,
                idle=IDLE,
                max_bytes=MAX_PAGE_BYTES,
                allow_redirects=False,
                decode=False,
            )
        except (OutgoingRefused, OutgoingFailed) as error:
            raise TransportError(str(error)) from error
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.itermerged()}, answer.content)


class LoopbackTransport:
    """Hands the request to a function, as if it were the peer."""

    def __init__(self, handler: Callable[[str, str, dict, bytes], Answer]):
        self.handler = handler

    def send(self, method, url, headers, body):
        return self.handler(method, url, {name.lower(): value for name, value in headers.items()}, body)


_transport: Transport = HttpTransport()


def get_transport() -> Transport:
    return _transport


def use_transport(transport: Transport) -> Transport:
    """Put another transport in place; returns the one before (tests)."""
    global _transport
    before, _transport = _transport, transport
    return before
