"""`bpstudy new`."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from bpstudy.cli.data import Energy, EnergyUnit, FileFormat, Files, Forces, LengthUnit, Stress, declaration
from bpstudy.cli.messages import fail


def new(
    files: Files,
    test: Annotated[Path | None, typer.Option(help="file of test frames")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="configuration to write")] = Path("mine.yaml"),
    energy: Energy = None,
    forces: Forces = None,
    stress: Stress = None,
    energy_unit: EnergyUnit = None,
    length_unit: LengthUnit = None,
    file_format: FileFormat = None,
    config: Annotated[Path, typer.Option(help="configuration that it overlays")] = Path("config.yaml"),
) -> None:
    """Write a configuration for a study of your own data."""
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
