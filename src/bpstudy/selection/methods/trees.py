"""Importance in gradient-boosted trees of the energy (Li et al., J. Chem. Theory Comput. (2024),
doi:10.1021/acs.jctc.4c01176).

The trees see functions per atom of a frame, ⟨G_f⟩, and energies per atom without those of the atoms: forces are no rows
for trees. The importance is the mean decrease of the squared error at the splits by a function.
"""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor

from bpstudy.selection.methods.base import Problem, method, subset
from bpstudy.symmetry import SymmetryFunctions


@method("trees", supervised=True)
def choose_by_trees(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """The largest importances; those never split by come last, in the order of the pool."""
    equations = problem.equations
    width = len(equations.elements)
    trees = GradientBoostingRegressor(n_estimators=200, max_depth=4, subsample=0.8, max_features=0.3, random_state=seed)
    trees.fit(equations.sums / equations.scale, equations.residual_energies())
    importance = trees.feature_importances_.reshape(-1, width).sum(axis=1)
    return subset(problem, np.argsort(-importance, kind="stable")[:n])
