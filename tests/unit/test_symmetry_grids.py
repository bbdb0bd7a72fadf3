"""The automatic grids hold the parameters which their schemes promise."""

import math

import pytest

from bpstudy.symmetry import G1, G4, G5, SymmetryFunctions, grid


def test_radial_fortnet_grid_covers_the_cutoff() -> None:
    functions = grid("G2", 5, 8.0, "fortnet")
    assert [f.rs for f in functions] == [0, 2, 4, 6, 8]
    assert {f.eta for f in functions} == {5 * math.log(10) / 16}


@pytest.mark.parametrize("cls", [G4, G5])
@pytest.mark.parametrize(
    ("count", "zetas"),
    [(10, [1, 4.75, 8.5, 12.25, 16]), (12, [1, 4, 7, 10, 13, 16]), (2, [1]), (1, [1])],
)
def test_angular_fortnet_grid_alternates_lambda(cls: type, count: int, zetas: list) -> None:
    functions = grid(cls.__name__, count, 10.0, "fortnet", "fortnet")
    assert (
        functions
        == tuple(cls(2 * math.log(10) / 100, z, lam, 10.0, "fortnet") for z in zetas for lam in (1, -1))[:count]
    )


def test_odd_count_ends_with_lambda_plus_one() -> None:
    assert [f.lam for f in grid("G5", 25, 20.0, "fortnet")][-3:] == [1, -1, 1]


def test_graded_and_degenerate_coordination() -> None:
    assert [f.cutoff for f in grid("G1", 4, 8.0, "graded")] == [2, 4, 6, 8]
    assert grid("G1", 3, 8.0, "degenerate") == (G1(8.0),) * 3


def test_harmonic_cosines_start_with_g1() -> None:
    assert [f.kappa * 8 / math.pi for f in grid("G3", 4, 8.0, "harmonic")] == pytest.approx([0, 1, 2, 3])


@pytest.mark.parametrize("scheme", ["behler2011", "gastegger2018-shifted", "gastegger2018-centered"])
def test_other_radial_schemes_are_distinct_and_within_the_cutoff(scheme: str) -> None:
    functions = grid("G2", 7, 6.0, scheme)
    assert len(set(functions)) == 7
    assert all(0 <= f.rs <= 6 for f in functions)
    widths = [1 / math.sqrt(2 * f.eta) for f in functions]
    if scheme == "gastegger2018-shifted":
        assert [f.rs for f in functions] == pytest.approx([0.5 + i * 5 / 6 for i in range(7)])
        assert widths == pytest.approx([5 / 6] * 7)
    elif scheme == "gastegger2018-centered":
        assert widths == pytest.approx([1 + i * 4.5 / 6 for i in range(7)])
    else:
        assert [f.eta * 36 for f in functions][::6] == pytest.approx([0.04, 50])


def test_behler_angular_grid_is_distinct_beyond_ten() -> None:
    assert len(set(grid("G4", 23, 6.0, "behler2011"))) == 23


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("G6", 3, 8.0, "fortnet"), "type = 'G6'.*G1, G2, G3, G4, G5"),
        (("G3", 3, 8.0, "fortnet"), "grid = 'fortnet' is not allowed for G3; it must be one of harmonic"),
        (("G2", 0, 8.0, "fortnet"), "count = 0"),
        (("G2", 2.5, 8.0, "fortnet"), "count = 2.5"),
        (("G2", 1, 8.0, "fortnet"), "count = 1 .*at least 2"),
        (("G2", 3, -1.0, "fortnet"), "cutoff = -1.0"),
        (("G2", 3, math.nan, "fortnet"), "cutoff = nan"),
        (("G2", 3, 0.9, "gastegger2018-shifted"), "above 1 Å"),
        (("G2", 3, 1.2, "gastegger2018-centered"), "above 1.5 Å"),
        (("G5", 3, 8.0, "fortnet", "some"), "pairs = 'some'.*unordered, ordered, fortnet"),
    ],
)
def test_wrong_requests_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grid(*arguments)


def test_labels_name_the_parameters() -> None:
    labels = SymmetryFunctions([G1(8.0, "Li"), *grid("G5", 2, 10.0, "fortnet", "ordered")]).labels
    assert labels == ["G1(cutoff=8,species=Li)"] + [
        f"G5(eta=0.04605170186,zeta=1,lam={s},cutoff=10,pairs=ordered)" for s in (1, -1)
    ]
