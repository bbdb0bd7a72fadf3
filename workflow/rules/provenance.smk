# Here, in the environment of Snakemake itself, which the audit asks for the parameters of every job.
rule audit:
    input:
        rules.all.input,
    log:
        "results/logs/audit.log",
    localrule: True
    params:
        pages="results/audit",
        python=sys.executable,
    message:
        "audit of all results: {params.pages}/index.html"
    run:
        shell("{params.python} -m bpstudy.cli audit --all --html {params.pages} > {log} 2>&1")
