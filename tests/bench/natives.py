"""The tools that people use for the same work, each in a folder of its own: aptly, reprepro, apt, bandersnatch, wrk.

What is missing is installed: Debian packages as root, bandersnatch from the package index into target/bench."""
import json
import os
import shutil
import subprocess
import sys

import meter
from debs import SUITE

PACKAGES = dict(aptly="aptly", reprepro="reprepro", wrk="wrk", gpg="gpg", xz="xz-utils", smbd="samba",
                smbclient="smbclient", pigz="pigz", **{"qemu-img": "qemu-utils"})
BANDERSNATCH = "bandersnatch==6.8.0"  # the newest for Python 3.11


def install():
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")]
    if missing:
        print(f"installing {', '.join(missing)}", flush=True)
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        quiet = dict(env=environment, check=True, stdout=subprocess.DEVNULL)
        root = [] if os.getuid() == 0 else ["sudo", "-n", "-E"]
        subprocess.run([*root, "apt-get", "update", "-qq"], **quiet)
        subprocess.run([*root, "apt-get", "install", "-y", "-qq", "--no-remove", "--no-install-recommends", *missing], **quiet)


def versions():
    """What is measured, for the table's head."""
    aptly = meter.run(["aptly", "version"])[0].split()[-1]
    reprepro = subprocess.run(["reprepro", "--version"], capture_output=True).stderr.decode().split()[-1]
    return f"aptly {aptly}, reprepro {reprepro}"


class Aptly:
    def __init__(self, folder, key=None):
        os.makedirs(folder)
        self.key, self.config = key, f"{folder}/aptly.conf"
        self.environment = dict(os.environ, HOME=folder, **({"GNUPGHOME": key} if key else {}))
        with open(self.config, "w") as file:
            json.dump(dict(rootDir=folder, downloadConcurrency=16, gpgDisableVerify=True), file)

    def run(self, *words):
        _output, wall, used = meter.run(["aptly", f"-config={self.config}", *words], env=self.environment)
        return used, wall

    def mirror(self, url, *options):
        """Creates a mirror and brings it up to date."""
        create = ["mirror", "create", "-ignore-signatures", "-architectures=amd64", *options, "m", url, SUITE, "main"]
        return added(self.run(*create), self.run("mirror", "update", "-ignore-signatures", "m"))

    def publish(self):
        """Without lists of contents, which wharf does not make: they would double the time."""
        signing = [f"-gpg-key={KEY}", "-batch"] if self.key else ["-skip-signing"]
        publish = ["publish", "snapshot", "-skip-contents", *signing, f"-distribution={SUITE}", "s"]
        return added(self.run("snapshot", "create", "s", "from", "mirror", "m"), self.run(*publish))


def added(*pairs):
    return tuple(map(sum, zip(*pairs)))


KEY = "bench@example.invalid"


def key(folder):
    """A key for aptly in a keyring of its own."""
    os.makedirs(folder, mode=0o700)
    subprocess.run(["gpg", "--homedir", folder, "--batch", "--passphrase", "", "--quick-generate-key", KEY, "rsa3072",
                    "sign", "never"], check=True, capture_output=True)
    return folder


def reprepro(folder, url):
    """First update, which publishes too."""
    os.makedirs(f"{folder}/conf")
    with open(f"{folder}/conf/distributions", "w") as file:
        file.write(f"Origin: Bench\nLabel: Bench\nSuite: {SUITE}\nCodename: {SUITE}\nArchitectures: amd64\n"
                   "Components: main\nDescription: mirror\nUpdate: up\n")
    with open(f"{folder}/conf/updates", "w") as file:
        file.write(f"Name: up\nMethod: {url}\nSuite: {SUITE}\nComponents: main\nArchitectures: amd64\n"
                   "VerifyRelease: blindtrust\nGetInRelease: no\n")
    _output, wall, used = meter.run(["reprepro", "-s", "-b", folder, "update"])
    return used, wall


def apt_update(folder, url):
    """A client's update: fetches the list and parses it into its cache."""
    for path in ("etc/apt.conf.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"):
        os.makedirs(f"{folder}/{path}")
    open(f"{folder}/state/status", "w").close()
    with open(f"{folder}/etc/sources.list", "w") as file:
        file.write(f"deb [trusted=yes arch=amd64] {url} {SUITE} main\n")
    with open(f"{folder}/apt.conf", "w") as file:
        file.write(f'Dir::State "{folder}/state";\nDir::State::status "{folder}/state/status";\n'
                   f'Dir::Cache "{folder}/cache";\nDir::Etc "{folder}/etc";\nAPT::Sandbox::User "";\n'
                   'Acquire::Languages "none";\nAPT::Architecture "amd64";\n')
    environment = dict(os.environ, APT_CONFIG=f"{folder}/apt.conf")
    fetched = meter.run(["apt-get", "-q", "update"], env=environment)
    parsed = meter.run(["apt-cache", "gencaches"], env=environment)
    return fetched[2] + parsed[2], fetched[1] + parsed[1]


def compressors(lists):
    """What gzip and xz take for the same list, with the levels that wharf uses."""
    plain = f"{lists}/dists/{SUITE}/main/binary-amd64/Packages"
    runs = [meter.run(["sh", "-c", f"{program} -c '{plain}' >/dev/null"]) for program in ("gzip -6", "xz -2 -T1")]
    return added(*((used, wall) for _output, wall, used in runs))


class Bandersnatch:
    def __init__(self, bench):
        """The program, in an environment of its own, made when it is missing."""
        home = f"{bench.folder}/bandersnatch"
        self.program = f"{home}/bin/bandersnatch"
        if not os.path.exists(self.program):
            print(f"installing {BANDERSNATCH}", flush=True)
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", home], check=True)
            subprocess.run([f"{home}/bin/pip", "install", "-q", BANDERSNATCH], check=True)

    def mirror(self, folder, url):
        os.makedirs(folder)
        with open(f"{folder}.conf", "w") as file:
            file.write(f"[mirror]\ndirectory = {folder}\nmaster = {url}\nallow-non-https = true\njson = true\n"
                       "timeout = 10\nworkers = 10\nhash-index = false\nsimple-format = ALL\nstop-on-error = true\n"
                       "storage-backend = filesystem\nverifiers = 3\ncompare-method = hash\napi-method = simple\n")
        _output, wall, used = meter.run([self.program, "-c", f"{folder}.conf", "mirror"])
        return used, wall


WRK = """local paths, place = {}, 0
function init(words) for line in io.lines(words[1]) do paths[#paths + 1] = line end end
function request() place = place % #paths + 1; return wrk.format("GET", paths[place]) end
"""


def wrk(scratch, base, paths, seconds, *headers):
    """Sixteen connections ask for one path after the other. Returns how many requests were answered."""
    script, listing = f"{scratch}/paths.lua", f"{scratch}/wrk.paths"
    with open(script, "w") as file:
        file.write(WRK)
    with open(listing, "w") as file:
        file.writelines(f"/{path}\n" for path in paths)
    words = [word for header in headers for word in ("-H", header)]
    command = ["wrk", "-t", "1", "-c", "16", "-d", f"{seconds}s", *words, "-s", script, base, "--", listing]
    output, _wall, _used = meter.run(command)
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"wrk: {output}")
    line = next(line for line in output.splitlines() if "requests in" in line)
    return int(line.split()[0])
