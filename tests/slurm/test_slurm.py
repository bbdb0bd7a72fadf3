"""The workflow on a real SLURM: undisturbed, and with all that clusters do to jobs. `make test-slurm`

The results are those of an undisturbed run on one machine without SLURM, to the bit. The dynamics are of ASE's EMT.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from bpstudy.running.slurm import jobs_of
from tests.workflow.project import TRAINED, TRAJECTORY, assert_same, bpstudy, computing, environment, snakemake
from tests.workflow.test_chunks import LITHIUM

NODE = Path(__file__).with_name("node.sh")
SLURM = ["--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "3"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="session", autouse=True)
def node():
    there = shutil.which("sinfo") and subprocess.run(["sinfo"], capture_output=True).returncode == 0
    subprocess.run([NODE, "up"], check=True)
    yield
    if not there:
        subprocess.run([NODE, "down"], check=True)


class Run:
    """Snakemake through the profile, in the background."""

    def __init__(self, folder, *arguments, targets=(TRAJECTORY,)):
        self.folder, self.log = folder, folder / "snakemake.log"
        self.process = subprocess.Popen(
            ["snakemake", *SLURM, *arguments, "--", *targets],
            cwd=folder,
            env=environment(folder),
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
        )

    @property
    def text(self):
        return self.log.read_text()

    def waits_for(self, state, rule="dynamics_chunk"):
        """The first job of `rule` that SLURM shows in `state`."""
        end = time.monotonic() + 300
        while time.monotonic() < end:
            for job in jobs_of(self.folder):
                if job.state == state and job.rule.startswith(rule):
                    return job
            assert self.process.poll() is None, self.text
            time.sleep(0.2)
        raise AssertionError(f"no job of {rule} is {state}\n{self.text}")

    def ends(self):
        code = self.process.wait(timeout=1200)
        assert code == 0, self.text
        return self.text


def test_every_stage_through_the_profile(project, undisturbed):
    Run(project, targets=[TRAINED]).ends()
    assert_same(project, undisturbed, TRAINED, "results/training/strided/seed-1/model.keras")


@pytest.mark.fault(
    "a running job is cancelled with `scancel`", "Snakemake notices and sends it again; the same results"
)
def test_a_cancelled_job(project, undisturbed):
    run = Run(project)
    cancelled = run.waits_for("RUNNING")
    subprocess.run(["scancel", cancelled.id], check=True)
    assert re.search(rf"SLURM-job '{cancelled.id}' failed, SLURM status is: 'CANCELLED'", run.ends())
    assert_same(project, undisturbed, TRAJECTORY)


@pytest.mark.fault(
    "a job takes more memory than it asked for", "SLURM kills it, it is sent again with more; the same results"
)
def test_a_job_over_its_memory(project, undisturbed):
    run = Run(project, "--set-resources", "dynamics_chunk:mem_mb=100 * 20 ** (attempt - 1)")
    assert re.search(r"SLURM-job '\d+' failed", run.ends())
    assert_same(project, undisturbed, TRAJECTORY)


@pytest.mark.fault(
    "a job hangs beyond its time limit", "SLURM ends it, it is sent again with twice the time; the same results"
)
def test_a_job_over_its_time(project, undisturbed):
    run = Run(project, "--set-resources", "dynamics_chunk:runtime=attempt")
    os.kill(computing(project), signal.SIGSTOP)
    assert re.search(r"SLURM-job '\d+' failed, SLURM status is: 'TIMEOUT'", run.ends())
    assert_same(project, undisturbed, TRAJECTORY)


@pytest.mark.fault("the node is drained and resumed", "jobs wait, then run; the same results")
def test_a_drained_node(project, undisturbed):
    scontrol("state=drain", "reason=test")
    try:
        run = Run(project)
        run.waits_for("PENDING")
    finally:
        scontrol("state=resume")
    run.ends()
    assert_same(project, undisturbed, TRAJECTORY)


@pytest.mark.fault("the node goes down under a running job", "SLURM sends the job again by itself; the same results")
def test_a_node_that_fails(project, undisturbed):
    run = Run(project)
    lost = run.waits_for("RUNNING")
    scontrol("state=down", "reason=test")
    time.sleep(2)
    subprocess.run([NODE, "up"], check=True)
    assert "failed" not in run.ends()
    assert lost.id in run.text
    assert_same(project, undisturbed, TRAJECTORY)


@pytest.mark.fault(
    "`kill -9` of Snakemake while its job runs",
    "the job is found as an orphan, nothing starts beside it; cancelled, the study goes on to the same results",
)
def test_snakemake_killed(project, undisturbed):
    run = Run(project)
    orphan = run.waits_for("RUNNING")
    os.kill(computing(project), signal.SIGSTOP)  # it shall not be done before anyone has looked
    run.process.kill()
    run.process.wait()

    assert "LockException" in snakemake(project, *SLURM, "--", TRAJECTORY).stderr
    refused = bpstudy(project, "orphans", "--cancel")
    assert (refused.returncode, "the folder is locked" in refused.stderr) == (1, True)

    assert snakemake(project, "--unlock", "--cores", "1").returncode == 0
    second = snakemake(project, *SLURM, "--", TRAJECTORY)
    assert second.returncode != 0
    assert orphan.id in second.stderr
    assert "bpstudy orphans --cancel" in second.stderr
    assert "Traceback" not in second.stderr
    assert "has been submitted" not in second.stderr

    assert orphan.id in bpstudy(project, "orphans", "--cancel").stdout
    while jobs_of(project):
        time.sleep(0.5)
    Run(project).ends()
    assert_same(project, undisturbed, TRAJECTORY)


@pytest.mark.gpaw
def test_dynamics_on_two_ranks(project):
    study = yaml.safe_load((project / "config.yaml").read_text())
    parallel = LITHIUM["calculator"] | {"mpi_ranks": 2}
    study["systems"]["cu4"] = LITHIUM | {"calculator": parallel, "steps": 2, "chunk_steps": 2}
    (project / "config.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    Run(project).ends()
    log = (project / "results/logs/dynamics/cu4/0000.calculator.txt").read_text()
    assert re.search(r"Total number of cores used: 2", log)


def test_account_and_partition_of_an_overlay(project):
    (project / "mine").mkdir()
    mine = {"default-resources": {"slurm_account": "my-account", "slurm_partition": "no-such"}}
    (project / "mine/config.yaml").write_text(yaml.safe_dump(mine))
    refused = snakemake(project, *SLURM[:2], "--profile", "mine", "--retries", "0", "--", TRAJECTORY)
    assert refused.returncode != 0
    assert "Invalid partition name" in refused.stderr
    assert re.search(r"sbatch .* -A my-account +-p no-such -t 240 --mem 1500 ", refused.stderr)


def scontrol(*change):
    host = subprocess.run(["hostname", "-s"], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["scontrol", "update", f"nodename={host}", *change], check=True)
