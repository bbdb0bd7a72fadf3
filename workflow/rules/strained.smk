# Single points of strained cells. A chunk that is there is not computed again.
from bpstudy.config.systems import Strained

STRAINED = [name for name, system in STUDY.systems.items() if isinstance(system, Strained)]


rule strained_cells_all:
    input:
        expand("results/dynamics/{s}/trajectory.traj", s=STRAINED),
        expand("results/dynamics/{s}/cells.extxyz", s=STRAINED),


rule strained_cells:
    input:
        code=code("bpstudy.dynamics.strained"),
    output:
        "results/dynamics/{system}/cells.extxyz",
    log:
        "results/logs/dynamics/{system}/cells.log",
    wildcard_constraints:
        system=one_of(STRAINED),
    localrule: True
    conda:
        "../../envs/dft.yaml"
    params:
        system=lambda w: STUDY.systems[w.system].model_dump(mode="json"),
    message:
        "{wildcards.system}: strained cells"
    script:
        "../scripts/strained_cells.py"


rule strained_chunk:
    input:
        code=code("bpstudy.dynamics.strained"),
    output:
        frames="results/dynamics/{system}/chunks/{chunk}.traj",
        record="results/dynamics/{system}/chunks/{chunk}.record.json",
    log:
        progress="results/logs/dynamics/{system}/{chunk}.log",
        calculator="results/logs/dynamics/{system}/{chunk}.calculator.txt",
    benchmark:
        "results/benchmarks/dynamics/{system}/{chunk}.tsv"
    wildcard_constraints:
        system=one_of(STRAINED),
    conda:
        "../../envs/dft.yaml"
    resources:
        mem_mb=growing(1500),
        runtime=growing(240),
    params:
        settings=lambda w: STUDY.systems[w.system].model_dump_json(),
        cells=lambda w: STUDY.systems[w.system].chunk_range(int(w.chunk)),
    message:
        "{wildcards.system}: single points of strained cells, chunk {wildcards.chunk}"
    shell:
        "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python workflow/scripts/strained_chunk.py"
        " --settings {params.settings:q} --cells {params.cells}"
        " --frames {output.frames} --record {output.record}"
        " --calculator-log {log.calculator} > {log.progress} 2>&1"


rule strained_trajectory:
    input:
        chunks=strained_files,
        code=code("bpstudy.dynamics.strained", "bpstudy.dynamics.archive"),
    output:
        frames="results/dynamics/{system}/trajectory.traj",
        thermo="results/dynamics/{system}/thermo.csv",
    log:
        "results/logs/dynamics/{system}/trajectory.log",
    benchmark:
        "results/benchmarks/dynamics/{system}/trajectory.tsv"
    wildcard_constraints:
        system=one_of(STRAINED),
    conda:
        "../../envs/dft.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        archive=lambda w: f"{STUDY.archive}/{w.system}" if is_archived(w) else "",
        system=lambda w: STUDY.systems[w.system].model_dump(mode="json"),
    message:
        "{wildcards.system}: joining the strained cells"
    script:
        "../scripts/strained_trajectory.py"
