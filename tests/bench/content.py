"""The table of content: what wharf takes, host and plugin apart, beside the tools that do the same in the same run."""
import collections
import statistics

import meter

# Seconds of processor and wall, and the largest resident set of the host and of its plugins in MiB.
Run = collections.namedtuple("Run", "cpu wall host plugin", defaults=(0, 0))


def measured(wharf, *words):
    """Runs a command of the server's. Returns its job and a Run."""
    job, wall, cpu = wharf.measured(*words)
    assert job["state"] == "succeeded", job
    return job, Run(cpu, wall, *meter.peaks_mib(wharf.process.pid))


def text(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def most(field, bound):
    """A bound of wharf's own: seconds or MiB."""
    unit = "s" if field == "cpu" else f"MiB of the {field}"
    def judge(ours, _peers):
        return statistics.median(getattr(run, field) for run in ours) <= bound
    return f"<= {bound} {unit}", judge


def beside(peer, times=1):
    """A bound that is the median of each round's own ratio to a peer."""
    def judge(ours, peers):
        return ratio(ours, peers[peer]) <= times
    return f"<= {'' if times == 1 else f'{times} x '}{peer}", judge


def ratio(ours, theirs):
    return statistics.median(our.cpu / max(other[0], 0.001) for our, other in zip(ours, theirs))


def also(pulps, place):
    """Pulp's part of a row: one of the runs of every round, if it was asked for."""
    return dict(Pulp=[runs[place] for runs in pulps]) if pulps else {}


class Table:
    """Rows as they come; `show` makes Markdown of them."""

    def __init__(self, bench, name, title):
        self.bench, self.rows, self.title = bench, [], title
        bench.raw[name] = self.rows

    def row(self, work, ours, peers=None, bounds=(), note=""):
        """`ours`: a Run for each round; `peers`: by name (CPU, wall) for each round."""
        peers = peers or {}
        judged = [(words, judge(ours, peers)) for words, judge in bounds]
        row = dict(work=work, ours=[run._asdict() for run in ours], peers=peers, note=note,
                   to_reach=[words for words, _met in judged], missed=[words for words, met in judged if not met],
                   ratios={name: ratio(ours, theirs) for name, theirs in peers.items()})
        self.rows.append(row)
        print("  " + self.line(row), flush=True)

    def line(self, row):
        cpus = [run["cpu"] for run in row["ours"]]
        middle = lambda field: statistics.median(run[field] for run in row["ours"])
        memory = f"{middle('host'):.0f} / {middle('plugin'):.0f}" if middle("host") else ""
        wall = text(middle("wall")) if middle("wall") else ""
        peers = "; ".join(f"{name} {text(statistics.median(one[0] for one in runs))} ({row['ratios'][name]:.2f} x)"
                          for name, runs in row["peers"].items())
        verdict = "met" if not row["missed"] else f"**missed**: {', '.join(row['missed'])}"
        verdict = verdict if row["to_reach"] else row["note"]
        return (f"| {row['work']} | {', '.join(row['to_reach']) or 'reported'} | {text(statistics.median(cpus))} "
                f"| {text(min(cpus))}..{text(max(cpus))} | {wall} | {memory} | {peers} | {verdict} |")

    def show(self):
        head = [f"{self.title}\n", "| work | to reach | CPU s | min..max | wall s | host / plugin MiB | beside it, CPU s | |",
                "| --- | --- | --: | --: | --: | --: | --- | --- |"]
        self.bench.tables.append("\n".join(head + [self.line(row) for row in self.rows]) + "\n")
