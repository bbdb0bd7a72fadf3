from bpstudy.config.checks import TRAJECTORY


rule dynamics_chunk:
    input:
        state=state_before,
        code=code("bpstudy.dynamics.chunks"),
    output:
        frames="results/dynamics/{system}/chunks/{chunk}.traj",
        state="results/dynamics/{system}/chunks/{chunk}.state.json",
        record="results/dynamics/{system}/chunks/{chunk}.record.json",
    log:
        progress="results/logs/dynamics/{system}/{chunk}.log",
        calculator="results/logs/dynamics/{system}/{chunk}.calculator.txt",
    benchmark:
        "results/benchmarks/dynamics/{system}/{chunk}.tsv"
    wildcard_constraints:
        system=one_of(SIMULATED),
    conda:
        "../../envs/dft.yaml"
    threads: lambda w: STUDY.systems[w.system].calculator.mpi_ranks
    resources:
        mem_mb=lambda w, threads, attempt: 1500 * threads * attempt,
        runtime=growing(240),
        tasks=lambda w, threads: threads,  # ranks, of one core each
        cpus_per_task=1,
        mpi=lambda w, threads: f"mpirun -n {threads}" if threads > 1 else "",
    params:
        settings=lambda w: STUDY.systems[w.system].simulation().model_dump_json(),
        steps=lambda w: STUDY.systems[w.system].chunk_range(int(w.chunk)),
        state=lambda w, input: f"--state-in {input.state}" if input.state else "",
    message:
        "{wildcards.system}: molecular dynamics, chunk {wildcards.chunk}"
    shell:
        "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 {resources.mpi} python workflow/scripts/dynamics_chunk.py"
        " --settings {params.settings:q} --steps {params.steps} {params.state}"
        " --frames {output.frames} --state-out {output.state} --record {output.record}"
        " --calculator-log {log.calculator} > {log.progress} 2>&1"


rule trajectory:
    input:
        chunks=chunk_files,
        code=code("bpstudy.data.trajectory"),
    output:
        frames="results/dynamics/{system}/trajectory.traj",
        thermo="results/dynamics/{system}/thermo.csv",
    log:
        "results/logs/dynamics/{system}/trajectory.log",
    benchmark:
        "results/benchmarks/dynamics/{system}/trajectory.tsv"
    wildcard_constraints:
        system=one_of(SIMULATED),
    conda:
        "../../envs/dft.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        timestep_fs=lambda w: STUDY.systems[w.system].dynamics.timestep_fs,
    message:
        "{wildcards.system}: joining the chunks to a trajectory"
    script:
        "../scripts/trajectory.py"


if STUDY.archive:

    ruleorder: archived_trajectory > trajectory

    rule archived_trajectory:
        input:
            chunks=archived_files,
            code=code("bpstudy.dynamics.archive"),
        output:
            frames="results/dynamics/{system}/trajectory.traj",
            thermo="results/dynamics/{system}/thermo.csv",
        log:
            "results/logs/dynamics/{system}/trajectory.log",
        benchmark:
            "results/benchmarks/dynamics/{system}/trajectory.tsv"
        wildcard_constraints:
            system=one_of(SIMULATED),
        conda:
            "../../envs/dft.yaml"
        resources:
            mem_mb=growing(2000),
            runtime=growing(30),
        params:
            archive=lambda w: f"{STUDY.archive}/{w.system}",
            system=lambda w: STUDY.systems[w.system].model_dump(mode="json"),
        message:
            "{wildcards.system}: verifying and joining the archived trajectory"
        script:
            "../scripts/archived_trajectory.py"


# Convergence of the DFT. Not part of `all`: some hours of DFT. `snakemake --cores 2 dft_convergence`
CONVERGENCE = {system: settings for system, settings in STUDY.dft_convergence.items() if system in SIMULATED}


rule dft_convergence:
    input:
        figure_files("figS4") if CONVERGENCE else [],


rule dft_convergence_frames:
    input:
        trajectory=lambda w: trajectory(w.system),
        code=code("bpstudy.dynamics.convergence", "bpstudy.data.trajectory"),
    output:
        frames="results/dft_convergence/{system}/frames.traj",
        held=f"results/dft_convergence/{{system}}/{TRAJECTORY}.csv",
    log:
        "results/logs/dft_convergence/{system}/frames.log",
    wildcard_constraints:
        system=one_of(CONVERGENCE),
    localrule: True
    conda:
        "../../envs/dft.yaml"
    params:
        available=lambda w: STUDY.systems[w.system].frames,
        wanted=lambda w: CONVERGENCE[w.system].frames,
    message:
        "{wildcards.system}: frames for the DFT convergence"
    script:
        "../scripts/dft_convergence_frames.py"


rule dft_convergence_variant:
    input:
        frames="results/dft_convergence/{system}/frames.traj",
        code=code("bpstudy.dynamics.convergence", "bpstudy.dynamics.calculators"),
    output:
        "results/dft_convergence/{system}/{variant}.csv",
    log:
        progress="results/logs/dft_convergence/{system}/{variant}.log",
        calculator="results/logs/dft_convergence/{system}/{variant}.calculator.txt",
    benchmark:
        "results/benchmarks/dft_convergence/{system}/{variant}.tsv"
    wildcard_constraints:
        system=one_of(CONVERGENCE),
        variant=one_of({variant for settings in CONVERGENCE.values() for variant in settings.variants}),
    conda:
        "../../envs/dft.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=growing(480),
    params:
        calculator=lambda w: STUDY.systems[w.system].calculator.model_dump(),
        overlay=lambda w: CONVERGENCE[w.system].variants[w.variant],
    message:
        "{wildcards.system}: energies and forces with the settings '{wildcards.variant}'"
    script:
        "../scripts/dft_convergence.py"


rule dft_convergence_table:
    input:
        variants=lambda w: expand("results/dft_convergence/{s}/{v}.csv", s=w.system, v=CONVERGENCE[w.system].variants),
        held=f"results/dft_convergence/{{system}}/{TRAJECTORY}.csv",
        code=code("bpstudy.dynamics.convergence"),
    output:
        report(
            "results/dft_convergence/{system}/table.csv",
            caption="../report/dft_convergence.rst",
            category="Tables",
        ),
    log:
        "results/logs/dft_convergence/{system}/table.log",
    wildcard_constraints:
        system=one_of(CONVERGENCE),
    localrule: True
    conda:
        "../../envs/dft.yaml"
    params:
        settings=lambda w: CONVERGENCE[w.system].model_dump(),
    message:
        "{wildcards.system}: DFT settings compared with a tight reference"
    script:
        "../scripts/dft_convergence_table.py"


if CONVERGENCE:

    # The noise floor alone takes minutes. What it makes is archived as resources/dft_noise.csv (noise_floor).
    rule dft_noise:
        input:
            held=expand(f"results/dft_convergence/{{s}}/{TRAJECTORY}.csv", s=CONVERGENCE),
            converged=[f"results/dft_convergence/{s}/{of.converged}.csv" for s, of in CONVERGENCE.items()],
            code=code("bpstudy.dynamics.convergence"),
        output:
            "results/dft_convergence/noise.csv",
        log:
            "results/logs/dft_convergence/noise.log",
        localrule: True
        conda:
            "../../envs/dft.yaml"
        params:
            settings={system: of.model_dump() for system, of in CONVERGENCE.items()},
        message:
            "noise floor of the DFT energies"
        script:
            "../scripts/dft_noise.py"
