RUNS = [(name, seed) for name in STUDY.experiments for seed in STUDY.seeds]


rule metrics:
    input:
        predictions=[path for name in STUDY.experiments for path in runs(name, "predictions.csv")],
        fits=[path for name in STUDY.experiments for path in runs(name, "metrics.json")],
        baselines=[f"results/training/{name}/baselines.csv" for name in STUDY.experiments],
        noise=[STUDY.noise_floor] if STUDY.noise_floor else [],
        code=code("bpstudy.evaluation.tables"),
    output:
        report(
            "results/evaluation/metrics.csv",
            caption="../report/metrics.rst",
            category="Tables",
        ),
    log:
        "results/logs/evaluation/metrics.log",
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        runs=RUNS,
        experiments={name: e.model_dump() for name, e in STUDY.experiments.items()},
        systems={name: STUDY.frames[e.frames].system for name, e in STUDY.experiments.items()},
    message:
        "errors of all networks"
    script:
        "../scripts/metrics.py"


rule histories:
    input:
        histories=[path for name in STUDY.experiments for path in runs(name, "history.csv")],
        code=code("bpstudy.evaluation.tables"),
    output:
        "results/evaluation/histories.csv",
    log:
        "results/logs/evaluation/histories.log",
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        runs=RUNS,
    message:
        "histories of all fits"
    script:
        "../scripts/histories.py"


rule sums:
    input:
        blocks=lambda w: block_files(shown_in(w).frames, STUDY.figures.sums[w.figure].experiment),
        thermo=lambda w: thermo(STUDY.frames[shown_in(w).frames].system),
        code=code("bpstudy.evaluation.tables"),
    output:
        "results/evaluation/sums/{figure}.csv",
    log:
        "results/logs/evaluation/sums-{figure}.log",
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        atom=lambda w: STUDY.figures.sums[w.figure].atom,
        energy=lambda w: shown_in(w).energy,
    message:
        "{wildcards.figure}: E against the sum of all functions"
    script:
        "../scripts/sums.py"
