"""Parts: the pieces with Streamlit that pages are put together from. Uses facts, engine, lesson, charts, markup, look, state and
the core.
"""
