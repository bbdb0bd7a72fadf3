from bpstudy.config.systems import Simulated


def chunk_files(wildcards):
    """The chunks of a simulated system, in order."""
    chunks = range(STUDY.systems[wildcards.system].chunks)
    return [f"results/dynamics/{wildcards.system}/chunks/{n:04d}.traj" for n in chunks]


def state_before(wildcards):
    n = int(wildcards.chunk)
    return [f"results/dynamics/{wildcards.system}/chunks/{n - 1:04d}.state.json"] if n else []


rule dynamics_chunk:
    input:
        state=state_before,
        code=code("bpstudy.dynamics"),
    output:
        frames="results/dynamics/{system}/chunks/{chunk}.traj",
        state="results/dynamics/{system}/chunks/{chunk}.state.json",
        record="results/dynamics/{system}/chunks/{chunk}.record.json",
    log:
        progress="results/logs/dynamics/{system}/{chunk}.log",
        calculator="results/logs/dynamics/{system}/{chunk}.calculator.txt",
    benchmark:
        "results/benchmarks/dynamics/{system}/{chunk}.tsv"
    params:
        settings=lambda w: STUDY.systems[w.system].simulation().model_dump_json(),
        steps=lambda w: STUDY.systems[w.system].chunk_range(int(w.chunk)),
        state=lambda w, input: f"--state-in {input.state}" if input.state else "",
        launcher=lambda w, threads: f"mpirun -n {threads}" if threads > 1 else "",
    threads: lambda w: STUDY.systems[w.system].calculator.mpi_ranks
    resources:
        mem_mb=lambda w, threads: 1500 * threads,
        runtime=240,
    conda:
        "../../envs/dft.yaml"
    message:
        "{wildcards.system}: molecular dynamics, chunk {wildcards.chunk}"
    shell:
        "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 {params.launcher} python workflow/scripts/dynamics_chunk.py"
        " --settings {params.settings:q} --steps {params.steps} {params.state}"
        " --frames {output.frames} --state-out {output.state} --record {output.record}"
        " --calculator-log {log.calculator} > {log.progress} 2>&1"


rule trajectory:
    input:
        chunks=chunk_files,
    output:
        "results/dynamics/{system}/trajectory.traj",
    shell:
        "cat {input} > {output}"
