"""A way to a portal that fails as networks do: asyncio, in a thread of its own, one fault at a time for every request."""

import asyncio
import contextlib
import socket
import struct
import threading

RESET = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: close sends RST
REPLACED = {
    "500": (500, {"Content-Type": "text/plain"}, b"Internal Server Error"),
    "html": (200, {"Content-Type": "text/html"}, b"<!doctype html><html><body>maintenance</body></html>\n" * 20),
    "429": (429, {"Retry-After": "120"}, b""),
    "503": (503, {"Retry-After": "240"}, b""),
}


class FaultProxy:
    """`fault` names what happens to the next answers, `where` at which byte of the body.

    pass · cut (connection closed) · reset (RST) · drip (one byte a second) · idle (nothing after the headers) ·
    500, html, 429, 503 (another answer) · redirect (to `elsewhere`) · hole (no answer at all).
    `only` limits it to requests whose first line contains the text. `refuse()` and `accept()` close and open the door.
    """

    def __init__(self, upstream: tuple[str, int], elsewhere: str = ""):
        self.upstream, self.elsewhere = upstream, elsewhere
        self.fault, self.where, self.only, self.seen = "pass", 0, "", []
        self.loop, self.server, self.port = asyncio.new_event_loop(), None, 0
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.accept()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def accept(self) -> None:
        async def listen():
            self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self.server.sockets[0].getsockname()[1]

        self._run(listen())

    def refuse(self) -> None:
        async def shut():
            self.server.close()

        self._run(shut())

    def close(self) -> None:
        async def end():
            self.server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        with contextlib.suppress(Exception):
            self._run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def _serve(self, reader, writer) -> None:
        try:
            request = await self._message(reader, whole=False)
            first = request.split(b"\r\n", 1)[0].decode()
            self.seen.append(first)
            fault = self.fault if self.only in first else "pass"
            if fault == "hole":
                await asyncio.sleep(3600)
            answer = await self._answer(request, fault)
            await self._send(writer, answer, fault)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            with contextlib.suppress(OSError, RuntimeError):
                writer.close()

    async def _message(self, reader, whole: bool) -> bytes:
        """One HTTP message: headers, and as much body as they say (`whole`: up to the end of the connection)."""
        head = await reader.readuntil(b"\r\n\r\n")
        if whole:
            return head + await reader.read()
        length = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return head + (await reader.readexactly(int(length[0])) if length else b"")

    async def _answer(self, request: bytes, fault: str) -> bytes:
        if fault in REPLACED or fault == "redirect":
            status, headers, body = REPLACED.get(fault, (302, {"Location": self.elsewhere}, b""))
            lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in headers.items()), f"Content-Length: {len(body)}"]
            return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body
        reader, writer = await asyncio.open_connection(*self.upstream)
        try:
            writer.write(request.replace(b"Connection: keep-alive", b"Connection: close"))
            await writer.drain()
            return await self._message(reader, whole=True)
        finally:
            writer.close()

    async def _send(self, writer, answer: bytes, fault: str) -> None:
        start = answer.index(b"\r\n\r\n") + 4
        if fault == "drip":
            writer.write(answer[:start])
            for byte in answer[start:]:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1)
        elif fault == "idle":
            writer.write(answer[:start])
            await writer.drain()
            await asyncio.sleep(3600)
        elif fault in ("cut", "reset"):
            writer.write(answer[: start + (self.where or (len(answer) - start) // 2)])
            await writer.drain()
            if fault == "reset":
                await asyncio.sleep(0.05)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()
        else:
            writer.write(answer)
            await writer.drain()
