# Typst sets vector graphics best as PDF.
PAPER_FORMAT = min(STUDY.figures.formats, key=("pdf", "svg", "png").index)
PAPER_FIGURES = {name: f"results/figures/{name}.{PAPER_FORMAT}" for name in FIGURES}
PAPER_TABLES = {
    "metrics": "results/evaluation/metrics.csv",
    "ranking": "results/evaluation/ranking.csv",
    "unit-scatter": "results/normalization/scatter.csv",
    "hierarchy": "results/normalization/hierarchy.csv",
    "claims": "results/claims.json",
    **({"with-forces": "results/evaluation/with_forces_summary.csv"} if WITH_FORCES else {}),
    **{f"thermo-{system}": thermo(system) for system in STUDY.used_systems},
}


rule paper:
    input:
        source="paper/paper.typ",
        bibliography="paper/references.bib",
        figures=PAPER_FIGURES.values(),
        tables=PAPER_TABLES.values(),
        code=code("bpstudy.figures.paper"),
    output:
        paper=report("results/paper/paper.pdf", caption="../report/paper.rst", category="Paper"),
        config="results/paper/config.json",
    log:
        "results/logs/paper.log",
    conda:
        "../../envs/paper.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        inputs={**PAPER_FIGURES, **PAPER_TABLES},
        config=STUDY.model_dump_json(indent=1),
        date=STUDY.paper_date.isoformat(),
    message:
        "the paper"
    script:
        "../scripts/paper.py"
