RUNS = [(name, seed) for name in STUDY.experiments for seed in STUDY.seeds]
INFORMATION = STUDY.information
# Every experiment's training frames, and one grid of functions at all cutoffs.
DESCRIBED = [(name, "train", e.frames, e.functions) for name, e in STUDY.experiments.items()] + [
    (INFORMATION.experiment, "cutoffs", INFORMATION.frames, blocks) for blocks in BLOCKS_AT_CUTOFFS
]


rule metrics:
    input:
        predictions=[path for name in STUDY.experiments for path in runs(name, "predictions.csv")],
        fits=[path for name in STUDY.experiments for path in runs(name, "metrics.json")],
        baselines=[f"results/training/{name}/baselines.csv" for name in STUDY.experiments],
        noise=[STUDY.noise_floor] if STUDY.noise_floor else [],
        code=code("bpstudy.evaluation.tables"),
    output:
        report(
            "results/evaluation/metrics.csv",
            caption="../report/metrics.rst",
            category="Tables",
        ),
    log:
        "results/logs/evaluation/metrics.log",
    localrule: True
    conda:
        "../../envs/training.yaml"
    params:
        runs=RUNS,
        experiments={name: e.model_dump() for name, e in STUDY.experiments.items()},
        systems={name: STUDY.frames[e.frames].system for name, e in STUDY.experiments.items()},
    message:
        "errors of all networks"
    script:
        "../scripts/metrics.py"


rule histories:
    input:
        histories=[path for name in STUDY.experiments for path in runs(name, "history.csv")],
        code=code("bpstudy.evaluation.tables"),
    output:
        "results/evaluation/histories.csv",
    log:
        "results/logs/evaluation/histories.log",
    localrule: True
    conda:
        "../../envs/training.yaml"
    params:
        runs=RUNS,
    message:
        "training histories"
    script:
        "../scripts/histories.py"


rule sums:
    input:
        blocks=lambda w: block_files(shown_in(w).frames, STUDY.figures.sums[w.figure].experiment),
        thermo=lambda w: thermo(STUDY.frames[shown_in(w).frames].system),
        code=code("bpstudy.evaluation.tables"),
    output:
        "results/evaluation/sums/{figure}.csv",
    log:
        "results/logs/evaluation/sums-{figure}.log",
    localrule: True
    conda:
        "../../envs/training.yaml"
    params:
        atom=lambda w: STUDY.figures.sums[w.figure].atom,
        energy=lambda w: shown_in(w).energy,
    message:
        "{wildcards.figure}: E against the sum of all functions"
    script:
        "../scripts/sums.py"


rule smoothness:
    input:
        metrics="results/evaluation/metrics.csv",
        predictions=[path for name in STUDY.experiments for path in runs(name, "predictions.csv")],
        code=code("bpstudy.evaluation.tables"),
    output:
        "results/evaluation/smoothness.csv",
    log:
        "results/logs/evaluation/smoothness.log",
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        runs=RUNS,
    message:
        "spikes of all networks"
    script:
        "../scripts/smoothness.py"


rule comparisons:
    input:
        metrics="results/evaluation/metrics.csv",
        predictions=[
            path
            for names in STUDY.comparisons.groups.values()
            for name in names
            for path in runs(name, "predictions.csv")
        ],
        code=code("bpstudy.evaluation.comparison"),
    output:
        ranking=report("results/evaluation/ranking.csv", caption="../report/ranking.rst", category="Tables"),
        differences="results/evaluation/differences.csv",
    log:
        "results/logs/evaluation/comparisons.log",
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=STUDY.comparisons.model_dump(),
        seeds=STUDY.seeds,
    message:
        "ranking of the experiments"
    script:
        "../scripts/comparisons.py"


rule information:
    input:
        blocks=[block_file(frames, block) for _, _, frames, blocks in DESCRIBED for block in blocks],
        thermo=[thermo(STUDY.frames[frames].system) for _, _, frames, _ in DESCRIBED],
        code=code("bpstudy.evaluation.information"),
    output:
        table=report(
            "results/evaluation/information.csv",
            caption="../report/against_cutoff.rst",
            category="Tables",
        ),
        correlations="results/evaluation/correlations.csv",
    log:
        "results/logs/evaluation/information.log",
    benchmark:
        "results/benchmarks/information.tsv"
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=growing(30),
    params:
        sets=[
            {
                "experiment": name,
                "set": purpose,
                "energy": STUDY.experiments[name].energy,
                "cutoff_angstrom": max(block.cutoff_angstrom for block in blocks),
                "blocks": len(blocks),
            }
            for name, purpose, _, blocks in DESCRIBED
        ],
        memory_fs=INFORMATION.memory_fs,
        heat_maps=INFORMATION.heat_maps,
    message:
        "information content of the functions"
    script:
        "../scripts/information.py"


if WITH_FORCES:

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
        params:
            settings=WITH_FORCES.model_dump(),
        message:
            "energies alone compared with energies and forces"
        script:
            "../scripts/with_forces.py"
