"""State: every key of session and address, once. Uses the core."""

from multiflow_core.experiments.run import OWN, SMALLER, TUNED, UNTAUGHT, Run  # noqa: F401

from .checks import *  # noqa: F403
from .keys import *  # noqa: F403
