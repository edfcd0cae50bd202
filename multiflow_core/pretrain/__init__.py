"""Pretrain: the built-in checkpoints and their cards, by one command, resumable, the same weights from the same seed.
Uses experiments, tasks, pruning, models, families, weights, data and support.

    python -m multiflow_core.pretrain flatland-blip --work /tmp/flatland-blip --out assets/flatland-blip

Vision and text are pre-trained apart, on pictures alone and on sentences alone, with the spreads and decays published for each,
and then together, as published models are. Because the world is symbolic, pictures need no captions to teach what they show,
and every text can be judged on every picture. A run ends by validation; `--finish` lets it fade out from where it stands.
"""
