"""An ordered set of symmetry functions: values of a structure, and of many frames on several cores."""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np
from ase import Atoms

from bpstudy.symmetry import derivatives
from bpstudy.symmetry.angular import AngularGroup
from bpstudy.symmetry.functions import G4, G5, TYPES, AngularFunction, RadialFunction, SymmetryFunction, label
from bpstudy.symmetry.neighbors import Neighbors, neighbors
from bpstudy.symmetry.parallel import in_threads
from bpstudy.symmetry.radial import RadialBlock

DEFAULT_TOLERANCE = 1e-12


class SymmetryFunctions:
    """An ordered set of symmetry functions.

    `tolerance` bounds the error of the angular factor ((1 + λ cos θ)/2)^ζ ≤ 1 in every pair of neighbours, so that G4
    and G5 are exact to `tolerance` times the block's scale, 2 Σ fⱼfₖ. (G5 of integer ζ and the radial functions are
    exact to rounding.) Raises ValueError for an empty set, an object that is not a symmetry function, or a tolerance
    outside 1e-13 … 1e-3.
    """

    def __init__(self, functions: Iterable[SymmetryFunction], tolerance: float = DEFAULT_TOLERANCE) -> None:
        self.functions: tuple[SymmetryFunction, ...] = tuple(functions)
        self.tolerance = tolerance
        if not self.functions:
            raise ValueError("a set of symmetry functions needs at least one function")
        for function in self.functions:
            if type(function) not in TYPES.values():
                raise ValueError(f"{function!r} is not a symmetry function; allowed are {', '.join(TYPES)}")
        if not 1e-13 <= tolerance <= 1e-3:
            raise ValueError(f"tolerance = {tolerance!r} is not allowed; it must be between 1e-13 and 1e-3")
        radial: dict[int, RadialFunction] = {}
        groups: dict[tuple, dict[int, AngularFunction]] = {}
        for column, f in enumerate(self.functions):
            if isinstance(f, G4 | G5):
                groups.setdefault((type(f), f.eta, f.cutoff, f.species), {})[column] = f
            else:
                radial[column] = f
        self._angular = [AngularGroup.of(list(g), list(g.values()), tolerance) for g in groups.values()]
        self._blocks: list[tuple[np.ndarray, RadialBlock | AngularGroup]] = [(g.columns, g) for g in self._angular]
        if radial:
            self._blocks.insert(0, (np.array(list(radial)), RadialBlock.of(list(radial.values()))))

    def __len__(self) -> int:
        return len(self.functions)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SymmetryFunctions):
            return NotImplemented
        return (self.functions, self.tolerance) == (other.functions, other.tolerance)

    def __hash__(self) -> int:
        return hash((self.functions, self.tolerance))

    def __repr__(self) -> str:
        return f"SymmetryFunctions([{', '.join(self.labels)}])"

    @property
    def labels(self) -> list[str]:
        """A short name of each function, e.g. `G2(eta=0.5,rs=1,cutoff=8)`."""
        return [label(f) for f in self.functions]

    @property
    def cutoff(self) -> float:
        """The largest cutoff, Å."""
        return max(f.cutoff for f in self.functions)

    def neighbors(self, atoms: Atoms) -> Neighbors:
        """All that `compute` and `contract` need to know of a structure. Raises ValueError for an unusable one."""
        return neighbors(atoms, self.cutoff)

    def compute(self, atoms: Atoms, threads: int = 1, near: Neighbors | None = None) -> np.ndarray:
        """Values, float64 (n_atoms, n_functions), dimensionless; the same bits for any number of threads.

        Args:
            near: `neighbors` of the structure, where they are known.

        Raises:
            ValueError: an unusable structure.
        """
        near = near or self.neighbors(atoms)
        out = np.empty((len(near.start) - 1, len(self)))

        def fill(part: tuple[slice, slice, Neighbors]) -> None:
            own, _, around = part
            for columns, block in self._blocks:
                out[own, columns] = block.values(around)

        list(in_threads(threads, fill, near.parts(threads)))
        return out

    def compute_with_gradients(self, atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
        """Values (n_atoms, n_functions) and gradients dGᵢf/dRₐ, (n_atoms i, n_functions f, n_atoms a, 3), in 1/Å.

        All images of atom a move together, so cells smaller than the cutoff are right, and the sum over a is 0. The
        tensor is dense: for small cells (27 atoms, 50 functions: 0.9 MB). For forces use `contract`, which does not
        need it.
        """
        near, n = self.neighbors(atoms), len(atoms)
        centre, atom, d = self.pair_gradients(atoms, near)
        gradients = np.zeros((n, len(self), n, 3))
        gradients[centre, :, atom] = d.swapaxes(1, 2)
        return self.compute(atoms, near=near), gradients

    def pair_gradients(
        self, atoms: Atoms, near: Neighbors | None = None, moved: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Gradients of the pairs of atoms that see each other, in memory proportional to their number.

        Returns centre i and atom a (n_pairs,), sorted by centre, then atom, with a = i for each atom that has
        neighbours, and d (n_pairs, 3, n_functions) = dGᵢf/dRₐ in 1/Å. All images of atom a move together. The
        derivatives of all other pairs are 0. `near`: `neighbors` of the structure, where they are known. `moved` (bool,
        (n_atoms,)) restricts the atoms a (None: all), and time and memory to the centres that see one of them.
        """
        near = near or self.neighbors(atoms)
        if moved is None or moved.all():
            return derivatives.pair_gradients(self._blocks, len(self), near)
        seeing = moved.copy()
        seeing[near.centres()[moved[near.atom]]] = True
        centre, atom, d = derivatives.pair_gradients(self._blocks, len(self), near.around(seeing))
        kept = moved[atom]
        return centre[kept], atom[kept], d[kept]

    def summed_gradients(
        self, atoms: Atoms, near: Neighbors | None = None, centres: np.ndarray | None = None
    ) -> np.ndarray:
        """dΣᵢGᵢf/dRₐ, (n_atoms, 3, n_functions), in 1/Å: what the forces of a linear model need.

        `centres` (bool, (n_atoms,)) restricts the sum over i, to those of one element for example (None: all).
        Raises ValueError for an unusable structure or a mask of another shape.
        """
        return self.summed_gradients_and_strain(atoms, near, centres)[0]

    def summed_gradients_and_strain(
        self, atoms: Atoms, near: Neighbors | None = None, centres: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """`summed_gradients` and, from the same pass, dΣᵢGᵢf/dε, (3, 3, n_functions), dimensionless.

        The strain ε takes positions and cell vectors r to (1 + ε) r, as in `contract`.
        """
        near = near or self.neighbors(atoms)
        if centres is not None:
            if np.shape(centres) != (len(atoms),) or np.asarray(centres).dtype != bool:
                raise ValueError(f"centres must be a mask of truth values of the shape {(len(atoms),)}")
            near = near.around(np.asarray(centres))
        return derivatives.summed_gradients(self._blocks, len(self), near)

    def strain_gradients(self, atoms: Atoms, near: Neighbors | None = None) -> np.ndarray:
        """dGᵢf/dε of each atom, (n_atoms, 3, 3, n_functions), dimensionless; their sum over i is that of
        `summed_gradients_and_strain`."""
        return derivatives.strain_gradients(self._blocks, len(self), near or self.neighbors(atoms))

    def contract(
        self, atoms: Atoms, weights: np.ndarray, threads: int = 1, near: Neighbors | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Forces and virial of an energy E(G) from `weights` = dE/dG, (n_atoms, n_functions), eV.

        Returns F = −dE/dR (n_atoms, 3) in eV/Å and the strain derivative W = dE/dε (3, 3) in eV (stress = W / volume,
        ASE's sign). One pass over the neighbours, no derivative tensor; the same bits for any number of threads.
        Raises ValueError for weights of another shape or not finite.
        """
        weights = np.asarray(weights, dtype=float)
        if weights.shape != (len(atoms), len(self)):
            raise ValueError(
                f"weights have the shape {weights.shape}; it must be (n_atoms, n_functions) = {len(atoms), len(self)}"
            )
        if not np.isfinite(weights).all():
            raise ValueError("weights hold NaN or infinity; all dE/dG must be finite")
        near = near or self.neighbors(atoms)
        pulls = np.zeros((len(near.atom), 3))
        forces, strains = np.empty((len(atoms), 3)), np.empty((len(atoms), 3, 3))

        def pull(part: tuple[slice, slice, Neighbors]) -> None:
            own, rows, around = part
            for columns, block in self._blocks:
                block.contract(around, weights[own, columns], pulls[rows])
            derivatives.sum_pulls(around.start, around.vector, pulls[rows], forces[own], strains[own])

        list(in_threads(threads, pull, near.parts(threads)))
        derivatives.subtract_pulls(near.atom, pulls, forces)
        return forces, strains.sum(axis=0)

    def to_json(self) -> str:
        """The set as JSON text: `{"tolerance": ..., "functions": [{"type": "G2", "eta": ..., ...}, ...]}`."""
        records = [{"type": type(f).__name__, **asdict(f)} for f in self.functions]
        return json.dumps({"tolerance": self.tolerance, "functions": records}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "SymmetryFunctions":
        """The set written by `to_json`. Raises ValueError for other text, an unknown type or wrong parameters."""
        data = json.loads(text)
        records = data.get("functions") if isinstance(data, dict) else None
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise ValueError('not a set of functions: {"functions": [{"type": "G2", "eta": …}, …]} is expected')
        functions = []
        for record in records:
            parameters = {key: tuple(v) if isinstance(v, list) else v for key, v in record.items() if key != "type"}
            if record.get("type") not in TYPES:
                raise ValueError(f"type = {record.get('type')!r} is not allowed; it must be one of {', '.join(TYPES)}")
            try:
                functions.append(TYPES[record["type"]](**parameters))
            except TypeError as error:
                raise ValueError(f"wrong parameters of {record['type']}: {error}") from error
        return cls(functions, data.get("tolerance", DEFAULT_TOLERANCE))


def compute_frames(functions: SymmetryFunctions, frames: Sequence[Atoms], threads: int = 1) -> np.ndarray:
    """Values of all frames, float64 (n_frames, n_atoms, n_functions), on `threads` cores.

    Each frame is computed by one thread, so the numbers have the same bits for any number of threads. Beyond the
    result, memory is that of `threads` frames. Raises ValueError for no frames or frames of different sizes; a bad
    frame's number is in its error.
    """
    if threads < 1:
        raise ValueError(f"threads = {threads} is not allowed; it must be 1 or more")
    if len(frames) == 0:
        raise ValueError("no frames were given")
    out = np.empty((len(frames), len(frames[0]), len(functions)))

    def work(first: int) -> None:
        for number in range(first, len(frames), threads):
            if len(frames[number]) != out.shape[1]:
                raise ValueError(
                    f"frame {number} has {len(frames[number])} atoms, frame 0 has {out.shape[1]}; they must agree"
                )
            try:
                out[number] = functions.compute(frames[number])
            except ValueError as error:
                raise ValueError(f"frame {number}: {error}") from error

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, first) for first in range(threads)]:
            done.result()
    return out
