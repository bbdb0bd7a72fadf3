"""`bpstudy new`."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from bpstudy.cli.data import declaration
from bpstudy.cli.messages import fail


def new(
    files: Annotated[
        list[Path], typer.Argument(help="frames in any format ASE reads, or input.data of n2p2 and RuNNer")
    ],
    test: Annotated[Path | None, typer.Option(help="a file of frames that are only tested on")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="the configuration to write")] = Path("mine.yaml"),
    energy: Annotated[str | None, typer.Option(help="name of the energies, where the files have several")] = None,
    forces: Annotated[str | None, typer.Option(help="name of the forces; none: do not use them")] = None,
    stress: Annotated[
        str | None, typer.Option(help="name of the stress, where there are several; none: do not read it")
    ] = None,
    energy_unit: Annotated[str | None, typer.Option(help="eV, Hartree, Rydberg, kcal/mol or kJ/mol")] = None,
    length_unit: Annotated[str | None, typer.Option(help="Angstrom or Bohr")] = None,
    file_format: Annotated[str | None, typer.Option("--format", help="ASE's name of it, or n2p2")] = None,
    config: Annotated[Path, typer.Option(help="the configuration that it is laid over")] = Path("config.yaml"),
) -> None:
    """Write a configuration that studies your own data."""
    from snakemake.utils import update_config  # as the workflow lays them over each other

    from bpstudy.config.files import merged
    from bpstudy.data.prepare import prepare
    from bpstudy.data.proposal import propose
    from bpstudy.files import atomic_path, check_output

    try:
        if output.exists():
            raise ValueError(f"{output}: exists; remove it, or name another with -o")
        check_output(output, "--output", files)
        declared = declaration(files, energy, forces, energy_unit, length_unit, file_format, stress=stress)
        named = declared.model_dump(mode="json", exclude_unset=True, exclude={"files"})
        values = merged([config])
        proposal = propose(values, [str(file) for file in files], None if test is None else str(test), named)
        update_config(values, yaml.safe_load(proposal.text))
        prepared = prepare(values)  # valid at once, or not written
        with atomic_path(output) as temporary:
            temporary.write_text(proposal.text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        fail(error)
    print(proposal.described)
    for line in prepared.left_out:
        print(line)
    print(f"written: {output}; now: snakemake --cores 2 --configfile {output}")
