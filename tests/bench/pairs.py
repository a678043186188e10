"""Host and plugin on this project's crates, on bare tonic, and on the Go library: the same service, the same calls, in
turns."""
import json
import statistics
import subprocess

import meter

LAUNCHES, CROWD, CALLS, MIB = 20, 50, 20_000, 1_024


def build_go(bench):
    """The Go pair, with what go finds in its module cache or at the module proxy."""
    program = f"{bench.folder}/go-pair"
    subprocess.run(["go", "build", "-trimpath", "-o", program, "."], cwd=f"{bench.root}/tests/bench/go", check=True)
    return program


def measured(bench, go):
    """Lists of figures, one for each round, by pair."""
    host, figures = f"{bench.programs}/wharf-bench-host", dict(ours=[], bare=[], go=[])
    counts = [LAUNCHES, CROWD, CALLS, MIB] if bench.rounds > 1 else [3, 10, 1_000, 64]
    commands = dict(ours=[host, "ours", f"{bench.programs}/wharf-bench-plugin"],
                    bare=[host, "bare", f"{bench.programs}/wharf-bench-bare"],
                    go=[go, "host"])
    for _ in range(bench.rounds):
        for pair, command in commands.items():
            output, _wall, _used = meter.run([*command, *map(str, counts)])
            figures[pair].append(json.loads(output))
    return figures


def pairs(bench):
    figures = measured(bench, build_go(bench))

    def values(pair, pick):
        return [pick(figure) for figure in figures[pair]]

    def ratio(work, reach, pick, other, bound, at_least=False, shown="us"):
        ours, theirs = values("ours", pick), values(other, pick)
        told = f"{statistics.median(ours):.4g} {shown}; {other} {statistics.median(theirs):.4g} {shown}"
        bench.row(f"{work} ({told})", reach, f"x {other}", [a / b for a, b in zip(ours, theirs)], bound, at_least)

    launch = lambda figure: statistics.median(figure["launch_ms"])
    ratio("pair: launch to first answered call", "<= 0.25 x Go", launch, "go", 0.25, shown="ms")
    ratio("the same against bare tonic", "reported", launch, "bare", float("inf"), shown="ms")
    for name, at in (("p50", 0), ("p99", 1)):
        pick = lambda figure, at=at: figure["unary_us"][at]
        ratio(f"pair: unary call, {name}", "<= 1.1 x bare", pick, "bare", 1.1)
        ratio(f"the same, {name}", "< Go", pick, "go", 1)
    for size, key in (("64 KiB", "flow_64k_mib_s"), ("1 MiB", "flow_1m_mib_s")):
        pick = lambda figure, key=key: figure[key]
        ratio(f"pair: server stream, {size}", ">= 0.9 x bare", pick, "bare", 0.9, True, "MiB/s")
        ratio(f"the same, {size}", "> Go", pick, "go", 1, True, "MiB/s")
    ratio("pair: 50 plugins launched at once, all answered", "reported", lambda figure: figure["crowd_ms"], "go",
          float("inf"), shown="ms")
    memory = values("ours", lambda figure: figure["rss_kib"] / 1024)
    go = statistics.median(values("go", lambda figure: figure["rss_kib"] / 1024))
    bench.row(f"pair: resident memory of a minimal plugin (go {go:.3g} MiB)", "<= 7 MiB", "MiB", memory, 7)
