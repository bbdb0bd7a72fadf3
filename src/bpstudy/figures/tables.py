"""Checks of the tables from which figures are drawn."""

from collections.abc import Iterable, Sequence

import pandas as pd

PS_FROM_FS = 5000.0  # longer time axes are in ps


class TableError(ValueError):
    """A figure cannot be drawn from a table; the message names the table and what is missing."""


def require(table: pd.DataFrame, columns: Sequence[str], name: str) -> pd.DataFrame:
    """The table, if it has rows and these columns.

    Raises:
        TableError: it does not.
    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise TableError(f"{name}: column {', '.join(missing)} is missing; it has {', '.join(map(str, table.columns))}")
    if table.empty:
        raise TableError(f"{name}: has no rows to draw")
    return table


def require_finite(table: pd.DataFrame, columns: Sequence[str], name: str) -> pd.DataFrame:
    """The table, if it has rows and these columns hold finite numbers only; TableError otherwise."""
    require(table, columns, name)
    for column in columns:
        values = pd.to_numeric(table[column], errors="coerce")
        bad = ~values.abs().lt(float("inf"))
        if bad.any():
            row = bad.to_numpy().argmax()
            raise TableError(f"{name}: {column} is {table[column].iloc[row]} in row {row}; a finite number is needed")
    return table


def require_known(values: Iterable[str], known: Iterable[str], name: str) -> None:
    """Raise TableError if a value is not among the known ones."""
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise TableError(
            f"{name}: {', '.join(map(repr, unknown))} does not exist; available: {', '.join(sorted(known))}"
        )


def several_sizes(table: pd.DataFrame, column: str = "n_atoms") -> bool:
    """Whether the frames have different numbers of atoms, so that energies are shown per atom."""
    return column in table and table[column].nunique() > 1


def time_axis(table: pd.DataFrame, frame_column: str) -> tuple[pd.Series, str]:
    """Times of the rows and the label of their axis: fs, ps, or frame numbers where the times are unknown."""
    if table["time_fs"].isna().any():
        return table[frame_column], "frame"
    if table["time_fs"].max() > PS_FROM_FS:
        return table["time_fs"] / 1000, "time (ps)"
    return table["time_fs"], "time (fs)"
