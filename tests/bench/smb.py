"""The smb plugin beside smbclient, against one Samba: wall time of a first run, of nothing to do, of one large file."""
import contextlib
import getpass
import os
import random
import shutil
import subprocess
import time

import meter
import natives
from programs import answers, end, free_port, until

FOLDERS, IN_EACH, SIZE = 20, 50, 20_000
LARGE = 200 << 20


class Samba:
    """A server with one share for guests, and all its state in one folder."""

    def __init__(self, state, files):
        self.port, self.process = free_port(), None
        names = ("private", "lock", "state", "cache", "pid", "rpc")
        for name in names:
            os.makedirs(f"{state}/{name}")
        config = f"{state}/smb.conf"
        with open(config, "w") as file:
            file.write(f"""[global]
server role = standalone server
interfaces = lo
bind interfaces only = yes
smb ports = {self.port}
disable netbios = yes
private dir = {state}/private
lock directory = {state}/lock
state directory = {state}/state
cache directory = {state}/cache
pid directory = {state}/pid
ncalrpc dir = {state}/rpc
passdb backend = tdbsam:{state}/private/passdb.tdb
log file = {state}/log
load printers = no
printcap name = /dev/null
disable spoolss = yes
guest account = {getpass.getuser()}
map to guest = Bad User
[open]
path = {files}
read only = yes
guest ok = yes
""")
        smbd = shutil.which("smbd", path=os.environ["PATH"] + ":/usr/sbin")
        # At its end it sends SIGTERM to its whole process group, which must not be ours.
        self.process = subprocess.Popen([smbd, "--foreground", "--no-process-group", "--configfile", config],
                                        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("smbd answers", lambda: answers(self.port))

    def client(self, words):
        """Wall seconds of smbclient."""
        command = ["smbclient", "//127.0.0.1/open", "-p", str(self.port), "-N", "-c", words]
        return meter.run(command)[1]

    def settings(self, *more):
        return ["hostname=127.0.0.1", f"port={self.port}", "share=open", *more]


@contextlib.contextmanager
def serving(bench, files):
    samba = Samba(bench.fresh("samba"), files)
    try:
        yield samba
    finally:
        end(samba.process)


def tree(bench):
    """Small files in folders, and a large one beside them."""
    root = bench.work("smb")
    if not os.path.isdir(root):
        make = random.Random(5)
        for folder in range(FOLDERS):
            os.makedirs(f"{root}.new/many/d{folder:02}")
            for number in range(IN_EACH):
                with open(f"{root}.new/many/d{folder:02}/f{number:03}.bin", "wb") as file:
                    file.write(make.randbytes(SIZE))
        os.makedirs(f"{root}.new/large")
        with open(f"{root}.new/large/large.bin", "wb") as file:
            for _ in range(LARGE >> 20):
                file.write(make.randbytes(1 << 20))
        os.rename(f"{root}.new", root)
    return root


def smb(bench):
    natives.install()
    count = FOLDERS * IN_EACH
    first, again, large = [], [], []
    with serving(bench, tree(bench)) as samba:
        for _ in range(bench.rounds):
            with bench.wharf() as wharf:
                wharf.attach("many", "smb.importer", *samba.settings("remote_dir=many"))
                wharf.attach("large", "smb.importer", *samba.settings("remote_dir=large"))
                api = wharf.api()
                target = bench.fresh("smbclient")
                os.makedirs(target)
                bench.settle()
                theirs = samba.client(f"lcd {target}; cd many; prompt off; recurse on; mget *")
                bench.settle()
                first.append((synced(api, "many", count), theirs))
                theirs = samba.client("cd many; recurse on; ls")
                again.append((synced(api, "many", 0), theirs))
                bench.settle()
                theirs = samba.client(f"get large/large.bin {target}/large.bin")
                bench.settle()
                large.append((synced(api, "large", 1), theirs))
    row(bench, f"smb, {count:,} files of {SIZE // 1000} kB, first sync", "<= 1.3 x smbclient", first, 1.3)
    row(bench, "the same, nothing to do", "<= 1.5 x smbclient's listing", again, 1.5)
    row(bench, f"smb, one file of {LARGE >> 20} MiB", "<= 1.25 x smbclient", large, 1.25)


def synced(api, name, added):
    """Wall seconds of a sync of a running server."""
    started = time.perf_counter()
    job = api.sync(name)
    wall = time.perf_counter() - started
    assert job["state"] == "succeeded" and job["result"].get("added", 0) == added, job
    return wall


def row(bench, work, reach, pairs, bound):
    values = [ours / theirs for ours, theirs in pairs]
    middle = lambda place: sorted(pair[place] for pair in pairs)[len(pairs) // 2]
    bench.row(work, reach, "x smbclient", values, bound, seconds=middle(0), floor_s=middle(1))
