FIGURES = [
    "fig01",
    "fig02",
    *STUDY.figures.predictions,
    *STUDY.figures.sums,
    "fig11",
    "fig12",
    *(["fig13", "fig15"] if WITH_FORCES else []),
    *(["fig14"] if WITH_FORCES and WITH_FORCES.runs else []),
    "figS1",
    "figS2",
    *(["figS3"] if SIMULATED else []),
    "figS5",
    "figS6",
    "figS7",
]


rule energy_figure:
    input:
        thermo=thermo(STUDY.unit_functions.system),
        code=code("bpstudy.figures.energy"),
    output:
        drawn("fig01", "energy", "Copper"),
    log:
        "results/logs/figures/fig01.log",
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        **DRAWING,
    message:
        "fig01: E against time"
    script:
        "../scripts/figures/energy.py"


rule unit_sums_figure:
    input:
        sums="results/normalization/unit_functions.csv",
        scatter="results/normalization/scatter.csv",
        code=code("bpstudy.figures.sums"),
    output:
        drawn("fig02", "unit_sums", "Copper"),
    log:
        "results/logs/figures/fig02.log",
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        **DRAWING,
    message:
        "fig02: E against the 31 sums of unit functions"
    script:
        "../scripts/figures/unit_sums.py"


rule hierarchy_figure:
    input:
        hierarchy="results/normalization/hierarchy.csv",
        code=code("bpstudy.figures.hierarchy"),
    output:
        drawn("figS1", "hierarchy", "Copper"),
    log:
        "results/logs/figures/figS1.log",
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        **DRAWING,
    message:
        "figS1: magnitudes of unit functions"
    script:
        "../scripts/figures/hierarchy.py"


rule predictions_figure:
    input:
        predictions=lambda w: runs(STUDY.figures.predictions[w.figure], "predictions.csv"),
        metrics="results/evaluation/metrics.csv",
        code=code("bpstudy.figures.predictions"),
    output:
        drawn("{figure}", "predictions", "Lithium"),
    log:
        "results/logs/figures/{figure}.log",
    wildcard_constraints:
        figure=one_of(STUDY.figures.predictions),
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        **DRAWING,
        experiment=lambda w: STUDY.figures.predictions[w.figure],
        held_out=lambda w: held_out_of_the_run(STUDY.figures.predictions[w.figure]),
        seeds=STUDY.seeds,
    message:
        "{wildcards.figure}: E(DFT) against E(NN)"
    script:
        "../scripts/figures/predictions.py"


rule sums_figure:
    input:
        sums="results/evaluation/sums/{figure}.csv",
        code=code("bpstudy.figures.sums"),
    output:
        drawn("{figure}", "sums", "Lithium"),
    log:
        "results/logs/figures/{figure}.log",
    wildcard_constraints:
        figure=one_of(STUDY.figures.sums),
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        **DRAWING,
        atom=lambda w: STUDY.figures.sums[w.figure].atom,
    message:
        "{wildcards.figure}: E against the sum of all functions"
    script:
        "../scripts/figures/sums.py"


rule overview_figure:
    input:
        metrics="results/evaluation/metrics.csv",
        code=code("bpstudy.figures.overview"),
    output:
        drawn("fig11", "overview", "Lithium"),
    log:
        "results/logs/figures/fig11.log",
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        **DRAWING,
        experiments=STUDY.figures.overview,
    message:
        "fig11: the combinations of types, all seeds"
    script:
        "../scripts/figures/overview.py"


rule histories_figure:
    input:
        histories="results/evaluation/histories.csv",
        code=code("bpstudy.figures.histories"),
    output:
        drawn("figS2", "histories", "Lithium"),
    log:
        "results/logs/figures/figS2.log",
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        **DRAWING,
        experiments=STUDY.figures.overview,
        targets={
            name: STUDY.optimizers[STUDY.experiments[name].optimizer].target_mse_ev2 for name in STUDY.figures.overview
        },
    message:
        "figS2: histories of the fits"
    script:
        "../scripts/figures/histories.py"
