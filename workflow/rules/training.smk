FITTED_TO_FORCES = [name for name, e in STUDY.experiments.items() if e.forces and e.forces.weight]


rule train:
    input:
        blocks=lambda w: [file for blocks in sets_of_blocks(w.experiment) for file in blocks],
        thermo=lambda w: [
            thermo(STUDY.frames[frames].system) for frames in STUDY.experiments[w.experiment].sets.values()
        ],
        trajectories=lambda w: [
            trajectory(STUDY.frames[frames].system)
            for frames in STUDY.experiments[w.experiment].sets.values()
            if STUDY.experiments[w.experiment].forces
        ],
        code=code("bpstudy.training.experiment"),
    output:
        model=of_each_seed("model.keras"),
        potential=of_each_seed("potential.json"),
        history=of_each_seed("history.csv"),
        predictions=of_each_seed("predictions.csv"),
        metrics=of_each_seed("metrics.json"),
        baselines="results/training/{experiment}/baselines.csv",
    log:
        "results/logs/training/{experiment}.log",
    benchmark:
        "results/benchmarks/training/{experiment}.tsv"
    wildcard_constraints:
        experiment=one_of(name for name in STUDY.experiments if name not in FITTED_TO_FORCES),
    conda:
        "../../envs/training.yaml"
    threads: lambda w: STUDY.experiments[w.experiment].threads
    resources:
        mem_mb=growing(3000),
        runtime=growing(240),
    params:
        experiment=lambda w: STUDY.experiments[w.experiment].model_dump(),
        optimizer=lambda w: STUDY.optimizers[STUDY.experiments[w.experiment].optimizer].model_dump(),
        seeds=STUDY.seeds,
    message:
        "{wildcards.experiment}: networks of all seeds"
    script:
        "../scripts/train.py"


# These take minutes, and the dynamics with a network waits for one: none should be left over at the end.
use rule train as train_with_forces with:
    wildcard_constraints:
        experiment=one_of(FITTED_TO_FORCES),
    priority: 1
