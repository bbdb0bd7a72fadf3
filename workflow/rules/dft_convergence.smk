# Not part of `all`: some hours of DFT. `snakemake --cores 2 dft_convergence`
from bpstudy.config.checks import TRAJECTORY

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
    conda:
        "../../envs/dft.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        available=lambda w: STUDY.systems[w.system].frames,
        wanted=lambda w: CONVERGENCE[w.system].frames,
    message:
        "{wildcards.system}: frames for the convergence of the DFT"
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
    threads: 1
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
    conda:
        "../../envs/dft.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        settings=lambda w: CONVERGENCE[w.system].model_dump(),
    message:
        "{wildcards.system}: the settings of the DFT against a tight reference"
    script:
        "../scripts/dft_convergence_table.py"


if CONVERGENCE:

    rule dft_convergence_figure:
        input:
            tables=expand("results/dft_convergence/{s}/table.csv", s=CONVERGENCE),
            code=code("bpstudy.figures.dft_convergence"),
        output:
            drawn("figS4", "dft_convergence", "Dynamics"),
        log:
            "results/logs/figures/figS4.log",
        localrule: True
        conda:
            "../../envs/figures.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=15,
        params:
            **DRAWING,
            study={name: settings.study for name, settings in CONVERGENCE.items()},
        message:
            "figS4: are the settings of the DFT right?"
        script:
            "../scripts/figures/dft_convergence.py"

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
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(15),
        params:
            settings={system: of.model_dump() for system, of in CONVERGENCE.items()},
        message:
            "the noise floor of the DFT"
        script:
            "../scripts/dft_noise.py"
