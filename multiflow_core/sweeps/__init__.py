"""Sweeps: files that say what is to be measured, cells that are measured once by whoever is there, and the table that they
give. Uses experiments, finetuning, tasks, pruning, models, weights, data and support.
"""
