"""The pypi plugin beside bandersnatch, and what it costs to serve an index beside nginx."""
import json
import os
import urllib.parse
import urllib.request

import meter
import natives
import pulp
import wheels
from content import Run, Table, also, beside, measured, most
from programs import Nginx, fetch_all

PAGE = "application/vnd.pypi.simple.v1+json"


def pypi(bench):
    natives.install()
    peer = natives.Bandersnatch(bench)
    projects, versions = bench.projects
    store = wheels.files(bench.work(f"wheels-{projects}-{versions}"), projects, versions)
    table = Table(bench, "pypi", f"pypi, beside {natives.BANDERSNATCH.replace('==', ' ')} and nginx:")
    first, published, theirs, pulps = [], [], [], []
    with bench.nginx("/nonexistent") as nginx:
        tree = bench.fresh("index")
        wheels.index(tree, store, nginx.url())
        nginx.show(tree)
        for number in range(bench.rounds):
            bench.settle()
            theirs.append(peer.mirror(bench.fresh("bandersnatch"), nginx.url().rstrip("/")))
            if bench.pulp:
                pulps.append(pulp.pypi(bench.pulp, nginx.url(), bench, [wheels.project(one) for one in range(projects)]))
            bench.settle()
            with bench.wharf() as wharf:
                wharf.attach("wheels", "pypi.importer", f"url={nginx.url('simple/')}")
                wharf.attach("wheels", "pypi.distributor")
                job, run = measured(wharf, "sync", "wheels")
                assert job["added"] == projects * (versions + 1), job
                first.append(run)
                bench.settle()
                published.append(measured(wharf, "publish", "wheels", "--full")[1])
                if number == bench.rounds - 1:
                    work = f"{projects} projects with {versions} wheels each"
                    table.row(f"{work}, immediate, first sync (bandersnatch publishes too)", first,
                              dict(bandersnatch=theirs, **also(pulps, 0)), [most("cpu", 2.5)])
                    table.row("publish them: pages in HTML and JSON", published, also(pulps, 1))
                    serve(bench, table, wharf, tree, also(pulps, 2))
    table.show()


def serve(bench, table, wharf, tree, pulps):
    """The same pages and wheels from wharf and from nginx, by turns."""
    names = sorted(os.listdir(f"{tree}/simple"))
    names = [name for name in names if os.path.isdir(f"{tree}/simple/{name}")]
    pages = [f"simple/{name}/" for name in names]
    nginx = Nginx(f"{bench.folder}/static", log=False)
    nginx.show(tree)
    try:
        sides = ((nginx.url(), linked(nginx.url(), pages, tree), nginx.process),
                 (wharf.url("wheels/"), linked(wharf.url("wheels/"), pages, tree), wharf.process))
        each(bench, table, sides, pages, pulps)
        for what, pick in (("pages", lambda side: pages), ("wheels", lambda side: side[1])):
            answered(bench, table, what, [(side[0], pick(side), side[2]) for side in sides])
    finally:
        nginx.stop()


def linked(base, pages, tree):
    """Where the pages say that the wheels are, from the base on."""
    found = []
    for page in pages:
        request = urllib.request.Request(base + page, headers={"Accept": PAGE})
        with urllib.request.urlopen(request) as answer:
            for file in json.load(answer)["files"]:
                path = urllib.parse.urlsplit(urllib.parse.urljoin(base + page, file["url"])).path
                found.append(path.removeprefix(urllib.parse.urlsplit(base).path))
    return found


def each(bench, table, sides, pages, pulps):
    """Everything once, as a client that mirrors: pages, metadata, wheels."""
    runs = [[], []]
    for _ in range(bench.rounds):
        for side, (base, files, process) in enumerate(sides):
            bench.settle()
            paths = pages + files + [f"{file}.metadata" for file in files]
            before = meter.cpu(process.pid)
            wall, _client = fetch_all(base, paths, bench.fresh("served"), bench.scratch)
            runs[side].append(Run(meter.cpu(process.pid) - before, wall))
    theirs, ours = runs
    table.row("each page, wheel and metadata file once, by curl", ours, dict(nginx=theirs, **pulps),
              [beside("nginx", 3)])


def answered(bench, table, what, sides):
    """Processor time of 10,000 answers while sixteen connections ask."""
    runs, seconds = [[], []], 1 if bench.quick else 3
    for _ in range(bench.rounds):
        for side, (base, paths, process) in enumerate(sides):
            host, _slash, folder = base.removeprefix("http://").partition("/")
            before = meter.cpu(process.pid)
            asked = natives.wrk(bench.scratch, f"http://{host}", [folder + path for path in paths], seconds,
                                f"Accept: {PAGE}")
            runs[side].append(Run((meter.cpu(process.pid) - before) / asked * 10_000, 0))
    theirs, ours = runs
    pairs = [(run.cpu, run.wall) for run in theirs]
    table.row(f"10,000 {what}, sixteen connections kept open (wrk)", ours, dict(nginx=pairs), [beside("nginx", 3)])
