"""How to choose Behler-Parrinello symmetry functions: from the molecular dynamics to every figure."""

import sys
from pathlib import Path

sys.path.insert(0, f"{workflow.basedir}/src")

from bpstudy.config.base import ConfigError
from bpstudy.config.files import read_file
from bpstudy.data.prepare import prepare
from bpstudy.running.jobs import share_interpreter, share_package
from bpstudy.running.progress import calm_progress
from bpstudy.dynamics.mpi import prepare_environment
from bpstudy.provenance.recording import share_configuration
from bpstudy.running.slurm import OrphanError, refuse_orphans
from bpstudy.running.usage import note_run

share_package()
if listener := workflow.logger_manager.queue_listener:
    calm_progress(listener.handlers)
if not workflow.deployment_settings.deployment_method:  # conda and containers bring their own
    share_interpreter()
share_configuration(workflow.config_settings.configfiles, workflow.config_settings.config)
prepare_environment()  # of the jobs that start mpirun


configfile: "config.yaml"


try:
    for file in workflow.configfiles:
        read_file(file)  # what YAML reads otherwise than a person does
    PREPARED = prepare(config)  # reads data that exist, so that what is wrong with them is said before the first job
except ConfigError as error:
    raise WorkflowError(str(error))
STUDY = PREPARED.study


wildcard_constraints:
    system="[A-Za-z0-9_-]+",
    frames="[A-Za-z0-9_-]+",
    experiment="[A-Za-z0-9_-]+",
    figure="fig[0-9]{2}",
    chunk="[0-9]{4}",
    seed="[0-9]+",


onstart:
    try:
        refuse_orphans(Path.cwd())
    except OrphanError as error:
        raise WorkflowError(str(error))
    if workflow.local_exec:
        # With a limit of jobs in a time, each look for jobs to start sets a timer for another one, for ever: thousands
        # of looks at the end of a run, each of which asks for the size of every input.
        workflow.scheduler.job_rate_limiter = None
    for line in PREPARED.left_out:
        logger.info(line)


onsuccess:
    note_run()


onerror:
    note_run()


report: "workflow/report/workflow.rst"


# One file a stage, in the order in which the data flow; the folders of src/bpstudy have the same names.
include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/dynamics.smk"
include: "workflow/rules/strained.smk"
include: "workflow/rules/thermal.smk"
include: "workflow/rules/descriptors.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/selection.smk"
include: "workflow/rules/potential.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/figures.smk"


rule all:
    default_target: True
    input:
        [figure_files(name) for name in FIGURES],
        "results/evaluation/metrics.csv",
        "results/evaluation/differences.csv",
        "results/claims.json",
        ["results/selection/recommended.json"] if SELECTION else [],
        ["results/potential/coverage.csv"] if COVERAGE else [],
        "results/left_out.md",
        "results/paper/paper.pdf",
        ["results/index.html"] if PAGE_FORMAT else [],


include: "workflow/rules/provenance.smk"
