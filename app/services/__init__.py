"""Where core and dashboard meet: caching, one worker for all heavy work, and the facts that pages show."""
