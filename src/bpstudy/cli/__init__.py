"""The `bpstudy` command."""

import typer

from bpstudy.cli import archive, config, doctor, export, lammps, md, orphans
from bpstudy.provenance import cli as provenance

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
app.add_typer(config.app, name="config")
for command in (
    doctor.doctor,
    archive.archive,
    archive.restore,
    orphans.orphans,
    md.md,
    export.export,
    lammps.lammps,
    provenance.audit,
    provenance.crate,
):
    app.command()(command)
