"""How the elastic constants of bcc Li depend on k-points and smearing: `python -m benchmarks.strained_kpoints`.

Meshes are those of the conventional cell of two atoms; a cell of 2 × 2 × 2 of them has half as many points along each
axis. Central differences of the stress (ASE's sign: negative under pressure), Fermi-Dirac smearing.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from ase import units
from ase.build import bulk
from gpaw import GPAW, PW, FermiDirac

STRAIN = 0.02
LATTICE_CONSTANT_ANGSTROM, CUTOFF_EV = 3.49, 150  # those of the study's Li
CASES = [(0.1, 6), (0.1, 8), (0.1, 12), (0.1, 16), (0.2, 8), (0.2, 12), (0.2, 14), (0.3, 8), (0.3, 10), (0.3, 12)]
TABLE = Path(__file__).with_suffix(".md")


def stress_gpa(deformation: np.ndarray, smearing_ev: float, points: int) -> np.ndarray:
    """The six components of a strained cell in Voigt's order."""
    atoms = bulk("Li", "bcc", a=LATTICE_CONSTANT_ANGSTROM, cubic=True)
    atoms.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
    atoms.calc = GPAW(
        mode=PW(CUTOFF_EV),
        xc="PBE",
        kpts=(points, points, points),  # Monkhorst and Pack's: Γ is among them where `points` is odd
        occupations=FermiDirac(smearing_ev),
        convergence={"energy": 1e-4, "density": 1e-5, "eigenstates": 1e-8},
        txt=None,
    )
    return np.asarray(atoms.get_stress()) / units.GPa


def elastic_constants_gpa(smearing_ev: float, points: int) -> dict[str, float]:
    """Pressure of the ideal cell, C11, C12, C44."""
    ideal = stress_gpa(np.eye(3), smearing_ev, points)
    long, short = (stress_gpa(np.diag([1 + e, 1, 1]), smearing_ev, points) for e in (STRAIN, -STRAIN))
    shear = np.eye(3)
    shear[[1, 2], [2, 1]] = STRAIN / 2
    sheared = stress_gpa(shear, smearing_ev, points)
    uniaxial = (long - short) / (2 * STRAIN)
    return {
        "pressure, GPa": -ideal[:3].mean(),
        "C11, GPa": uniaxial[0],
        "C12, GPa": uniaxial[1:3].mean(),
        "C44, GPa": sheared[3] / STRAIN,
    }


if __name__ == "__main__":
    rows = [{"smearing, eV": s, "points an axis": n} | elastic_constants_gpa(s, n) for s, n in CASES]
    table = pd.DataFrame(rows)
    TABLE.write_text(
        f"# k-points and smearing of strained lithium\n\nWritten by `python -m benchmarks.strained_kpoints`: bcc Li, "
        f"{LATTICE_CONSTANT_ANGSTROM} Å, PBE, {CUTOFF_EV} eV, meshes of the conventional cell. The cells of "
        "`li-strained` have 0.3 eV and about 8 points.\n\n" + table.to_markdown(index=False, floatfmt=".2f") + "\n"
    )
