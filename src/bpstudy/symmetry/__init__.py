"""Behler-Parrinello symmetry functions, exact and fast, with all periodic images."""

from bpstudy.symmetry.functions import G1, G2, G3, G4, G5, SymmetryFunction
from bpstudy.symmetry.grids import grid
from bpstudy.symmetry.imports import from_dscribe, from_n2p2
from bpstudy.symmetry.neighbors import Neighbors
from bpstudy.symmetry.sets import SymmetryFunctions, compute_frames
from bpstudy.symmetry.skin import NeighborList

__all__ = [
    "G1",
    "G2",
    "G3",
    "G4",
    "G5",
    "NeighborList",
    "Neighbors",
    "SymmetryFunction",
    "SymmetryFunctions",
    "compute_frames",
    "from_dscribe",
    "from_n2p2",
    "grid",
]
