"""`bpstudy data`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from bpstudy.cli.messages import fail

Files = Annotated[list[Path], typer.Argument(help="frames in any format of ASE, or input.data of n2p2 and RuNNer")]
Energy = Annotated[str | None, typer.Option(help="name of the energies, where a file has several")]
Forces = Annotated[str | None, typer.Option(help="name of the forces, where a file has several; none: ignore forces")]
Stress = Annotated[str | None, typer.Option(help="name of the stress, where a file has several; none: ignore stress")]
EnergyUnit = Annotated[str | None, typer.Option(help="eV, Hartree, Rydberg, kcal/mol or kJ/mol")]
LengthUnit = Annotated[str | None, typer.Option(help="Angstrom or Bohr")]
FileFormat = Annotated[str | None, typer.Option("--format", help="ASE's name of the format, or n2p2")]


def data(
    files: Files,
    energy: Energy = None,
    forces: Forces = None,
    stress: Stress = None,
    energy_unit: EnergyUnit = None,
    length_unit: LengthUnit = None,
    file_format: FileFormat = None,
    table: Annotated[Path | None, typer.Option(help="table (.csv) with the energies of LAMMPS dumps")] = None,
    elements: Annotated[str | None, typer.Option(help="elements of LAMMPS' atom types, e.g. Li,H")] = None,
    html: Annotated[Path | None, typer.Option(help="page with plots to write")] = None,
) -> None:
    """Examine data before a fit: what they contain, and what would spoil a fit (the exit code is then 1)."""
    from bpstudy.data.look import compositions, look, summary
    from bpstudy.files import check_output

    try:
        if html is not None:
            check_output(html, "--html", files)
        declared = declaration(files, energy, forces, energy_unit, length_unit, file_format, table, elements, stress)
        found = look(declared)
        if html is not None:
            from bpstudy.figures.look import write_page

            write_page(found, html)
    except (OSError, ValueError) as error:
        fail(error)
    console = Console(highlight=False)
    console.print(f"{len(found.table)} frames, {found.table['n_atoms'].sum()} atoms", soft_wrap=True)
    console.print(_shown(compositions(found), "Compositions"))
    console.print(_shown(summary(found), "Ranges"))
    for element, value in found.atomic_energies_ev.items():
        console.print(f"energy of {element} by least squares: {value:.6g} eV")
    for finding in found.findings:
        word, style = ("spoils a fit", "red") if finding.spoils else ("note", "yellow")
        console.print(f"{word}: {finding.text}", style=style, markup=False, soft_wrap=True)
    if not found.findings:
        console.print("nothing unusual")
    if html is not None:
        console.print(f"written: {html}", markup=False, soft_wrap=True)
    raise typer.Exit(1 if found.spoiled else 0)


def declaration(
    files: list[Path],
    energy: str | None = None,
    forces: str | None = None,
    energy_unit: str | None = None,
    length_unit: str | None = None,
    file_format: str | None = None,
    table: Path | None = None,
    elements: str | None = None,
    stress: str | None = None,
) -> Any:
    """The section of the configuration that these options describe.

    Raises:
        ValueError: a value that is not allowed.
    """
    from bpstudy.config.datasets import Imported

    units = {key: value for key, value in (("energy", energy_unit), ("length", length_unit)) if value}
    values = {
        "files": [str(file) for file in files],
        "energy": energy,
        "forces": forces,
        "stress": stress,
        "units": units or None,
        "format": file_format,
        "energies_table": None if table is None else str(table),
        "elements": elements.split(",") if elements else None,
    }
    try:
        return Imported.model_validate({key: value for key, value in values.items() if value is not None})
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, of['loc']))} = {of['input']!r}: {of['msg']}" if of["loc"] else of["msg"]
            for of in error.errors()
        ]
        raise ValueError("; ".join(lines)) from None


def _shown(rows: Any, title: str) -> Table:
    shown = Table(title=title, title_justify="left")
    for column in rows.columns:
        shown.add_column(str(column), justify="left" if rows[column].dtype == object else "right", overflow="fold")
    for row in rows.itertuples(index=False):
        shown.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row))
    return shown
