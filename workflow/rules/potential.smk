RUNS_OF = WITH_FORCES.runs if WITH_FORCES else None
PROPERTIES = STUDY.properties

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


# The ideal crystal by DFT and by networks.
if PROPERTIES:

    rule properties_dft:
        input:
            code=code("bpstudy.dynamics.properties", "bpstudy.dynamics.calculators"),
        output:
            curve="results/properties/dft/curve.csv",
            table="results/properties/dft/properties.csv",
        log:
            progress="results/logs/properties/dft.log",
            calculator="results/logs/properties/calculator.txt",
        benchmark:
            "results/benchmarks/properties_dft.tsv"
        conda:
            "../../envs/dft.yaml"
        resources:
            mem_mb=growing(3000),
            runtime=growing(240),
        params:
            system=STUDY.systems[PROPERTIES.system].model_dump(mode="json"),
            asked=PROPERTIES.model_dump(),
        message:
            "properties of the crystal: DFT"
        script:
            "../scripts/properties_dft.py"

    rule properties:
        input:
            models=runs(PROPERTIES.experiment, "model.keras"),
            descriptions=runs(PROPERTIES.experiment, "potential.json"),
            dft=dft_properties("properties.csv"),
            code=code("bpstudy.potential.properties"),
        output:
            curve="results/properties/curve.csv",
            networks="results/properties/networks.csv",
            table=report("results/properties/table.csv", caption="../report/properties.rst", category="Tables"),
        log:
            "results/logs/properties/networks.log",
        benchmark:
            "results/benchmarks/properties.tsv"
        conda:
            "../../envs/training.yaml"
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            crystal=STUDY.systems[PROPERTIES.system].crystal.model_dump(),
            asked=PROPERTIES.model_dump(),
            seeds=STUDY.seeds,
        message:
            "properties of the crystal: networks beside DFT"
        script:
            "../scripts/properties_networks.py"

    # The volume at a temperature, and the DFT's pressure there. Not part of `all`: some DFT on frames of a network.
    rule thermal_volume_run:
        input:
            model=f"results/training/{PROPERTIES.experiment}/seed-{PROPERTIES.thermal_volume.seed}/model.keras",
            description=f"results/training/{PROPERTIES.experiment}/seed-{PROPERTIES.thermal_volume.seed}/potential.json",
            code=code("bpstudy.potential.properties"),
        output:
            table="results/properties/thermal_volume_run.csv",
            frames="results/properties/thermal_volume_run.traj",
        log:
            "results/logs/properties/thermal_volume_run.log",
        conda:
            "../../envs/training.yaml"
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            crystal=STUDY.systems[PROPERTIES.system].crystal.model_dump(),
            asked=PROPERTIES.thermal_volume.model_dump(),
        message:
            "a run of a network at the pressure 0"
        script:
            "../scripts/thermal_volume_run.py"

    rule thermal_volume:
        input:
            table="results/properties/thermal_volume_run.csv",
            frames="results/properties/thermal_volume_run.traj",
            dft=dft_properties("properties.csv"),
            code=code("bpstudy.dynamics.properties", "bpstudy.dynamics.calculators"),
        output:
            "results/properties/thermal_volume.csv",
        log:
            progress="results/logs/properties/thermal_volume.log",
            calculator="results/logs/properties/thermal_volume.calculator.txt",
        conda:
            "../../envs/dft.yaml"
        resources:
            mem_mb=growing(3000),
            runtime=growing(240),
        params:
            system=STUDY.systems[PROPERTIES.system].model_dump(mode="json"),
        message:
            "volume at the pressure 0: the DFT's pressure"
        script:
            "../scripts/thermal_volume.py"
