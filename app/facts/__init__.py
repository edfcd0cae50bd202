"""Facts: values of the core as frozen facts, charts and sentences. Uses engine, lesson, charts, html, look, state and the core."""
