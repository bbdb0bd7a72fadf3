"""How to choose Behler-Parrinello symmetry functions: from the molecular dynamics to every figure."""

from bpstudy.config.study import ConfigError, load


configfile: "config.yaml"


try:
    STUDY = load(config)
except ConfigError as error:
    raise WorkflowError(str(error))

wildcard_constraints:
    system="[A-Za-z0-9][A-Za-z0-9_-]*",
    chunk="[0-9]{4}",


include: "workflow/rules/common.smk"
include: "workflow/rules/dynamics.smk"
