"""G4 and G5: the functions of one η, cutoff and pair of elements share all work over the neighbours.

G5 is Σₗ cₗ Pₗ-spectra (module `harmonics`), linear in the neighbours, with a direct sum over pairs in small caps around
the branch points of non-integer ζ (module `expansion`), or a direct sum alone where that is faster (few neighbours).

G4 does not separate, because fc(rⱼₖ) exp(−η rⱼₖ²) couples j and k. Expanding this factor in products of one-particle
functions takes thousands of terms for 1e-12: the cutoff sphere of k around j cuts through the cutoff sphere around i,
so the factor varies on the scale of Rc in all of r₁, r₂ and θ, has a kink in its second derivative on rⱼₖ = Rc, and a
Legendre series in θ at each (r₁, r₂) converges only as l⁻³. So G4 stays a sum over pairs, made cheap: pairs with rⱼₖ >
Rc end early, nothing transcendental is left in the loop, and its cost does not depend on the number of functions. Both
factors are polynomials (module `triangles`); where ζ is small and not an integer, tables (module `pairs`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bpstudy.symmetry.compiled import row_products
from bpstudy.symmetry.conventions import CONVENTIONS, self_pair
from bpstudy.symmetry.expansion import NO_FAR_SIDE, FarSide, Table, far_side, legendre_series, smallest_cap, table
from bpstudy.symmetry.functions import G4, AngularFunction
from bpstudy.symmetry.harmonics import recurrence, spectrum
from bpstudy.symmetry.neighbors import Neighbors
from bpstudy.symmetry.pairs import add_pair_gradient, pair_sums
from bpstudy.symmetry.shells import Shell, add_square_pulls
from bpstudy.symmetry.spectra import add_spectrum_gradient, add_spectrum_pulls, ladder
from bpstudy.symmetry.triangles import Triangles, add_triangle_pulls, triangle_sums

# The cost model that chooses the degree of the series: ns of one core, and a typical density of atoms.
_NS_HARMONIC, _NS_SCAN, _NS_PAIR, _ATOMS_PER_A3 = 0.13, 0.5, 12.0, 0.06
_DEGREES = (2, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64)
_MOST_BYTES = 2**26  # of multipoles that are kept for the forces
_WHOLE = 64  # the cap that is the whole sphere: a direct sum


@dataclass(frozen=True)
class AngularGroup:
    """Functions of one type, η, cutoff and pair of elements, with their expansion. Build with `AngularGroup.of`."""

    columns: np.ndarray  # where the functions stand in the set
    eta: float
    cutoff: float
    species: tuple[str | None, str | None]
    factor: np.ndarray  # convention × 2, for the unordered sum of ((1 + λx)/2)^ζ
    diagonal: np.ndarray  # convention × self pair, for Σ f²
    series: np.ndarray  # (n_functions, degree+1); degree −1 (no columns): no series
    table: Table | None
    far: FarSide
    triangles: Triangles | None  # where there, values and forces use it, not the table

    @classmethod
    def of(cls, columns: Sequence[int], functions: Sequence[AngularFunction], tolerance: float) -> "AngularGroup":
        """Plan the expansion of functions that differ in zeta, lam, pairs only, to `tolerance` of the largest term."""
        one = functions[0]
        zetas, lams = [float(f.zeta) for f in functions], [int(f.lam) for f in functions]
        if isinstance(one, G4):
            degree, cap = None, _WHOLE
        else:
            degree, cap = plan(zetas, one.cutoff, tolerance / 2)
        if degree is None:
            plain = np.zeros((len(functions), 1))
        else:
            plain = np.array(
                [legendre_series(z, degree, min(cap, smallest_cap(z, degree, tolerance / 2)))[0] for z in zetas]
            )
        signs = np.array(lams)[:, None] ** np.arange(plain.shape[1])
        factor = np.array([CONVENTIONS[f.pairs][0] for f in functions])
        diagonal = np.array([CONVENTIONS[f.pairs][1] * self_pair(f.zeta, f.lam) for f in functions])
        return cls(
            np.array(columns),
            one.eta,
            one.cutoff,
            one.species or (None, None),
            2 * factor,
            diagonal,
            plain * signs if degree is not None else plain[:, :0],
            table(zetas, lams, plain, cap, tolerance / 2) if cap else None,
            far_side(one.eta, one.cutoff, tolerance / 2) if isinstance(one, G4) else NO_FAR_SIDE,
            Triangles.of(one.eta, one.cutoff, zetas, lams, tolerance / 2) if isinstance(one, G4) else None,
        )

    @property
    def same(self) -> bool:
        """Whether both neighbours are drawn from the same list."""
        return self.species[0] == self.species[1]

    def shells(self, near: Neighbors) -> tuple[Shell, Shell]:
        """The lists of the two neighbours (one object where they are the same)."""
        first = Shell.of(near, self.eta, self.cutoff, self.species[0])
        return first, first if self.same else Shell.of(near, self.eta, self.cutoff, self.species[1])

    def values(self, near: Neighbors) -> np.ndarray:
        """(n_atoms, n_functions)."""
        first, second = self.shells(near)
        total = np.zeros((len(near.start) - 1, len(self.columns)))
        degree = self.series.shape[1] - 1
        if degree >= 0:
            kept = self._multipoles(near, len(near.start) - 1)
            power = spectrum(*first.arrays, *second.arrays, self.same, degree, *recurrence(degree), kept)
            total += row_products(power, self.series.T)
            if self.same:
                total -= first.squares[:, None] * self.series.sum(axis=1)
                total *= 0.5
        if self.triangles is not None:
            g4 = self.triangles
            degree = g4.angular.shape[1] - 1
            moments = triangle_sums(*first.arrays, *second.arrays, self.same, g4.far, g4.reach, degree)
            total += row_products(moments, g4.angular.T)
        elif self.table is not None:
            t = self.table
            arrays = (*first.arrays, *second.arrays, self.same, self.far.coefficients, self.far.reach)
            total += pair_sums(*arrays, t.coefficients, t.cells, t.direct, t.zeta, t.side)
        total *= self.factor
        if self.same and self.diagonal.any():
            total += first.squares[:, None] * self.diagonal
        return total

    def contract(self, near: Neighbors, weights: np.ndarray, out: np.ndarray) -> None:
        """Add Σf weights[i, f] dGᵢf/drₚ of each neighbour p to `out` (n_pairs, 3)."""
        first, second = self.shells(near)
        scaled = weights * self.factor
        if self.series.shape[1]:
            spectral = row_products(scaled, self.series)  # the ½ of the unordered sum meets the 2 of the square
            degree, kept = self.series.shape[1] - 1, self._multipoles(near, 0)
            tables = (spectral, degree, *recurrence(degree), ladder(degree), kept, out)
            add_spectrum_pulls(*first.columns, *second.arrays, 0, *tables)
            if not self.same:
                add_spectrum_pulls(*second.columns, *first.arrays, 1, *tables)
        if self.triangles is not None:
            g4 = self.triangles
            mixed = row_products(scaled, g4.angular)
            add_triangle_pulls(*first.columns, *second.columns, self.same, g4.far, g4.reach, mixed, out)
        elif self.table is not None:
            t = self.table
            sides, cells, order, n_functions = t.coefficients.shape
            mixed = row_products(scaled, t.coefficients.reshape(-1, n_functions).T)
            mixed = mixed.reshape(-1, sides, cells, order, 1)
            self._add_pairs(first, second, first.pair, second.pair, mixed, scaled[:, :, None], out[:, :, None])
        if self.same and self._square_factors.any():
            each = row_products(weights, self._square_factors[:, None])[:, 0]
            add_square_pulls(*first.columns, each, out)

    def gradients(self, near: Neighbors, rows: np.ndarray, n_rows: int) -> np.ndarray:
        """Sum of dGᵢf/drₚ over the neighbours p of each row, `rows` (n_pairs,): (n_rows, 3, n_functions)."""
        first, second = self.shells(near)
        n, n_functions = len(near.start) - 1, len(self.columns)
        rows1, rows2 = rows[first.pair], rows[second.pair]
        out = np.zeros((n_rows, 3, n_functions))
        if self.table is not None:
            coefficients, identity = self.table.coefficients[None], np.eye(n_functions)[None]
            self._add_pairs(first, second, rows1, rows2, coefficients, identity, out)
        if self.series.shape[1]:
            degrees = self.series.shape[1]
            spectra = np.zeros((n_rows, 3, degrees))
            self._add_spectra(first, second, rows1, rows2, np.ones((n, degrees)), np.arange(degrees), spectra)
            out += (spectra.reshape(-1, degrees) @ self.series.T).reshape(out.shape)
        out *= self.factor
        if self.same and self._square_factors.any():
            squares = np.stack([np.bincount(rows1, first.square_slopes[:, c], n_rows) for c in range(3)], axis=1)
            out += squares[:, :, None] * self._square_factors
        return out

    @property
    def _square_factors(self) -> np.ndarray:
        """The coefficient of Σ f² in each function."""
        return self.diagonal - 0.5 * self.factor * self.series.sum(axis=1)

    def _multipoles(self, near: Neighbors, n_atoms: int) -> np.ndarray:
        """The multipoles of each centre that `spectrum` fills and the forces need, kept with the neighbours.

        None (length 0) where they are too large, or where no values were computed before (`n_atoms` is 0).
        """
        size, key = self.series.shape[1], ("multipoles", self.eta, self.cutoff, self.species, self.series.shape[1])
        if key not in near.kept:
            kept = np.empty((n_atoms, 1 if self.same else 2, size, size, 2))
            if n_atoms == 0 or kept.nbytes > _MOST_BYTES:
                return kept[:0]
            near.kept[key] = kept
        return near.kept[key]

    def _add_spectra(
        self, first: Shell, second: Shell, rows1: np.ndarray, rows2: np.ndarray, weights: np.ndarray,
        channel: np.ndarray, out: np.ndarray,
    ) -> None:  # fmt: skip
        degree = self.series.shape[1] - 1
        tables = (np.ascontiguousarray(weights), channel, degree, *recurrence(degree), ladder(degree), out)
        add_spectrum_gradient(*first.arrays, first.df, *second.arrays, rows1, *tables)
        if not self.same:
            add_spectrum_gradient(*second.arrays, second.df, *first.arrays, rows2, *tables)

    def _add_pairs(
        self, first: Shell, second: Shell, rows1: np.ndarray, rows2: np.ndarray, coefficients: np.ndarray,
        mixing: np.ndarray, out: np.ndarray,
    ) -> None:  # fmt: skip
        t = self.table
        assert t is not None
        add_pair_gradient(
            *first.arrays, first.df, *second.arrays, second.df, self.same, self.far.coefficients, self.far.reach,
            coefficients, t.cells, t.direct, t.zeta, t.side, np.ascontiguousarray(mixing), rows1, rows2, out,
        )  # fmt: skip


def plan(zetas: Sequence[float], cutoff: float, tolerance: float) -> tuple[int | None, int]:
    """The cheapest (degree, cap) for these exponents at a typical density; degree None is the direct sum.

    It depends on the functions only, never on the structure, so that a descriptor is one smooth function of the
    positions.
    """
    neighbours = 4 / 3 * np.pi * cutoff**3 * _ATOMS_PER_A3
    pairs = neighbours**2 / 2
    integers = [int(z) for z in zetas if z == int(z)]
    best: tuple[float, int | None, int] = (pairs * (_NS_SCAN + _NS_PAIR), None, _WHOLE)
    for degree in sorted({d for d in (*_DEGREES, *integers) if d >= max(integers, default=0)}):
        linear = neighbours * (degree + 1) ** 2 * _NS_HARMONIC
        if linear > best[0]:
            break
        cap = max(smallest_cap(z, degree, tolerance) for z in zetas)
        # Caps around x = 1 and x = −1 hold (cap/64)² of all pairs together.
        cost = linear + (pairs * (_NS_SCAN + _NS_PAIR * (cap / _WHOLE) ** 2) if cap else 0.0)
        if cost < best[0]:
            best = (cost, degree, cap)
    return best[1], best[2]
