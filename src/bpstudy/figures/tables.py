"""Checks of the tables that figures are drawn from."""

from collections.abc import Iterable, Sequence

import pandas as pd

PS_FROM_FS = 5000.0  # longer time axes are in ps


class TableError(ValueError):
    """A figure cannot be drawn from a table; the message names the table and what it lacks."""


def require(table: pd.DataFrame, columns: Sequence[str], name: str) -> pd.DataFrame:
    """The table, if it has rows and these columns.

    Raises:
        TableError: it has not.
    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise TableError(f"{name}: column {', '.join(missing)} is missing; it has {', '.join(map(str, table.columns))}")
    if table.empty:
        raise TableError(f"{name}: has no rows, nothing can be drawn")
    return table


def require_finite(table: pd.DataFrame, columns: Sequence[str], name: str) -> pd.DataFrame:
    """The table, if it has rows and these columns are numbers throughout; TableError otherwise."""
    require(table, columns, name)
    for column in columns:
        values = pd.to_numeric(table[column], errors="coerce")
        bad = ~values.abs().lt(float("inf"))
        if bad.any():
            row = bad.to_numpy().argmax()
            raise TableError(f"{name}: {column} is {table[column].iloc[row]} in row {row}; a finite number is needed")
    return table


def require_known(values: Iterable[str], known: Iterable[str], name: str) -> None:
    """TableError when a value is not among the known ones."""
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise TableError(
            f"{name}: {', '.join(map(repr, unknown))} does not exist; there are {', '.join(sorted(known))}"
        )


def time_axis(table: pd.DataFrame, frame_column: str) -> tuple[pd.Series, str]:
    """Where the rows lie in time and the label of that axis: fs, ps, or frames where the times are unknown."""
    if table["time_fs"].isna().any():
        return table[frame_column], "frame"
    if table["time_fs"].max() > PS_FROM_FS:
        return table["time_fs"] / 1000, "time (ps)"
    return table["time_fs"], "time (fs)"
