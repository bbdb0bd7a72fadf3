"""GPAW's plane-wave step, the same physics in less time: for one process, without spin, at Γ.

Each piece is the same formula, summed in another order: exchange and correlation in compiled SIMD loops
(`bpstudy.dynamics.fast_xc`), localised functions by structure factors instead of expanded anew in every cycle,
transforms without what is zero. Cycles start from extrapolated wave functions and density, so that three of them
suffice. A calculation that this does not fit (spin, k-points, several processes) takes GPAW's own path. Written for one
version of GPAW, and refused with another.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import gpaw
import numpy as np
from ase.calculators.calculator import all_changes
from gpaw.eigensolvers.davidson import Davidson
from gpaw.mixer import BaseMixer
from gpaw.pw.lfc import PWLFC
from gpaw.utilities import unpack_hermitian
from gpaw.wavefunctions.fdpw import NullWfsMover
from gpaw.wavefunctions.pw import PWWaveFunctions
from scipy import fft
from scipy.linalg import eigh

from bpstudy.dynamics.fast_xc import Pbe, compiled

VERSION = "25.7.0"
if gpaw.__version__ != VERSION:
    raise ImportError(f"bpstudy.dynamics.fast_paw was checked against GPAW {VERSION}, this is {gpaw.__version__}")

# --- Localised functions ----------------------------------------------------------------------------------------------


@compiled
def _phases(first_ai, second_ai, third_ai, index_Gc, out_aG):
    for a in range(out_aG.shape[0]):
        for G in range(out_aG.shape[1]):
            i, j, k = index_Gc[G, 0], index_Gc[G, 1], index_Gc[G, 2]
            out_aG[a, G] = first_ai[a, i] * second_ai[a, j] * third_ai[a, k]


class LocalisedFunctions(PWLFC):
    """Atoms' functions f(G)·Y(G)·(−i)^l·exp(−iG·R): the first three factors once for all, the last once a position.

    For real functions (Γ, densities and potentials) in one process; else an object remains a `PWLFC`.
    """

    @classmethod
    def adopt(cls, functions: PWLFC) -> None:
        functions.__class__ = cls
        functions._groups = None
        functions._f_GI = None

    def set_positions(self, spos_ac, atom_partition=None):
        if self._groups is None:
            self.initialize()
            self._prepare()
        spos_ac = np.asarray(spos_ac)
        self.pos_av = np.dot(spos_ac, self.pd.gd.cell_cv)
        self.eikR_qa = np.ones((1, len(spos_ac)))
        tables = [
            np.exp(-2j * np.pi * np.outer(spos_ac[:, c], np.arange(low, high + 1)))
            for c, (low, high) in enumerate(self._range_c)
        ]
        self._phase_aG = np.empty((len(spos_ac), len(self._index_Gc)), complex)
        _phases(*tables, self._index_Gc, self._phase_aG)
        self._f_GI = None
        counts = [self.get_function_count(a) for a in range(len(spos_ac))]
        ends = np.cumsum(counts)
        self.my_atom_indices = list(range(len(spos_ac)))
        self.my_indices = [(a, end - count, end) for a, (count, end) in enumerate(zip(counts, ends, strict=True))]
        self.nI = int(ends[-1])

    def _prepare(self) -> None:
        G_Gv = self.pd.get_reciprocal_vectors()
        index_Gc = np.rint(G_Gv @ self.pd.gd.cell_cv.T / (2 * np.pi)).astype(int)
        self._range_c = list(zip(index_Gc.min(0), index_Gc.max(0), strict=True))
        self._index_Gc = np.ascontiguousarray(index_Gc - index_Gc.min(0))
        self._G_vG = np.ascontiguousarray(G_Gv.T)
        splines_a = defaultdict(list)
        for a, s in zip(self.a_J, self.s_J, strict=True):
            splines_a[int(a)].append(int(s))
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for a, splines in splines_a.items():
            groups[tuple(splines)].append(a)
        self._groups = []
        for chosen, atoms in groups.items():
            shape_iG = np.array(
                [
                    self.f_qGs[0][:, s] * self.Y_qGL[0][:, L] * (-1j) ** int(self.l_s[s])
                    for s in chosen
                    for L in range(self.l_s[s] ** 2, (self.l_s[s] + 1) ** 2)
                ]
            )
            self._groups.append((atoms, shape_iG, shape_iG.conj()))

    @property
    def emiGR_qGa(self) -> list[np.ndarray]:
        return [np.ascontiguousarray(self._phase_aG.T)]

    @emiGR_qGa.setter
    def emiGR_qGa(self, value: list) -> None: ...

    def _matrix(self) -> np.ndarray:
        """All functions as columns, real and imaginary parts in turn."""
        if self._f_GI is None:
            self._f_GI = self.expand()
        return self._f_GI

    def project(self, a_nG: np.ndarray) -> np.ndarray:
        """Integrals of rows with all functions, (n, I)."""
        a_ng, f_GI = a_nG.view(float), self._matrix()
        return (a_ng @ f_GI - 0.5 * a_ng[:, :1] * f_GI[:1]) * (2.0 / self.pd.gd.N_c.prod())

    def combine(self, c_nI: np.ndarray) -> np.ndarray:
        """Sums of all functions, (n, G)."""
        return (c_nI @ self._matrix().T).view(complex) * (1.0 / self.pd.gd.dv)

    def add(self, a_xG, c_axi=1.0, q=-1, f0_IG=None):
        if isinstance(c_axi, float):
            c_axi = {a: np.full(I2 - I1, c_axi) for a, I1, I2 in self.my_indices}
        if a_xG.ndim > 1:
            c_xI = np.concatenate([c_axi[a] for a in self.my_atom_indices], axis=-1)
            a_xG += self.combine(c_xI.reshape(-1, self.nI)).reshape(a_xG.shape)
            return
        for atoms, shape_iG, _ in self._groups:
            c_ia = np.array([c_axi[a] for a in atoms]).T
            phase_aG = self._phase_aG if len(atoms) == len(self._phase_aG) else self._phase_aG[atoms]
            sum_iG = (c_ia @ phase_aG.view(float)).view(complex)
            a_xG += (shape_iG * sum_iG).sum(axis=0) * (1.0 / self.pd.gd.dv)

    def integrate(self, a_xG, c_axi=None, q=-1):
        if c_axi is None:
            c_axi = self.dict(a_xG.shape[:-1])
        alpha = 2.0 / self.pd.gd.N_c.prod()
        if a_xG.ndim > 1:
            c_xI = self.project(a_xG.reshape(-1, a_xG.shape[-1])).reshape((*a_xG.shape[:-1], self.nI))
            for a, I1, I2 in self.my_indices:
                c_axi[a][:] = c_xI[..., I1:I2]
            return c_axi
        for atoms, _, conjugate_iG in self._groups:
            product_iG = conjugate_iG * a_xG
            product_iG[:, 0] = 0.5 * product_iG[:, 0].real
            c_ai = self._overlap(atoms, product_iG)
            for a, c_i in zip(atoms, c_ai, strict=True):
                c_axi[a][:] = alpha * c_i
        return c_axi

    def derivative(self, a_xG, c_axiv=None, q=-1):
        if a_xG.ndim > 1:
            return super().derivative(a_xG, c_axiv, q)
        if c_axiv is None:
            c_axiv = self.dict(a_xG.shape[:-1], derivative=True)
        alpha = 2.0 / self.pd.gd.N_c.prod()
        for atoms, _, conjugate_iG in self._groups:
            product_iG = conjugate_iG * (-1j * a_xG)
            c_aiv = np.array([self._overlap(atoms, product_iG * G_G) for G_G in self._G_vG]).transpose(1, 2, 0)
            for a, c_iv in zip(atoms, c_aiv, strict=True):
                c_axiv[a][:] = alpha * c_iv
        return c_axiv

    def _overlap(self, atoms: list[int], product_iG: np.ndarray) -> np.ndarray:
        """Real part of the sum over G of product · exp(iG·R), (a, i)."""
        phase_aG = self._phase_aG if len(atoms) == len(self._phase_aG) else self._phase_aG[atoms]
        return (product_iG.view(float) @ phase_aG.view(float).T).T


# --- Wave functions ---------------------------------------------------------------------------------------------------


class _Box:
    """Transforms between the plane waves of a sphere and the grid, for several bands at once, Γ only.

    What is zero outside the sphere is not transformed. The plan of an FFT of pocketfft is a rule, nothing is timed.
    """

    BANDS = 8  # at once, to stay in the cache

    def __init__(self, pd) -> None:
        self.N_c = pd.gd.N_c
        index_Gc = np.rint(pd.get_reciprocal_vectors() @ pd.gd.cell_cv.T / (2 * np.pi)).astype(int)
        self._y = int(abs(index_Gc[:, 1]).max())
        self._z = int(index_Gc[:, 2].max())
        self._shape = (int(self.N_c[0]), 2 * self._y + 1, self._z + 1)
        place_c = [[self._shape[0]], [self._shape[1]], [self._z + 1]]
        self._place_G = np.ravel_multi_index((index_Gc % np.array(place_c).T).T, self._shape)
        # A real function's other half in the plane z = 0.
        self._mirrored_G = np.flatnonzero((index_Gc[:, 2] == 0) & index_Gc[:, :2].any(axis=1))
        opposite_Gc = -index_Gc[self._mirrored_G] % np.array(place_c).T
        self._opposite_G = np.ravel_multi_index(opposite_Gc.T, self._shape)

    def to_grid(self, a_nG: np.ndarray) -> np.ndarray:
        box = np.zeros((len(a_nG), math.prod(self._shape)), complex)
        box[:, self._place_G] = a_nG
        box[:, self._opposite_G] = a_nG[:, self._mirrored_G].conj()
        box = fft.ifft(box.reshape(-1, *self._shape), axis=1, overwrite_x=True)
        N1, N2 = int(self.N_c[1]), int(self.N_c[2])
        full = np.zeros((len(a_nG), self._shape[0], N1, N2 // 2 + 1), complex)
        part = full[..., : self._z + 1]
        part[:, :, : self._y + 1] = box[:, :, : self._y + 1]
        part[:, :, -self._y :] = box[:, :, self._y + 1 :]
        part[:] = fft.ifft(part, axis=2, overwrite_x=True)
        return fft.irfft(full, n=N2, axis=3, overwrite_x=True)

    def from_grid(self, a_nR: np.ndarray) -> np.ndarray:
        full = fft.fft(
            fft.rfft(a_nR, axis=3, overwrite_x=True)[..., : self._z + 1],
            axis=2,
            overwrite_x=True,
        )
        box = np.concatenate([full[:, :, : self._y + 1], full[:, :, -self._y :]], axis=2)
        return fft.fft(box, axis=1, overwrite_x=True).reshape(len(a_nR), -1)[:, self._place_G]


class WaveFunctions(PWWaveFunctions):
    """Plane waves at Γ in one process, several bands a transform."""

    @classmethod
    def adopt(cls, wfs: PWWaveFunctions) -> None:
        wfs.__class__ = cls
        wfs._box = _Box(wfs.pd)

    def apply_pseudo_hamiltonian(self, kpt, ham, psit_xG, Htpsit_xG):
        vt_R = ham.vt_sG[kpt.s]
        np.multiply(0.5 * self.pd.G2_qG[kpt.q], psit_xG, out=Htpsit_xG)
        for n in range(0, len(psit_xG), _Box.BANDS):
            bands = slice(n, n + _Box.BANDS)
            psit_nR = self._box.to_grid(psit_xG[bands])
            psit_nR *= vt_R
            Htpsit_xG[bands] += self._box.from_grid(psit_nR)

    def add_to_density_from_k_point_with_occupation(self, nt_xR, kpt, f_n):
        occupied_nG, f_n = kpt.psit.array[f_n != 0.0], f_n[f_n != 0.0]
        for n in range(0, len(f_n), _Box.BANDS):
            bands = slice(n, n + _Box.BANDS)
            psit_nR = self._box.to_grid(occupied_nG[bands])
            nt_xR[kpt.s] += np.einsum("n, nxyz, nxyz -> xyz", f_n[bands], psit_nR, psit_nR)

    def overlaps(self, a_nG: np.ndarray, b_nG: np.ndarray) -> np.ndarray:
        """Integrals of rows with rows, (a, b), without PAW's part."""
        a, b = a_nG.view(float), b_nG.view(float)
        return (2.0 * a @ b.T - np.outer(a[:, 0], b[:, 0])) * (self.pd.gd.dv / self.pd.gd.N_c.prod())

    def atomic(self, blocks: dict[int, np.ndarray]) -> np.ndarray:
        """A matrix of PAW's in one piece, from its blocks."""
        matrix_II = np.zeros((self.pt.nI, self.pt.nI))
        for a, I1, I2 in self.pt.my_indices:
            matrix_II[I1:I2, I1:I2] = blocks[a]
        return matrix_II


class Eigensolver(Davidson):
    """GPAW's Davidson method, its products with the Hamiltonian kept where GPAW makes them anew.

    Two steps a cycle are GPAW's choice; from extrapolated wave functions one is enough for as many cycles.
    """

    STEPS, STEPS_EXTRAPOLATED = 2, 1

    def iterate_one_k_point(self, ham, wfs, kpt, weights):
        psit_nG, P_nI = kpt.psit.array, kpt.projections.array
        B = len(psit_nG)
        dH_II = wfs.atomic({a: unpack_hermitian(dH_sp[kpt.s]) for a, dH_sp in ham.dH_asp.items()})
        dS_II = wfs.atomic({a: setup.dO_ii for a, setup in enumerate(wfs.setups)})
        kinetic_G = 0.5 * wfs.pd.G2_qG[kpt.q]

        def apply(a_nG):
            out_nG = np.empty_like(a_nG)
            wfs.apply_pseudo_hamiltonian(kpt, ham, a_nG, out_nG)
            return out_nG

        Htpsit_nG = apply(psit_nG)
        H_nn = wfs.overlaps(psit_nG, Htpsit_nG) + P_nI @ dH_II @ P_nI.T
        eps_n, rotation_nn = eigh(0.5 * (H_nn + H_nn.T))
        psit_nG, Htpsit_nG, P_nI = (_rotate(rotation_nn, x) for x in (psit_nG, Htpsit_nG, P_nI))
        H_NN, S_NN = np.zeros((2 * B, 2 * B)), np.zeros((2 * B, 2 * B))
        S_NN[:B, :B] = np.eye(B)
        error = 0.0
        for iteration in range(self.niter):
            R_nG = Htpsit_nG - eps_n[:, np.newaxis] * psit_nG
            R_nG += wfs.pt.combine(P_nI @ dH_II - eps_n[:, np.newaxis] * (P_nI @ dS_II))
            if iteration == self.niter - 1:
                square_n = np.einsum("ng, ng -> n", R_nG.view(float), R_nG.view(float))
                error = weights @ (2.0 * square_n - R_nG[:, 0].real ** 2) * (wfs.pd.gd.dv / wfs.pd.gd.N_c.prod())
            ekin_n = (abs(psit_nG) ** 2) @ kinetic_G * (2.0 * wfs.pd.gd.dv / wfs.pd.gd.N_c.prod())
            step_nG = self.preconditioner(R_nG, kpt, ekin_n)
            Htstep_nG = apply(step_nG)
            Pstep_nI = wfs.pt.project(step_nG)
            PdH_nI, PdS_nI = Pstep_nI @ dH_II, Pstep_nI @ dS_II
            H_NN[:B, :B] = np.diag(eps_n)
            H_NN[B:, B:] = wfs.overlaps(step_nG, Htstep_nG) + PdH_nI @ Pstep_nI.T
            H_NN[B:, :B] = wfs.overlaps(Htstep_nG, psit_nG) + PdH_nI @ P_nI.T
            S_NN[B:, B:] = wfs.overlaps(step_nG, step_nG) + PdS_nI @ Pstep_nI.T
            S_NN[B:, :B] = wfs.overlaps(step_nG, psit_nG) + PdS_nI @ P_nI.T
            try:
                eps_n, rotation_Nn = eigh(H_NN, S_NN, lower=True, subset_by_index=(0, B - 1))
            except np.linalg.LinAlgError as error_:
                raise ValueError("Too few plane waves or grid points") from error_
            psit_nG = _rotate(rotation_Nn[:B], psit_nG) + _rotate(rotation_Nn[B:], step_nG)
            P_nI = rotation_Nn[:B].T @ P_nI + rotation_Nn[B:].T @ Pstep_nI
            if iteration < self.niter - 1:
                Htpsit_nG = _rotate(rotation_Nn[:B], Htpsit_nG) + _rotate(rotation_Nn[B:], Htstep_nG)
        kpt.psit.array[:] = psit_nG
        kpt.projections.array[:] = P_nI
        kpt.eps_n[:] = eps_n
        return error


def _rotate(rotation_nm: np.ndarray, rows_nG: np.ndarray) -> np.ndarray:
    return (np.ascontiguousarray(rotation_nm.T) @ rows_nG.view(float)).view(rows_nG.dtype)


# --- The start of a self-consistent cycle -----------------------------------------------------------------------------


class Mixer(BaseMixer):
    """GPAW's Pulay mixer that remembers how residuals answered in the cycles before.

    Minimises the residual over differences of densities instead of densities, so that those of other positions serve
    as well: what they say of the dielectric response hardly depends on a step of 0.01 Å.
    """

    MEMORY = 24
    DAMPING = 1e-4  # of the normalised matrix: differences may be nearly dependent

    def reset(self):
        super().reset()
        self._input = self._last = None

    def forget(self) -> None:
        self._pairs: list[np.ndarray] = []  # differences of inputs, of changes and of measured changes, a row each
        self._stored = self._next = 0
        self.reset()

    def _add(self, rows: list[np.ndarray]) -> None:
        if not self._pairs:
            self._pairs = [np.empty((self.MEMORY, len(row))) for row in rows]
        for kept, row in zip(self._pairs, rows, strict=True):
            kept[self._next] = row
        self._next = (self._next + 1) % self.MEMORY
        self._stored = min(self._stored + 1, self.MEMORY)

    def mix_density(self, nt_sG, D_asp, g_ss=None):
        """Replace an output density (and density matrices) by the next input; returns the error of the last one."""
        out = np.concatenate([nt_sG.ravel(), *(D_sp.ravel() for D_sp in D_asp)])
        if self._input is None:
            self._input = out
            return np.inf
        change = out - self._input
        G = nt_sG.size
        error = self.calculate_charge_sloshing(change[:G].reshape(nt_sG.shape))
        measured_sG = np.empty_like(nt_sG)
        for change_G, measured_G in zip(change[:G].reshape(nt_sG.shape), measured_sG, strict=True):
            if self.metric is None:
                measured_G[:] = change_G
            else:
                self.metric(change_G, measured_G)
        now = (self._input, change, measured_sG.ravel())
        if self._last is not None:
            self._add([new - old for new, old in zip(now, self._last, strict=True)])
        self._last = now
        new = self._input + self.beta * change
        if self._stored:
            inputs, changes, measured = (rows[: self._stored] for rows in self._pairs)
            A_ii = changes[:, :G] @ measured.T
            scale_i = np.diag(A_ii) ** -0.5
            A_ii = scale_i[:, np.newaxis] * A_ii * scale_i + self.DAMPING * np.eye(len(A_ii))
            weight_i = scale_i * np.linalg.solve(0.5 * (A_ii + A_ii.T), scale_i * (measured @ change[:G]))
            new -= weight_i @ inputs + self.beta * (weight_i @ changes)
        self._input = new
        start = 0
        for array in (nt_sG, *D_asp):
            array[:] = new[start : start + array.size].reshape(array.shape)
            start += array.size
        return error


@dataclass
class _Solution:
    positions: np.ndarray
    psit_nG: np.ndarray
    nt_sG: np.ndarray
    D_asp: dict[int, np.ndarray]


# --- The calculator ---------------------------------------------------------------------------------------------------


class FastGPAW(gpaw.GPAW):
    """GPAW with the parts above in place of its own.

    Along a smooth path of positions a self-consistent cycle starts from wave functions and density extrapolated from
    the last two. The criteria of convergence are GPAW's. A new calculator has no past: a run that starts again from a
    state repeats itself to the bit.
    """

    SMOOTH = 0.02  # Å, how far an atom may be from where the last two positions lead

    def __init__(self, *args: Any, xc: str = "LDA", **parameters: Any) -> None:
        self._solutions: list[_Solution] = []  # the last one first
        self._fast = False
        super().__init__(*args, xc=Pbe() if xc == "PBE" else xc, **parameters)

    def initialize(self, atoms=None, reading=False):
        super().initialize(atoms, reading)
        self._solutions = []
        wfs, density = self.wfs, self.density
        for functions in (
            density.nct,
            density.ghat,
            self.hamiltonian.vbar,
            getattr(wfs, "pt", None),
        ):
            if functions is not None and functions.pd.dtype == float and functions.comm.size == 1:
                LocalisedFunctions.adopt(functions)
        self._fast = (
            type(wfs) is PWWaveFunctions
            and wfs.world.size == 1
            and wfs.dtype == float
            and wfs.nspins == 1
            and wfs.collinear
            and len(wfs.kpt_u) == 1
            and self.hamiltonian.xc.type in ("LDA", "GGA")
            and not self.hamiltonian.xc.orbital_dependent
            and type(wfs.eigensolver) is Davidson
            and wfs.eigensolver.niter == Eigensolver.STEPS
            and all(type(mixer) is BaseMixer for mixer in density.mixer.basemixers)
        )
        if self._fast:
            WaveFunctions.adopt(wfs)
            wfs.eigensolver.__class__ = Eigensolver
            for mixer in density.mixer.basemixers:
                mixer.__class__ = Mixer
                mixer.forget()

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, list(properties), system_changes)
        if self._fast and self.scf.converged:
            self._remember()

    def _remember(self) -> None:
        positions = self.atoms.positions
        if self._solutions and np.array_equal(self._solutions[0].positions, positions):
            return
        wfs, density = self.wfs, self.density
        psit_nG = wfs.kpt_u[0].psit.array.copy()
        if self._solutions:  # the older one in the same basis: bands cross and change sign
            before = self._solutions[0]
            dS_II = wfs.atomic({a: setup.dO_ii for a, setup in enumerate(wfs.setups)})
            SP_nG = wfs.pt.combine(wfs.kpt_u[0].projections.array @ dS_II)
            left, _, right = np.linalg.svd(wfs.overlaps(psit_nG + SP_nG, before.psit_nG))
            before.psit_nG = _rotate((left @ right).T, before.psit_nG)
        # The density that the next cycle would begin with, were there one.
        nt_sG = density.gd.zeros(1)
        wfs.calculate_density_contribution(nt_sG)
        nt_sG += density.nct_G
        D_asp = wfs.setups.empty_atomic_matrix(1, wfs.atom_partition)
        wfs.calculate_atomic_density_matrices(D_asp)
        density.mixer.mix(nt_sG, D_asp)
        self._solutions = [
            _Solution(positions.copy(), psit_nG, nt_sG, dict(D_asp.items())),
            *self._solutions[:1],
        ]

    def set_positions(self, atoms=None):
        positions = (self.atoms if atoms is None else atoms).positions
        if not self._leads_to(positions):
            if self._fast:
                self.wfs.eigensolver.niter = Eigensolver.STEPS
                for mixer in self.density.mixer.basemixers:
                    mixer.forget()
            super().set_positions(atoms)
            return
        last, before = self._solutions
        wfs, density = self.wfs, self.density
        wfs.eigensolver.niter = Eigensolver.STEPS_EXTRAPOLATED
        wfs.kpt_u[0].psit.array[:] = 2 * last.psit_nG - before.psit_nG
        mover, wfs.wfs_mover = wfs.wfs_mover, NullWfsMover()  # they are moved already

        def start(_wfs):
            density.nt_xG = 2 * last.nt_sG - before.nt_sG
            D_asp = wfs.setups.empty_atomic_matrix(1, wfs.atom_partition)
            for a in D_asp:
                D_asp[a][:] = 2 * last.D_asp[a] - before.D_asp[a]
            density.update_atomic_density_matrices(D_asp)
            density.calculate_normalized_charges_and_mix()

        density.initialize_from_wavefunctions = start
        try:
            super().set_positions(atoms)
        finally:
            del density.initialize_from_wavefunctions
            wfs.wfs_mover = mover

    def _leads_to(self, positions: np.ndarray) -> bool:
        """Whether the last two solutions are worth extrapolating to `positions`."""
        if len(self._solutions) < 2:
            return False
        last, before = self._solutions
        return bool(abs(positions - 2 * last.positions + before.positions).max() < self.SMOOTH)
