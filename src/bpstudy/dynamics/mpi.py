"""How MPI is started: the only place with its settings."""

import os

# Of Open MPI 4 (OMPI_) and 5 (the launcher of 5 is named PRTE); other implementations do not read them.
SETTINGS = {
    # Containers and cloud machines run as root.
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    # Snakemake counts the cores, so mpirun need not.
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    # Several jobs on one machine must not pin their ranks to the same cores.
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
    # A container without ptrace cannot read another process's memory.
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    # A serial run needs no helper daemon, which would stay behind when the run is killed.
    "OMPI_MCA_ess_singleton_isolated": "1",
}


def prepare_environment() -> None:
    """Put `SETTINGS` into the environment of this process and its children; the user's own values take precedence."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
