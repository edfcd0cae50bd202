"""Parts: the pieces with Streamlit that pages are put together from. Uses facts, engine, lesson, charts, html, look, state and
the core.
"""
