"""The programs that are measured, and those that they are measured against: a wharf server, nginx, curl and openssl."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import meter


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, look, seconds=30, pause=0.002):
    """Waits until `look` finds something, and looks again after every pause."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(pause)
    raise SystemExit(f"{what}: not within {seconds} s")


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    meter.reap()


class Nginx:
    """Serves the folder that the link `STATE/root` points to; of a package index, the pages that the client likes."""

    def __init__(self, state, log=True):
        self.state, self.port = state, free_port()
        shutil.rmtree(state, ignore_errors=True)
        os.makedirs(state)
        temporary = "".join(f"{kind}_temp_path {state}/{kind};\n" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(f"{state}/nginx.conf", "w") as file:
            file.write(f"""daemon off; master_process off; pid {state}/pid; error_log {state}/error.log warn;
events {{ worker_connections 1024; }}
http {{ access_log {f"{state}/access.log" if log else "off"}; sendfile on; tcp_nopush on; default_type application/octet-stream;
keepalive_requests 100000000; keepalive_timeout 300s; {temporary}
map $http_accept $page {{ default index.html; "~application/vnd\\.pypi\\.simple\\.v1\\+json" index.v1_json; }}
types {{ text/html html; application/vnd.pypi.simple.v1+json v1_json; }}
server {{ listen 127.0.0.1:{self.port}; root {state}/root; absolute_redirect off;
location / {{ index $page; }}
location ~ ^/pypi/[^/]+/json$ {{ default_type application/json; add_header X-PyPI-Last-Serial 2000000000; }} }} }}
""")
        os.symlink("/nonexistent", f"{state}/root")
        nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen([nginx, "-p", state, "-c", f"{state}/nginx.conf"], stderr=subprocess.DEVNULL)
        until("nginx answers", lambda: answers(self.port))

    def show(self, folder):
        os.symlink(folder, f"{self.state}/root.new")
        os.rename(f"{self.state}/root.new", f"{self.state}/root")

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}/{path}"

    def requests(self):
        return meter.read(f"{self.state}/access.log").count(b"\n")

    def cpu(self):
        return meter.cpu(self.process.pid)

    def stop(self):
        end(self.process)


class Wharf:
    """A fresh data folder, and a server on it unless `serve` is false."""

    def __init__(self, programs, root, data, serve=True):
        self.program, self.data, self.process, self.repositories = f"{programs}/wharf", data, None, set()
        shutil.rmtree(data, ignore_errors=True)
        os.makedirs(data, mode=0o700)
        plugins = f"{root}/plugins:{root}/tests/plugins/misbehave"
        self.environment = dict(os.environ, WHARF_DATA=data, WHARF_PLUGIN_PATH=plugins, WHARF_LOG="warn")
        self.port = free_port()
        if serve:
            self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "serve", "--listen", f"127.0.0.1:{self.port}"], env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("wharf answers", lambda: answers(self.port) and os.path.exists(f"{self.data}/server.json"))

    def command(self, *words):
        """Runs a command; returns its JSON, wall and CPU seconds."""
        output, wall, used = meter.run([self.program, "--output", "json", *words], env=self.environment)
        return json.loads(output.strip().splitlines()[-1]), wall, used

    def mirror(self, name, url, *settings):
        self.attach(name, "file.importer", f"url={url}", *settings)
        self.attach(name, "file.distributor")

    def attach(self, name, component, *settings):
        """Attaches a component, or gives it other settings, and makes the repository when it is missing."""
        if name not in self.repositories:
            self.command("repo", "create", name)
            self.repositories.add(name)
        self.command("attach", name, component, *(word for setting in settings for word in ("--set", setting)))

    def measured(self, *words):
        """Runs a command of the server's; returns its JSON, its wall time and the server tree's CPU."""
        before = meter.cpu(self.process.pid)
        result, wall, _client = self.command(*words)
        return result, wall, meter.cpu(self.process.pid) - before

    def api(self):
        return Api(f"{self.data}/api.sock")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/content/{path}"

    def stop(self):
        if self.process:
            end(self.process)
            self.process = None


class Api(http.client.HTTPConnection):
    """One kept connection to the private socket."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        self.request(method, path, text, {"Content-Type": "application/json"} if text else {})
        answer = self.getresponse()
        return json.loads(answer.read())

    def sync(self, name):
        """Starts a sync and waits for its end."""
        job = self.ask("POST", f"/api/v1/repositories/{name}/sync", {})
        while job["state"] not in ("succeeded", "partial", "failed", "cancelled"):
            job = self.ask("GET", f"/api/v1/jobs/{job['id']}?wait_ms=30000&since={job['revision']}")
        return job


def fetch_all(base, paths, target, scratch):
    """curl gets all paths to files, those of folders to an index.html, many at once. Returns wall and CPU seconds."""
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    with open(f"{scratch}/curl.conf", "w") as file:
        for path in paths:
            name = f"{path}index.html" if path.endswith("/") else path
            file.write(f'url = "{base}{path}"\noutput = "{target}/{name}"\n')
    command = ["curl", "-sS", "-f", "-L", "--create-dirs", "--parallel", "--parallel-max", "16", "-K", f"{scratch}/curl.conf"]
    _output, wall, used = meter.run(command)
    return wall, used


def download_floor(base, paths, target, scratch):
    """What any mirror must do at least: get the files, hash them, make them durable."""
    wall, used = fetch_all(base, paths, target, scratch)
    with open(f"{scratch}/paths", "w") as file:
        file.writelines(f"{target}/{path}\n" for path in paths)
    _output, more_wall, more = meter.run(["xargs", "-a", f"{scratch}/paths", "openssl", "dgst", "-sha256"])
    _output, sync_wall, sync = meter.run(["sync", "-f", target])
    return wall + more_wall + sync_wall, used + more + sync
