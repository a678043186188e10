"""Measures wharf end to end against floors taken in the same run. Started by `run`; standard library only.

CPU is user + system of a command and all processes it waited for: the host waits for the guardian of each plugin,
the guardian for the plugin. A server's CPU is read from /proc. Floors and wharf alternate, round by round; the table
shows medians. Times of one machine say little, ratios to the floor say more.
"""
import argparse, hashlib, json, os, pathlib, platform, random, re, resource, shutil, socket, statistics, subprocess
import sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "target" / "release"
TICKS = os.sysconf("SC_CLK_TCK")
ONE_MIB = 1 << 20


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tree(folder, files):
    """Writes (path, bytes) pairs and their PULP_MANIFEST."""
    rows = []
    for path, data in files:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        rows.append(f"{path},{hashlib.sha256(data).hexdigest()},{len(data)}\n")
    (folder / "PULP_MANIFEST").write_text("".join(rows))
    return rows


def small_files(count, size, seed=7):
    rng = random.Random(seed)
    return [(f"d{i // 100:04}/f{i:06}", rng.randbytes(size)) for i in range(count)]


def workloads(work):
    """The trees, made once per run."""
    tree(work / "small", small_files(10_000, 1024))
    rng = random.Random(11)
    base = small_files(10_000, 1024)
    delta = base[:9_900]
    for i in rng.sample(range(9_900), 100):
        delta[i] = (delta[i][0], rng.randbytes(1024))
    delta += [(f"new/f{i:06}", rng.randbytes(1024)) for i in range(100)]
    tree(work / "delta", delta)
    tree(work / "large", ((f"f{i:02}", random.Random(i).randbytes(100 * ONE_MIB)) for i in range(20)))
    lines = (f"d{i // 1000:03}/f{i:06},{hashlib.sha256(str(i).encode()).hexdigest()},1024\n" for i in range(63_000))
    (work / "many").mkdir()
    (work / "many" / "PULP_MANIFEST").write_text("".join(lines))


class Nginx:
    """A static server on loopback."""

    def __init__(self, root, state):
        self.port, self.state = free_port(), state
        state.mkdir()
        (state / "conf").write_text(f"""
            user root; worker_processes 1; pid {state}/pid; error_log {state}/error.log;
            events {{ worker_connections 1024; }}
            http {{ access_log {state}/access.log; sendfile on; tcp_nopush on; keepalive_requests 1000000;
                   server {{ listen 127.0.0.1:{self.port}; root {root}; }} }}""")
        subprocess.run(["nginx", "-c", state / "conf", "-p", state], check=True)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def pids(self):
        master = int((self.state / "pid").read_text())
        return [master, *children(master)]

    def requests(self):
        return sum(1 for _ in (self.state / "access.log").open())

    def stop(self):
        subprocess.run(["nginx", "-c", self.state / "conf", "-p", self.state, "-s", "stop"], check=False)


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found + [grand for child in found for grand in children(child)]


def cpu_of(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def pss_of(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1)) / 1024


def measured(command, **options):
    """(wall, CPU, standard output) of a command and all it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options)
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


class Wharf:
    """One data folder, and the program on it."""

    def __init__(self, data):
        self.data = data

    def command(self, *words):
        return [str(BIN / "wharf"), "--data", str(self.data), "--output", "json", *map(str, words)]

    def run(self, *words):
        wall, cpu, out = measured(self.command(*words), stderr=subprocess.DEVNULL)
        lines = out.strip().splitlines()
        return wall, cpu, json.loads(lines[-1]) if lines else {}

    def mirror_setup(self, name, url, **settings):
        self.run("repo", "create", name)
        pairs = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        self.run("attach", name, "file.importer", "--set", f"url={url}", *pairs)
        self.run("attach", name, "file.distributor")


def peak_rss(wharf, *words):
    """The largest resident set, in MiB, that any process of a command reached."""
    process = subprocess.Popen(wharf.command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        try:
            for pid in [process.pid, *children(process.pid)]:
                text = pathlib.Path(f"/proc/{pid}/status").read_text()
                found = re.search(r"^VmHWM:\s+(\d+)", text, re.M)
                peak = max(peak, int(found.group(1)) if found else 0)
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.005)
    return peak / 1024


class Bench:
    def __init__(self, rounds, only):
        self.rounds, self.only, self.rows = rounds, only, []
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="wharf-bench-", dir=os.environ.get("BENCH_DIR")))
        self.fresh = 0

    def wants(self, word):
        return not self.only or word in self.only

    def folder(self):
        self.fresh += 1
        return self.work / f"run-{self.fresh}"

    def row(self, work, goal, got, ok, **numbers):
        self.rows.append({"work": work, "goal": goal, "measured": got, "reached": bool(ok), **numbers})
        print(f"{'ok  ' if ok else 'MISS'} {work}: {got} (goal {goal})", file=sys.stderr)

    def floor(self, name):
        """The same files by curl to files, openssl, sync."""
        out = self.folder()
        out.mkdir()
        paths = [line.rsplit(",", 2)[0] for line in (self.work / name / "PULP_MANIFEST").open()]
        config = self.work / "curl.cfg"
        config.write_text("".join(
            f'url = "{self.nginx.url(name)}/{path}"\noutput = "{out}/{i}"\n' for i, path in enumerate(paths)))
        script = f'curl -s --parallel --parallel-max 16 -K {config} && ' \
                 f'find {out} -type f | xargs openssl dgst -sha256 >/dev/null && sync -f {out}'
        wall, cpu, _ = measured(["bash", "-c", script], stderr=subprocess.DEVNULL)
        return wall, cpu

    def first_sync(self, name, **settings):
        wharf = Wharf(self.folder())
        wharf.mirror_setup("r", self.nginx.url(f"{name}/PULP_MANIFEST"), **settings)
        wall, cpu, job = wharf.run("sync", "r")
        assert job["failed"] == 0 and job["version"] == 1, job
        return wharf, wall, cpu, job

    def ondemand(self):
        cpus = [self.first_sync("small", policy="on_demand")[2] for _ in range(self.rounds)]
        wharf = Wharf(self.folder())
        wharf.mirror_setup("r", self.nginx.url("small/PULP_MANIFEST"), policy="on_demand")
        peak = peak_rss(wharf, "sync", "r")
        cpu = statistics.median(cpus)
        self.row("10,000 files, on demand, first sync", "<= 0.4 CPU s, <= 64 MiB",
                 f"{cpu:.2f} CPU s, {peak:.0f} MiB", cpu <= 0.4 and peak <= 64, cpu=cpu, peak_mib=peak)

    def against_floor(self, name, title, limit):
        floors, ours = [], []
        for _ in range(self.rounds):
            floors.append(self.floor(name))
            _, wall, cpu, _ = self.first_sync(name)
            ours.append((wall, cpu))
        (fw, fc), (ow, oc) = ([statistics.median(v) for v in zip(*rows)] for rows in (floors, ours))
        self.row(title, f"CPU and wall <= {limit} x floor",
                 f"{oc:.2f} CPU s, {ow:.2f} s wall; floor {fc:.2f} and {fw:.2f}: {oc / fc:.2f} x and {ow / fw:.2f} x",
                 oc <= limit * fc and ow <= limit * fw, cpu=oc, wall=ow, floor_cpu=fc, floor_wall=fw)

    def resync(self):
        wharf, *_ = self.first_sync("small")
        cpus = [wharf.run("sync", "r")[1] for _ in range(self.rounds)]
        before = self.nginx.requests()
        wharf.run("sync", "r")
        requests = self.nginx.requests() - before
        with serving(wharf):
            wharf.run("sync", "r")
            seconds = statistics.median(wharf.run("sync", "r")[2]["seconds"] for _ in range(self.rounds))
        cpu = statistics.median(cpus)
        self.row("re-sync with nothing changed", "1 request; <= 10 ms with a server, <= 50 ms CPU as a command",
                 f"{requests} request; {seconds * 1e3:.1f} ms, {cpu * 1e3:.0f} ms CPU",
                 requests == 1 and seconds <= 0.010 and cpu <= 0.050, cpu=cpu, seconds=seconds, requests=requests)

    def delta(self):
        cpus = []
        for _ in range(self.rounds):
            live = self.work / "live"
            live.unlink(missing_ok=True)
            live.symlink_to("small")
            wharf, *_ = self.first_sync("live")
            live.unlink()
            live.symlink_to("delta")
            _, cpu, job = wharf.run("sync", "r")
            assert (job["added"], job["removed"]) == (200, 200), job
            cpus.append(cpu)
        cpu = statistics.median(cpus)
        self.row("re-sync, 100 changed, 100 new, 100 gone of 10,000", "<= 0.4 CPU s", f"{cpu:.2f} CPU s", cpu <= 0.4,
                 cpu=cpu)

    def publish(self):
        cpus = []
        for _ in range(self.rounds):
            wharf, *_ = self.first_sync("small", policy="on_demand")
            cpus.append(wharf.run("publish", "r")[1])
        cpu = statistics.median(cpus)
        self.row("publish 10,000", "<= 0.25 CPU s", f"{cpu:.2f} CPU s", cpu <= 0.25, cpu=cpu)

    def serve(self):
        wharf, *_ = self.first_sync("small")
        wharf.run("publish", "r")
        paths = [line.rsplit(",", 2)[0] for line in (self.work / "small" / "PULP_MANIFEST").open()]
        ours, theirs = [], []
        with serving(wharf, "--listen", "127.0.0.1:0") as (process, status):
            for _ in range(self.rounds):
                ours.append(self.fetched(f"{status['content']}/content/r", paths, [process.pid]))
                theirs.append(self.fetched(self.nginx.url("small"), paths, self.nginx.pids()))
        our, their = statistics.median(ours), statistics.median(theirs)
        self.row("all 10,000 published files fetched", "server CPU <= 3 x nginx",
                 f"{our:.2f} CPU s; nginx {their:.2f}: {our / their:.1f} x", our <= 3 * their, cpu=our, nginx_cpu=their)

    def fetched(self, base, paths, pids):
        config = self.work / "fetch.cfg"
        config.write_text("".join(f'url = "{base}/{path}"\noutput = "/dev/null"\n' for path in paths))
        before = cpu_of(pids)
        subprocess.run(["curl", "-sf", "--parallel", "--parallel-max", "16", "-K", config], check=True,
                       stderr=subprocess.DEVNULL)
        return cpu_of(pids) - before

    def launch(self):
        _, _, out = measured([BIN / "examples" / "launch-time", "200"])
        p50 = float(re.search(r"p50\s+([\d.]+)", out).group(1))
        self.row("launch to first answered call, mutual TLS", "p50 <= 8 ms", f"p50 {p50:.1f} ms", p50 <= 8, p50_ms=p50)

    def stream(self):
        _, _, out = measured([BIN / "examples" / "throughput"])
        rate = min(map(float, re.findall(r"([\d.]+) a second", out)))
        self.row("declared units, discarded by the host", ">= 400,000 a second", f"{rate:,.0f} a second",
                 rate >= 400_000, rate=rate)
        rates = []
        for _ in range(self.rounds):
            _, _, _, job = self.first_sync("many", policy="on_demand")
            rates.append(63_000 / job["seconds"])
        rate = statistics.median(rates)
        self.row("declared units, saved on demand, at 63,000", ">= 60,000 a second", f"{rate:,.0f} a second",
                 rate >= 60_000, rate=rate)

    def idle(self):
        wharf = Wharf(self.folder())
        for name in "abc":
            wharf.mirror_setup(name, self.nginx.url("many/PULP_MANIFEST"), policy="on_demand")
        with serving(wharf) as (process, _):
            jobs = [subprocess.Popen(wharf.command("sync", name), stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL) for name in "abc"]
            for job in jobs:
                assert job.wait() == 0
            time.sleep(3)
            pids = [process.pid, *children(process.pid)]
            names = [pathlib.Path(f"/proc/{pid}/comm").read_text().strip() for pid in pids]
            plugins = names.count("wharf-plugin-fi")
            pss = sum(pss_of(pid) for pid in pids)
        self.row("idle `wharf serve` with three plugin processes", "<= 40 MiB PSS",
                 f"{pss:.1f} MiB with {plugins} plugin processes", pss <= 40 and plugins == 3, pss_mib=pss)

    def run(self):
        workloads(self.work)
        self.nginx = Nginx(self.work, self.work / "nginx")
        try:
            for word, step in {
                "ondemand": self.ondemand,
                "small": lambda: self.against_floor("small", "10,000 files of 1 KiB, immediate, first sync", 1.5),
                "large": lambda: self.against_floor("large", "20 files of 100 MiB, immediate", 1.3),
                "resync": self.resync, "delta": self.delta, "publish": self.publish, "serve": self.serve,
                "launch": self.launch, "stream": self.stream, "idle": self.idle,
            }.items():
                if self.wants(word):
                    step()
        finally:
            self.nginx.stop()
            shutil.rmtree(self.work, ignore_errors=True)


class serving:
    """`wharf serve` for the length of a block; gives (process, status)."""

    def __init__(self, wharf, *options):
        self.wharf, self.options = wharf, options

    def __enter__(self):
        command = [str(BIN / "wharf"), "--data", str(self.wharf.data), "serve", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        record = self.wharf.data / "server.json"
        deadline = time.monotonic() + 20
        while not record.exists() or json.loads(record.read_text())["pid"] != self.process.pid:
            assert time.monotonic() < deadline and self.process.poll() is None, "the server does not come up"
            time.sleep(0.02)
        return self.process, self.wharf.run("status")[2]

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)


def table(rows):
    lines = ["| work | to reach | measured | |", "| --- | --- | --- | --- |"]
    lines += [f"| {r['work']} | {r['goal']} | {r['measured']} | {'reached' if r['reached'] else '**missed**'} |"
              for r in rows]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()
    bench = Bench(options.rounds, options.only)
    bench.run()
    machine = {"system": platform.release(), "cores": os.cpu_count(), "rounds": options.rounds}
    out = ROOT / "target" / "bench"
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(json.dumps({"machine": machine, "rows": bench.rows}, indent=1))
    print(table(bench.rows))


main()
