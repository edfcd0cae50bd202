"""Pretrain: the built-in checkpoints and their cards, by one command, resumable, the same weights from the same seed.
Uses experiments, tasks, models, families, data and support.

    python -m multiflow_core.pretrain flatland-blip --work /tmp/flatland-blip --out assets/flatland-blip

Because the world is symbolic, the first steps teach the vision encoder alone what each patch shows (kind, colour, size, and
the setting at the class token) through linear heads that are thrown away afterwards; on two processor cores this replaces
most of the hours that captions alone would need. Then the objectives of the model's own paper join.
"""
