"""GPAW's PBE in compiled SIMD loops: the same formulas, summed in another order; without spin, in one process.

On the grid, and in the spheres around the nuclei: point by point, the 27 spheres of Li27 were most of a step. What this
does not fit takes GPAW's own path.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numba
import numpy as np
from gpaw.sphere.lebedev import Y_nL, weight_n
from gpaw.xc.gga import GGA
from gpaw.xc.kernel import XCKernel
from gpaw.xc.lda import calculate_paw_correction
from gpaw.xc.pawcorrection import rnablaY_nLv


def compiled(function):
    # No reassociation: logarithm and exponential below rest on the order of their operations.
    options: dict[str, Any] = {"nogil": True, "fastmath": {"contract", "nsz"}, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder for compiled code: compiled anew in this process
        return numba.njit(**options)(function)


def _inlined(function):
    return numba.njit(fastmath={"contract", "nsz"}, error_model="numpy", inline="always")(function)


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


@compiled
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


@compiled
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


@compiled
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


@compiled
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


@compiled
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
