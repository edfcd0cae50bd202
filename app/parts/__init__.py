"""Parts: the pieces with Streamlit that pages are put together from. Uses every room but the pages."""
