"""Splits, errors, correlation times, bootstrap intervals, descriptor content: pure functions of arrays.

Import from the modules: each job then loads no more of SciPy than it needs.
"""
