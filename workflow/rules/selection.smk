# Which symmetry functions? Chosen by the training frames, fitted, compared on held-out frames.
SELECTION = STUDY.selection

if SELECTION:
    CHOSEN_ON = STUDY.frames[SELECTION.frames]

    rule selection_sets:
        input:
            trajectory=trajectory(CHOSEN_ON.system),
            thermo=thermo(CHOSEN_ON.system),
            code=code("bpstudy.selection.sets", "bpstudy.selection.methods", "bpstudy.selection.setting"),
        output:
            sets="results/selection/sets.json",
            pool="results/selection/candidates.csv",
        log:
            "results/logs/selection/sets.log",
        benchmark:
            "results/benchmarks/selection/sets.tsv"
        conda:
            "../../envs/training.yaml"
        threads: SELECTION.threads
        resources:
            mem_mb=growing(6000),
            runtime=growing(120),
        params:
            settings=SELECTION.model_dump(),
            frames=CHOSEN_ON.model_dump(),
            combinations={
                name: [block.model_dump() for block in STUDY.experiments[name].functions]
                for name in SELECTION.combinations
            },
            tolerance=STUDY.angular_tolerance,
        message:
            "symmetry functions chosen by every method"
        script:
            "../scripts/selection_sets.py"

    rule selection_fits:
        input:
            trajectories=[trajectory(STUDY.frames[of].system) for of in (SELECTION.frames, SELECTION.held_out)],
            thermo=[thermo(STUDY.frames[of].system) for of in (SELECTION.frames, SELECTION.held_out)],
            sets="results/selection/sets.json",
            pool="results/selection/candidates.csv",
            code=code("bpstudy.selection.fits"),
        output:
            "results/selection/fits/{group}.csv",
        log:
            "results/logs/selection/fits/{group}.log",
        benchmark:
            "results/benchmarks/selection/fits/{group}.tsv"
        wildcard_constraints:
            group=one_of(SELECTION.groups),
        conda:
            "../../envs/training.yaml"
        threads: 1
        resources:
            mem_mb=growing(3000),
            runtime=growing(240),
        params:
            settings=SELECTION.model_dump(),
            frames=[STUDY.frames[of].model_dump() for of in (SELECTION.frames, SELECTION.held_out)],
            sets=lambda w: SELECTION.groups[w.group],
        message:
            "networks fitted to the sets of {wildcards.group}, all seeds"
        script:
            "../scripts/selection_fits.py"

    rule selection_comparison:
        input:
            fits=expand("results/selection/fits/{group}.csv", group=SELECTION.groups),
            thermo=thermo(STUDY.frames[SELECTION.held_out].system),
            sets="results/selection/sets.json",
            pool="results/selection/candidates.csv",
            code=code("bpstudy.selection.comparison"),
        output:
            table=report("results/selection/comparison.csv", caption="../report/selection.rst", category="Tables"),
            differences="results/selection/differences.csv",
            halves="results/selection/halves.csv",
            pool="results/selection/pool.csv",
            recommended="results/selection/recommended.json",
        log:
            "results/logs/selection/comparison.log",
        conda:
            "../../envs/training.yaml"
        resources:
            mem_mb=growing(2000),
            runtime=growing(30),
        params:
            settings=STUDY.comparisons.model_dump(),
            frames=STUDY.frames[SELECTION.held_out].model_dump(),
            tested=SELECTION.tested,
        message:
            "comparison of the chosen sets at equal budget"
        script:
            "../scripts/selection_comparison.py"
