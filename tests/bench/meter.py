"""Measures processes through /proc: processor time of a tree, reaped children included, and its memory."""
import ctypes
import os
import resource
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


def subreaper():
    """Daemons that lose their parent come to us, so that their time is not lost."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def tree(root):
    """The process and all its descendants."""
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        found.append(pid)
        for task in tasks:
            todo.extend(int(child) for child in read(f"/proc/{pid}/task/{task}/children").split())
    return found


def cpu(root):
    """Seconds of user and system time of the tree, in steps of a tick (10 ms)."""
    ticks = 0
    for pid in tree(root):
        stat = read(f"/proc/{pid}/stat")
        if stat:
            ticks += sum(int(field) for field in stat[stat.rindex(b")") + 2:].split()[11:15])
    return ticks / TICK


def field_kib(path, name):
    for line in read(path).splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0


def peak_mib(root):
    """The largest resident set that any process of the tree ever had."""
    return max((field_kib(f"/proc/{pid}/status", b"VmHWM:") for pid in tree(root)), default=0) / 1024


def pss_mib(root):
    """Memory of the tree, shared pages split fairly."""
    return sum(field_kib(f"/proc/{pid}/smaps_rollup", b"Pss:") for pid in tree(root)) / 1024


def run(command, **options):
    """Runs a command to its end. Returns its output, wall and CPU seconds of itself and all it started."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    wall = time.perf_counter() - started
    reap()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        words = (done.stdout[-2000:] + done.stderr[-2000:]).decode(errors="replace")
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {words}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout.decode(errors="replace"), wall, used


def reap():
    """Takes leave of children that were adopted."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def peaks_mib(host):
    """The largest resident sets that a host and any of its plugins ever had."""
    plugins = [pid for pid in tree(host) if read(f"/proc/{pid}/comm").startswith(b"wharf-plugin-")]
    peak = lambda pid: field_kib(f"/proc/{pid}/status", b"VmHWM:") / 1024
    return peak(host), max(map(peak, plugins), default=0)
