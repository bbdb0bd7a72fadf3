# The functions of one experiment, made again at other cutoffs.
BLOCKS_AT_CUTOFFS = [
    [
        block.model_copy(update={"cutoff_angstrom": cutoff})
        for block in STUDY.experiments[STUDY.information.experiment].functions
    ]
    for cutoff in STUDY.information.cutoffs_angstrom
]

# Every block of functions that experiments, learning curves and the look at the cutoff need, by its file.
CURVE_FUNCTIONS = STUDY.experiments[STUDY.learning_curves.experiment].functions
NEEDED = [
    *((frames, e.functions) for e in STUDY.experiments.values() for frames in e.sets.values()),
    *((frames, CURVE_FUNCTIONS) for frames in (STUDY.learning_curves.frames, STUDY.learning_curves.held_out)),
    *((STUDY.information.frames, blocks) for blocks in BLOCKS_AT_CUTOFFS),
]
BLOCKS = {block_file(frames, block): block for frames, blocks in NEEDED for block in blocks}

ELEMENTS = PREPARED.elements


rule descriptors:
    input:
        trajectory=lambda w: trajectory(w.system),
        thermo=lambda w: thermo(w.system),
        code=code("bpstudy.descriptors.blocks", "bpstudy.data.choose"),
    output:
        values="results/descriptors/{system}/{frames}/{cutoff}/{block}.npy",
        description="results/descriptors/{system}/{frames}/{cutoff}/{block}.json",
    log:
        "results/logs/descriptors/{system}/{frames}/{cutoff}/{block}.log",
    benchmark:
        "results/benchmarks/descriptors/{system}/{frames}/{cutoff}/{block}.tsv"
    conda:
        "../../envs/descriptors.yaml"
    threads: STUDY.descriptor_threads
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        frames=lambda w: STUDY.frames[w.frames].model_dump(),
        block=lambda w, output: BLOCKS[output.values].model_dump(),
        tolerance=STUDY.angular_tolerance,
        elements=lambda w: ELEMENTS[w.system],
    message:
        "{wildcards.system}, {wildcards.frames}: {wildcards.block}, {wildcards.cutoff}"
    script:
        "../scripts/descriptors.py"


rule unit_functions:
    input:
        trajectory=trajectory(STUDY.unit_functions.system),
        code=code("bpstudy.descriptors.hierarchy"),
    output:
        sums="results/normalization/unit_functions.csv",
        scatter="results/normalization/scatter.csv",
        hierarchy="results/normalization/hierarchy.csv",
    log:
        "results/logs/normalization.log",
    benchmark:
        "results/benchmarks/normalization.tsv"
    conda:
        "../../envs/descriptors.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=STUDY.unit_functions.model_dump(),
    message:
        "unit symmetry functions: magnitudes, 31 sums, scatter of E(G)"
    script:
        "../scripts/unit_functions.py"
