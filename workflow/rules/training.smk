FITTED_TO_FORCES = [
    name for name, e in STUDY.experiments.items() if (e.forces and e.forces.weight) or (e.stress and e.stress.weight)
]
CURVES = STUDY.learning_curves


def seeds_at_a_time(w):
    """Threads of a training: here a quarter of the cores at most, or it waits until so many are free at once."""
    threads = STUDY.experiments[w.experiment].threads
    return min(threads, max(1, (workflow.cores or 1) // 4)) if workflow.local_exec else threads


rule train:
    input:
        blocks=lambda w: [file for blocks in sets_of_blocks(w.experiment) for file in blocks],
        thermo=lambda w: [
            thermo(STUDY.frames[frames].system) for frames in STUDY.experiments[w.experiment].sets.values()
        ],
        trajectories=lambda w: [
            trajectory(STUDY.frames[frames].system)
            for frames in STUDY.experiments[w.experiment].sets.values()
            if STUDY.experiments[w.experiment].forces or STUDY.experiments[w.experiment].stress
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
    threads: seeds_at_a_time
    resources:
        mem_mb=growing(3000),
        runtime=growing(240),
    params:
        experiment=lambda w: STUDY.experiments[w.experiment].model_dump(),
        optimizer=lambda w: STUDY.optimizers[STUDY.experiments[w.experiment].optimizer].model_dump(),
        seeds=STUDY.seeds,
        atomic_energies_ev=lambda w: given_energies(STUDY.experiments[w.experiment].frames),
    message:
        "{wildcards.experiment}: training the networks of all seeds"
    script:
        "../scripts/train.py"


# These take minutes, and the dynamics with a network waits for one: none should be left over at the end.
use rule train as train_with_forces with:
    wildcard_constraints:
        experiment=one_of(FITTED_TO_FORCES),
    priority: 1


rule learning_curves:
    input:
        run=block_files(CURVES.frames, CURVES.experiment),
        held_out=block_files(CURVES.held_out, CURVES.experiment),
        thermo=[thermo(STUDY.frames[frames].system) for frames in (CURVES.frames, CURVES.held_out)],
        code=code("bpstudy.training.learning"),
    output:
        report("results/evaluation/learning_curves.csv", caption="../report/learning.rst", category="Tables"),
    log:
        "results/logs/evaluation/learning_curves.log",
    benchmark:
        "results/benchmarks/learning_curves.tsv"
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=growing(240),
    params:
        settings=CURVES.model_dump(),
        experiment=STUDY.experiments[CURVES.experiment].model_dump(),
        optimizer=STUDY.optimizers[CURVES.optimizer].model_dump(),
        seeds=STUDY.seeds,
        atomic_energies_ev=given_energies(CURVES.frames),
    message:
        "learning curves"
    script:
        "../scripts/learning.py"


if WITH_FORCES:
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
        resources:
            mem_mb=growing(3000),
            runtime=growing(240),
        params:
            counts=WITH_FORCES.learning.counts,
            experiments=[experiment.model_dump() for experiment in (ALONE, TOGETHER)],
            optimizers=[STUDY.optimizers[experiment.optimizer].model_dump() for experiment in (ALONE, TOGETHER)],
            seeds=STUDY.seeds,
            atomic_energies_ev=given_energies(TOGETHER.frames),
        message:
            "learning curves, energies alone and with forces"
        script:
            "../scripts/force_curves.py"
