"""Host and plugin on this project's crates, on bare tonic, and on the Go library: the same service, the same calls, in
turns."""
import json
import statistics
import subprocess

import meter

LAUNCHES, CROWD, CALLS, MIB = 20, 50, 20_000, 1_024
PAIRS = ("ours", "bare", "go")


def build_go(bench):
    """The Go pair, with what go finds in its module cache or at the module proxy."""
    program = f"{bench.folder}/go-pair"
    subprocess.run(["go", "build", "-trimpath", "-o", program, "."], cwd=f"{bench.root}/tests/bench/go", check=True)
    return program


def measured(bench, go):
    """Lists of figures, one for each round, by pair."""
    host, figures = f"{bench.programs}/wharf-bench-host", {pair: [] for pair in PAIRS}
    counts = [LAUNCHES, CROWD, CALLS, MIB] if bench.rounds > 1 else [3, 10, 1_000, 64]
    commands = dict(ours=[host, "ours", f"{bench.programs}/wharf-bench-plugin"],
                    bare=[host, "bare", f"{bench.programs}/wharf-bench-bare"],
                    go=[go, "host"])
    for _ in range(bench.rounds):
        for pair, command in commands.items():
            output, _wall, _used = meter.run([*command, *map(str, counts)])
            figures[pair].append(json.loads(output))
    return figures


def figure(work, unit, pick, more_is_better=False, of_bare=None, of_go=None, at_most=None):
    """One line of the table: what is picked from a round's figures, and what it is held against."""
    return dict(work=work, unit=unit, pick=pick, more_is_better=more_is_better, of_bare=of_bare, of_go=of_go,
                at_most=at_most)


FIGURES = [
    figure("launch to first answered call, p50", "ms", lambda one: statistics.median(one["launch_ms"]), of_go=0.25),
    figure("unary call, p50", "us", lambda one: one["unary_us"][0], of_bare=1.1, of_go=1),
    figure("unary call, p99", "us", lambda one: one["unary_us"][1], of_bare=1.1, of_go=1),
    figure("server stream, 64 KiB messages", "MiB/s", lambda one: one["flow_64k_mib_s"], True, 0.9, 1),
    figure("server stream, 1 MiB messages", "MiB/s", lambda one: one["flow_1m_mib_s"], True, 0.9, 1),
    figure(f"{CROWD} plugins launched at once, all answered", "ms", lambda one: one["crowd_ms"]),
    figure("resident memory of a minimal plugin", "MiB", lambda one: one["rss_kib"] / 1024, at_most=7),
]


def pairs(bench):
    figures = measured(bench, build_go(bench))
    rows = [judged(line, {pair: [line["pick"](one) for one in rounds] for pair, rounds in figures.items()})
            for line in FIGURES]
    bench.raw["pairs"] = rows
    bench.tables.append(table(rows))


def judged(line, values):
    """Medians; ratios are medians of the rounds' own ratios, for the rounds of one machine differ."""
    row = dict(work=line["work"], unit=line["unit"], values=values, to_reach=[], met=True)
    for pair in PAIRS:
        row[pair] = statistics.median(values[pair])

    def hold(value, bound, text):
        row["to_reach"].append(text)
        row["met"] = row["met"] and (value >= bound if line["more_is_better"] else value <= bound)

    sign = ">=" if line["more_is_better"] else "<="
    for pair in ("bare", "go"):
        row[f"of_{pair}"] = statistics.median(ours / other for ours, other in zip(values["ours"], values[pair]))
        if bound := line[f"of_{pair}"]:
            hold(row[f"of_{pair}"], bound, f"{sign} {bound} x {pair}")
    if line["at_most"]:
        hold(row["ours"], line["at_most"], f"<= {line['at_most']} {line['unit']}")
    return row


def table(rows):
    lines = ["| host and plugin | wharf | bare tonic | Go | wharf / bare | wharf / Go | to reach | |",
             "| --- | --: | --: | --: | --: | --: | --- | --- |"]
    for row in rows:
        values = " | ".join(f"{row[pair]:,.4g} {row['unit']}" for pair in PAIRS)
        to_reach = ", ".join(row["to_reach"]) or "reported"
        verdict = ("met" if row["met"] else "**missed**") if row["to_reach"] else ""
        lines.append(f"| {row['work']} | {values} | {row['of_bare']:.2f} | {row['of_go']:.2f} | {to_reach} | {verdict} |")
    return "\n".join(lines) + "\n"
