"""State: every key of session and address, once. Uses the core."""

from .keys import *  # noqa: F403
