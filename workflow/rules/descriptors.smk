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
# The blocks of one choice of frames and one cutoff are computed together: a job takes seconds to start and to read frames.
BLOCKS = {}
for chosen, blocks in NEEDED:
    for block in blocks:
        BLOCKS.setdefault((SHARED[chosen], block.folder), {})[block_file(chosen, block)] = block

ELEMENTS = PREPARED.elements

for (chosen, folder), of_files in BLOCKS.items():

    rule:
        name:
            f"descriptors_{chosen}_{folder}"
        input:
            trajectory=trajectory(STUDY.frames[chosen].system),
            thermo=thermo(STUDY.frames[chosen].system),
            code=code("bpstudy.descriptors.blocks", "bpstudy.data.choose"),
        output:
            values=list(of_files),
            descriptions=[file.replace(".npy", ".json") for file in of_files],
        log:
            f"results/logs/descriptors/{chosen}-{folder}.log",
        benchmark:
            f"results/benchmarks/descriptors/{chosen}-{folder}.tsv"
        conda:
            "../../envs/descriptors.yaml"
        threads: STUDY.descriptor_threads
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            frames=STUDY.frames[chosen].model_dump(),
            blocks=[block.model_dump() for block in of_files.values()],
            tolerance=STUDY.angular_tolerance,
            elements=ELEMENTS[STUDY.frames[chosen].system],
        message:
            f"{chosen}: symmetry functions, {folder}"
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
