"""Pulp 3 beside wharf: a service of its own with PostgreSQL and Redis, made anew for every round, all on loopback.

The shape is that of Pulp's single container: two processes each for API, content and tasks; PostgreSQL and Redis with
Debian's defaults. What is missing is installed: Debian packages as root, Pulp from the package index into the folder
given, which the user postgres must be able to enter."""
import base64
import contextlib
import datetime
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import meter
from programs import answers, fetch_all, free_port, until

WANTED = ("pulpcore==3.123.1", "pulp-python==3.36.4", "pulp-deb==3.11.1", "setuptools<81")
PACKAGES = dict(initdb="postgresql", **{"redis-server": "redis-server", "pg_config": "libpq-dev", "cc": "build-essential"})
BASIC = "Basic " + base64.b64encode(b"admin:bench").decode()
ROOT = "/pulp/api/v3"
PATH = "/usr/lib/postgresql/15/bin:/usr/sbin"


class Pulp:
    def __init__(self, folder):
        self.folder, self.processes = os.path.abspath(folder), {}
        self.programs, self.database = f"{self.folder}/venv/bin", f"{self.folder}/database"
        self.lib, self.cookie = f"{self.folder}/lib", None
        self.ports = {name: free_port() for name in ("postgres", "redis", "api", "content")}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("PULP_", "PIP_"))}
        self.environment |= dict(PULP_SETTINGS=f"{self.folder}/settings.py", LC_ALL="C.UTF-8",
                                 DJANGO_SETTINGS_MODULE="pulpcore.app.settings",
                                 PATH=f"{self.programs}:{PATH}:{os.environ['PATH']}")
        os.makedirs(f"{self.folder}/log", exist_ok=True)
        self.install()
        self.prepare()

    def install(self):
        missing = [package for program, package in PACKAGES.items()
                   if not shutil.which(program, path=self.environment["PATH"])]
        if missing:
            print(f"installing {', '.join(missing)}", flush=True)
            environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")
            subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True,
                           env=environment, stdout=subprocess.DEVNULL)
        stamp = f"{self.folder}/installed"
        if meter.read(stamp).decode() != "\n".join(WANTED):
            print("installing Pulp", flush=True)
            shutil.rmtree(f"{self.folder}/venv", ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", f"{self.folder}/venv"], check=True)
            subprocess.run([f"{self.programs}/pip", "install", "-q", *WANTED], check=True)
            with open(stamp, "w") as file:
                file.write("\n".join(WANTED))

    def prepare(self):
        """An empty, migrated database, from which every round's is copied."""
        shutil.rmtree(self.database, ignore_errors=True)
        shutil.rmtree(self.lib, ignore_errors=True)
        for name in ("media", "tmp", "assets"):
            os.makedirs(f"{self.lib}/{name}")
        self.settings()
        os.makedirs(self.database)
        user = pwd.getpwnam("postgres")
        os.chown(self.database, user.pw_uid, user.pw_gid)
        self.as_postgres("initdb", "-D", self.database, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        with open(f"{self.database}/postgresql.conf", "a") as file:
            file.write(f"listen_addresses = '127.0.0.1'\nport = {self.ports['postgres']}\nunix_socket_directories = ''\n")
        with self.stores():
            self.sql("postgres", "CREATE ROLE pulp LOGIN SUPERUSER PASSWORD 'pulp'")
            self.sql("postgres", "CREATE DATABASE pulp OWNER pulp")
            for words in (("migrate", "--noinput"), ("reset-admin-password", "--password", "bench"),
                          ("collectstatic", "--noinput", "--clear")):
                if self.to_log("manager", [f"{self.programs}/pulpcore-manager", *words]).wait() != 0:
                    raise SystemExit(f"pulpcore-manager {words[0]} failed; {self.folder}/log/manager tells why")
            self.sql("postgres", "CREATE DATABASE empty TEMPLATE pulp")

    def settings(self):
        with open(f"{self.folder}/key", "wb") as file:
            file.write(base64.urlsafe_b64encode(os.urandom(32)))
        with open(f"{self.folder}/settings.py", "w") as file:
            file.write(f'''SECRET_KEY = "{os.urandom(16).hex()}"
DB_ENCRYPTION_KEY = "{self.folder}/key"
CONTENT_ORIGIN = "{self.url('content')}"
PYPI_API_HOSTNAME = "{self.url('api')}"
DEPLOY_ROOT = "{self.lib}"
MEDIA_ROOT = "{self.lib}/media"
STATIC_ROOT = "{self.lib}/assets"
WORKING_DIRECTORY = "{self.lib}/tmp"
FILE_UPLOAD_TEMP_DIR = "{self.lib}/tmp"
DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", "NAME": "pulp", "USER": "pulp",
    "PASSWORD": "pulp", "HOST": "127.0.0.1", "PORT": "{self.ports['postgres']}"}}}}
REDIS_URL = "redis://127.0.0.1:{self.ports['redis']}/0"
CACHE_ENABLED = True
ANALYTICS = False
ALLOWED_CONTENT_CHECKSUMS = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
''')

    def url(self, name, path=""):
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def as_postgres(self, *command):
        subprocess.run(["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", *command], cwd="/",
                       check=True, stdout=subprocess.DEVNULL, env=self.environment)

    def to_log(self, name, command, cwd=None):
        with open(f"{self.folder}/log/{name}", "ab") as log:
            return subprocess.Popen(command, env=self.environment, cwd=cwd or self.folder, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log)

    def sql(self, database, statement):
        command = ["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(self.ports["postgres"]), "-U", "postgres", "-d",
                   database, "-c", statement]
        subprocess.run(command, check=True, env=self.environment, stdout=subprocess.DEVNULL)

    @contextlib.contextmanager
    def stores(self):
        """PostgreSQL, and a Redis that keeps nothing."""
        own = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        self.processes["postgres"] = self.to_log("postgres", [*own, "postgres", "-D", self.database], cwd="/")
        self.processes["redis"] = self.to_log("redis", ["redis-server", "--bind", "127.0.0.1", "--port",
                                                        str(self.ports["redis"]), "--dir", self.lib])
        ready = ["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.ports["postgres"])]
        try:
            until("PostgreSQL answers", lambda: subprocess.run(ready, env=self.environment).returncode == 0)
            until("Redis answers", lambda: answers(self.ports["redis"]))
            yield
        finally:
            self.stop()

    @contextlib.contextmanager
    def fresh(self):
        """An empty Pulp that answers, with its workers there."""
        shutil.rmtree(f"{self.lib}/media")
        os.makedirs(f"{self.lib}/media")
        with self.stores():
            self.sql("postgres", "DROP DATABASE IF EXISTS pulp")
            self.sql("postgres", "CREATE DATABASE pulp TEMPLATE empty OWNER pulp")
            for name in ("api", "content"):
                self.processes[name] = self.to_log(name, [
                    f"{self.programs}/pulpcore-{name}", "-b", f"127.0.0.1:{self.ports[name]}", "--workers", "2",
                    "--access-logfile", "/dev/null", "--timeout", "90"])
            for name in ("worker0", "worker1"):
                self.processes[name] = self.to_log(name, [f"{self.programs}/pulpcore-worker"])
            until("Pulp is up", self.up, 180)
            self.login()
            yield

    def up(self):
        with contextlib.suppress(OSError, KeyError, RuntimeError):
            status = self.ask("GET", f"{ROOT}/status/")
            return (status["database_connection"]["connected"] and len(status["online_workers"]) == 2
                    and status["online_content_apps"] and status["online_api_apps"])

    def stop(self):
        for name, process in reversed(self.processes.items()):
            process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()
        self.processes = {}
        meter.reap()

    def cpu(self):
        return sum(meter.cpu(process.pid) for process in self.processes.values())

    def ask(self, method, path, body=None):
        own = {"Cookie": self.cookie} if method == "GET" and self.cookie else {"Authorization": BASIC}
        request = urllib.request.Request(path if "://" in path else self.url("api", path), method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json", **own})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from None
        return json.loads(text) if text else None

    def login(self):
        """A session for the polling of tasks: with basic authentication each call costs a password hash."""
        self.cookie = None
        request = urllib.request.Request(self.url("api", f"{ROOT}/login/"), b"", {"Authorization": BASIC})
        with urllib.request.urlopen(request, timeout=60) as answer:
            cookies = answer.headers.get_all("Set-Cookie")
        self.cookie = next(cookie.split(";")[0] for cookie in cookies if cookie.startswith("sessionid="))

    def task(self, started):
        """Waits for a task. Returns it."""
        def ended():
            task = self.ask("GET", started["task"])
            return task if task["state"] in ("completed", "failed", "canceled", "skipped") else None
        task = until("Pulp's task ends", ended, 1800, 0.2)
        if task["state"] != "completed":
            raise SystemExit(f"Pulp: {json.dumps({key: task.get(key) for key in ('name', 'state', 'error')})}")
        return task

    def timed(self, path, **body):
        """Starts a task and waits for it. Returns it with (CPU, wall) seconds."""
        os.sync()
        before = self.cpu()
        task = self.task(self.ask("POST", path, body))
        used = self.cpu() - before
        return task, (used, seconds(task["finished_at"]) - seconds(task["pulp_created"]))

    def repository(self, kind, **remote):
        """A remote and a repository. Returns their addresses."""
        remote = self.ask("POST", f"{ROOT}/remotes/{kind}/", dict(name="bench", policy="immediate", **remote))
        repository = self.ask("POST", f"{ROOT}/repositories/{kind}/", dict(name="bench"))
        return remote["pulp_href"], repository["pulp_href"]

    def publish(self, publication, distribution, repository, **options):
        """Publishes and distributes. Returns where, and (CPU, wall) seconds of the publication."""
        task, run = self.timed(f"{ROOT}/publications/{publication}/", repository=repository, **options)
        made = dict(name="bench", base_path="bench", publication=created(task, "publications"))
        task = self.task(self.ask("POST", f"{ROOT}/distributions/{distribution}/", made))
        return self.ask("GET", created(task, "distributions"))["base_url"], run


def created(task, kind):
    return next(resource for resource in task["created_resources"] if kind in resource)


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def deb(pulp, url, suite):
    """A first sync, a publication, a second sync. Returns the three as (CPU, wall)."""
    with pulp.fresh():
        remote, repository = pulp.repository("deb/apt", url=url, distributions=suite, components="main",
                                             architectures="amd64")
        _task, first = pulp.timed(f"{repository}sync/", remote=remote, optimize=False)
        _where, published = pulp.publish("deb/apt", "deb/apt", repository, structured=True, simple=False)
        _task, again = pulp.timed(f"{repository}sync/", remote=remote, optimize=True)
    return first, published, again


def pypi(pulp, url, bench, names):
    """A first sync, a publication, every page and wheel once. Returns the three as (CPU, wall)."""
    with pulp.fresh():
        remote, repository = pulp.repository("python/python", url=url, includes=[], prereleases=True)
        _task, first = pulp.timed(f"{repository}sync/", remote=remote)
        where, published = pulp.publish("python/pypi", "python/pypi", repository)
        pages = [f"simple/{name}/" for name in names]
        wheels = [path for page in pages for path in linked(where + page)]
        before = pulp.cpu()
        wall = fetch_all(where, pages, bench.fresh("pages"), bench.scratch)[0]
        wall += fetch_all(pulp.url("content", "/"), wheels, bench.fresh("wheels"), bench.scratch)[0]
        served = pulp.cpu() - before, wall
    return first, published, served


def linked(page):
    """The paths of the wheels that a page names."""
    with urllib.request.urlopen(page) as answer:
        links = re.findall(r'href="([^"#]+\.whl)', answer.read().decode())
    return [urllib.parse.urlsplit(urllib.parse.urljoin(answer.geturl(), link)).path.lstrip("/") for link in links]
