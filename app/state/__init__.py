"""State: every key of session and address, once. Uses no other room."""

from .keys import *  # noqa: F403
