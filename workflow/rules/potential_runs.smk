# Dynamics with a network beside those of a reference that moves.
RUNS_OF = STUDY.with_forces.runs if STUDY.with_forces else None

if RUNS_OF:

    rule potential_runs:
        input:
            model=f"results/training/{RUNS_OF.experiment}/seed-{RUNS_OF.seed}/model.keras",
            description=f"results/training/{RUNS_OF.experiment}/seed-{RUNS_OF.seed}/potential.json",
            trajectory=trajectory(RUNS_OF.reference),
            thermo=thermo(RUNS_OF.reference),
            code=code("bpstudy.potential.runs"),
        output:
            energies="results/potential/energies.csv",
            summary=report("results/potential/summary.csv", caption="../report/potential_runs.rst", category="Tables"),
            rdf="results/potential/rdf.csv",
            motion="results/potential/motion.csv",
        log:
            "results/logs/potential.log",
        benchmark:
            "results/benchmarks/potential.tsv"
        priority: 1  # as the fits with forces
        conda:
            "../../envs/training.yaml"
        threads: STUDY.descriptor_threads
        resources:
            mem_mb=3000,
            runtime=growing(240),
        params:
            settings=RUNS_OF.model_dump(),
            thermal=STUDY.thermal.model_dump(),
        message:
            "dynamics with a network"
        script:
            "../scripts/potential_runs.py"

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
        threads: 1
        resources:
            mem_mb=1000,
            runtime=15,
        params:
            **DRAWING,
        message:
            "fig14: dynamics with a network, beside those of the DFT"
        script:
            "../scripts/figures/potential_runs.py"
