WITH_FORCES = STUDY.with_forces

if WITH_FORCES:
    RUNS_OF, EOS = WITH_FORCES.runs, WITH_FORCES.equation_of_state

    rule with_forces:
        input:
            metrics="results/evaluation/metrics.csv",
            code=code("bpstudy.tables"),
        output:
            seeds="results/evaluation/with_forces.csv",
            summary=report(
                "results/evaluation/with_forces_summary.csv",
                caption="../report/with_forces.rst",
                category="Tables",
            ),
        log:
            "results/logs/evaluation/with_forces.log",
        localrule: True
        conda:
            "../../envs/training.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=15,
        params:
            settings=WITH_FORCES.model_dump(),
        message:
            "energies alone against energies and forces"
        script:
            "../scripts/with_forces.py"

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
        threads: 1
        resources:
            mem_mb=1000,
            runtime=15,
        params:
            **DRAWING,
            goals=[WITH_FORCES.goal_mev_per_atom, WITH_FORCES.goal_mev_per_angstrom],
        message:
            "fig13: energies alone against energies and forces"
        script:
            "../scripts/figures/with_forces.py"

    rule potential_runs:
        input:
            model=f"results/training/{RUNS_OF.experiment}/seed-{RUNS_OF.seed}/model.keras",
            description=f"results/training/{RUNS_OF.experiment}/seed-{RUNS_OF.seed}/potential.json",
            trajectory=trajectory(RUNS_OF.reference),
            thermo=thermo(RUNS_OF.reference),
            code=code("bpstudy.potential_runs"),
        output:
            energies="results/potential/energies.csv",
            summary=report("results/potential/summary.csv", caption="../report/potential_runs.rst", category="Tables"),
            rdf="results/potential/rdf.csv",
            motion="results/potential/motion.csv",
        log:
            "results/logs/potential.log",
        benchmark:
            "results/benchmarks/potential.tsv"
        conda:
            "../../envs/training.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=120,
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

    if EOS.system in SIMULATED:

        rule equation_of_state:
            input:
                figure_files("figS8"),

        rule equation_of_state_dft:
            input:
                code=code("bpstudy.equation_of_state", "bpstudy.dft_convergence", "bpstudy.calculators"),
            output:
                "results/equation_of_state/dft.csv",
            log:
                progress="results/logs/equation_of_state/dft.log",
                calculator="results/logs/equation_of_state/calculator.txt",
            benchmark:
                "results/benchmarks/equation_of_state.tsv"
            conda:
                "../../envs/dft.yaml"
            threads: 1
            resources:
                mem_mb=3000,
                runtime=120,
            params:
                crystal=STUDY.systems[EOS.system].crystal.model_dump(),
                calculator=STUDY.systems[EOS.system].calculator.model_dump(),
                volumes=EOS.volumes,
            message:
                "energy against volume: DFT"
            script:
                "../scripts/equation_of_state_dft.py"

        rule equation_of_state_networks:
            input:
                models=runs(EOS.experiment, "model.keras"),
                descriptions=runs(EOS.experiment, "potential.json"),
                code=code("bpstudy.potential_runs"),
            output:
                "results/equation_of_state/networks.csv",
            log:
                "results/logs/equation_of_state/networks.log",
            conda:
                "../../envs/training.yaml"
            threads: 1
            resources:
                mem_mb=2000,
                runtime=30,
            params:
                crystal=STUDY.systems[EOS.system].crystal.model_dump(),
                volumes=EOS.volumes,
                seeds=STUDY.seeds,
            message:
                "energy against volume: networks"
            script:
                "../scripts/equation_of_state_networks.py"

        rule equation_of_state_figure:
            input:
                dft="results/equation_of_state/dft.csv",
                networks="results/equation_of_state/networks.csv",
                code=code("bpstudy.figures.equation_of_state"),
            output:
                drawn("figS8", "equation_of_state", "Lithium"),
            log:
                "results/logs/figures/figS8.log",
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
                "figS8: energy against volume"
            script:
                "../scripts/figures/equation_of_state.py"
