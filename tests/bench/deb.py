"""The deb plugin beside aptly, reprepro and apt."""
import time

import debs
import natives
import pulp
from content import Run, Table, also, beside, measured, most

FETCH = ("suites=" + debs.SUITE, "architectures=amd64")
NO_SUCH_PACKAGE = "-filter=no-such-package"


def deb(bench):
    natives.install()
    table = Table(bench, "deb", f"deb, beside {natives.versions()}:")
    small(bench, table)
    large(bench, table)
    table.show()


def attach(wharf, url, *settings):
    wharf.attach("apt", "deb.importer", f"url={url}", *FETCH, *settings)
    distributor(wharf)


def distributor(wharf, *settings):
    wharf.attach("apt", "deb.distributor", *settings)


def small(bench, table):
    """Small packages, fetched and published with gz and xz."""
    count = bench.packages
    tree, key = debs.small(bench.work(f"debs-{count}"), count), bench.signing_key()
    ours, published, again, aptly, aptly_published, reprepro, pulps = [], [], [], [], [], [], []
    with bench.nginx(tree) as nginx:
        for _ in range(bench.rounds):
            bench.settle()
            peer = natives.Aptly(bench.fresh("aptly"), key)
            aptly.append(peer.mirror(nginx.url()))
            bench.settle()
            aptly_published.append(peer.publish())
            bench.settle()
            reprepro.append(natives.reprepro(bench.fresh("reprepro"), nginx.url()))
            bench.settle()
            if bench.pulp:
                pulps.append(pulp.deb(bench.pulp, nginx.url(), debs.SUITE))
            with bench.wharf() as wharf:
                attach(wharf, nginx.url())
                if key:
                    wharf.command("key", "create", "bench")
                    distributor(wharf, "signing_key=bench")
                job, run = measured(wharf, "sync", "apt")
                assert job["added"] == count + 1, job
                ours.append(run)
                bench.settle()
                published.append(measured(wharf, "publish", "apt", "--full")[1])
                again.append(unchanged(wharf, nginx)[0])
    peers = dict(aptly=aptly, reprepro=reprepro, **also(pulps, 0))
    table.row(f"{count:,} small packages, immediate, first sync", ours, peers, [beside("aptly")])
    words = "signed" if key else "unsigned"
    peers = dict(aptly=aptly_published, **also(pulps, 1))
    table.row(f"publish them with gz and xz, {words}", published, peers, [beside("aptly")])
    table.row("sync them again, nothing changed", again, also(pulps, 2))


def large(bench, table):
    """The lists of a whole distribution."""
    count = bench.units
    tree = debs.listed(bench.work(f"deb-lists-{count}"), count)
    after = debs.changed(bench.work(f"deb-lists-{count}-changed"), count)
    some = max(1, count // 100)
    runs = {name: [] for name in ("first", "plain", "packed", "again", "fresh", "delta")}
    peers = {name: [] for name in ("apt", "aptly", "compressors")}
    requests = []
    with bench.nginx(tree) as nginx:
        for _ in range(bench.rounds):
            nginx.show(tree)
            bench.settle()
            peers["apt"].append(natives.apt_update(bench.fresh("apt"), nginx.url()))
            peers["aptly"].append(natives.Aptly(bench.fresh("aptly")).mirror(nginx.url(), NO_SUCH_PACKAGE))
            peers["compressors"].append(natives.compressors(tree))
            bench.settle()
            with bench.wharf() as wharf:
                attach(wharf, nginx.url(), "policy=on_demand")
                job, run = measured(wharf, "sync", "apt")
                assert job["added"] == count + 1, job
                runs["first"].append(run)
                for name, compressions in (("plain", "none"), ("packed", "none,gz,xz")):
                    distributor(wharf, f"compressions={compressions}")
                    bench.settle()
                    runs[name].append(measured(wharf, "publish", "apt", "--full")[1])
                again, asked = unchanged(wharf, nginx)
                runs["again"].append(again)
                requests.append(asked)
                wharf.stop()
                before = nginx.requests()
                _job, wall, used = wharf.command("sync", "apt")
                requests.append(nginx.requests() - before)
                runs["fresh"].append(Run(used, wall))
                wharf.start()
                nginx.show(after)
                job, run = measured(wharf, "sync", "apt")
                assert job["added"] == job["removed"] == some, job
                runs["delta"].append(run)
    parse = dict(apt=peers["apt"], aptly=peers["aptly"])
    table.row(f"{count:,} packages, on demand, first sync (peers only parse)", runs["first"], parse,
              [most("cpu", 4), most("host", 150), most("plugin", 100)])
    table.row(f"publish {count:,}, uncompressed", runs["plain"], bounds=[most("cpu", 2.5)])
    table.row("the compressors apart (gz -6, xz -2)", less(runs["packed"], runs["plain"]),
              {"gzip and xz": peers["compressors"]})
    one = ("1 request", lambda _ours, _peers: max(requests) == 1)
    table.row("re-sync, nothing changed, running server", runs["again"], bounds=[one, most("cpu", 0.05)])
    table.row("re-sync, nothing changed, fresh command", runs["fresh"], bounds=[one, most("cpu", 0.05)])
    table.row("re-sync, 1 % changed", runs["delta"], bounds=[most("cpu", 2.5)])


def unchanged(wharf, nginx, times=10):
    """The mean of some syncs: one alone is shorter than the steps in which the system counts."""
    before = nginx.requests()
    started, runs = time.perf_counter(), []
    for _ in range(times):
        job, run = measured(wharf, "sync", "apt")
        assert job["added"] == job["removed"] == 0, job
        runs.append(run)
    wall = (time.perf_counter() - started) / times
    mean = Run(sum(run.cpu for run in runs) / times, wall, runs[-1].host, runs[-1].plugin)
    return mean, (nginx.requests() - before) / times


def less(ours, others):
    return [Run(our.cpu - other.cpu, max(0, our.wall - other.wall)) for our, other in zip(ours, others)]
