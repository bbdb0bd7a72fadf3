CURVES = STUDY.learning_curves


rule learning_curves:
    input:
        run=block_files(CURVES.frames, CURVES.experiment),
        held_out=block_files(CURVES.held_out, CURVES.experiment),
        thermo=[thermo(STUDY.frames[frames].system) for frames in (CURVES.frames, CURVES.held_out)],
        code=code("bpstudy.training.learning"),
    output:
        report("results/evaluation/learning_curves.csv", caption="../report/learning.rst", category="Tables"),
    log:
        "results/logs/evaluation/learning_curves.log",
    benchmark:
        "results/benchmarks/learning_curves.tsv"
    conda:
        "../../envs/training.yaml"
    threads: STUDY.experiments[CURVES.experiment].threads
    resources:
        mem_mb=growing(3000),
        runtime=growing(240),
    params:
        settings=CURVES.model_dump(),
        experiment=STUDY.experiments[CURVES.experiment].model_dump(),
        optimizer=STUDY.optimizers[CURVES.optimizer].model_dump(),
        seeds=STUDY.seeds,
    message:
        "learning curves"
    script:
        "../scripts/learning.py"


rule learning_figure:
    input:
        curves="results/evaluation/learning_curves.csv",
        code=code("bpstudy.figures.learning"),
    output:
        drawn("fig12", "learning", "Lithium"),
    log:
        "results/logs/figures/fig12.log",
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        **DRAWING,
        count_of_shares=CURVES.count_of_shares,
    message:
        "fig12: learning curves"
    script:
        "../scripts/figures/learning.py"
