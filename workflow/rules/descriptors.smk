# Every block of functions that an experiment or a learning curve needs, by its file.
NEEDED = [(frames, e) for e in STUDY.experiments.values() for frames in e.sets.values()]
NEEDED += [
    (frames, STUDY.experiments[STUDY.learning_curves.experiment])
    for frames in (STUDY.learning_curves.frames, STUDY.learning_curves.held_out)
]
BLOCKS = {block_file(frames, block): block for frames, experiment in NEEDED for block in experiment.functions}


rule descriptors:
    input:
        trajectory=lambda w: trajectory(w.system),
        code=code("bpstudy.descriptors"),
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
        mem_mb=2000,
        runtime=60,
    params:
        frames=lambda w: STUDY.frames[w.frames].model_dump(),
        block=lambda w, output: BLOCKS[output.values].model_dump(),
        tolerance=STUDY.angular_tolerance,
    message:
        "{wildcards.system}, {wildcards.frames}: {wildcards.block}, {wildcards.cutoff}"
    script:
        "../scripts/descriptors.py"
