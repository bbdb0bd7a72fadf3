"""The `bpstudy` command."""

import typer

from bpstudy.cli import archive, choose, config, data, doctor, export, functions, lammps, md, new, orphans
from bpstudy.provenance import cli as provenance

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
app.add_typer(config.app, name="config")
for command in (
    doctor.doctor,
    data.data,
    new.new,
    archive.archive,
    archive.restore,
    orphans.orphans,
    choose.choose,
    functions.functions,
    md.md,
    export.export,
    lammps.lammps,
    provenance.audit,
    provenance.crate,
):
    app.command()(command)
