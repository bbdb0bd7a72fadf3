"""The sum over pairs of neighbours of G4 and G5 is a named convention, never implicit.

With S the sum over unordered pairs (j < k) and fⱼ = exp(−η rⱼ²) fc(rⱼ):

- `unordered`: S (Behler, n2p2, DScribe); the default;
- `ordered`: 2 S (all j ≠ k);
- `fortnet`: 2 S + 2^(1−ζ) (1+λ)^ζ Σⱼ fⱼ² (all j and k, j = k included; the same for G4 and G5). With two different
  elements no neighbour pairs with itself, so the last term is absent.
"""

CONVENTIONS: dict[str, tuple[float, float]] = {"unordered": (1.0, 0.0), "ordered": (2.0, 0.0), "fortnet": (2.0, 1.0)}
"""Name of the convention: (factor of the unordered sum, factor of the sum over j = k)."""


def self_pair(zeta: float, lam: int) -> float:
    """2^(1−ζ) (1+λ)^ζ, the angular factor of a neighbour paired with itself (cos θ = 1): 2 for λ = 1, 0 for λ = −1."""
    del zeta  # cancels for both values of λ
    return 2.0 if lam == 1 else 0.0
