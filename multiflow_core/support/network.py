"""The network: whether somebody answers there, asked without waiting for long. Needs no torch."""

from __future__ import annotations

import ssl
import threading
import urllib.error
import urllib.request

PATIENCE = 1.5  # seconds for a server to answer at all


def reachable(url: str, seconds: float = PATIENCE) -> bool:
    """Whether anything answers at `url`; never blocks longer than `seconds`.

    A thread, because a name look-up has no time limit: without a name server it takes 20 s to fail.
    """
    answered = threading.Event()

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=seconds).close()
            answered.set()
        except urllib.error.HTTPError:
            answered.set()
        except OSError as error:
            # a certificate we do not trust is an answer too: huggingface_hub has its own list
            if isinstance(getattr(error, "reason", error), ssl.SSLError):
                answered.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()
