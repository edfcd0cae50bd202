"""State: every key of session and address, once. Uses the core."""

from .checks import *  # noqa: F403
from .keys import *  # noqa: F403
