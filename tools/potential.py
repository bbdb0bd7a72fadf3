"""Tables of docs/benchmarks.md about the speed of a potential, from what `benchmarks.potential` measured."""

from typing import Any


def dynamics_table(rows: list[dict[str, float]]) -> list[str]:
    """Steps of dynamics, one and two cores."""
    lines = ["| atoms | ms per step | atom steps per second | two cores, times as fast | elapsed |", "|" + " --- |" * 5]
    for row in rows:
        one, both = 1000 * row["seconds_per_step_1"], f"{row['two_cores']:.2f} | {row['two_cores_elapsed']:.2f}"
        lines.append(f"| {row['atoms']} | {one:.3g} | {row['atom_steps_per_second']:.3g} | {both} |")
    return lines


def sets_table(sets: list[dict[str, Any]]) -> list[str]:
    """Sets of functions beside n2p2."""
    lines = ["| functions, 8 Å | µs per atom | goal | n2p2 | n2p2 / ours |", "|" + " --- |" * 5]
    for row in sets:
        peer = [f"{row[key]:.3g}" if key in row else "" for key in ("n2p2_microseconds", "n2p2_over_ours")]
        lines.append(f"| {row['functions']} | {row['microseconds']:.0f} | {row['goal']} | {' | '.join(peer)} |")
    return lines
