"""Keystone v3 and Glance v2 as far as images are pushed, strict, on a free port of loopback, which it prints.

    glance.py USER PASSWORD PROJECT

GET /-/images: all images, as JSON.
"""

import hashlib
import json
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from faults import Faults

USER, PASSWORD, PROJECT = sys.argv[1:4]
FORMATS = {"qcow2", "raw", "vmdk", "vdi", "vhd", "vhdx", "iso"}


class Cloud:
    def __init__(self):
        self.lock = threading.Lock()
        self.tokens = set()
        self.images = {}
        self.looks = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud, faults = Cloud(), Faults()

    def log_message(self, *_words):
        pass

    def go(self):
        parts = urlsplit(self.path)
        if parts.path == "/-/images":
            return self.answer(200, list(self.cloud.images.values()))
        if parts.path.startswith("/-/"):
            return self.answer(200, json.loads(self.faults.control(self.command, parts.path, parts.query)))
        fault = self.faults.of(f"{self.command} {self.path}")
        if fault == "fail":
            self.body()
            return self.answer(503, {"message": "not so fast"}, {"Retry-After": "0"})
        if fault == "hold":
            self.rfile.read(1)
            self.faults.is_held()
            while self.rfile.read(1 << 16):
                pass
            self.close_connection = True
            return None
        if parts.path == "/identity/v3/auth/tokens" and self.command == "POST":
            return self.login()
        if self.headers.get("X-Auth-Token") not in self.cloud.tokens:
            self.body()
            return self.answer(401, {"message": "This server could not verify that you are authorized"})
        way = parts.path.split("/")
        if way[:4] != ["", "image", "v2", "images"]:
            return self.answer(404, {})
        return self.image(way[4:], parts.query)

    do_GET = do_POST = do_PUT = do_DELETE = go

    def login(self):
        auth = json.loads(self.body())["auth"]
        user = auth["identity"]["password"]["user"]
        scope = auth["scope"]["project"]
        good = (user["name"], user["password"], user["domain"]["name"]) == (USER, PASSWORD, "Default")
        if not good or auth["identity"]["methods"] != ["password"]:
            return self.answer(401, {"error": {"message": "The request you have made requires authentication."}})
        if (scope["name"], scope["domain"]["name"]) != (PROJECT, "Default"):
            return self.answer(401, {"error": {"message": "no such project"}})
        token = uuid.uuid4().hex
        self.cloud.tokens.add(token)
        url = f"http://{self.headers['Host']}/image"
        endpoints = [{"interface": "internal", "url": "http://10.0.0.1/", "region": "one"},
                     {"interface": "public", "url": url, "region": "one"}]
        catalog = [{"type": "compute", "endpoints": []}, {"type": "image", "endpoints": endpoints}]
        return self.answer(201, {"token": {"catalog": catalog}}, {"X-Subject-Token": token})

    def image(self, way, query):
        images = self.cloud.images
        if self.command == "GET" and not way:
            wanted = dict(parse_qsl(query))
            same = lambda image: all(str(image.get(name)) == value for name, value in wanted.items())
            return self.answer(200, {"images": [image for image in images.values() if same(image)]})
        if self.command == "POST" and not way:
            return self.create()
        image = images.get(way[0]) if way else None
        if image is None:
            self.body()
            return self.answer(404, {"message": "No image found with that ID"})
        if self.command == "PUT" and way[1:] == ["file"]:
            return self.fill(image)
        if self.command == "GET" and len(way) == 1:
            return self.answer(200, self.settle(image))
        if self.command == "DELETE" and len(way) == 1:
            del images[way[0]]
            return self.answer(204)
        return self.answer(405, {})

    def create(self):
        if self.headers.get("Content-Type") != "application/json":
            self.body()
            return self.answer(415, {"message": "no JSON"})
        asked = json.loads(self.body())
        if asked.get("disk_format") not in FORMATS or asked.get("container_format") not in {"bare", "ova"}:
            return self.answer(400, {"message": "Invalid disk or container format"})
        if asked.get("visibility") not in {"private", "shared"}:
            return self.answer(403, {"message": "You are not authorized to publicize_image"})
        image = {**asked, "id": str(uuid.uuid4()), "status": "queued", "size": None}
        self.cloud.images[image["id"]] = image
        return self.answer(201, image)

    def fill(self, image):
        if self.headers.get("Content-Type") != "application/octet-stream":
            self.body()
            return self.answer(415, {"message": "Unsupported Content-Type"})
        if image["status"] != "queued":
            self.body()
            return self.answer(409, {"message": "Image status transition is not allowed"})
        image["status"] = "saving"
        try:
            body = self.body()
        except ConnectionError:
            # As the real one leaves it.
            image["status"] = "queued"
            self.close_connection = True
            return None
        image["size"], image["os_hash_algo"] = len(body), "sha256"
        image["os_hash_value"] = hashlib.sha256(body).hexdigest()
        return self.answer(204)

    def settle(self, image):
        """Active at the second look."""
        looks = self.cloud.looks[image["id"]] = self.cloud.looks.get(image["id"], 0) + 1
        if image["status"] == "saving" and image["size"] is not None and looks > 1:
            image["status"] = "active"
        return image

    def body(self):
        wanted = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(wanted)
        if len(body) < wanted:
            raise ConnectionError("the client is gone")
        return body

    def answer(self, status, document=None, headers=()):
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


main()
