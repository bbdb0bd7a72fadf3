rule comparisons:
    input:
        metrics="results/evaluation/metrics.csv",
        predictions=[
            path
            for names in STUDY.comparisons.groups.values()
            for name in names
            for path in runs(name, "predictions.csv")
        ],
        code=code("bpstudy.evaluation.comparison"),
    output:
        ranking=report("results/evaluation/ranking.csv", caption="../report/ranking.rst", category="Tables"),
        differences="results/evaluation/differences.csv",
    log:
        "results/logs/evaluation/comparisons.log",
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=STUDY.comparisons.model_dump(),
        seeds=STUDY.seeds,
    message:
        "experiments ranked, paired by seed"
    script:
        "../scripts/comparisons.py"


rule smoothness:
    input:
        metrics="results/evaluation/metrics.csv",
        predictions=[path for name in STUDY.experiments for path in runs(name, "predictions.csv")],
        code=code("bpstudy.evaluation.tables"),
    output:
        "results/evaluation/smoothness.csv",
    log:
        "results/logs/evaluation/smoothness.log",
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        runs=RUNS,
    message:
        "spikes of all networks"
    script:
        "../scripts/smoothness.py"


rule ranking_figure:
    input:
        ranking="results/evaluation/ranking.csv",
        metrics="results/evaluation/metrics.csv",
        code=code("bpstudy.figures.ranking"),
    output:
        drawn("figS5", "ranking", "Lithium"),
    log:
        "results/logs/figures/figS5.log",
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        **DRAWING,
        groups=STUDY.comparisons.shown,
        decided_on=STUDY.comparisons.decided_on,
    message:
        "figS5: which combination is best, and how sure that is"
    script:
        "../scripts/figures/ranking.py"
