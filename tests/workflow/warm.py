"""Interpreters that are warm: jobs of a test's study run in forks of one process that has imported the libraries.

Of a job of a small study nearly all the time is the import of Keras and pandas: forks leave it out, and a study
takes a quarter of the time. What a job does is the same; that jobs start in interpreters of their own is tested by the
quick study and by tests/reliability, which do not use this. The project's own package is not imported beforehand: each
copy of the project has its own.
"""

import array
import atexit
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

SOCKET = "socket"
LIBRARIES = (
    "ase.calculators.emt",
    "ase.io",
    "bpstudy.network.model",
    "numba",
    "pandas",
    "scipy.optimize",
    "seaborn",
    "sklearn",
)
PYTHON = '#!/bin/sh\nexec "{python}" -S -E "{module}" "{folder}" "$@"\n'
SNAKEMAKE = """#!{python}
import sys

sys.executable = "{folder}/python"
from snakemake.cli import main

sys.exit(main())
"""


@contextmanager
def programs(folder: Path) -> Iterator[Path]:
    """A folder with the programs `python` and `snakemake`, as long as the context lasts."""
    texts = {"python": PYTHON, "snakemake": SNAKEMAKE}
    for name, text in texts.items():
        (folder / name).write_text(text.format(python=sys.executable, module=__file__, folder=folder))
        (folder / name).chmod(0o755)
    with subprocess.Popen([sys.executable, __file__, folder], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        try:
            yield folder
        finally:
            server.kill()


def serve(folder: Path) -> None:
    """Fork for each connection and run what it asks for."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    for name in LIBRARIES:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "bpstudy"]:
        del sys.modules[name]  # it imported Keras with its backend; each copy of the project has a package of its own
    path = [entry for entry in sys.path[1:] if entry not in os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / SOCKET))
        listening.listen(64)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the forks that watch a job are not waited for
        print("ready", flush=True)
        while True:
            connection, _ = listening.accept()
            if os.fork() == 0:
                _watch(connection, path)
            connection.close()


def _watch(connection: socket.socket, path: list[str]) -> NoReturn:
    """In a fork: run the job in another one, tell its exit code, and kill it if whoever asked for it is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    streams = array.array("i")
    message, ancillary, *_ = connection.recvmsg(1 << 16, socket.CMSG_SPACE(3 * streams.itemsize))
    for _, _, data in ancillary:
        streams.frombytes(data)
    while not message.endswith(b"\n"):
        message += connection.recv(1 << 16)
    job = os.fork()
    if job == 0:
        connection.close()
        _end(_run, json.loads(message), list(streams), path)
    for stream in (*streams, 0, 1, 2):
        os.close(stream)
    threading.Thread(target=_kill_when_closed, args=(connection, job), daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(job, 0)[1])
    with suppress(OSError):
        connection.sendall(str(code if code >= 0 else 128 - code).encode())
    os._exit(0)


def _kill_when_closed(connection: socket.socket, job: int) -> None:
    with suppress(OSError):
        if not connection.recv(1):
            os.kill(job, signal.SIGKILL)


def _end(run: Callable[..., None], *arguments: Any) -> NoReturn:
    """Run and end this process as an interpreter does, but for the memory, whose clearing takes a second."""
    code = 0
    try:
        run(*arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        code = 1
        traceback.print_exc()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(asked: dict, streams: list[int], path: list[str]) -> None:
    """Be the interpreter that was asked for."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.executable = asked["python"]
    first, *rest = asked["arguments"]
    packages = [*filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)), *path]
    if first == "-m":
        sys.argv, sys.path[:] = rest, [asked["folder"], *packages]
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[:] = [first, *rest], [str(Path(first).resolve().parent), *packages]
        runpy.run_path(first, run_name="__main__")


def ask(folder: Path, arguments: list[str]) -> int:
    """Exit code of a job in a fork of the server of this folder; an interpreter of its own for anything but a script or
    a module."""
    if arguments[0] != "-m" and not arguments[0].endswith(".py"):
        os.execv(sys.executable, [sys.executable, *arguments])
    job = {
        "arguments": arguments,
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
        "python": str(folder / "python"),
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(folder / SOCKET))
        connection.sendmsg([b" "], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
        connection.sendall(json.dumps(job).encode() + b"\n")
        return int(connection.recv(10) or 1)


if __name__ == "__main__":
    folder, *arguments = sys.argv[1:]
    if arguments:
        sys.exit(ask(Path(folder), arguments))
    serve(Path(folder))
