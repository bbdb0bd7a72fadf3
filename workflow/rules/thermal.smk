rule thermal:
    input:
        trajectory=lambda w: trajectory(w.system),
        thermo=lambda w: thermo(w.system),
        code=code("bpstudy.thermal.analysis", "bpstudy.thermal.rdf", "bpstudy.dynamics.crystals"),
    output:
        summary="results/thermal/{system}/summary.csv",
        blocks="results/thermal/{system}/blocks.csv",
        distributions="results/thermal/{system}/distributions.csv",
        rdf="results/thermal/{system}/rdf.csv",
    log:
        "results/logs/thermal/{system}.log",
    benchmark:
        "results/benchmarks/thermal/{system}.tsv"
    wildcard_constraints:
        system=one_of(SIMULATED),
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=STUDY.thermal.model_dump(),
        crystal=lambda w: STUDY.systems[w.system].crystal.model_dump(),
        bath=lambda w: STUDY.systems[w.system].dynamics.model_dump(),
    message:
        "{wildcards.system}: temperature, energies and structure compared with theory"
    script:
        "../scripts/thermal.py"
