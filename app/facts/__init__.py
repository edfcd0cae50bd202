"""Facts: values of the core as frozen facts, charts, sentences. Uses engine, lesson, charts, markup, look, state and the core."""
