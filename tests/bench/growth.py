"""How cost grows with the number of units: lists of packages and of wheels, on demand."""
import math
import statistics

import deb
import debs
import meter
import wheels
from content import Run, measured

STEPS = ("first sync", "re-sync, nothing changed", "re-sync, 1 % changed", "publish")


def growth(bench):
    sizes = (100, 1_000, 10_000) if bench.quick else (1_000, 10_000, 100_000)
    rounds = min(3, bench.rounds)
    heads = " | ".join(f"{size:,} units" for size in sizes)
    lines = [f"| CPU s (host MiB / plugin MiB) | {heads} | the last against the one before |",
             "| --- | " + " | ".join("--:" for _ in sizes) + " | --- |"]
    worst = []
    for name, steps in (("deb", packages), ("pypi", projects)):
        runs = {size: [steps(bench, size) for _ in range(rounds)] for size in sizes}
        bench.raw[f"growth_{name}"] = {size: [{step: run._asdict() for step, run in one.items()} for one in some]
                                       for size, some in runs.items()}
        for step in STEPS:
            middle = {size: median([one[step] for one in runs[size]]) for size in sizes}
            cells = " | ".join(f"{run.cpu:.3g} ({run.host:.0f} / {run.plugin:.0f})" for run in middle.values())
            times = middle[sizes[2]].cpu / max(middle[sizes[1]].cpu, 0.001)
            # What is shorter than the steps in which the system counts says nothing about growth.
            if middle[sizes[1]].cpu >= 0.1:
                worst.append(times)
            lines.append(f"| {name}: {step} | {cells} | {times:.1f} times |")
            print(f"  {lines[-1]}", flush=True)
    if worst:
        lines.append(f"\nTen times the units cost {min(worst):.1f} to {max(worst):.1f} times the processor time: "
                     f"n^{math.log10(max(worst)):.2f} at worst.")
    bench.tables.append("\n".join(lines) + "\n")


def median(runs):
    return Run(*(statistics.median(field) for field in zip(*runs)))


def packages(bench, size):
    tree = debs.listed(bench.work(f"deb-growth-{size}"), size, preset=1)
    after = debs.changed(bench.work(f"deb-growth-{size}-changed"), size, preset=1)
    with bench.nginx(tree) as nginx, bench.wharf() as wharf:
        deb.attach(wharf, nginx.url(), "policy=on_demand")
        deb.distributor(wharf, "compressions=none")
        return steps(bench, wharf, "apt", size + 1, lambda: nginx.show(after))


def projects(bench, size):
    """Projects with ten wheels each; one in a hundred has one more later."""
    count, some = size // 10, max(1, size // 1_000)
    facts = list(wheels.named(count, 10))
    trees = bench.work(f"index-{size}"), bench.work(f"index-{size}-changed")
    for tree, changed in zip(trees, ((), range(some))):
        wheels.once(tree, lambda draft: wheels.simple(draft, facts, "https://files.example.invalid/", changed))
    with bench.nginx(trees[0]) as nginx, bench.wharf() as wharf:
        wharf.attach("apt", "pypi.importer", f"url={nginx.url('simple/')}", "policy=on_demand")
        wharf.attach("apt", "pypi.distributor")
        return steps(bench, wharf, "apt", size + count, lambda: nginx.show(trees[1]))


def steps(bench, wharf, name, units, change):
    """One round: what each step took."""
    bench.settle()
    job, first = measured(wharf, "sync", name)
    assert job["added"] == units, job
    again, before = [], meter.cpu(wharf.process.pid)
    for _ in range(3):
        again.append(measured(wharf, "sync", name)[1])
    mean = again[-1]._replace(cpu=(meter.cpu(wharf.process.pid) - before) / 3)
    publish = measured(wharf, "publish", name, "--full")[1]
    change()
    job, delta = measured(wharf, "sync", name)
    assert job["added"] > 0, job
    return dict(zip(STEPS, (first, mean, delta, publish)))
