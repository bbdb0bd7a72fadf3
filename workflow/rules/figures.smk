FIGURES = [
    "fig01",
    "fig02",
    *STUDY.figures.predictions,
    *STUDY.figures.sums,
    "fig11",
    "fig12",
    *(["fig13", "fig15"] if WITH_FORCES else []),
    *(["fig14"] if WITH_FORCES and WITH_FORCES.runs else []),
    *(["fig16", "fig17"] if SELECTION else []),
    "figS1",
    "figS2",
    *(["figS3"] if SIMULATED else []),
    "figS5",
    "figS6",
    "figS7",
    *(["figS8"] if PROPERTIES else []),
    *(["figS9"] if SELECTION else []),
]


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
    localrule: True
    conda:
        "../../envs/figures.yaml"
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
    localrule: True
    conda:
        "../../envs/figures.yaml"
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
    localrule: True
    conda:
        "../../envs/figures.yaml"
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
    localrule: True
    conda:
        "../../envs/figures.yaml"
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
    localrule: True
    conda:
        "../../envs/figures.yaml"
    params:
        **DRAWING,
        experiments=STUDY.figures.overview,
    message:
        "fig11: the combinations of types, all seeds"
    script:
        "../scripts/figures/overview.py"


rule learning_figure:
    input:
        curves="results/evaluation/learning_curves.csv",
        code=code("bpstudy.figures.learning"),
    output:
        drawn("fig12", "learning", "Lithium"),
    log:
        "results/logs/figures/fig12.log",
    localrule: True
    conda:
        "../../envs/figures.yaml"
    params:
        **DRAWING,
        count_of_shares=CURVES.count_of_shares,
    message:
        "fig12: learning curves"
    script:
        "../scripts/figures/learning.py"


if WITH_FORCES:

    rule with_forces_figure:
        input:
            seeds="results/evaluation/with_forces.csv",
            code=code("bpstudy.figures.forces"),
        output:
            drawn("fig13", "with_forces", "Lithium"),
        log:
            "results/logs/figures/fig13.log",
        localrule: True
        conda:
            "../../envs/figures.yaml"
        params:
            **DRAWING,
            goals=[WITH_FORCES.goal_mev_per_atom, WITH_FORCES.goal_mev_per_angstrom],
        message:
            "fig13: energies alone compared with energies and forces"
        script:
            "../scripts/figures/with_forces.py"

    rule force_curves_figure:
        input:
            curves="results/evaluation/force_curves.csv",
            code=code("bpstudy.figures.force_curves"),
        output:
            drawn("fig15", "force_curves", "Lithium"),
        log:
            "results/logs/figures/fig15.log",
        localrule: True
        conda:
            "../../envs/figures.yaml"
        params:
            **DRAWING,
            goals=[WITH_FORCES.goal_mev_per_atom, WITH_FORCES.goal_mev_per_angstrom],
        message:
            "fig15: learning curves with energies alone and with forces"
        script:
            "../scripts/figures/force_curves.py"


if RUNS_OF:

    rule potential_runs_figure:
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
        conda:
            "../../envs/figures.yaml"
        params:
            **DRAWING,
        message:
            "fig14: molecular dynamics with a network compared with DFT"
        script:
            "../scripts/figures/potential_runs.py"


if PROPERTIES:

    rule properties_figure:
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
        conda:
            "../../envs/figures.yaml"
        params:
            **DRAWING,
            goal=PROPERTIES.goal,
        message:
            "figS8: properties of the crystal, networks and DFT"
        script:
            "../scripts/figures/properties.py"


rule histories_figure:
    input:
        histories="results/evaluation/histories.csv",
        code=code("bpstudy.figures.histories"),
    output:
        drawn("figS2", "histories", "Lithium"),
    log:
        "results/logs/figures/figS2.log",
    localrule: True
    conda:
        "../../envs/figures.yaml"
    params:
        **DRAWING,
        experiments=STUDY.figures.overview,
        targets={
            name: STUDY.optimizers[STUDY.experiments[name].optimizer].target_mse_ev2 for name in STUDY.figures.overview
        },
    message:
        "figS2: training histories"
    script:
        "../scripts/figures/histories.py"


if SIMULATED:

    rule thermal_figure:
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
        conda:
            "../../envs/figures.yaml"
        params:
            **DRAWING,
            systems=SIMULATED,
        message:
            "figS3: validation of the dynamics"
        script:
            "../scripts/figures/thermal.py"


if CONVERGENCE:

    rule dft_convergence_figure:
        input:
            tables=expand("results/dft_convergence/{s}/table.csv", s=CONVERGENCE),
            code=code("bpstudy.figures.dft_convergence"),
        output:
            drawn("figS4", "dft_convergence", "Dynamics"),
        log:
            "results/logs/figures/figS4.log",
        localrule: True
        conda:
            "../../envs/figures.yaml"
        params:
            **DRAWING,
            study={name: settings.study for name, settings in CONVERGENCE.items()},
        message:
            "figS4: convergence of the DFT settings"
        script:
            "../scripts/figures/dft_convergence.py"


rule ranking_figure:
    input:
        ranking="results/evaluation/ranking.csv",
        metrics="results/evaluation/metrics.csv",
        code=code("bpstudy.figures.ranking"),
    output:
        drawn("figS5", "ranking", "Lithium"),
    log:
        "results/logs/figures/figS5.log",
    localrule: True
    conda:
        "../../envs/figures.yaml"
    params:
        **DRAWING,
        groups=STUDY.comparisons.shown,
        decided_on=STUDY.comparisons.decided_on,
    message:
        "figS5: ranking of the combinations"
    script:
        "../scripts/figures/ranking.py"


rule heat_maps_figure:
    input:
        correlations="results/evaluation/correlations.csv",
        code=code("bpstudy.figures.information"),
    output:
        drawn("figS6", "heat_maps", "Lithium"),
    log:
        "results/logs/figures/figS6.log",
    localrule: True
    conda:
        "../../envs/figures.yaml"
    params:
        **DRAWING,
        experiments=INFORMATION.heat_maps,
    message:
        "figS6: correlations of the functions"
    script:
        "../scripts/figures/heat_maps.py"


rule cutoff_figure:
    input:
        table="results/evaluation/information.csv",
        code=code("bpstudy.figures.information"),
    output:
        drawn("figS7", "against_cutoff", "Lithium"),
    log:
        "results/logs/figures/figS7.log",
    localrule: True
    conda:
        "../../envs/figures.yaml"
    params:
        **DRAWING,
    message:
        "figS7: information content against the cutoff"
    script:
        "../scripts/figures/against_cutoff.py"


if SELECTION:

    rule selection_errors_figure:
        input:
            table="results/selection/comparison.csv",
            code=code("bpstudy.figures.selection"),
        output:
            drawn("fig16", "selection_errors", "Choice of functions"),
        log:
            "results/logs/figures/fig16.log",
        localrule: True
        conda:
            "../../envs/figures.yaml"
        params:
            **DRAWING,
        message:
            "fig16: error against the number of functions"
        script:
            "../scripts/figures/selection_errors.py"

    rule selection_costs_figure:
        input:
            table="results/selection/comparison.csv",
            code=code("bpstudy.figures.selection"),
        output:
            drawn("fig17", "selection_costs", "Choice of functions"),
        log:
            "results/logs/figures/fig17.log",
        localrule: True
        conda:
            "../../envs/figures.yaml"
        params:
            **DRAWING,
        message:
            "fig17: error against cost"
        script:
            "../scripts/figures/selection_costs.py"

    rule selection_pool_figure:
        input:
            table="results/selection/pool.csv",
            code=code("bpstudy.figures.selection"),
        output:
            drawn("figS9", "selection_pool", "Choice of functions"),
        log:
            "results/logs/figures/figS9.log",
        localrule: True
        conda:
            "../../envs/figures.yaml"
        params:
            **DRAWING,
        message:
            "figS9: the pool of candidates and what was chosen"
        script:
            "../scripts/figures/selection_pool.py"


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
            captions=[caption_file(name) for name in FIGURES],
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
