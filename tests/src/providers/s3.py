"""moto's S3 on a free port of loopback, which it prints. Signatures in addresses are held against those that botocore
makes of the same request, so nobody without the secret key gets in, and nobody with a wrong idea of Signature Version 4.

    s3.py ACCESS_KEY SECRET_KEY BUCKET
"""

import sys
from io import BytesIO
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from faults import Faults

ACCESS, SECRET, BUCKET = sys.argv[1:4]
REGION = "us-east-1"


def refusal(environ):
    """The code of the refusal, or None."""
    query = parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)
    told = dict(query)
    if "X-Amz-Signature" not in told:
        signed = f"AWS4-HMAC-SHA256 Credential={ACCESS}/"
        return None if environ.get("HTTP_AUTHORIZATION", "").startswith(signed) else "AccessDenied"
    if told["X-Amz-Credential"].split("/")[0] != ACCESS:
        return "InvalidAccessKeyId"
    request = AWSRequest(
        method=environ["REQUEST_METHOD"],
        url="http://" + environ["HTTP_HOST"] + environ["RAW_URI"].split("?")[0],
        params={name: value for name, value in query if name != "X-Amz-Signature"},
    )
    for name in told["X-Amz-SignedHeaders"].split(";"):
        key = name.upper().replace("-", "_")
        request.headers[name] = environ.get(f"HTTP_{key}", environ.get(key, ""))
    auth = S3SigV4QueryAuth(Credentials(ACCESS, SECRET), "s3", REGION)
    request.context["timestamp"] = told["X-Amz-Date"]
    canonical = auth.canonical_request(request)
    good = auth.signature(auth.string_to_sign(request, canonical), request)
    return None if good == told["X-Amz-Signature"] else "SignatureDoesNotMatch"


class Strict:
    def __init__(self, application):
        self.application = application
        self.faults = Faults()

    def __call__(self, environ, start):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path.startswith("/-/"):
            text = self.faults.control(method, path, environ["QUERY_STRING"])
            return answer(start, "200 OK", text)
        code = refusal(environ)
        if code:
            drain(environ)
            xml = f"<Error><Code>{code}</Code><Message>that is refused</Message></Error>"
            return answer(start, "403 Forbidden", xml)
        fault = self.faults.of(f"{method} {path}?{environ['QUERY_STRING']}")
        if fault == "fail":
            drain(environ)
            xml = "<Error><Code>SlowDown</Code><Message>not so fast</Message></Error>"
            return answer(start, "503 Slow Down", xml, [("Retry-After", "0")])
        if fault == "hold":
            environ["wsgi.input"].read(1)
            self.faults.is_held()
            environ["werkzeug.socket"].setblocking(True)
            while environ["werkzeug.socket"].recv(1 << 16):
                pass
            return answer(start, "500 Gone", "")
        return self.application(environ, start)


def drain(environ):
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def answer(start, status, text, headers=()):
    body = text.encode()
    start(status, [("Content-Length", str(len(body))), *headers])
    return [body]


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_words):
        pass


def main():
    moto = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, Strict(moto), threaded=True, request_handler=Quiet)
    bucket = {
        "REQUEST_METHOD": "PUT", "PATH_INFO": f"/{BUCKET}", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(server.port), "HTTP_HOST": f"127.0.0.1:{server.port}", "wsgi.url_scheme": "http",
        "RAW_URI": f"/{BUCKET}", "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={ACCESS}/x/{REGION}/s3/x",
    }
    bucket |= {"wsgi.input": BytesIO(), "wsgi.errors": sys.stderr}
    list(moto(bucket, lambda _status, _headers: None))
    print(server.port, flush=True)
    server.serve_forever()


main()
