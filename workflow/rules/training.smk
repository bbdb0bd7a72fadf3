rule train:
    input:
        train=lambda w: block_files(STUDY.experiments[w.experiment].frames, w.experiment),
        held_out=lambda w: [
            path for frames in STUDY.experiments[w.experiment].held_out for path in block_files(frames, w.experiment)
        ],
        thermo=lambda w: [
            thermo(STUDY.frames[frames].system)
            for frames in (
                STUDY.experiments[w.experiment].frames,
                *STUDY.experiments[w.experiment].held_out,
            )
        ],
        code=code("bpstudy.fitting"),
    output:
        model="results/training/{experiment}/seed-{seed}/model.keras",
        history="results/training/{experiment}/seed-{seed}/history.csv",
        predictions="results/training/{experiment}/seed-{seed}/predictions.csv",
        metrics="results/training/{experiment}/seed-{seed}/metrics.json",
    log:
        "results/logs/training/{experiment}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/training/{experiment}/seed-{seed}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: lambda w: STUDY.experiments[w.experiment].threads
    resources:
        mem_mb=3000,
        runtime=120,
    params:
        experiment=lambda w: STUDY.experiments[w.experiment].model_dump(),
        optimizer=lambda w: STUDY.optimizers[STUDY.experiments[w.experiment].optimizer].model_dump(),
    message:
        "{wildcards.experiment}: network of seed {wildcards.seed}"
    script:
        "../scripts/train.py"
