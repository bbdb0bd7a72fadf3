from pathlib import Path

from bpstudy.dynamics.archive import ArchiveError, check_length

try:
    for system in SIMULATED if STUDY.archive else []:
        check_length(Path(STUDY.archive, system), STUDY.systems[system])
except ArchiveError as error:
    raise WorkflowError(str(error))


rule dynamics_chunk:
    input:
        state=state_before,
        code=code("bpstudy.dynamics.chunks"),
    output:
        frames="results/dynamics/{system}/chunks/{chunk}.traj",
        state="results/dynamics/{system}/chunks/{chunk}.state.json",
        record="results/dynamics/{system}/chunks/{chunk}.record.json",
    log:
        progress="results/logs/dynamics/{system}/{chunk}.log",
        calculator="results/logs/dynamics/{system}/{chunk}.calculator.txt",
    benchmark:
        "results/benchmarks/dynamics/{system}/{chunk}.tsv"
    wildcard_constraints:
        system=one_of(SIMULATED),
    conda:
        "../../envs/dft.yaml"
    threads: lambda w: STUDY.systems[w.system].calculator.mpi_ranks
    resources:
        mem_mb=lambda w, threads, attempt: 1500 * threads * attempt,
        runtime=growing(240),
        tasks=lambda w, threads: threads,  # ranks, of one core each
        cpus_per_task=1,
        mpi=lambda w, threads: f"mpirun -n {threads}" if threads > 1 else "",
    params:
        settings=lambda w: STUDY.systems[w.system].simulation().model_dump_json(),
        steps=lambda w: STUDY.systems[w.system].chunk_range(int(w.chunk)),
        state=lambda w, input: f"--state-in {input.state}" if input.state else "",
    message:
        "{wildcards.system}: molecular dynamics, chunk {wildcards.chunk}"
    shell:
        "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 {resources.mpi} python workflow/scripts/dynamics_chunk.py"
        " --settings {params.settings:q} --steps {params.steps} {params.state}"
        " --frames {output.frames} --state-out {output.state} --record {output.record}"
        " --calculator-log {log.calculator} > {log.progress} 2>&1"


rule trajectory:
    input:
        chunks=chunk_files,
        code=code("bpstudy.data.trajectory"),
    output:
        frames="results/dynamics/{system}/trajectory.traj",
        thermo="results/dynamics/{system}/thermo.csv",
    log:
        "results/logs/dynamics/{system}/trajectory.log",
    benchmark:
        "results/benchmarks/dynamics/{system}/trajectory.tsv"
    wildcard_constraints:
        system=one_of(SIMULATED),
    conda:
        "../../envs/dft.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        timestep_fs=lambda w: STUDY.systems[w.system].dynamics.timestep_fs,
    message:
        "{wildcards.system}: one trajectory of all chunks"
    script:
        "../scripts/trajectory.py"


if STUDY.archive:

    ruleorder: archived_trajectory > trajectory

    rule archived_trajectory:
        input:
            chunks=archived_files,
            code=code("bpstudy.dynamics.archive"),
        output:
            frames="results/dynamics/{system}/trajectory.traj",
            thermo="results/dynamics/{system}/thermo.csv",
        log:
            "results/logs/dynamics/{system}/trajectory.log",
        benchmark:
            "results/benchmarks/dynamics/{system}/trajectory.tsv"
        wildcard_constraints:
            system=one_of(SIMULATED),
        conda:
            "../../envs/dft.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(30),
        params:
            archive=lambda w: f"{STUDY.archive}/{w.system}",
            system=lambda w: STUDY.systems[w.system].model_dump(mode="json"),
        message:
            "{wildcards.system}: the archived trajectory, verified"
        script:
            "../scripts/archived_trajectory.py"
