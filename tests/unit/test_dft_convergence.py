"""Variants of the DFT's settings: differences whose truth is known, overlays, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from pydantic import ValidationError

from bpstudy.config.checks import DftConvergence, convergence_problems, overlaid
from bpstudy.config.systems import Emt, Gpaw, Simulated
from bpstudy.data.trajectory import snapshot
from bpstudy.dynamics.calculators import make_calculator
from bpstudy.dynamics.convergence import (
    ConvergenceError,
    compare,
    difference,
    evaluate,
    even_frames,
    forces,
    noise,
    seconds_per_frame,
)
from bpstudy.figures import style
from bpstudy.figures.dft_convergence import dft_convergence
from bpstudy.figures.tables import TableError

ROOT = Path(__file__).parents[2]
SETTINGS = DftConvergence(
    frames=5, reference="tight", converged="scf", variants={"study": {}, "scf": {"bands": 5}, "tight": {"bands": 9}}
)
GPAW = {
    "name": "gpaw",
    "functional": "LDA",
    "cutoff_ev": 150.0,
    "kpoints": [1, 1, 1],
    "smearing_ev": 0.2,
    "bands": 4,
    "convergence": {
        "energy_ev_per_electron": 1e-3,
        "density_electrons_per_electron": 1e-3,
        "eigenstates_ev2_per_electron": 1e-5,
    },
    "mixer": None,
}


def frames(count=5):
    rattled = []
    for seed in range(count):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.1, seed=seed)
        atoms.calc = EMT()
        atoms.get_forces()
        rattled.append(snapshot(atoms))
    return rattled


class Disturbed(EMT):
    """EMT with a constant and a noise of known size on the energy, and one on the forces."""

    def __init__(self, constant=0.0, energy=0.0, force=0.0, seed=0):
        super().__init__()
        self.sizes, self.rng = (constant, energy, force), np.random.default_rng(seed)

    def calculate(self, *arguments, **keywords):
        super().calculate(*arguments, **keywords)
        constant, energy, force = self.sizes
        for key in ("energy", "free_energy"):
            self.results[key] = self.results[key] + constant
        self.results["energy"] += energy * self.rng.normal()
        self.results["forces"] = self.results["forces"] + force * self.rng.normal(size=(4, 3))


def test_frames_are_taken_evenly_and_never_the_first():
    assert list(range(120))[even_frames(120, 12)] == list(range(5, 120, 10))
    for available in range(12, 60):
        taken = list(range(available))[even_frames(available, 12)]
        assert len(taken) == 12
        assert len(set(np.diff(taken))) == 1
    with pytest.raises(ValueError, match="13 frames are requested, the trajectory has 12"):
        even_frames(12, 13)


def test_what_the_frames_hold_equals_what_their_calculator_gives():
    held, computed = evaluate(frames()), evaluate(frames(), EMT())
    assert difference(held, computed) == pytest.approx((0, 0, 0), abs=1e-9)
    assert np.allclose(forces(held), [frame.get_forces() for frame in frames()])
    assert held["seconds"].isna().all()
    assert computed["seconds"].gt(0).all()


def test_a_table_survives_the_disk(tmp_path):
    table = evaluate(frames())
    table.to_csv(tmp_path / "variant.csv", index=False)
    again = pd.read_csv(tmp_path / "variant.csv")
    assert difference(table, again) == pytest.approx((0, 0, 0), abs=1e-9)


def test_constant_and_noise_are_told_apart():
    many = frames(60)
    constant, spread, force = difference(evaluate(many, Disturbed(0.4, 0.02, 0.005)), evaluate(many))
    assert constant == pytest.approx(100, abs=3)  # 0.4 eV over 4 atoms, in meV
    assert spread == pytest.approx(5, rel=0.25)
    assert force == pytest.approx(5, rel=0.1)


def test_a_constant_alone_is_no_error():
    assert difference(evaluate(frames(), Disturbed(1.0)), evaluate(frames())) == pytest.approx((250, 0, 0), abs=1e-9)


def test_the_first_frame_has_no_part_in_the_time():
    assert seconds_per_frame(pd.DataFrame({"seconds": [100.0, 1.0, 2.0, 9.0]})) == 2


def test_every_variant_stands_against_the_reference_and_the_study():
    kinds = {"study": Disturbed(0, 0.02, 0.01, 1), "scf": Disturbed(0.1), "tight": Disturbed(), "trajectory": None}
    tables = {name: evaluate(frames(), calculator) for name, calculator in kinds.items()}
    table = compare(tables, SETTINGS)
    assert table[["variant", "against"]].to_numpy().tolist() == [
        ["study", "tight"],
        ["scf", "tight"],
        ["trajectory", "tight"],
        ["scf", "study"],
        ["tight", "study"],
        ["trajectory", "study"],
        ["trajectory", "scf"],  # the noise floor
    ]
    expected = difference(tables["study"], tables["tight"])
    assert table.iloc[0, 4:].tolist() == pytest.approx(expected)
    assert table.loc[6, "energy_std_mev_per_atom"] == pytest.approx(0, abs=1e-9)
    assert table.loc[6, "constant_mev_per_atom"] == pytest.approx(-25)


class Failing(EMT):
    def __init__(self, at, value=None):
        super().__init__()
        self.left, self.value = at, value

    def calculate(self, *arguments, **keywords):
        super().calculate(*arguments, **keywords)
        self.left -= 1
        if self.left < 0:
            if self.value is None:
                raise RuntimeError("did not\nconverge")
            self.results["energy"] = self.value


@pytest.mark.parametrize(
    ("calculator", "said"),
    [
        (Failing(2), "frame 2: RuntimeError: did not converge"),
        (Failing(1, np.nan), "frame 1: energy or forces are not finite"),
    ],
)
def test_a_frame_that_fails_is_named(calculator, said):
    with pytest.raises(ConvergenceError, match=said):
        evaluate(frames(), calculator)


def test_other_frames_cannot_be_compared():
    table = evaluate(frames())
    with pytest.raises(ConvergenceError, match="4 frames are compared with 5"):
        difference(table[:4], table)
    with pytest.raises(ConvergenceError, match="study against tight: 4 frames are compared with 5"):
        compare({"study": table[:4], "scf": table, "tight": table, "trajectory": table}, SETTINGS)


# The configuration


def test_the_noise_floor_is_the_spread_about_the_converged_energies():
    held, converged = evaluate(frames(), Disturbed(0.1, 0.002, 0.01)), evaluate(frames(), EMT())
    table = noise({"li": held}, {"li": converged}, {"li": SETTINGS}).set_index("system")
    _, energy_std, forces_rms = difference(held, converged)
    assert table.loc["li", "energy_std_mev_per_atom"] == energy_std > 0
    assert table.loc["li", "forces_rms_mev_per_angstrom"] == forces_rms
    assert table.loc["li", "against"] == SETTINGS.converged


def test_an_overlay_changes_what_it_names_and_nothing_else():
    gpaw = Gpaw.model_validate(GPAW)
    changed = overlaid(
        gpaw, {"cutoff_ev": 300.0, "kpoints": [2, 2, 2], "convergence": {"energy_ev_per_electron": 1e-6}}
    )
    assert (changed.cutoff_ev, changed.kpoints) == (300.0, (2, 2, 2))
    assert changed.convergence.energy_ev_per_electron == 1e-6
    rest = {"cutoff_ev", "kpoints", "convergence"}
    assert changed.model_dump(exclude=rest) == gpaw.model_dump(exclude=rest)
    assert changed.convergence.density_electrons_per_electron == gpaw.convergence.density_electrons_per_electron
    assert overlaid(gpaw, {}) == gpaw
    with_mixer = overlaid(gpaw, {"mixer": {"beta": 0.1, "history": 5, "weight": 50.0}})
    assert overlaid(with_mixer, {"mixer": None}) == gpaw
    assert overlaid(Emt(name="emt"), {}) == Emt(name="emt")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reference": "best"}, "reference is 'best', not one of the variants; allowed: study, scf, tight"),
        ({"converged": "best"}, "converged is 'best'"),
        ({"variants": {"scf": {"bands": 1}, "tight": {"bands": 2}}}, r"one must be \{\}"),
        ({"variants": dict(SETTINGS.variants) | {"trajectory": {}}}, "'trajectory' is taken"),
        ({"variants": dict(SETTINGS.variants) | {"../x": {}}}, "a name may hold ASCII letters"),
        ({"frames": 2}, "greater than or equal to 3"),
    ],
)
def test_wrong_settings_are_refused(changes, said):
    with pytest.raises(ValidationError, match=said):
        DftConvergence.model_validate(SETTINGS.model_dump() | changes)


def test_wrong_variants_are_named():
    system = Simulated.model_validate(
        {
            "crystal": {
                "lattice": "bcc",
                "element": "Li",
                "lattice_constant_angstrom": 3.49,
                "cell": "cubic",
                "repeat": [1, 1, 1],
            },
            "calculator": GPAW,
            "dynamics": {"temperature_kelvin": 300.0, "timestep_fs": 1.0, "friction_per_fs": 0.01, "seed": 1},
            "steps": 3,
            "chunk_steps": 3,
        }
    )
    assert convergence_problems({"li": DftConvergence(**SETTINGS.model_dump() | {"frames": 4})}, {"li": system}) == []
    wrong = DftConvergence(**SETTINGS.model_dump() | {"variants": {**SETTINGS.variants, "x": {"cutof": 1.0}}})
    problems = convergence_problems({"li": wrong, "cu": SETTINGS}, {"li": system})
    assert problems[0] == "dft_convergence.li.frames: 5, li has 4 frames"
    assert problems[1].startswith("dft_convergence.li.variants.x.cutof: ")
    assert problems[2] == "dft_convergence.cu: not a simulated system; allowed: li"


# The figure


def table():
    noisy = {"study": (0, 0.02, 0.01), "scf": (0.1, 0.001, 0.002), "tight": (0, 0, 0), "trajectory": (0, 0.021, 0.011)}
    return compare({name: evaluate(frames(), Disturbed(*sizes)) for name, sizes in noisy.items()}, SETTINGS)


def test_the_figure_shows_every_variant_and_the_noise_floor(tmp_path):
    compared = table()
    figure = dft_convergence({"cu": compared}, {"cu": "study"})
    energy = figure.axes[0]
    assert [label.get_text() for label in energy.get_yticklabels()] == ["study", "scf", "trajectory", "tight"]
    reference = energy.collections[0].get_offsets()
    assert np.allclose(reference[:, 0], compared["energy_std_mev_per_atom"][:3])
    assert energy.lines[0].get_xdata()[0] == compared.iloc[-1]["energy_std_mev_per_atom"]
    assert "meV/atom" in energy.get_xlabel()
    for name in ("a.svg", "b.svg"):
        style.save(dft_convergence({"cu": compared}, {"cu": "study"}), [tmp_path / name])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.filterwarnings("error::RuntimeWarning", "error::UserWarning")
def test_variants_that_differ_in_nothing_are_no_fault(tmp_path):
    same = compare(dict.fromkeys([*SETTINGS.variants, "trajectory"], evaluate(frames())), SETTINGS)
    style.save(dft_convergence({"cu": same}, {"cu": "study"}), [tmp_path / "same.png"])


def test_a_figure_of_nothing_is_refused():
    with pytest.raises(TableError, match="no system is named"):
        dft_convergence({}, {})
    with pytest.raises(TableError, match=r"dft_convergence of cu: energy_std_mev_per_atom is nan"):
        dft_convergence({"cu": table().assign(energy_std_mev_per_atom=np.nan)}, {"cu": "study"})


# Real DFT


@pytest.mark.slow
@pytest.mark.gpaw
def test_a_variant_of_real_dft_differs_as_its_settings_do():
    rattled = []
    for seed in range(3):
        rattled.append(bulk("Li", "bcc", a=3.49, cubic=True))
        rattled[-1].rattle(0.05, seed=seed)
    gpaw = Gpaw.model_validate(GPAW)
    study = evaluate(rattled, make_calculator(gpaw))
    wider = evaluate(rattled, make_calculator(overlaid(gpaw, {"cutoff_ev": 250.0})))
    constant, spread, force = difference(wider, study)
    assert constant < -0.05  # more plane waves, less energy: the variational principle
    assert 0 < spread < abs(constant)
    assert 0 < force < 100
    assert study["free_ev"].lt(study["energy_ev"]).all()


@pytest.mark.parametrize("system", ["li27", "cu4"])
def test_the_archived_table_is_of_the_variants_of_the_configuration(system):
    settings = yaml.safe_load((ROOT / "config.yaml").read_text())["dft_convergence"][system]
    table = pd.read_csv(ROOT / "resources" / "dft_convergence" / f"{system}.csv")
    assert set(table["variant"]) == {*settings["variants"], "trajectory"}
    assert set(table["frames"]) == {settings["frames"]}
    noise = pd.read_csv(ROOT / "resources" / "dft_noise.csv").set_index("system").loc[system]
    floor = table.iloc[-1]
    assert (floor["variant"], floor["against"]) == ("trajectory", noise["against"])
    for column in ("energy_std_mev_per_atom", "forces_rms_mev_per_angstrom"):
        assert floor[column] == pytest.approx(noise[column], rel=1e-12)
