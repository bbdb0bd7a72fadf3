"""The configuration: one definition of every key, its unit, its limits and what it may be combined with.

A module a stage, so that a new key of one stage does not make the results of another stale; `study` holds the whole.
"""
