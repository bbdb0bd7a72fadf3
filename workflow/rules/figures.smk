# Each figure: a script of workflow/scripts/figures that draws it from small tables, in seconds.
rule energy_figure:
    input:
        thermo=thermo(STUDY.unit_functions.system),
        code=code("bpstudy.figures.energy"),
    output:
        drawn("fig01", "energy", "Copper"),
    log:
        "results/logs/figures/fig01.log",
    localrule: True
    conda:
        "../../envs/figures.yaml"
    params:
        **DRAWING,
        script="energy",
    message:
        "{output[0]}: {params.script}"
    script:
        "../scripts/figures/{params.script}.py"


use rule energy_figure as unit_sums_figure with:
    input:
        sums="results/normalization/unit_functions.csv",
        scatter="results/normalization/scatter.csv",
        code=code("bpstudy.figures.sums"),
    output:
        drawn("fig02", "unit_sums", "Copper"),
    log:
        "results/logs/figures/fig02.log",
    localrule: True
    params:
        script="unit_sums",


use rule energy_figure as hierarchy_figure with:
    input:
        hierarchy="results/normalization/hierarchy.csv",
        code=code("bpstudy.figures.hierarchy"),
    output:
        drawn("figS1", "hierarchy", "Copper"),
    log:
        "results/logs/figures/figS1.log",
    localrule: True
    params:
        script="hierarchy",


use rule energy_figure as predictions_figure with:
    input:
        predictions=lambda w: runs(STUDY.figures.predictions[w.figure], "predictions.csv"),
        metrics="results/evaluation/metrics.csv",
        code=code("bpstudy.figures.predictions"),
    output:
        drawn("{figure}", "predictions", "Lithium", STUDY.figures.predictions),
    log:
        "results/logs/figures/{figure}.log",
    wildcard_constraints:
        figure=one_of(STUDY.figures.predictions),
    localrule: True
    params:
        script="predictions",
        experiment=lambda w: STUDY.figures.predictions[w.figure],
        held_out=lambda w: held_out_of_the_run(STUDY.figures.predictions[w.figure]),
        seeds=STUDY.seeds,


use rule energy_figure as sums_figure with:
    input:
        sums="results/evaluation/sums/{figure}.csv",
        code=code("bpstudy.figures.sums"),
    output:
        drawn("{figure}", "sums", "Lithium", STUDY.figures.sums),
    log:
        "results/logs/figures/{figure}.log",
    wildcard_constraints:
        figure=one_of(STUDY.figures.sums),
    localrule: True
    params:
        script="sums",
        atom=lambda w: STUDY.figures.sums[w.figure].atom,


use rule energy_figure as overview_figure with:
    input:
        metrics="results/evaluation/metrics.csv",
        code=code("bpstudy.figures.overview"),
    output:
        drawn("fig11", "overview", "Lithium"),
    log:
        "results/logs/figures/fig11.log",
    localrule: True
    params:
        script="overview",
        experiments=STUDY.figures.overview,


use rule energy_figure as learning_figure with:
    input:
        curves="results/evaluation/learning_curves.csv",
        code=code("bpstudy.figures.learning"),
    output:
        drawn("fig12", "learning", "Lithium"),
    log:
        "results/logs/figures/fig12.log",
    localrule: True
    params:
        script="learning",
        count_of_shares=CURVES.count_of_shares,


if WITH_FORCES:

    use rule energy_figure as with_forces_figure with:
        input:
            seeds="results/evaluation/with_forces.csv",
            code=code("bpstudy.figures.forces"),
        output:
            drawn("fig13", "with_forces", "Lithium"),
        log:
            "results/logs/figures/fig13.log",
        localrule: True
        params:
            script="with_forces",
            goals=[WITH_FORCES.goal_mev_per_atom, WITH_FORCES.goal_mev_per_angstrom],

    use rule energy_figure as force_curves_figure with:
        input:
            curves="results/evaluation/force_curves.csv",
            code=code("bpstudy.figures.force_curves"),
        output:
            drawn("fig15", "force_curves", "Lithium"),
        log:
            "results/logs/figures/fig15.log",
        localrule: True
        params:
            script="force_curves",
            goals=[WITH_FORCES.goal_mev_per_atom, WITH_FORCES.goal_mev_per_angstrom],


if RUNS_OF:

    use rule energy_figure as potential_runs_figure with:
        input:
            energies="results/potential/energies.csv",
            rdf="results/potential/rdf.csv",
            motion="results/potential/motion.csv",
            code=code("bpstudy.figures.potential_runs"),
        output:
            drawn("fig14", "potential_runs", "Lithium"),
        log:
            "results/logs/figures/fig14.log",
        localrule: True
        params:
            script="potential_runs",


if PROPERTIES:

    use rule energy_figure as properties_figure with:
        input:
            dft=dft_properties("curve.csv"),
            dft_table=dft_properties("properties.csv"),
            curve="results/properties/curve.csv",
            networks="results/properties/networks.csv",
            code=code("bpstudy.figures.properties"),
        output:
            drawn("figS8", "properties", "Lithium"),
        log:
            "results/logs/figures/figS8.log",
        localrule: True
        params:
            script="properties",
            goal=PROPERTIES.goal,


use rule energy_figure as histories_figure with:
    input:
        histories="results/evaluation/histories.csv",
        code=code("bpstudy.figures.histories"),
    output:
        drawn("figS2", "histories", "Lithium"),
    log:
        "results/logs/figures/figS2.log",
    localrule: True
    params:
        script="histories",
        experiments=STUDY.figures.overview,
        targets={
            name: STUDY.optimizers[STUDY.experiments[name].optimizer].target_mse_ev2 for name in STUDY.figures.overview
        },


if SIMULATED:

    use rule energy_figure as thermal_figure with:
        input:
            summary=expand("results/thermal/{s}/summary.csv", s=SIMULATED),
            blocks=expand("results/thermal/{s}/blocks.csv", s=SIMULATED),
            distributions=expand("results/thermal/{s}/distributions.csv", s=SIMULATED),
            rdf=expand("results/thermal/{s}/rdf.csv", s=SIMULATED),
            code=code("bpstudy.figures.thermal"),
        output:
            drawn("figS3", "thermal", "Dynamics"),
        log:
            "results/logs/figures/figS3.log",
        localrule: True
        params:
            script="thermal",
            systems=SIMULATED,


if CONVERGENCE:

    use rule energy_figure as dft_convergence_figure with:
        input:
            tables=expand("results/dft_convergence/{s}/table.csv", s=CONVERGENCE),
            code=code("bpstudy.figures.dft_convergence"),
        output:
            drawn("figS4", "dft_convergence", "Dynamics"),
        log:
            "results/logs/figures/figS4.log",
        localrule: True
        params:
            script="dft_convergence",
            study={name: settings.study for name, settings in CONVERGENCE.items()},


use rule energy_figure as ranking_figure with:
    input:
        ranking="results/evaluation/ranking.csv",
        metrics="results/evaluation/metrics.csv",
        code=code("bpstudy.figures.ranking"),
    output:
        drawn("figS5", "ranking", "Lithium"),
    log:
        "results/logs/figures/figS5.log",
    localrule: True
    params:
        script="ranking",
        groups=STUDY.comparisons.shown,
        decided_on=STUDY.comparisons.decided_on,


use rule energy_figure as heat_maps_figure with:
    input:
        correlations="results/evaluation/correlations.csv",
        code=code("bpstudy.figures.information"),
    output:
        drawn("figS6", "heat_maps", "Lithium"),
    log:
        "results/logs/figures/figS6.log",
    localrule: True
    params:
        script="heat_maps",
        experiments=INFORMATION.heat_maps,


use rule energy_figure as cutoff_figure with:
    input:
        table="results/evaluation/information.csv",
        code=code("bpstudy.figures.information"),
    output:
        drawn("figS7", "against_cutoff", "Lithium"),
    log:
        "results/logs/figures/figS7.log",
    localrule: True
    params:
        script="against_cutoff",


if SELECTION:

    use rule energy_figure as selection_errors_figure with:
        input:
            table="results/selection/comparison.csv",
            code=code("bpstudy.figures.selection"),
        output:
            drawn("fig16", "selection_errors", "Choice of functions"),
        log:
            "results/logs/figures/fig16.log",
        localrule: True
        params:
            script="selection_errors",

    use rule energy_figure as selection_costs_figure with:
        input:
            table="results/selection/comparison.csv",
            code=code("bpstudy.figures.selection"),
        output:
            drawn("fig17", "selection_costs", "Choice of functions"),
        log:
            "results/logs/figures/fig17.log",
        localrule: True
        params:
            script="selection_costs",

    use rule energy_figure as selection_pool_figure with:
        input:
            table="results/selection/pool.csv",
            code=code("bpstudy.figures.selection"),
        output:
            drawn("figS9", "selection_pool", "Choice of functions"),
        log:
            "results/logs/figures/figS9.log",
        localrule: True
        params:
            script="selection_pool",


# figS4 is drawn on request only: it needs hours of DFT.
FIGURES = sorted(name for name in CAPTIONS if name != "figS4")

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
    **({"properties": "results/properties/table.csv"} if PROPERTIES else {}),
    **({"coverage": "results/potential/coverage.csv"} if COVERAGE else {}),
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
    localrule: True
    conda:
        "../../envs/paper.yaml"
    params:
        inputs={**PAPER_FIGURES, **PAPER_TABLES},
        config=STUDY.model_dump_json(indent=1),
        date=STUDY.paper_date.isoformat(),
    message:
        "the paper"
    script:
        "../scripts/paper.py"


# The results page shows pictures as browsers do: PNG, or SVG where no PNG is drawn.
PAGE_FORMAT = next((of for of in ("png", "svg") if of in STUDY.figures.formats), None)

if PAGE_FORMAT:

    rule results_page:
        input:
            claims="results/claims.json",
            metrics="results/evaluation/metrics.csv",
            figures=expand("results/figures/{n}.{f}", n=FIGURES, f=PAGE_FORMAT),
            captions=[CAPTIONS[name] for name in FIGURES],
            code=code("bpstudy.figures.results_page"),
        output:
            "results/index.html",
        log:
            "results/logs/results_page.log",
        localrule: True
        conda:
            "../../envs/figures.yaml"
        params:
            names=FIGURES,
            audits=[f"audit/figures/{name}.{STUDY.figures.formats[0]}.html" for name in FIGURES],
        message:
            "the results page: results/index.html"
        script:
            "../scripts/results_page.py"
