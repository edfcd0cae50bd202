"""What comes between the server and the world: who may call it by which name, and what browsers are told about its pages.

Plain ASGI, so that requests and WebSockets go through the same door.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from .permits import Permits

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]

PRIVATE = ("/_stcore/metrics",)  # what the server says about itself
HEADERS: dict[str, str] = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # nothing from elsewhere, whatever a name or a text on a page may say; Streamlit's own scripts are inline and blobs
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; connect-src 'self' data: blob:; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
}


class Guard:
    """Middleware: foreign names and origins are turned away, private paths are not there, every answer has `HEADERS`."""

    def __init__(self, app: App, permits: Permits):
        self._app, self._permits = app, permits

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not allowed(given.get("host", ""), given.get("origin"), self._permits):
            await _refuse(scope, send, 421, "This server does not go by that name.")
        elif any(scope["path"].rstrip("/").endswith(path) for path in PRIVATE) and not self._permits.metrics:
            await _refuse(scope, send, 404, "Not Found")
        else:
            await self._app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)


def allowed(host: str, origin: str | None, permits: Permits) -> bool:
    """Whether a request may come in: by a name that is this server's, and from a page of this server.

    A name that somebody made point here (DNS rebinding) is none of them; a bare address cannot be made to.

    >>> open_to_all = Permits(address="0.0.0.0", hosts=("lab.example.org",))
    >>> allowed("lab.example.org:8501", "https://lab.example.org", open_to_all), allowed("evil.example", None, open_to_all)
    (True, False)
    >>> allowed("127.0.0.1:8501", "http://evil.example", open_to_all), allowed("192.168.1.5:8501", None, open_to_all)
    (False, True)
    """
    called = _hostname(f"//{host}")
    if not called or not _known(called, permits):
        return False
    return origin is None or _hostname(origin) in (called, *permits.hosts)


def _known(name: str, permits: Permits) -> bool:
    if name in ("localhost", *permits.hosts):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or not permits.local


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _with_headers(send: Send) -> Send:
    added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = {name.lower() for name, _ in added}
            message["headers"] = [pair for pair in message.get("headers", ()) if pair[0].lower() not in own] + added
        await send(message)

    return sending


async def _refuse(scope: Scope, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await _with_headers(send)({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
