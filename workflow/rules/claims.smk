rule claims:
    input:
        metrics="results/evaluation/metrics.csv",
        thermal=[f"results/thermal/{s}/summary.csv" for s in SIMULATED if s == STUDY.reported.converged.system],
        with_forces=["results/evaluation/with_forces.csv"] if WITH_FORCES else [],
        selection=(
            [f"results/selection/{name}.csv" for name in ("comparison", "differences", "halves")] if SELECTION else []
        ),
        properties=["results/properties/table.csv"] if PROPERTIES else [],
        smoothness="results/evaluation/smoothness.csv",
        ranking="results/evaluation/ranking.csv",
        hierarchy="results/normalization/hierarchy.csv",
        unit_scatter="results/normalization/scatter.csv",
        sums=expand("results/evaluation/sums/{figure}.csv", figure=STUDY.figures.sums),
        code=code("bpstudy.claims"),
    output:
        claims="results/claims.json",
        table=report("results/claims.csv", caption="../report/claims.rst", category="Tables"),
    log:
        "results/logs/claims.log",
    localrule: True
    conda:
        "../../envs/training.yaml"
    params:
        reported=STUDY.reported.model_dump(),
        forces=WITH_FORCES.model_dump() if WITH_FORCES else None,
        selection=SELECTION.model_dump() if SELECTION else None,
        sums_of=[shown.experiment for shown in STUDY.figures.sums.values()],
        cutoff_angstrom=STUDY.unit_functions.cutoff_angstrom,
        bins=STUDY.unit_functions.bins,
        combinations=[STUDY.comparisons.combinations, STUDY.comparisons.decided_on],
    message:
        "verdicts on the paper's claims"
    script:
        "../scripts/claims.py"
