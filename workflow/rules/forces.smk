WITH_FORCES = STUDY.with_forces

if WITH_FORCES:
    EOS = WITH_FORCES.equation_of_state

    rule with_forces:
        input:
            metrics="results/evaluation/metrics.csv",
            code=code("bpstudy.evaluation.tables"),
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

    ALONE, TOGETHER = (STUDY.experiments[name] for name in WITH_FORCES.pairs[WITH_FORCES.learning.pair])
    CURVE_SETS = [TOGETHER.frames, WITH_FORCES.held_out]

    rule force_curves:
        input:
            blocks=[block_file(frames, block) for frames in CURVE_SETS for block in TOGETHER.functions],
            thermo=[thermo(STUDY.frames[frames].system) for frames in CURVE_SETS],
            trajectories=[trajectory(STUDY.frames[frames].system) for frames in CURVE_SETS],
            code=code("bpstudy.training.learning"),
        output:
            report(
                "results/evaluation/force_curves.csv",
                caption="../report/force_curves.rst",
                category="Tables",
            ),
        log:
            "results/logs/evaluation/force_curves.log",
        benchmark:
            "results/benchmarks/force_curves.tsv"
        conda:
            "../../envs/training.yaml"
        threads: TOGETHER.threads
        resources:
            mem_mb=growing(3000),
            runtime=growing(240),
        params:
            counts=WITH_FORCES.learning.counts,
            experiments=[experiment.model_dump() for experiment in (ALONE, TOGETHER)],
            optimizers=[STUDY.optimizers[experiment.optimizer].model_dump() for experiment in (ALONE, TOGETHER)],
            seeds=STUDY.seeds,
        message:
            "learning curves, energies alone and with forces"
        script:
            "../scripts/force_curves.py"

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
        threads: 1
        resources:
            mem_mb=1000,
            runtime=15,
        params:
            **DRAWING,
            goals=[WITH_FORCES.goal_mev_per_atom, WITH_FORCES.goal_mev_per_angstrom],
        message:
            "fig15: errors against the number of frames, energies alone and with forces"
        script:
            "../scripts/figures/force_curves.py"

    if EOS.system in SIMULATED:

        rule equation_of_state:
            input:
                figure_files("figS8"),

        rule equation_of_state_dft:
            input:
                code=code(
                    "bpstudy.potential.equation_of_state",
                    "bpstudy.dynamics.convergence",
                    "bpstudy.dynamics.calculators",
                ),
            output:
                energies="results/equation_of_state/dft.csv",
                elastic="results/equation_of_state/elastic_dft.csv",
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
                strain=EOS.strain,
            message:
                "energy against volume, elastic constants: DFT"
            script:
                "../scripts/equation_of_state_dft.py"

        rule equation_of_state_networks:
            input:
                models=runs(EOS.experiment, "model.keras"),
                descriptions=runs(EOS.experiment, "potential.json"),
                code=code("bpstudy.potential.runs"),
            output:
                energies="results/equation_of_state/networks.csv",
                elastic="results/equation_of_state/elastic_networks.csv",
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
                strain=EOS.strain,
                seeds=STUDY.seeds,
            message:
                "energy against volume, elastic constants: networks"
            script:
                "../scripts/equation_of_state_networks.py"

        rule equation_of_state_figure:
            input:
                dft="results/equation_of_state/dft.csv",
                networks="results/equation_of_state/networks.csv",
                elastic_dft="results/equation_of_state/elastic_dft.csv",
                elastic_networks="results/equation_of_state/elastic_networks.csv",
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
                "figS8: energy against volume, elastic constants"
            script:
                "../scripts/figures/equation_of_state.py"
