"""Finetuning: a model taught a task on a data set, with its mask locked. Uses tasks, models, weights, data and support.

Zeros stay zeros: a locked weight has no gradient, no momentum and no decay, however it is shared or tied.
"""
