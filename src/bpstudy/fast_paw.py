"""GPAW's plane-wave step, the same physics in less time: for one process, spin-paired, at Γ.

A step of Li27 spent three quarters of its time in the radial PBE of its 27 spheres, point by point of 50, and most of
the rest in expanding localised functions anew. Here each is the same formula, summed in another order: the XC kernel in
compiled SIMD loops, localised functions by structure factors. What a calculation does not fit (spin, k-points, another
functional, several processes) takes GPAW's own path. Written for the version in `VERSION` and refused with another.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import gpaw
import numba
import numpy as np
from gpaw.pw.lfc import PWLFC
from gpaw.sphere.lebedev import Y_nL, weight_n
from gpaw.xc.gga import GGA
from gpaw.xc.kernel import XCKernel
from gpaw.xc.lda import calculate_paw_correction
from gpaw.xc.pawcorrection import rnablaY_nLv

VERSION = "25.7.0"
if gpaw.__version__ != VERSION:
    raise ImportError(f"bpstudy.fast_paw was checked against GPAW {VERSION}, this is {gpaw.__version__}")


def _compiled(function):
    # No reassociation: logarithm and exponential below rest on the order of their operations.
    return numba.njit(nogil=True, fastmath={"contract", "nsz"}, error_model="numpy", cache=True)(function)


def _inlined(function):
    return numba.njit(fastmath={"contract", "nsz"}, error_model="numpy", inline="always")(function)


# --- Exchange and correlation -----------------------------------------------------------------------------------------


@_inlined
def _log(x):
    """Logarithm of a positive normal number, to 1 ulp (the polynomial is fdlibm's); without branches, for SIMD."""
    bits = np.float64(x).view(np.int64) + (0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
    k = np.int64((bits >> 52) | 0x4330000000000000).view(np.float64) - (4503599627370496.0 + 1023.0)
    f = np.int64((bits & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    even = z * (
        6.666666666666735130e-01
        + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860510658591e-01))
    )
    h = 0.5 * f * f
    return k * 6.93147180369123816490e-01 - ((h - (s * (h + odd + even) + k * 1.90821492927058770002e-10)) - f)


@_inlined
def _exp(x):
    """Exponential, |x| < 700, to 1 ulp; without branches, for SIMD."""
    shifted = x * 1.4426950408889634 + 6755399441055744.0
    k = shifted - 6755399441055744.0
    r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * np.int64((np.float64(shifted).view(np.int64) << 52) + 0x3FF0000000000000).view(np.float64)


# Constants of GPAW's c/xc/xc_gpaw.h.
_BETA, _GAMMA, _MU, _KAPPA = 0.066725, 0.031091, 0.2195164512208958, 0.804
_C0, _C1, _C2, _C3 = 0.238732414637843 ** (1 / 3), -0.45816529328314287, 0.26053088059892404, 0.10231023756535741
_A1, _B1, _B2, _B3, _B4 = 0.21370, 7.5957, 3.5876, 1.6382, 0.49294
_BLOCK = 512  # points whose intermediate values stay in the first-level cache


@_compiled
def pbe(n_g, sigma_g, e_g, v_g, d_g):
    """Spin-paired PBE as GPAW's c/xc/pbe.c: e and d (by sigma) are overwritten, v is added to.

    In short loops: a long one is as slow as the latency of all its operations.
    """
    cube_root = np.empty(_BLOCK)
    logarithm = np.empty(_BLOCK)
    exponential = np.empty(_BLOCK)
    q = np.empty(_BLOCK)
    t = np.empty(_BLOCK)
    root = np.empty(_BLOCK)
    for start in range(0, n_g.size, _BLOCK):
        size = min(_BLOCK, n_g.size - start)
        n_b = n_g[start : start + size]
        sigma_b = sigma_g[start : start + size]
        e_b = e_g[start : start + size]
        v_b = v_g[start : start + size]
        d_b = d_g[start : start + size]
        for g in range(size):
            logarithm[g] = _log(max(n_b[g], 1e-10)) * (-1 / 3)
        for g in range(size):
            y = _exp(logarithm[g])
            cube_root[g] = y + y * (1.0 - max(n_b[g], 1e-10) * y * y * y) * (1 / 3)  # n^(-1/3)
        for g in range(size):
            r = math.sqrt(_C0 * cube_root[g])
            q1 = 2.0 * _GAMMA * r * (_B1 + r * (_B2 + r * (_B3 + r * _B4)))
            root[g] = r
            q[g] = 1.0 / (q1 * (q1 + 1.0))
            logarithm[g] = 1.0 + q[g] * (q1 + 1.0)
        for g in range(size):
            logarithm[g] = _log(logarithm[g])
        for g in range(size):
            exponential[g] = _exp(2.0 * (1.0 + _A1 * _C0 * cube_root[g]) * logarithm[g])
        for g in range(size):
            y = cube_root[g]
            a = (_BETA / _GAMMA) / (exponential[g] - 1.0)
            t2 = _C3 * sigma_b[g] * _C0 * y * (y * y * y) * (y * y * y)
            at2 = a * t2
            nominator = _BETA * t2 * (1.0 + at2)
            denominator = _GAMMA * (1.0 + at2 + at2 * at2)
            t[g] = 1.0 / (denominator * (nominator + denominator))
            d_b[g] = 1.0 + nominator * (nominator + denominator) * t[g]
            e_b[g] = a
        for g in range(size):
            d_b[g] = _log(d_b[g])
        for g in range(size):
            n = max(n_b[g], 1e-10)
            y = cube_root[g]
            rs = _C0 * y
            n_inverse = y * y * y
            rs_inverse = n * y * y * (1 / _C0)
            # exchange
            e_lda = _C1 * rs_inverse
            c = _C2 * rs * n_inverse
            c *= c
            s2 = sigma_b[g] * c
            x = 1.0 / (1.0 + (_MU / _KAPPA) * s2)
            enhancement = 1.0 + _KAPPA - _KAPPA * x
            by_s2 = _MU * x * x
            exchange_by_rs = -e_lda * rs_inverse * enhancement + e_lda * by_s2 * 8.0 * s2 * rs_inverse
            exchange_by_sigma = e_lda * by_s2 * c
            # correlation
            r = root[g]
            q0 = -2.0 * _GAMMA * (1.0 + _A1 * rs)
            q1_by_rs = _GAMMA * (_B1 * r * rs_inverse + 2.0 * _B2 + r * (3.0 * _B3 + 4.0 * _B4 * r))
            by_rs = -2.0 * _GAMMA * _A1 * logarithm[g] - q0 * q1_by_rs * q[g]
            a = e_b[g]
            t2 = _C3 * sigma_b[g] * rs * n_inverse * n_inverse
            at2 = a * t2
            scale = (_GAMMA * _GAMMA * _BETA) * t[g]
            h_by_t2 = (1.0 + 2.0 * at2) * scale
            h_by_a = -at2 * t2 * t2 * (2.0 + at2) * scale
            by_rs += h_by_t2 * 7.0 * t2 * rs_inverse + h_by_a * a * a * exponential[g] * (1 / _BETA) * by_rs
            energy = e_lda * enhancement + q0 * logarithm[g] + _GAMMA * d_b[g]
            e_b[g] = n * energy
            v_b[g] += energy - rs * (exchange_by_rs + by_rs) * (1 / 3)
            d_b[g] = n * (exchange_by_sigma + h_by_t2 * _C3 * rs * n_inverse * n_inverse)


@_compiled
def _sphere(n_Lg, dndr_Lg, Y_nL, rnablaY_nLv, weight_n, r_g, dr_g, dv_g, v_Lg):
    """Energy of a density in a sphere; v_Lg becomes such that its product with n_qg is the derivative by D_qL.

    GPAW's GGARadialExpansion, with the points of the sphere in the outer loop and the radial ones in SIMD lanes.
    """
    L, N = n_Lg.shape
    n = np.empty(N)
    a = np.empty(N)
    b = np.empty((3, N))
    sigma = np.empty(N)
    e = np.empty(N)
    v = np.empty(N)
    d = np.empty(N)
    c = np.empty(N)
    e_sum = np.zeros(N)
    r2_inverse = np.zeros(N)
    r2_inverse[1:] = 1.0 / r_g[1:] ** 2
    v_Lg[:] = 0.0
    for k in range(len(weight_n)):
        w = weight_n[k]
        n[:] = 0.0
        a[:] = 0.0
        b[:] = 0.0
        for l in range(L):
            y, y0, y1, y2 = Y_nL[k, l], rnablaY_nLv[k, l, 0], rnablaY_nLv[k, l, 1], rnablaY_nLv[k, l, 2]
            for g in range(N):
                n[g] += y * n_Lg[l, g]
                a[g] += y * dndr_Lg[l, g]
                b[0, g] += y0 * n_Lg[l, g]
                b[1, g] += y1 * n_Lg[l, g]
                b[2, g] += y2 * n_Lg[l, g]
        for g in range(N):
            sigma[g] = (b[0, g] * b[0, g] + b[1, g] * b[1, g] + b[2, g] * b[2, g]) * r2_inverse[g]
        sigma[0] = sigma[1]
        for g in range(N):
            sigma[g] += a[g] * a[g]
            v[g] = 0.0
        pbe(n, sigma, e, v, d)
        for g in range(N):
            e_sum[g] += w * e[g]
            c[g] = -2.0 * dv_g[g] * d[g] * a[g] / dr_g[g]
            v[g] *= dv_g[g]
        for g in range(1, N - 2):  # GPAW's derivative2, times the volume
            v[g] += 0.5 * (c[g + 1] - c[g - 1])
        v[0] += 0.5 * (c[2] - c[0]) / dv_g[1] * dv_g[0]
        v[N - 2] += c[N - 1] - 0.5 * c[N - 3]
        v[N - 1] += -c[N - 1] - 0.5 * c[N - 2]
        for g in range(N):
            v[g] *= w
            d[g] *= 8 * math.pi * w * dr_g[g]
        for l in range(L):
            y, y0, y1, y2 = Y_nL[k, l], rnablaY_nLv[k, l, 0], rnablaY_nLv[k, l, 1], rnablaY_nLv[k, l, 2]
            for g in range(N):
                v_Lg[l, g] += y * v[g] + d[g] * (y0 * b[0, g] + y1 * b[1, g] + y2 * b[2, g])
    energy = 0.0
    for g in range(1, N):
        energy += e_sum[g] * dv_g[g]
    return energy


def _expansion(rgd, D_sLq, n_qg, nc0_sg):
    """GPAW's GGARadialExpansion for one spin: energy and its derivative by D_sLq, as (s, q, L)."""
    n_Lg = D_sLq[0] @ n_qg
    n_Lg[:1] += nc0_sg
    dndr_Lg = np.empty_like(n_Lg)
    dndr_Lg[:, 0] = n_Lg[:, 1] - n_Lg[:, 0]
    dndr_Lg[:, 1:-1] = 0.5 * (n_Lg[:, 2:] - n_Lg[:, :-2])
    dndr_Lg[:, -1] = n_Lg[:, -1] - n_Lg[:, -2]
    dndr_Lg /= rgd.dr_g
    v_Lg = np.empty_like(n_Lg)
    L = len(n_Lg)
    energy = _sphere(n_Lg, dndr_Lg, Y_nL[:, :L], rnablaY_nLv[:, :L], weight_n, rgd.r_g, rgd.dr_g, rgd.dv_g, v_Lg)
    return energy, (n_qg @ v_Lg.T)[np.newaxis]


class _Kernel(XCKernel):
    def calculate(self, e_g, n_sg, dedn_sg, sigma_xg=None, dedsigma_xg=None, tau_sg=None, dedtau_sg=None):
        arrays = (n_sg, sigma_xg, e_g, dedn_sg, dedsigma_xg)
        if len(n_sg) == 1 and all(array.flags.c_contiguous for array in arrays):
            pbe(*(array.reshape(-1) for array in arrays))
        else:
            super().calculate(e_g, n_sg, dedn_sg, sigma_xg, dedsigma_xg, tau_sg, dedtau_sg)


class Pbe(GGA):
    """PBE for GPAW's `xc`."""

    def __init__(self) -> None:
        super().__init__(_Kernel("PBE"))

    def calculate_paw_correction(self, setup, D_sp, dEdD_sp=None, addcoredensity=True, a=None):
        if len(D_sp) == 1:
            return calculate_paw_correction(_expansion, setup, D_sp, dEdD_sp, addcoredensity, a)
        return super().calculate_paw_correction(setup, D_sp, dEdD_sp, addcoredensity, a)


# --- Localised functions ----------------------------------------------------------------------------------------------


@_compiled
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
        if functions.pd.dtype == float and functions.comm.size == 1:
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
        groups = defaultdict(list)
        for a, splines in splines_a.items():
            groups[tuple(splines)].append(a)
        self._groups = []
        for splines, atoms in groups.items():
            shape_iG = np.array(
                [
                    self.f_qGs[0][:, s] * self.Y_qGL[0][:, L] * (-1j) ** int(self.l_s[s])
                    for s in splines
                    for L in range(self.l_s[s] ** 2, (self.l_s[s] + 1) ** 2)
                ]
            )
            self._groups.append((atoms, shape_iG))

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

    def add(self, a_xG, c_axi=1.0, q=-1, f0_IG=None):
        if isinstance(c_axi, float):
            c_axi = {a: np.full(I2 - I1, c_axi) for a, I1, I2 in self.my_indices}
        if a_xG.ndim > 1:
            c_xI = np.concatenate([c_axi[a] for a in self.my_atom_indices], axis=-1)
            shape = (-1, a_xG.shape[-1])
            a_xG.reshape(shape).view(float)[:] += (
                c_xI.reshape(-1, self.nI) @ self._matrix().T * (1.0 / self.pd.gd.dv)
            )
            return
        for atoms, shape_iG in self._groups:
            c_ia = np.array([c_axi[a] for a in atoms]).T
            phase_aG = self._phase_aG if len(atoms) == len(self._phase_aG) else self._phase_aG[atoms]
            sum_iG = (c_ia @ phase_aG.view(float)).view(complex)
            a_xG += np.einsum("iG, iG -> G", shape_iG, sum_iG) * (1.0 / self.pd.gd.dv)

    def integrate(self, a_xG, c_axi=None, q=-1):
        if c_axi is None:
            c_axi = self.dict(a_xG.shape[:-1])
        alpha = 2.0 / self.pd.gd.N_c.prod()
        if a_xG.ndim > 1:
            a_xg = a_xG.reshape(-1, a_xG.shape[-1]).view(float)
            f_GI = self._matrix()
            c_xI = alpha * (a_xg @ f_GI - 0.5 * a_xg[:, :1] * f_GI[:1])
            c_xI = c_xI.reshape(a_xG.shape[:-1] + (self.nI,))
            for a, I1, I2 in self.my_indices:
                c_axi[a][:] = c_xI[..., I1:I2]
            return c_axi
        for atoms, shape_iG in self._groups:
            product_iG = shape_iG.conj() * a_xG
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
        for atoms, shape_iG in self._groups:
            product_iG = -1j * shape_iG.conj() * a_xG
            c_aiv = np.array([self._overlap(atoms, product_iG * G_G) for G_G in self._G_vG]).transpose(1, 2, 0)
            for a, c_iv in zip(atoms, c_aiv, strict=True):
                c_axiv[a][:] = alpha * c_iv
        return c_axiv

    def _overlap(self, atoms: list[int], product_iG: np.ndarray) -> np.ndarray:
        """Real part of the sum over G of product · exp(iG·R), (a, i)."""
        phase_aG = self._phase_aG if len(atoms) == len(self._phase_aG) else self._phase_aG[atoms]
        return phase_aG.view(float) @ product_iG.view(float).T


# --- The calculator ---------------------------------------------------------------------------------------------------


class FastGPAW(gpaw.GPAW):
    """GPAW with the parts above in place of its own."""

    def __init__(self, *args: Any, xc: str = "LDA", **parameters: Any) -> None:
        super().__init__(*args, xc=Pbe() if xc == "PBE" else xc, **parameters)

    def initialize(self, atoms=None, reading=False):
        super().initialize(atoms, reading)
        for functions in (self.density.nct, self.density.ghat, self.hamiltonian.vbar, self.wfs.pt):
            LocalisedFunctions.adopt(functions)
