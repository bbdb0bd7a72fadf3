# Data that exist: read into one trajectory in eV and Å, and what is left out because they do not hold it.
rule imported_trajectory:
    input:
        files=lambda w: list(STUDY.systems[w.system].inputs),
        code=code("bpstudy.data.importing", "bpstudy.thermal.reference"),
    output:
        frames="results/dynamics/{system}/trajectory.traj",
        thermo="results/dynamics/{system}/thermo.csv",
    log:
        "results/logs/dynamics/{system}/trajectory.log",
    benchmark:
        "results/benchmarks/dynamics/{system}/trajectory.tsv"
    wildcard_constraints:
        system=one_of(IMPORTED),
    conda:
        "../../envs/dft.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        declared=lambda w: STUDY.systems[w.system].model_dump(mode="json"),
        runs=runs_beside,
    message:
        "{wildcards.system}: the user's own data"
    script:
        "../scripts/imported_trajectory.py"


rule left_out:
    input:
        code=code("bpstudy.data.left_out"),
    output:
        report("results/left_out.md", caption="../report/left_out.rst", category="Tables"),
    log:
        "results/logs/left_out.log",
    localrule: True
    conda:
        "../../envs/dft.yaml"
    params:
        lines=list(PREPARED.left_out),
    message:
        "parts left out for lack of data"
    script:
        "../scripts/left_out.py"
