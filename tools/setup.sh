#!/usr/bin/env bash
# The whole set-up, done once: system libraries, then .venv from requirements.lock, then GPAW compiled, then this package.
# Safe to interrupt (a half-made .venv has no stamp and is made anew) and to start twice (the second waits).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3.11}
stamp=.venv/.complete

say() { echo "set-up: $*" >&2; }

# What the environment is made of; the path too, since a virtual environment does not survive a move.
environment_key() { { pwd -P; cat requirements.lock tools/gpaw_siteconfig.py; } | sha256sum | cut -d' ' -f1; }
package_key() { sha256sum <pyproject.toml | cut -d' ' -f1; }

is_python() { "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; }
has_venv() { ! is_python || "$python" -c 'import ensurepip, venv' 2>/dev/null; }
has_headers() {
    ! is_python || "$python" -c \
        'import pathlib, sys, sysconfig; sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())'
}
compiles() { "$1" -x c - "${@:3}" -o /dev/null 2>/dev/null <<<"#include <$2>"$'\n''int main(void) { return 0; }'; }

# Debian packages of what is not there. Found by trying it: a library may come from a module or a prefix as well.
missing_packages() {
    is_python || echo python3.11
    has_venv || echo python3.11-venv
    has_headers || echo python3.11-dev
    compiles cc stdio.h || echo gcc libc6-dev
    compiles cc xc.h -lxc || echo libxc-dev
    compiles cc stdio.h -lopenblas || echo libopenblas-dev
    compiles cc fftw3.h -lfftw3 || echo libfftw3-dev
    compiles mpicc mpi.h || echo libopenmpi-dev
    command -v mpirun >/dev/null || echo openmpi-bin
}

install_system_packages() {
    local missing
    missing=$(missing_packages | xargs)
    [[ -n $missing ]] || return 0
    if [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
        say "installing $missing"
        export DEBIAN_FRONTEND=noninteractive
        local options=(-qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
        # shellcheck disable=SC2086  # a list of words
        { apt-get "${options[@]}" update && apt-get "${options[@]}" install --yes --no-install-recommends $missing; } \
            >/dev/null || say "apt-get failed"
        missing=$(missing_packages | xargs)
        [[ -n $missing ]] || return 0
    fi
    say "missing: $missing. Get it with: sudo apt-get install $missing" \
        "(elsewhere the same libraries from your package manager or modules; Python must be 3.11, for which" \
        "requirements.lock is resolved, and PYTHON=/path/to/python3.11 names one that is not on the PATH)"
    exit 1
}

locked() { sed -n "/^\(${1//,/\\|}\)==/,/[^\\]\$/p" requirements.lock; }

build_environment() {
    rm -rf .venv
    "$python" -m venv .venv
    local pip=(.venv/bin/python -m pip --disable-pip-version-check install -qq --no-build-isolation --require-hashes)
    "${pip[@]}" --no-deps -r <(locked setuptools,wheel,uv)
    say "installing the locked packages"
    local lock
    lock=$(mktemp)
    sed '/^gpaw==/,/[^\\]$/d' requirements.lock >"$lock"
    # uv takes a quarter of pip's time. It does not read pip's configuration: where only that names a mirror, pip serves.
    .venv/bin/uv pip install --quiet --python .venv/bin/python --no-build-isolation --require-hashes -r "$lock" || {
        say "uv could not install them; trying pip, which reads its own configuration"
        "${pip[@]}" -r "$lock"
    }
    rm -f "$lock"
    # uv leaves this to the first import, and where Python may not write (PYTHONDONTWRITEBYTECODE) each job does it anew.
    .venv/bin/python -m compileall -qq -x /tests/ .venv/lib &
    local modules=$!
    say "compiling GPAW (about a minute)"
    # Without the cache: a wheel there may have been built with other options.
    GPAW_CONFIG=$PWD/tools/gpaw_siteconfig.py "${pip[@]}" --no-cache-dir --no-deps -r <(locked gpaw)
    wait $modules || true # templates among the packages are not Python
    .venv/bin/python -c 'import _gpaw; _gpaw.Communicator, _gpaw.FFTWPlan' || {
        say "GPAW was compiled without MPI or FFTW: see tools/gpaw_siteconfig.py"
        exit 1
    }
}

install_package() {
    .venv/bin/python -m pip --disable-pip-version-check install -qq --no-build-isolation --no-deps --editable .
}

# The words of the stamp; none where the interpreter behind .venv is gone.
stamped() { .venv/bin/python -c '' 2>/dev/null && cat "$stamp" 2>/dev/null; }
complete() { [[ $(stamped) == "$(environment_key) $(package_key)" ]]; }

complete && exit 0
exec 9>>.venv.lock
flock --nonblock 9 || { say "another set-up runs in this folder; waiting for it" && flock 9; }
complete && exit 0

before=$(stamped || true)
rm -f "$stamp"
if [[ ${before% *} != "$(environment_key)" ]]; then
    install_system_packages
    build_environment
fi
install_package
echo "$(environment_key) $(package_key)" >"$stamp.new"
mv "$stamp.new" "$stamp"
say "done"
