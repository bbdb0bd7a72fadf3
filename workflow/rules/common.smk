# Rules marked `localrule: True` take seconds: on a cluster they run beside Snakemake, so they ask for no memory or time.
import os
import re

from bpstudy.dynamics.archive import STRAINED as STRAINED_SUFFIXES, SUFFIXES
from bpstudy.config.datasets import Imported
from bpstudy.config.systems import Simulated
from bpstudy.running.imports import modules_behind

SIMULATED = [name for name, system in STUDY.used_systems.items() if isinstance(system, Simulated)]
IMPORTED = [name for name, system in STUDY.used_systems.items() if isinstance(system, Imported)]


def one_of(names):
    """Regular expression of a wildcard that takes these values only."""
    return "|".join(map(re.escape, names)) or "(?!)"


def code(*modules):
    """Source files of these modules and of all they import: a change in one makes the results stale."""
    return [os.path.relpath(path) for path in modules_behind(*modules)]


def growing(amount):
    """A resource that a job gets again as much of at each new attempt."""
    return lambda wildcards, attempt: amount * attempt


def trajectory(system):
    return f"results/dynamics/{system}/trajectory.traj"


def thermo(system):
    return f"results/dynamics/{system}/thermo.csv"


def chunk_files(wildcards):
    """The chunks of a simulated system, in order."""
    chunks = range(STUDY.systems[wildcards.system].chunks)
    return [f"results/dynamics/{wildcards.system}/chunks/{n:04d}.traj" for n in chunks]


def archived_files(wildcards):
    """What the archive holds of the system's chunks."""
    chunks = range(STUDY.systems[wildcards.system].chunks)
    return [f"{STUDY.archive}/{wildcards.system}/{n:04d}{suffix}" for n in chunks for suffix in SUFFIXES]


def is_archived(w):
    return bool(STUDY.archive) and w.system in STUDY.used_systems


def strained_files(w):
    """Chunks of strained cells: archived, or computed here."""
    chunks = range(STUDY.systems[w.system].chunks)
    if is_archived(w):
        return [f"{STUDY.archive}/{w.system}/{n:04d}{suffix}" for n in chunks for suffix in STRAINED_SUFFIXES]
    return [f"results/dynamics/{w.system}/chunks/{n:04d}.traj" for n in chunks]


def state_before(wildcards):
    n = int(wildcards.chunk)
    return [f"results/dynamics/{wildcards.system}/chunks/{n - 1:04d}.state.json"] if n else []


# Choices of the same frames share their files: of a data set all those of its training part, for example.
SHARED = {
    name: next(first for first, of in STUDY.frames.items() if of == frames) for name, frames in STUDY.frames.items()
}


def block_file(frames, block):
    """Where a block of symmetry functions of a choice of frames lies."""
    frames = SHARED[frames]
    return f"results/descriptors/{STUDY.frames[frames].system}/{frames}/{block.folder}/{block.slug}.npy"


def block_files(frames, experiment):
    return [block_file(frames, block) for block in STUDY.experiments[experiment].functions]


def sets_of_blocks(experiment):
    """The blocks of each of the experiment's sets of frames."""
    return [block_files(frames, experiment) for frames in STUDY.experiments[experiment].sets.values()]


def of_each_seed(file):
    """`file` of each seed of the wildcard's experiment."""
    return expand("results/training/{{experiment}}/seed-{s}/{f}", s=STUDY.seeds, f=file)


def runs(experiment, file):
    """`file` of each seed of an experiment."""
    return expand("results/training/{e}/seed-{s}/{f}", e=experiment, s=STUDY.seeds, f=file)


def figure_files(name):
    return expand("results/figures/{n}.{f}", n=name, f=STUDY.figures.formats)


CAPTIONS = {}  # of the figures drawn, by name


def drawn(name, caption, category, each_of=None):
    """Output files of a figure, or of `each_of` these as the wildcard in `name`; the report shows the first format."""
    files = figure_files(name)
    CAPTIONS.update(dict.fromkeys([name] if each_of is None else each_of, f"workflow/report/{caption}.rst"))
    files[0] = report(files[0], caption=f"../report/{caption}.rst", category=category)
    return files


def given_energies(frames):
    """Energies of the atoms that the user gave for the system of these frames; None: by least squares."""
    return getattr(STUDY.systems[STUDY.frames[frames].system], "atomic_energies_ev", None)


def runs_beside(w):
    """Settings of the dynamics with a network that this system is the reference of; none of another."""
    runs = STUDY.with_forces and STUDY.with_forces.runs
    return runs.model_dump() if runs and runs.reference == w.system else None


def shown_in(w):
    """The experiment of a figure of sums."""
    return STUDY.experiments[STUDY.figures.sums[w.figure].experiment]


def held_out_of_the_run(experiment):
    """Its held-out frames that share the time axis of those it is trained on."""
    chosen = STUDY.experiments[experiment]
    return [name for name in chosen.held_out if STUDY.frames[name].system == STUDY.frames[chosen.frames].system]


def dft_properties(file):
    """A table of the crystal's properties by DFT: archived, or computed here."""
    return f"{STUDY.properties.reference or 'results/properties/dft'}/{file}"


# None: no experiment looks at forces.
WITH_FORCES = STUDY.with_forces

DRAWING = {"width_cm": STUDY.figures.width_cm, "dpi": STUDY.figures.dpi}
