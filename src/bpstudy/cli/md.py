"""`bpstudy md`."""

import math
from pathlib import Path
from typing import Annotated, Literal

import typer

from bpstudy.cli.messages import fail


def md(
    models: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL...",
            help="folder of a fit: results/training/<experiment>/seed-<n>; several folders are averaged",
        ),
    ],
    structure: Annotated[Path, typer.Argument(help="structure, any format of ASE; the last frame is used")],
    nve: Annotated[bool, typer.Option("--nve", help="run at constant energy")] = False,
    nvt: Annotated[bool, typer.Option("--nvt", help="run in a heat bath (Langevin)")] = False,
    npt: Annotated[
        float | None, typer.Option("--npt", help="run at this pressure, GPa, in a bath; the cell keeps its shape")
    ] = None,
    steps: Annotated[int, typer.Option(help="number of time steps")] = 1000,
    timestep: Annotated[float, typer.Option(help="time step, fs")] = 1.0,
    temperature: Annotated[
        float, typer.Option(help="temperature of the bath and of newly drawn velocities, K")
    ] = 300.0,
    friction: Annotated[float | None, typer.Option(help="friction of the bath of --nvt, 1/fs; default: 0.01")] = None,
    repeat: Annotated[int, typer.Option(help="repetitions of the cell along each axis", min=1)] = 1,
    every: Annotated[int, typer.Option(help="steps between two frames that are written")] = 10,
    seed: Annotated[int, typer.Option(help="random seed of velocities and bath", min=0)] = 0,
    threads: Annotated[int, typer.Option(help="number of threads; results do not depend on it", min=1)] = 1,
    stop: Annotated[bool, typer.Option("--stop", help="stop at the first atom outside the training domain")] = False,
    velocities: Annotated[
        str | None,
        typer.Option(
            help="unit of the file's velocities where it has no momenta: A/fs, A/ps or ase; draw: ignore them"
        ),
    ] = None,
    stop_at_uncertainty: Annotated[
        float | None,
        typer.Option(help="stop at this uncertainty of the force on an atom, eV/Å; needs several folders"),
    ] = None,
    collect: Annotated[
        int,
        typer.Option(help="number of frames to write, those with the largest disagreement, for the next DFT", min=0),
    ] = 0,
    calibration: Annotated[
        Path | None,
        typer.Option(help="calibration.json of the study, which turns uncertainties into half-widths of intervals"),
    ] = None,
    output: Annotated[
        Path, typer.Option(help="trajectory to write: .traj, .xyz or .extxyz; energies go to a .csv beside it")
    ] = Path("md.traj"),
) -> None:
    """Run molecular dynamics with a fitted network, or with the mean of several, watching their disagreement."""
    from bpstudy.potential.candidates import Candidates, candidates_of
    from bpstudy.potential.md import Run, drift, run_to_file, supercell
    from bpstudy.potential.outputs import check_output, table_of
    from bpstudy.potential.velocities import read_structure, take_velocities

    try:
        if nve + nvt + (npt is not None) != 1:
            raise ValueError("--nve, --nvt or --npt PRESSURE: choose one")
        if friction is not None and not nvt:
            raise ValueError(f"--friction {friction:g}: applies only to the bath of --nvt; use --nvt, or leave it out")
        bath = (0.01 if friction is None else friction) if nvt else None
        settings = Run(steps, timestep, temperature, bath, every, seed, npt)
        wanted = collect or stop_at_uncertainty is not None or calibration is not None
        if len(models) < 2 and wanted:
            raise ValueError(
                "--stop-at-uncertainty, --collect and --calibration need a committee: give two or more folders"
            )
        if stop_at_uncertainty is not None and not 0 < stop_at_uncertainty < math.inf:
            raise ValueError(f"--stop-at-uncertainty {stop_at_uncertainty:g}: it is in eV/Å and must be above 0")
        inputs = [structure, *(file for model in models for file in model.glob("*"))]
        candidates = candidates_of(output)
        check_output(output, inputs + ([calibration] if calibration else []), [candidates] if collect else [])
        atoms = read_structure(structure)
        started = take_velocities(atoms, velocities)
        if repeat > 1:
            atoms, started = supercell(atoms, (repeat, repeat, repeat)), "drawn, since copies would move in phase"
        from bpstudy.potential.calculator import Potential  # seconds, after all that may be wrong at once
        from bpstudy.potential.committee import Calibration, Committee, UncertaintyError

        mode: Literal["stop", "warn"] = "stop" if stop else "warn"
        potential: Potential | Committee
        watch = None
        if len(models) > 1:
            known = None if calibration is None else Calibration.read(calibration)
            limit = stop_at_uncertainty or math.inf
            potential = Committee(models, known, limit, on_extrapolation=mode, threads=threads)
            watch = Candidates(potential, collect)
        else:
            potential = Potential(models[0], mode, threads=threads)
        drawn = started.startswith("drawn")
        print(f"velocities: {started}{f' ({temperature:g} K, seed {seed})' if drawn else ''}")
        try:
            table = run_to_file(atoms, potential, settings, output, watch.offer if watch else None)
        except UncertaintyError:
            assert watch is not None
            watch.offer_refused()
            raise
        finally:
            if watch is not None and watch.frames:
                watch.write(candidates)
                print(f"written: {candidates}, {len(watch.frames)} candidates for the next DFT")
    except (OSError, ValueError) as error:
        fail(error)
    speed = len(atoms) * steps / table["seconds"].iloc[-1]
    print(f"{len(atoms)} atoms, {steps} steps of {timestep:g} fs, {speed:.3g} atom steps per second")
    print(
        f"temperature {table['temperature_kelvin'].mean():.0f} K, "
        f"{potential.extrapolations} structures outside the training domain"
    )
    if npt is not None:
        print(f"volume {table['volume_angstrom3'].mean() / len(atoms):.4g} Å³ per atom")
    if watch is not None:
        print(
            f"largest uncertainty of a force: {watch.largest:.3g} eV/Å{'' if calibration else ' (standard deviation)'}"
        )
    if nve:
        slope, scatter = drift(table, len(atoms))
        print(f"total energy: drift {slope:.2g} meV/atom/ps, {scatter:.2g} meV/atom RMS about it")
    print(f"written: {output}, {table_of(output)}")
