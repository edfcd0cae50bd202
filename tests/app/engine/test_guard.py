"""The door before the server, without a server: who comes in, what is hidden, and what every answer says to the browser."""

import asyncio

import pytest

from app.engine.guard import HEADERS, Guard
from app.engine.permits import Permits

LOCAL, OPEN = Permits("127.0.0.1"), Permits("0.0.0.0", hosts=("lab.example.org",))
OWN = {name.lower() for name in HEADERS}


async def inside(scope, receive, send):
    """What lies behind the door."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        headers = [(b"content-type", b"text/html"), (b"x-frame-options", b"ALLOWALL")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"inside"})


def call(permits=LOCAL, host="127.0.0.1:8501", origin=None, path="/", kind="http") -> list[dict]:
    """What comes back."""
    given = {"host": host, "origin": origin}
    headers = [(name.encode(), value.encode()) for name, value in given.items() if value is not None]
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(Guard(inside, permits)({"type": kind, "path": path, "headers": headers}, None, send))
    return sent


@pytest.mark.parametrize(
    ("permits", "host", "origin", "comes_in"),
    [
        (LOCAL, "127.0.0.1:8501", None, True),
        (LOCAL, "127.0.0.1:8501", "http://127.0.0.1:8501", True),
        (LOCAL, "localhost", "http://localhost:8501", True),
        (LOCAL, "[::1]:8501", "http://[::1]:8501", True),
        (LOCAL, "LOCALHOST.:8501", None, True),
        (LOCAL, "evil.example", "http://evil.example", False),  # DNS rebinding
        (LOCAL, "127.0.0.1.evil.example", None, False),
        (LOCAL, "127.0.0.1@evil.example", None, False),
        (LOCAL, "192.168.1.5:8501", None, False),
        (LOCAL, "127.0.0.1:8501", "http://evil.example", False),
        (LOCAL, "127.0.0.1:8501", "null", False),
        (LOCAL, "127.0.0.1:8501", "", False),
        (LOCAL, None, None, False),
        (LOCAL, "[::1", None, False),
        (OPEN, "lab.example.org:443", "https://lab.example.org", True),
        (OPEN, "10.0.0.1:8501", "http://10.0.0.1:8501", True),
        (OPEN, "10.0.0.1:8501", "https://lab.example.org", True),  # a proxy in between calls by the address
        (OPEN, "lab.example.org", "https://evil.example", False),
        (OPEN, "evil.example", "https://lab.example.org", False),
        (OPEN, "xlab.example.org", None, False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_only_own_names_and_own_pages_come_in(permits, host, origin, comes_in, kind):
    first = call(permits, host, origin, kind=kind)[0]
    if kind == "http":
        assert first["status"] == (200 if comes_in else 421)
    else:
        assert first["type"] == ("websocket.accept" if comes_in else "websocket.close")
        assert comes_in or first["code"] == 1008


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/_stcore/metrics", "/nothing"])
def test_every_answer_carries_the_headers_once(host, path):
    start = call(host=host, path=path)[0]
    names = [name.decode() for name, _ in start["headers"]]
    assert set(names) >= OWN and len(names) == len(set(names))
    assert dict(start["headers"])[b"x-frame-options"] == b"DENY"
    policy = dict(start["headers"])[b"content-security-policy"].decode()
    assert "frame-ancestors 'none'" in policy and "http:" not in policy and "https:" not in policy and "*" not in policy


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "/base/_stcore/metrics"])
def test_what_the_server_says_about_itself_is_not_there(path):
    start, body = call(path=path)
    assert start["status"] == 404 and body["body"] == b"Not Found"
    assert call(Permits("127.0.0.1", metrics=True), path=path)[0]["status"] == 200


def test_what_is_neither_request_nor_socket_passes():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(Guard(app, LOCAL)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
