"""The image-cloud plugin beside the programs that people have: a layer by gzip and pigz, a disk by qemu-img alone."""
import json
import os
import shutil
import subprocess

import meter
import natives

FOLDERS = ["usr/bin", "usr/sbin", "usr/share/doc", "usr/share/perl"]
DISK = 1 << 30
PIECE = 1 << 20


def images(bench):
    natives.install()
    measure = build(bench)
    plain, tree, disk = workload(bench)
    oci(bench, measure, plain, tree)
    qcow2(bench, measure, disk)
    whole(bench, disk)


def build(bench):
    """The program that makes one image in its own process, as `run` builds the others."""
    command = ["cargo", "build", "--release", "--locked", "-p", "wharf-plugin-image-cloud", "--example", "measure"]
    subprocess.run(command, cwd=bench.root, check=True)
    return f"{bench.programs}/examples/measure"


def workload(bench):
    """This machine's own programs and documents as a root file system, and on a disk."""
    folder = bench.work("images")
    plain, tree, disk = (f"{folder}/{name}" for name in ("rootfs.tar", "rootfs.tar.zst", "disk.qcow2"))
    if not os.path.isdir(folder):
        new = f"{folder}.new"
        shutil.rmtree(new, ignore_errors=True)
        os.makedirs(new)
        there = [name for name in FOLDERS if os.path.isdir(f"/{name}")]
        meter.run(["tar", "-C", "/", "--sort=name", "--format=posix", "-cf", f"{new}/rootfs.tar", *there])
        meter.run(["zstd", "-q", f"{new}/rootfs.tar", "-o", f"{new}/rootfs.tar.zst"])
        with open(f"{new}/rootfs.tar", "rb") as source, open(f"{new}/raw", "wb") as raw:
            raw.seek(PIECE)
            shutil.copyfileobj(source, raw, PIECE)
            raw.truncate(max(DISK, raw.tell()) + PIECE)
        meter.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", f"{new}/raw", f"{new}/disk.qcow2"])
        os.remove(f"{new}/raw")
        os.rename(new, folder)
    return plain, tree, disk


def made(measure, component, file):
    """Wall seconds of a build, and CPU seconds of the plugin without the tools that it runs."""
    said = json.loads(meter.run([measure, component, file])[0])
    return said["seconds"], said["cpu_s"]


def oci(bench, measure, plain, tree):
    """gzip reads an archive that is unpacked already, takes no digests and writes nothing: it has less to do."""
    ours, gzip, pigz = [], [], []
    for _ in range(bench.rounds):
        gzip.append(meter.run(["sh", "-c", f"gzip -6 -c '{plain}' >/dev/null"])[1])
        ours.append(made(measure, "oci", tree)[0])
        if shutil.which("pigz"):
            pigz.append(meter.run(["sh", "-c", f"pigz -6 -c '{plain}' >/dev/null"])[1])
    size = os.path.getsize(plain) >> 20
    against(bench, f"OCI layer of {size} MiB: wall", "<= 0.5 x gzip -6 on one core", ours, gzip, 0.5)
    if pigz:
        bench.row("the same, beside pigz -6", "reported", "x pigz", [a / b for a, b in zip(ours, pigz)], 0)


def qcow2(bench, measure, disk):
    """Beside plain `qemu-img convert -c`; both of the same disk."""
    ours, floors, own = [], [], []
    target = f"{bench.scratch}/plain.qcow2"
    for _ in range(bench.rounds):
        floors.append(meter.run(["qemu-img", "convert", "-c", "-f", "qcow2", "-O", "qcow2", disk, target])[1])
        wall, cpu = made(measure, "qcow2", disk)
        ours.append(wall)
        own.append(cpu)
        os.remove(target)
    against(bench, "qcow2 of the same files: wall", "<= 0.5 x qemu-img convert -c", ours, floors, 0.5)
    bench.row("the same: CPU of the plugin without qemu-img", "<= 1 s", "CPU s", own, 1)


def whole(bench, disk):
    """A build under the host: the image on its way from the store to a plugin and back, hashed once on that way."""
    with bench.wharf() as wharf:
        base = wharf.command("image", "import", disk, "--os", "Debian", "--os-version", "12")[0]["unit"]
        for target in ("openstack-kvm", "vsphere"):
            used = []
            for _ in range(bench.rounds):
                before = own_cpu(wharf.process.pid)
                made = wharf.command("build", "--base", str(base), "-t", target)[0]
                spent = own_cpu(wharf.process.pid) - before
                image = bench.fresh("image")
                wharf.command("image", "save", str(made["unit"]), image)
                hashing = meter.run(["openssl", "dgst", "-sha256", image])[2]
                size = os.path.getsize(image) >> 20
                used.append(spent - hashing)
                os.remove(image)
            bench.row(f"a build for {target} ({size} MiB) under the host: CPU of host and plugin without tools, "
                      "less openssl's hash of the image", "<= 1 s", "CPU s", used, 1)


def own_cpu(host):
    """CPU seconds of the host and its plugins, without the programs that these run."""
    ours = [pid for pid in meter.tree(host) if meter.read(f"/proc/{pid}/comm").startswith(b"wharf")]
    stats = (meter.read(f"/proc/{pid}/stat") for pid in ours)
    fields = (stat[stat.rindex(b")") + 2:].split()[11:13] for stat in stats if stat)
    return sum(int(ticks) for pair in fields for ticks in pair) / meter.TICK


def against(bench, work, reach, ours, floors, bound):
    values = [wall / floor for wall, floor in zip(ours, floors)]
    middle = lambda list: sorted(list)[len(list) // 2]
    bench.row(work, reach, "x", values, bound, seconds=middle(ours), floor_s=middle(floors))
