"""The configuration: one definition of every key, its unit, its limits and its allowed combinations.

One module per stage, so that a new key of one stage does not invalidate the results of another; `study` combines them.
"""
