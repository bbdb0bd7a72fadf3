"""`bpstudy.running.slurm` with a stand-in for SLURM's commands (tests/slurm has the real ones)."""

import pytest
from typer.testing import CliRunner

from bpstudy.cli import app
from bpstudy.running import slurm


@pytest.fixture
def queue(monkeypatch, tmp_path):
    """A PATH whose squeue prints `queue.txt` and whose scancel notes what it is asked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    scripts = {
        "squeue": 'while read -r line; do echo "$line"; done < {0}/queue.txt',
        "scancel": "echo $@ > {0}/cancelled",
    }
    for name, script in scripts.items():
        (tmp_path / name).write_text("#!/bin/sh\n" + script.replace("{0}", str(tmp_path)) + "\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "queue.txt").write_text(
        f"7|RUNNING|1:02|bpstudy_1|rule_dynamics_chunk_wildcards_cu4_0000|{tmp_path}\n"
        f"8|PENDING|0:00|bpstudy_1|rule_train|{tmp_path}\n"
        f"9|RUNNING|0:10|bpstudy_2|rule_train|{tmp_path}/elsewhere\n"
        f"10|RUNNING|5:00|my own job|(null)|{tmp_path}\n"
    )
    return tmp_path


def test_jobs_of_this_folder_only(queue):
    assert [(job.id, job.state, job.rule) for job in slurm.jobs_of(queue)] == [
        ("7", "RUNNING", "dynamics_chunk_wildcards_cu4_0000"),
        ("8", "PENDING", "train"),
    ]


def test_no_start_beside_orphans(queue):
    with pytest.raises(slurm.OrphanError, match=r"nothing was started:\n  7 .*\n  8 .*\n.*bpstudy orphans --cancel"):
        slurm.refuse_orphans(queue)
    (queue / "queue.txt").write_text("")
    slurm.refuse_orphans(queue)


def test_orphans_are_cancelled(queue):
    result = CliRunner().invoke(app, ["orphans", "--cancel"])
    assert (result.exit_code, (queue / "cancelled").read_text()) == (0, "7 8\n")
    assert "train" in result.output


def test_the_jobs_of_a_running_snakemake_are_not_cancelled(queue):
    (queue / ".snakemake/locks").mkdir(parents=True)
    (queue / ".snakemake/locks/0.input.lock").touch()
    result = CliRunner().invoke(app, ["orphans", "--cancel"])
    assert (result.exit_code, (queue / "cancelled").exists()) == (1, False)
    assert "snakemake --unlock" in result.output


def test_where_there_is_no_slurm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slurm.jobs_of(tmp_path) == []
    assert CliRunner().invoke(app, ["orphans"]).output == "none\n"


def test_a_controller_that_does_not_answer(queue, capsys):
    (queue / "squeue").write_text("#!/bin/sh\necho 'Unable to contact slurm controller' >&2; exit 1\n")
    with pytest.raises(slurm.OrphanError, match="squeue: Unable to contact slurm controller"):
        slurm.jobs_of(queue)
    slurm.refuse_orphans(queue)  # the study can still run here
    assert "warning: squeue: Unable to contact slurm controller" in capsys.readouterr().err
