"""What a fit to the cell of 27 atoms knows of a larger crystal: `python -m benchmarks.small_cell`.

Linear models of the functions and frames of `rich-forces`, by the strength of ridge's penalty: their error on another
run, and the lowest phonon frequencies at wave vectors that fit the cell and at others. Then the functions that atoms
displaced as far as in the training frames, but independently in a crystal of 216, change more than in those. Writes
`small_cell.md` beside this file.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from ase import Atoms
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms

from bpstudy.config.study import load
from bpstudy.config.systems import Simulated
from bpstudy.descriptors.blocks import block_functions
from bpstudy.dynamics.archive import read_system
from bpstudy.dynamics.crystals import build_crystal
from bpstudy.network.normalization import is_dead
from bpstudy.statistics.metrics import rms
from bpstudy.symmetry import SymmetryFunctions
from bpstudy.training.frames import frame_set
from bpstudy.training.ridge import STRENGTHS, _Problem

ROOT = Path(__file__).parents[1]
STUDY = load(yaml.safe_load((ROOT / "config.yaml").read_text()))
EXPERIMENT = STUDY.experiments["rich-forces"]
REPEAT = 6  # of the primitive cell, twice as often as in training
SHOWN = range(9, len(STRENGTHS), 3)
TESTED = 60  # frames
TABLE = Path(__file__).with_suffix(".md")


def frames_of(name: str, count: int) -> list[Atoms]:
    """Evenly `count` of a choice of the study."""
    choice = STUDY.frames[name]
    system = STUDY.systems[choice.system]
    assert isinstance(system, Simulated)
    known = read_system(ROOT / "resources/trajectories" / choice.system, system)
    numbers = np.array(choice.indices(len(known)))
    return [known[int(n)] for n in numbers[np.linspace(0, len(numbers) - 1, count).astype(int)]]


def lowest_frequencies(slopes: np.ndarray, functions: SymmetryFunctions, unit: Atoms) -> tuple[float, float]:
    """THz, imaginary ones negative, of E = Σ slopes · G: at the wave vectors of the training cell but Γ, and at the
    others of a crystal of `REPEAT` cells."""
    cell = PhonopyAtoms(unit.get_chemical_symbols(), cell=unit.cell.array, scaled_positions=unit.get_scaled_positions())
    phonons = Phonopy(cell, supercell_matrix=np.eye(3) * REPEAT, primitive_matrix=np.eye(3), log_level=0)
    phonons.generate_displacements(distance=0.05, is_plusminus=True)
    forces = []
    for moved in phonons.supercells_with_displacements or ():
        atoms = Atoms(moved.symbols, cell=moved.cell, scaled_positions=moved.scaled_positions, pbc=True)
        forces.append(functions.contract(atoms, np.tile(slopes, (len(atoms), 1)))[0])
    phonons.forces = np.array(forces)
    phonons.produce_force_constants()
    points = np.stack(np.meshgrid(*[np.arange(REPEAT)] * 3), axis=-1).reshape(-1, 3)[1:]  # without Γ
    lowest = phonons.run_qpoints(points / REPEAT).frequencies.min(axis=1)
    fits = (points % 2 == 0).all(axis=1)
    return float(lowest[fits].min()), float(lowest[~fits].min())


def spreads(functions: SymmetryFunctions, frames: Sequence[Atoms], values: np.ndarray, unit: Atoms) -> pd.DataFrame:
    """Standard deviation of each living function in training, and how many times as large it is in the crystal."""
    places = np.array([atoms.positions - atoms.positions.mean(axis=0) for atoms in frames])
    larger = unit.repeat(REPEAT)
    larger.rattle(rms(places - places.mean(axis=0)), seed=0)
    spread, living = values.std(axis=0), ~is_dead(values)
    ratio = functions.compute(larger).std(axis=0)[living] / spread[living]
    columns = {"function": np.array(functions.labels)[living], "in training": spread[living], "in the crystal": ratio}
    return pd.DataFrame(columns).sort_values("in the crystal", ascending=False)


def main() -> None:
    asked = EXPERIMENT.forces
    assert asked is not None
    blocks = [block_functions(block, ["Li"], STUDY.angular_tolerance).functions for block in EXPERIMENT.functions]
    functions = SymmetryFunctions([f for block in blocks for f in block], STUDY.angular_tolerance)
    frames = frames_of(EXPERIMENT.frames, asked.frames)
    known = frame_set(functions, frames, asked.components)
    tested = frame_set(functions, frames_of(STUDY.with_forces.held_out, TESTED))
    assert known.forces is not None
    assert tested.forces is not None
    system = STUDY.systems[STUDY.frames[EXPERIMENT.frames].system]
    unit = build_crystal(system.crystal.model_copy(update={"repeat": (1, 1, 1)}))
    values = known.features.rows["Li"].values
    problem, rows = _Problem(known.features, known.energies_ev, [(known.forces, asked.weight)]), []
    for number in SHOWN:
        model = problem.model(number)
        error = rms(model.forces(tested.forces) - tested.forces.targets)
        weight = np.abs(model.coefficients["Li"] * values.std(axis=0) / problem.energy_scale.spread_ev_per_atom).max()
        fits, other = lowest_frequencies(model.coefficients["Li"], functions, unit)
        rows.append((STRENGTHS[number], weight, 1000 * error, fits, other))
    names = ["strength", "largest weight", "forces, meV/Å", "lowest THz, fits the cell", "lowest THz, others"]
    penalties = pd.DataFrame(rows, columns=names)
    changed = spreads(functions, frames, values, unit).head(8)
    TABLE.write_text(
        "# What a cell of 27 atoms tells of a larger crystal\n\nWritten by `python -m benchmarks.small_cell`. Linear "
        "models of the functions and frames of `rich-forces`, by the strength of ridge's penalty: the largest weight "
        "(of standardised functions, in standard deviations of the energy per atom), the RMS error of the forces on "
        "another run, and the lowest phonon frequency (imaginary ones are negative) at wave vectors that fit the cell "
        f"and at the others of a crystal of {REPEAT**3} atoms.\n\n{penalties.to_markdown(index=False, floatfmt='.3g')}"
        "\n\nStandard deviation of functions in training, and how many times as large it is where the atoms of that "
        "crystal are displaced as far, but independently:\n\n"
        f"{changed.to_markdown(index=False, floatfmt='.3g')}\n"
    )


if __name__ == "__main__":
    main()
