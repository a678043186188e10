"""The rows of the table: what is done, what is counted, what is to be reached."""
import contextlib
import json
import os
import shutil
import statistics
import time

import meter
import natives
import workloads
from deb import deb
from growth import growth
from images import images
from pairs import pairs
from programs import Nginx, Wharf, download_floor, fetch_all, until
from pypi import pypi
from smb import smb


class Bench:
    """Where things are, how large they are, and what was measured."""

    def __init__(self, root, programs, folder, quick, rounds, signed, pulp):
        self.root, self.programs, self.folder, self.rounds, self.signed = root, programs, folder, rounds, signed
        self.pulp = pulp
        self.quick, self.files = quick, 1_000 if quick else 10_000
        self.units = 6_300 if quick else 63_000
        self.packages = 200 if quick else 2_000
        self.projects = (30, 10) if quick else (300, 10)
        self.large = (4, 16 * workloads.MIB) if quick else (20, 100 * workloads.MIB)
        self.scratch = f"{folder}/scratch"
        self.rows, self.tables, self.raw, self.used = [], [], {}, []
        os.makedirs(self.scratch, exist_ok=True)

    def fresh(self, name):
        """A folder of its own for every round. ext4 looks past the inodes of deleted files for a while and creates
        files many times slower meanwhile, so nothing small is deleted before the end."""
        folder = f"{self.folder}/rounds/{len(self.used):03d}-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        self.used.append(folder)
        return folder

    def clean(self):
        shutil.rmtree(f"{self.folder}/rounds", ignore_errors=True)

    def work(self, name):
        os.makedirs(f"{self.folder}/work", exist_ok=True)
        return f"{self.folder}/work/{name}"

    def signing_key(self):
        """A keyring for the tools beside us, when publications are to be signed."""
        return natives.key(self.fresh("gpg")) if self.signed else None

    def small(self):
        return workloads.small(self.work(f"small-{self.files}"), self.files)

    @contextlib.contextmanager
    def nginx(self, folder):
        nginx = Nginx(f"{self.folder}/nginx")
        nginx.show(folder)
        try:
            yield nginx
        finally:
            nginx.stop()

    @contextlib.contextmanager
    def wharf(self, serve=True):
        wharf = Wharf(self.programs, self.root, self.fresh("data"), serve)
        try:
            yield wharf
        finally:
            wharf.stop()

    def settle(self):
        os.sync()
        time.sleep(0.3)

    def row(self, work, reach, unit, values, bound, at_least=False, **more):
        """Adds a row: the median of `values` against `bound`."""
        median = statistics.median(values)
        met = median >= bound if at_least else median <= bound
        self.rows.append(dict(work=work, to_reach=reach, unit=unit, median=median, min=min(values), max=max(values),
                              values=values, met=met, **more))
        print(f"  {work}: {median:.4g} {unit} ({min(values):.4g} to {max(values):.4g}); to reach: {reach}", flush=True)


def median(values):
    return statistics.median(values)


def on_demand(bench):
    tree, used, peaks = bench.small(), [], []
    with bench.nginx(tree) as nginx:
        for _ in range(bench.rounds):
            bench.settle()
            with bench.wharf() as wharf:
                wharf.mirror("tools", nginx.url("PULP_MANIFEST"), "policy=on_demand")
                job, _wall, cpu = wharf.measured("sync", "tools")
                assert job["added"] == bench.files, job
                used.append(cpu)
                peaks.append(meter.peak_mib(wharf.process.pid))
    bench.row(f"{bench.files:,} files, on demand, first sync", "<= 0.4 s", "CPU s", used, 0.4)
    bench.row("the same: largest process", "<= 64 MiB", "MiB", peaks, 64)


def immediate(bench):
    against_floor(bench, bench.small(), f"{bench.files:,} files of 1 KiB, immediate", 1.5)
    count, size = bench.large
    tree = workloads.large(bench.work(f"large-{count}-{size // workloads.MIB}"), count, size)
    against_floor(bench, tree, f"{count} files of {size // workloads.MIB} MiB, immediate", 1.3)


def against_floor(bench, tree, name, bound):
    """First sync, alternating with the download floor."""
    paths, ours, floors = workloads.paths(tree), [], []
    few = len(paths) < 100
    with bench.nginx(tree) as nginx:
        for _ in range(bench.rounds):
            bench.settle()
            floors.append(download_floor(nginx.url(), paths, bench.fresh("floor"), bench.scratch))
            if few:
                shutil.rmtree(bench.used[-1])
            bench.settle()
            with bench.wharf() as wharf:
                wharf.mirror("tools", nginx.url("PULP_MANIFEST"))
                job, wall, cpu = wharf.measured("sync", "tools")
                assert job["added"] == len(paths), job
                ours.append((wall, cpu))
            if few:
                shutil.rmtree(bench.used[-1])
    for place, what in ((1, "CPU"), (0, "wall")):
        floor = median([pair[place] for pair in floors])
        values = [pair[place] / floor for pair in ours]
        bench.row(f"{name}: {what}", f"<= {bound} x floor", "x floor", values, bound, floor_s=floor,
                  seconds=median([pair[place] for pair in ours]))


def unchanged(bench):
    tree, requests, walls, fresh = bench.small(), [], [], []
    with bench.nginx(tree) as nginx, bench.wharf() as wharf:
        wharf.mirror("tools", nginx.url("PULP_MANIFEST"))
        wharf.command("sync", "tools")
        api = wharf.api()
        api.sync("tools")
        for _ in range(bench.rounds * 4):
            before, started = nginx.requests(), time.perf_counter()
            job = api.sync("tools")
            walls.append((time.perf_counter() - started) * 1000)
            assert job["state"] == "succeeded" and not job["result"]["changed"], job
            requests.append(nginx.requests() - before)
        wharf.stop()
        for _ in range(bench.rounds):
            _job, _wall, used = wharf.command("sync", "tools")
            fresh.append(used * 1000)
    bench.row("re-sync, nothing changed: requests upstream", "1", "requests", requests, 1)
    bench.row("the same with a running server", "<= 10 ms wall", "ms", walls, 10)
    bench.row("the same as a fresh command", "<= 50 ms CPU", "ms CPU", fresh, 50)


def delta(bench):
    tree, used = bench.small(), []
    after = workloads.changed(bench.work(f"changed-{bench.files}"), tree)
    with bench.nginx(tree) as nginx:
        for _ in range(bench.rounds):
            nginx.show(tree)
            with bench.wharf() as wharf:
                wharf.mirror("tools", nginx.url("PULP_MANIFEST"))
                wharf.command("sync", "tools")
                nginx.show(after)
                bench.settle()
                job, _wall, cpu = wharf.measured("sync", "tools")
                assert job["added"] == job["removed"] == 2 * (bench.files // 100), job
                used.append(cpu)
    bench.row("re-sync, 1 % changed, 1 % new, 1 % gone", "<= 0.4 s", "CPU s", used, 0.4)


def publish_and_serve(bench):
    tree, used, ours, floors = bench.small(), [], [], []
    paths = workloads.paths(tree)
    with bench.nginx(tree) as nginx, bench.wharf() as wharf:
        wharf.mirror("tools", nginx.url("PULP_MANIFEST"))
        wharf.command("sync", "tools")
        for _ in range(bench.rounds):
            job, _wall, cpu = wharf.measured("publish", "tools", "--full")
            assert job["state"] == "succeeded", job
            used.append(cpu)
        for _ in range(bench.rounds):
            bench.settle()
            before = nginx.cpu()
            fetch_all(nginx.url(), paths, bench.fresh("by-nginx"), bench.scratch)
            floors.append(nginx.cpu() - before)
            bench.settle()
            before = meter.cpu(wharf.process.pid)
            fetch_all(wharf.url("tools/"), paths, bench.fresh("by-wharf"), bench.scratch)
            ours.append(meter.cpu(wharf.process.pid) - before)
    bench.row(f"publish {bench.files:,}", "<= 0.25 s", "CPU s", used, 0.25)
    floor = max(median(floors), 0.01)
    values = [value / floor for value in ours]
    bench.row(f"all {bench.files:,} published files fetched by curl", "<= 3 x nginx", "x nginx", values, 3,
              floor_s=floor, seconds=median(ours))


def launch(bench):
    plugin = f"{bench.programs}/wharf-plugin-file"
    output, _wall, _used = meter.run([f"{bench.programs}/wharf-bench", "launch", plugin, str(bench.rounds * 20)])
    bench.row("launch to first answered call, mutual TLS: p50", "<= 8 ms", "ms", json.loads(output)["ms"], 8)


def units(bench):
    plugin, rates = f"{bench.programs}/wharf-plugin-misbehave", []
    for _ in range(bench.rounds):
        output, _wall, _used = meter.run([f"{bench.programs}/wharf-bench", "units", plugin, str(bench.units * 6)])
        rates.append(json.loads(output)["units_per_s"])
    bench.row("declared units, discarded by the host", ">= 400,000 a second", "units/s", rates, 400_000, at_least=True)
    tree, saved = workloads.listed(bench.work(f"listed-{bench.units}"), bench.units), []
    with bench.nginx(tree) as nginx:
        for _ in range(bench.rounds):
            bench.settle()
            with bench.wharf() as wharf:
                wharf.mirror("tools", nginx.url("PULP_MANIFEST"), "policy=on_demand")
                job, _wall, _cpu = wharf.measured("sync", "tools")
                assert job["added"] == bench.units, job
                saved.append(bench.units / job["seconds"])
    bench.row(f"declared units, saved on demand, {bench.units:,} of them", ">= 60,000 a second", "units/s", saved, 60_000,
              at_least=True)


def idle(bench):
    """Three plugin processes, kept by the pool after three syncs at the same time."""
    values, counts = [], []
    for _ in range(max(1, bench.rounds // 2)):
        with bench.wharf() as wharf:
            names = [f"r{number}" for number in range(3)]
            for name in names:
                wharf.command("repo", "create", name)
                words = ("--set", "units=40", "--set", "batch=1", "--set", "delay_ms=20")
                wharf.command("attach", name, "misbehave.importer", *words)
                wharf.command("sync", name, "--no-wait")
            ended = lambda: all(job["state"] == "succeeded" for job in wharf.api().ask("GET", "/api/v1/jobs"))
            until("three syncs have ended", ended)
            time.sleep(1)
            plugins = [pid for pid in meter.tree(wharf.process.pid) if b"misbehave" in meter.read(f"/proc/{pid}/comm")
                       or b"plugin-mis" in meter.read(f"/proc/{pid}/comm")]
            counts.append(len(plugins))
            values.append(meter.pss_mib(wharf.process.pid))
    bench.row("idle server with three plugin processes", "<= 40 MiB together (PSS)", "MiB", values, 40,
              plugin_processes=min(counts))


ROWS = dict(on_demand=on_demand, immediate=immediate, unchanged=unchanged, delta=delta,
            publish_and_serve=publish_and_serve, launch=launch, units=units, idle=idle, pairs=pairs,
            deb=deb, pypi=pypi, growth=growth, smb=smb, images=images)
