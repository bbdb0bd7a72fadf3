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
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=STUDY.unit_functions.model_dump(),
    message:
        "unit symmetry functions: magnitudes, 31 sums, scatter of E(G)"
    script:
        "../scripts/unit_functions.py"
