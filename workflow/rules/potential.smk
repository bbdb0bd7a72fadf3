RUNS_OF = WITH_FORCES.runs if WITH_FORCES else None
EOS = WITH_FORCES.equation_of_state if WITH_FORCES else None

# Dynamics with a network beside those of a reference that moves.
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
            "molecular dynamics with a network"
        script:
            "../scripts/potential_runs.py"


# A committee needs two networks.
COVERAGE = WITH_FORCES.coverage if WITH_FORCES and len(STUDY.seeds) > 1 else None

if COVERAGE:

    rule coverage:
        input:
            models=runs(COVERAGE.experiment, "model.keras"),
            descriptions=runs(COVERAGE.experiment, "potential.json"),
            trajectory=trajectory(STUDY.frames[WITH_FORCES.held_out].system),
            blocks=block_files(WITH_FORCES.held_out, COVERAGE.experiment),
            code=code("bpstudy.potential.coverage"),
        output:
            table=report("results/potential/coverage.csv", caption="../report/coverage.rst", category="Tables"),
            calibration="results/potential/calibration.json",
        log:
            "results/logs/coverage.log",
        benchmark:
            "results/benchmarks/coverage.tsv"
        conda:
            "../../envs/training.yaml"
        resources:
            mem_mb=growing(3000),
            runtime=growing(60),
        params:
            settings=COVERAGE.model_dump(),
            description=lambda w, input: str(Path(input.blocks[0]).with_suffix(".json")),
        message:
            "coverage of a committee's intervals"
        script:
            "../scripts/committee_coverage.py"


# Not part of `all`: some DFT. `snakemake --cores 2 equation_of_state`
if EOS and EOS.system in SIMULATED:

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
