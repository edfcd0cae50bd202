"""Commands: what the command line can be told, one file and one registration each. Uses sweeps, pretrain, experiments, analysis,
finetuning, tasks, pruning, models, weights, data and support.
"""
