"""The three tasks: predict with a VLM, score the predictions."""
