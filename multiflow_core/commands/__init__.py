"""Commands: what the command line can be told, one file and one registration each. Uses pretrain, experiments, tasks, pruning,
models, data and support.
"""
