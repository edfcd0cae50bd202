"""Engine: models, orders and pruned models, made once for all sessions. Uses state and the core; no Streamlit, no prose."""
