"""GPAW's plane-wave step, the same physics in less time: for one process, without spin, at Γ.

Most of a step of Li27 was the radial PBE of its 27 spheres, point by point of 50 on each; most of the rest were
localised functions expanded anew in every cycle, and transforms. Here each is the same formula, summed in another
order: the XC kernel in compiled SIMD loops, localised functions by structure factors, transforms without what is zero.
And cycles start from extrapolated wave functions and density, so three do. A calculation that this does not fit (spin,
k-points, several processes) takes GPAW's own path. Written for one version of GPAW, and refused with another.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any

import gpaw
import numba
import numpy as np
from ase.calculators.calculator import all_changes
from gpaw.eigensolvers.davidson import Davidson
from gpaw.mixer import BaseMixer
from gpaw.pw.lfc import PWLFC
from gpaw.sphere.lebedev import Y_nL, weight_n
from gpaw.utilities import unpack_hermitian
from gpaw.wavefunctions.fdpw import NullWfsMover
from gpaw.wavefunctions.pw import PWWaveFunctions
from gpaw.xc.gga import GGA
from gpaw.xc.kernel import XCKernel
from gpaw.xc.lda import calculate_paw_correction
from gpaw.xc.pawcorrection import rnablaY_nLv
from scipy import fft
from scipy.linalg import eigh

VERSION = "25.7.0"
if gpaw.__version__ != VERSION:
    raise ImportError(f"bpstudy.dynamics.fast_paw was checked against GPAW {VERSION}, this is {gpaw.__version__}")


def _compiled(function):
    # No reassociation: logarithm and exponential below rest on the order of their operations.
    options = {"nogil": True, "fastmath": {"contract", "nsz"}, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder for compiled code: compiled anew in this process
        return numba.njit(**options)(function)


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
_C0, _C1, _C2, _C3 = (
    0.238732414637843 ** (1 / 3),
    -0.45816529328314287,
    0.26053088059892404,
    0.10231023756535741,
)
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
def _sphere(n_Lg, dndr_Lg, Y_kL, rnablaY_kLv, weight_k, r2_inverse_g, dr_g, dv_g, e_g, v_Lg):
    """XC of a density in a sphere: energy density summed into e_g, derivatives of the energy into v_Lg.

    GPAW's GGARadialExpansion, volume and weights included, with radial points in the lanes and harmonics in threes, so
    that sums are loaded and stored less often. L is a multiple of three.
    """
    L, N = n_Lg.shape
    n = np.empty(N)
    a = np.empty(N)
    b0 = np.empty(N)
    b1 = np.empty(N)
    b2 = np.empty(N)
    sigma = np.empty(N)
    e = np.empty(N)
    v = np.empty(N)
    d = np.empty(N)
    c = np.empty(N)
    for k in range(len(weight_k)):
        w = weight_k[k]
        n[:] = 0.0
        a[:] = 0.0
        b0[:] = 0.0
        b1[:] = 0.0
        b2[:] = 0.0
        for i in range(0, L, 3):
            f0, f1, f2 = n_Lg[i], n_Lg[i + 1], n_Lg[i + 2]
            d0, d1, d2 = dndr_Lg[i], dndr_Lg[i + 1], dndr_Lg[i + 2]
            y0, y1, y2 = Y_kL[k, i], Y_kL[k, i + 1], Y_kL[k, i + 2]
            x00, x10, x20 = rnablaY_kLv[k, i, 0], rnablaY_kLv[k, i + 1, 0], rnablaY_kLv[k, i + 2, 0]
            x01, x11, x21 = rnablaY_kLv[k, i, 1], rnablaY_kLv[k, i + 1, 1], rnablaY_kLv[k, i + 2, 1]
            x02, x12, x22 = rnablaY_kLv[k, i, 2], rnablaY_kLv[k, i + 1, 2], rnablaY_kLv[k, i + 2, 2]
            for g in range(N):
                n[g] += y0 * f0[g] + y1 * f1[g] + y2 * f2[g]
                a[g] += y0 * d0[g] + y1 * d1[g] + y2 * d2[g]
                b0[g] += x00 * f0[g] + x10 * f1[g] + x20 * f2[g]
                b1[g] += x01 * f0[g] + x11 * f1[g] + x21 * f2[g]
                b2[g] += x02 * f0[g] + x12 * f1[g] + x22 * f2[g]
        for g in range(N):
            sigma[g] = (b0[g] * b0[g] + b1[g] * b1[g] + b2[g] * b2[g]) * r2_inverse_g[g]
        sigma[0] = sigma[1]
        for g in range(N):
            sigma[g] += a[g] * a[g]
            v[g] = 0.0
        pbe(n, sigma, e, v, d)
        for g in range(N):
            e_g[g] += w * e[g]
            c[g] = -2.0 * dv_g[g] * d[g] * a[g] / dr_g[g]
            v[g] *= dv_g[g]
        for g in range(1, N - 2):  # GPAW's derivative2, times the volume
            v[g] += 0.5 * (c[g + 1] - c[g - 1])
        v[0] += 0.5 * (c[2] - c[0]) / dv_g[1] * dv_g[0]
        v[N - 2] += c[N - 1] - 0.5 * c[N - 3]
        v[N - 1] += -c[N - 1] - 0.5 * c[N - 2]
        for g in range(N):
            scale = 8 * math.pi * w * dr_g[g] * d[g]
            v[g] *= w
            b0[g] *= scale
            b1[g] *= scale
            b2[g] *= scale
        for i in range(0, L, 3):
            f0, f1, f2 = v_Lg[i], v_Lg[i + 1], v_Lg[i + 2]
            y0, y1, y2 = Y_kL[k, i], Y_kL[k, i + 1], Y_kL[k, i + 2]
            x00, x10, x20 = rnablaY_kLv[k, i, 0], rnablaY_kLv[k, i + 1, 0], rnablaY_kLv[k, i + 2, 0]
            x01, x11, x21 = rnablaY_kLv[k, i, 1], rnablaY_kLv[k, i + 1, 1], rnablaY_kLv[k, i + 2, 1]
            x02, x12, x22 = rnablaY_kLv[k, i, 2], rnablaY_kLv[k, i + 1, 2], rnablaY_kLv[k, i + 2, 2]
            for g in range(N):
                f0[g] += y0 * v[g] + x00 * b0[g] + x01 * b1[g] + x02 * b2[g]
                f1[g] += y1 * v[g] + x10 * b0[g] + x11 * b1[g] + x12 * b2[g]
                f2[g] += y2 * v[g] + x20 * b0[g] + x21 * b1[g] + x22 * b2[g]


@cache
def _harmonics(L: int) -> tuple[np.ndarray, np.ndarray]:
    """The first L harmonics and their derivatives at the Lebedev points, filled with zeros to a multiple of three."""
    missing = -L % 3
    return (
        np.pad(Y_nL[:, :L], ((0, 0), (0, missing))),
        np.pad(rnablaY_nLv[:, :L], ((0, 0), (0, missing), (0, 0))),
    )


def _expansion(rgd, D_sLq, n_qg, nc0_sg):
    """GPAW's GGARadialExpansion for one spin: energy and its derivative by D_sLq, as (s, q, L)."""
    L, N = D_sLq.shape[1], len(rgd)
    Y_kL, rnablaY_kLv = _harmonics(L)
    n_Lg, dndr_Lg, v_Lg = np.zeros((3, Y_kL.shape[1], N))
    n_Lg[:L] = D_sLq[0] @ n_qg
    n_Lg[:1] += nc0_sg
    dndr_Lg[:, 0] = n_Lg[:, 1] - n_Lg[:, 0]
    dndr_Lg[:, 1:-1] = 0.5 * (n_Lg[:, 2:] - n_Lg[:, :-2])
    dndr_Lg[:, -1] = n_Lg[:, -1] - n_Lg[:, -2]
    dndr_Lg /= rgd.dr_g
    r2_inverse_g = np.zeros(N)
    r2_inverse_g[1:] = 1.0 / rgd.r_g[1:] ** 2
    e_g = np.zeros(N)
    _sphere(n_Lg, dndr_Lg, Y_kL, rnablaY_kLv, weight_n, r2_inverse_g, rgd.dr_g, rgd.dv_g, e_g, v_Lg)
    return e_g[1:] @ rgd.dv_g[1:], (n_qg @ v_Lg[:L].T)[np.newaxis]


@_compiled
def _pad(f_R, pad):
    """A periodic function with `pad` points of its images on each side."""
    N0, N1, N2 = f_R.shape
    out = np.empty((N0 + 2 * pad, N1 + 2 * pad, N2 + 2 * pad))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            row = f_R[(i - pad) % N0, (j - pad) % N1]
            for k in range(N2):
                out[i, j, k + pad] = row[k]
            for k in range(pad):
                out[i, j, k] = row[N2 - pad + k]
                out[i, j, N2 + pad + k] = row[k]
    return out


@_compiled
def _gradient(f_R, offset_pc, coef_pv, pad, out_vR):
    """The gradient of a periodic function by finite differences, along padded lines that hardly ever end."""
    padded = _pad(f_R, pad)
    P0, P1, P2 = padded.shape
    flat = padded.reshape(-1)
    sum_vk = np.empty((3, _BLOCK))
    first = pad * (P1 * P2 + P2 + 1)
    result = np.empty((3, flat.size))
    for start in range(first, flat.size - first, _BLOCK):
        size = min(_BLOCK, flat.size - first - start)
        x, y, z = sum_vk[0, :size], sum_vk[1, :size], sum_vk[2, :size]
        x[:] = 0.0
        y[:] = 0.0
        z[:] = 0.0
        for p in range(len(offset_pc)):
            offset = start + (offset_pc[p, 0] * P1 + offset_pc[p, 1]) * P2 + offset_pc[p, 2]
            f = flat[offset : offset + size]
            cx, cy, cz = coef_pv[p, 0], coef_pv[p, 1], coef_pv[p, 2]
            for k in range(size):
                x[k] += cx * f[k]
                y[k] += cy * f[k]
                z[k] += cz * f[k]
        result[:, start : start + size] = sum_vk[:, :size]
    out_vR[:] = result.reshape((3, P0, P1, P2))[:, pad : P0 - pad, pad : P1 - pad, pad : P2 - pad]


@_compiled
def _divergence(f_vR, offset_pc, coef_pv, pad, out_R):
    """The divergence of a periodic vector field, added to `out_R`."""
    shape = (f_vR.shape[1] + 2 * pad, f_vR.shape[2] + 2 * pad, f_vR.shape[3] + 2 * pad)
    P0, P1, P2 = shape
    flat = np.empty((3, P0 * P1 * P2))
    for v in range(3):
        flat[v] = _pad(f_vR[v], pad).reshape(-1)
    first = pad * (P1 * P2 + P2 + 1)
    result = np.empty(P0 * P1 * P2)
    for start in range(first, result.size - first, _BLOCK):
        size = min(_BLOCK, result.size - first - start)
        total = result[start : start + size]
        total[:] = 0.0
        for p in range(len(offset_pc)):
            offset = start + (offset_pc[p, 0] * P1 + offset_pc[p, 1]) * P2 + offset_pc[p, 2]
            x, y, z = (
                flat[0, offset : offset + size],
                flat[1, offset : offset + size],
                flat[2, offset : offset + size],
            )
            cx, cy, cz = coef_pv[p, 0], coef_pv[p, 1], coef_pv[p, 2]
            for k in range(size):
                total[k] += cx * x[k] + cy * y[k] + cz * z[k]
    out_R += result.reshape(shape)[pad : P0 - pad, pad : P1 - pad, pad : P2 - pad]


class _Kernel(XCKernel):
    def calculate(
        self,
        e_g,
        n_sg,
        dedn_sg,
        sigma_xg=None,
        dedsigma_xg=None,
        tau_sg=None,
        dedtau_sg=None,
    ):
        arrays = (n_sg, sigma_xg, e_g, dedn_sg, dedsigma_xg)
        if len(n_sg) == 1 and all(array.flags.c_contiguous for array in arrays):
            pbe(*(array.reshape(-1) for array in arrays))
        else:
            super().calculate(e_g, n_sg, dedn_sg, sigma_xg, dedsigma_xg, tau_sg, dedtau_sg)


class Pbe(GGA):
    """PBE for GPAW's `xc`."""

    def __init__(self) -> None:
        super().__init__(_Kernel("PBE"))

    def set_grid_descriptor(self, gd):
        super().set_grid_descriptor(gd)
        self._stencil = None
        if gd.comm.size > 1 or not gd.pbc_c.all():
            return
        # GPAW's own stencil, read from what its operators make of one point.
        point_R, answer_vR = gd.zeros(), gd.empty(3)
        point_R[0, 0, 0] = 1.0
        for gradient, answer_R in zip(self.grad_v, answer_vR, strict=True):
            gradient(point_R, answer_R)
        offset_pc = np.argwhere(answer_vR.any(axis=0))
        coef_pv = np.ascontiguousarray(answer_vR[:, *offset_pc.T].T)
        offset_pc = -np.where(offset_pc > gd.N_c // 2, offset_pc - gd.N_c, offset_pc)
        self._stencil = (offset_pc, coef_pv, int(abs(offset_pc).max()))

    def calculate_impl(self, gd, n_sg, v_sg, e_g):
        if len(n_sg) > 1 or self._stencil is None:
            super().calculate_impl(gd, n_sg, v_sg, e_g)
            return
        gradient_vg = np.empty((3, *n_sg.shape[1:]))
        _gradient(n_sg[0], *self._stencil, gradient_vg)
        sigma_xg = np.einsum("vxyz, vxyz -> xyz", gradient_vg, gradient_vg)[np.newaxis]
        dedsigma_xg = np.empty_like(sigma_xg)
        self.kernel.calculate(e_g, n_sg, v_sg, sigma_xg, dedsigma_xg)
        gradient_vg *= -2.0 * dedsigma_xg
        _divergence(gradient_vg, *self._stencil, v_sg[0])

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
