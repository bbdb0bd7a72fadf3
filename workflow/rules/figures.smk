rule energy_figure:
    input:
        thermo=thermo(STUDY.unit_functions.system),
        code=code("bpstudy.figures.energy"),
    output:
        drawn("fig01", "energy", "Copper"),
    log:
        "results/logs/figures/fig01.log",
    params:
        **DRAWING,
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    conda:
        "../../envs/figures.yaml"
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
    params:
        **DRAWING,
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    conda:
        "../../envs/figures.yaml"
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
    params:
        **DRAWING,
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    conda:
        "../../envs/figures.yaml"
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
    params:
        experiment=lambda w: STUDY.figures.predictions[w.figure],
        seeds=STUDY.seeds,
        **DRAWING,
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    conda:
        "../../envs/figures.yaml"
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
    params:
        atom=lambda w: STUDY.figures.sums[w.figure].atom,
        **DRAWING,
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    conda:
        "../../envs/figures.yaml"
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
    params:
        experiments=STUDY.figures.overview,
        **DRAWING,
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    conda:
        "../../envs/figures.yaml"
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
    params:
        experiments=STUDY.figures.overview,
        **DRAWING,
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    conda:
        "../../envs/figures.yaml"
    message:
        "figS2: histories of the fits"
    script:
        "../scripts/figures/histories.py"
