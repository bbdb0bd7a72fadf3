"""Calculators of energies and forces: GPAW for the study, ASE's EMT for tests and trials."""

from pathlib import Path
from typing import Any, cast

from ase.calculators.calculator import Calculator, kptdensity2monkhorstpack
from ase.calculators.emt import EMT

from bpstudy.config.systems import Emt, Gpaw, Simulated, Strained
from bpstudy.dynamics.crystals import build_crystal
from bpstudy.dynamics.mpi import prepare_environment


def calculator_of(system: Simulated | Strained, crystal: int = 0) -> Gpaw | Emt:
    """The calculator's settings for cells of one of the system's crystals: strained ones all have the k-points of the
    ideal one, so that the energy does not jump where a strain changes their number."""
    calculator = system.calculator
    if isinstance(system, Simulated) or system.kpoint_density_angstrom is None or isinstance(calculator, Emt):
        return calculator
    ideal = build_crystal(system.crystals[crystal])
    mesh = kptdensity2monkhorstpack(ideal, system.kpoint_density_angstrom, even=False)
    return calculator.model_copy(update={"kpoints": tuple(int(n) for n in mesh)})


def make_calculator(settings: Gpaw | Emt, log: str | Path | None = None) -> Calculator:
    """An ASE calculator with energy, free energy and forces (eV, eV/Å).

    Args:
        settings: the system's calculator section.
        log: file for GPAW's own output; None discards it.
    """
    if isinstance(settings, Emt):
        return EMT()
    return _gpaw(settings, log)


def start_mpi(settings: Gpaw | Emt) -> None:
    """Start MPI if the calculator uses it; from then on `ase.parallel.world` is its communicator."""
    if isinstance(settings, Gpaw):
        prepare_environment()
        import gpaw.mpi  # noqa: F401  its import starts MPI


def _gpaw(settings: Gpaw, log: str | Path | None) -> Calculator:
    start_mpi(settings)
    from gpaw import PW, FermiDirac, Mixer

    from bpstudy.dynamics.fast_paw import FastGPAW

    _plan_ffts_reproducibly()
    convergence = settings.convergence
    optional: dict[str, Any] = {}
    if settings.bands is not None:
        optional["nbands"] = settings.bands
    if settings.mixer is not None:
        optional["mixer"] = Mixer(settings.mixer.beta, settings.mixer.history, settings.mixer.weight)
    calculator = FastGPAW(
        mode=PW(settings.cutoff_ev),
        xc=settings.functional,
        kpts=settings.kpoints,
        occupations=FermiDirac(settings.smearing_ev),
        convergence={
            "energy": convergence.energy_ev_per_electron,
            "density": convergence.density_electrons_per_electron,
            "eigenstates": convergence.eigenstates_ev2_per_electron,
        },
        symmetry={"point_group": False, "time_reversal": True},  # thermal motion breaks it; frame 0 must not differ
        txt=None if log is None else str(log),
        **optional,
    )
    return cast(Calculator, calculator)


def _plan_ffts_reproducibly() -> None:
    """Make FFTW choose its plans by rule and not by timing, so that equal runs give bitwise equal results.

    GPAW 25.7 requests MEASURE in both of its plan classes, whatever PW(fftwflags=...) says; both call this function.
    """
    from gpaw import cgpaw
    from gpaw.fftw import ESTIMATE

    measured = cgpaw.FFTWPlan
    if getattr(measured, "reproducible", False):
        return

    def planned(in_R, out_R, sign, flags):
        return measured(in_R, out_R, sign, ESTIMATE)

    planned.reproducible = True  # type: ignore[attr-defined]
    cgpaw.FFTWPlan = planned
