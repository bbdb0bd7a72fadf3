INFORMATION = STUDY.information
# Every experiment's training frames, and one grid of functions at all cutoffs.
DESCRIBED = [(name, "train", e.frames, e.functions) for name, e in STUDY.experiments.items()] + [
    (INFORMATION.experiment, "cutoffs", INFORMATION.frames, blocks) for blocks in BLOCKS_AT_CUTOFFS
]


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
    threads: 1
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
        "what the functions hold"
    script:
        "../scripts/information.py"


rule heat_maps_figure:
    input:
        correlations="results/evaluation/correlations.csv",
        code=code("bpstudy.figures.information"),
    output:
        drawn("figS6", "heat_maps", "Lithium"),
    log:
        "results/logs/figures/figS6.log",
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
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
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        **DRAWING,
    message:
        "figS7: what the functions hold, against the cutoff"
    script:
        "../scripts/figures/against_cutoff.py"
