"""Methods of choosing functions; importing this package registers all of them by name."""

from bpstudy.selection.methods import (
    controls,
    forward,
    group_lasso,
    matter,
    pruning,
    second_order,
    trees,
)
from bpstudy.selection.methods.base import METHODS, SUPERVISED, Problem, Selector, choose

__all__ = [
    "METHODS",
    "SUPERVISED",
    "Problem",
    "Selector",
    "choose",
    "controls",
    "forward",
    "group_lasso",
    "matter",
    "pruning",
    "second_order",
    "trees",
]
