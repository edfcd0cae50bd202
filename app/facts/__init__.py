"""Facts: values of the core as frozen facts, charts and sentences. Uses engine, lesson, charts, markup, look, state and the core."""
