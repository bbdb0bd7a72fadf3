#!/usr/bin/env bash
# A real SLURM of one node on a bare Debian machine, no init system needed: munged, slurmctld and slurmd, started here as root.
#   node.sh up      install what is missing, start, wait until the node takes jobs
#   node.sh down    stop what `up` started
# Refuses to touch a machine that has a SLURM of its own. CPUS (default: 4) are the processors the node claims to have: a
# scheduling test needs more of them than work. Accounting is off, as on many small clusters: there, sacct knows nothing.
set -euo pipefail
cpus=${CPUS:-4}
memory_mb=$(awk '/MemTotal/ {print int($2 / 1024 * 0.8)}' /proc/meminfo)
host=$(hostname -s)
home=/var/lib/bpstudy-slurm
daemons=(slurmd slurmctld munged) # in the order they are stopped

alive() { kill -0 "$(cat "$home/$1.pid" 2>/dev/null || echo none)" 2>/dev/null; }

within() { # within SECONDS COMMAND...
    local end=$((SECONDS + $1))
    until "${@:2}" >/dev/null 2>&1; do
        ((SECONDS < end)) || { echo "not within $1 s: ${*:2}" >&2 && return 1; }
        sleep 0.2
    done
}

install_packages() {
    dpkg --status slurmctld slurmd slurm-client munge >/dev/null 2>&1 && return
    local policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then # the packages must not start daemons of their own
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --yes --no-install-recommends \
        slurmctld slurmd slurm-client munge >/dev/null
}

configure() {
    install --directory --mode 755 "$home" "$home/state" "$home/spool" /etc/slurm
    install --directory --owner munge --group munge --mode 755 /run/munge
    install --directory --owner munge --group munge --mode 700 /etc/munge /var/log/munge /var/lib/munge
    if [[ ! -s /etc/munge/munge.key ]]; then
        (umask 077 && head --bytes 1024 /dev/urandom >/etc/munge/munge.key)
        chown munge:munge /etc/munge/munge.key
    fi
    getent hosts "$host" >/dev/null || echo "127.0.0.1 $host" >>/etc/hosts
    cat >/etc/slurm/slurm.conf <<CONFIGURATION
# Written by bpstudy's tests/slurm/node.sh
ClusterName=bpstudy
SlurmctldHost=$host
SlurmUser=root
AuthType=auth/munge
# No cgroups: a container may not have them.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
AccountingStorageType=accounting_storage/none
MinJobAge=600
KillWait=5
OverTimeLimit=0
ReturnToService=2
# The node may claim more processors than the machine has.
SlurmdParameters=config_overrides
StateSaveLocation=$home/state
SlurmdSpoolDir=$home/spool
SlurmctldPidFile=$home/slurmctld.pid
SlurmdPidFile=$home/slurmd.pid
SlurmctldLogFile=$home/slurmctld.log
SlurmdLogFile=$home/slurmd.log
DefMemPerCPU=$((memory_mb / cpus))
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory_mb
PartitionName=main Nodes=$host Default=YES MaxTime=UNLIMITED
CONFIGURATION
    rm -f /etc/slurm/cgroup.conf
}

up() {
    [[ $EUID -eq 0 ]] || { echo "the one-node SLURM needs root (its daemons start jobs)" >&2 && exit 1; }
    if [[ -e /etc/slurm/slurm.conf ]] && ! grep -q "bpstudy's tests/slurm" /etc/slurm/slurm.conf; then
        echo "this machine has a SLURM of its own (/etc/slurm/slurm.conf): these tests would break it" >&2 && exit 1
    fi
    install_packages
    configure
    alive munged || su --shell /bin/sh munge --command "/usr/sbin/munged --pid-file /run/munge/munged.pid"
    ln --symbolic --force /run/munge/munged.pid "$home/munged.pid"
    within 10 sh -c 'munge --no-input | unmunge'
    alive slurmctld || slurmctld
    within 20 sh -c "scontrol ping | grep -q UP"
    alive slurmd || slurmd
    within 20 sh -c "sinfo --noheader --format %T | grep -qE 'idle|mixed|allocated'" || {
        scontrol update "nodename=$host" state=resume
        within 20 sh -c "sinfo --noheader --format %T | grep -qE 'idle|mixed|allocated'"
    }
    sinfo
}

down() {
    local daemon pid
    command -v scancel >/dev/null && alive slurmctld && scancel --user root || true
    for daemon in "${daemons[@]}"; do
        alive "$daemon" || continue
        pid=$(cat "$home/$daemon.pid")
        kill "$pid"
        within 20 sh -c "! kill -0 $pid"
    done
    rm -rf /etc/slurm/slurm.conf "$home"
}

case ${1:-} in
    up | down) "$1" ;;
    *) echo "usage: node.sh up|down" >&2 && exit 2 ;;
esac
