"""Plays a host with a certificate of a given kind: starts a plugin, dials it, and says in a word what came of it.

    dial.py KEY,ca|leaf[,other|none|no-alpn|tls1.2] PROGRAM [ARGUMENTS]

Prints `TLSv1.3 h2 SETTINGS` (version, ALPN, and that HTTP/2 answers) or `refused`.
"""
import base64
import datetime
import os
import socket
import ssl
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
KEYS = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
}


def certificate(kind, ca):
    """A key and its self-signed certificate, both as PEM."""
    key = KEYS[kind]()
    name = x509.Name.from_rfc4514_string("CN=localhost")
    now, usage = datetime.datetime.now(datetime.timezone.utc), x509.ExtendedKeyUsageOID
    made = (x509.CertificateBuilder()
            .subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(seconds=30))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), True)
            .add_extension(x509.ExtendedKeyUsage([usage.CLIENT_AUTH, usage.SERVER_AUTH]), False)
            .sign(key, None if kind == "ed25519" else hashes.SHA256()))
    key = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    return key, made.public_bytes(serialization.Encoding.PEM)


def context(kind, ca, options):
    """The host's certificate (PEM) and the TLS that dials, which may show another one or none."""
    key, shown = certificate(kind, ca)
    told = shown
    if "other" in options:
        key, shown = certificate(kind, ca)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if "tls1.2" in options:
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    if "no-alpn" not in options:
        made.set_alpn_protocols(["h2"])
    if "none" not in options:
        with tempfile.NamedTemporaryFile() as file:
            file.write(key + shown)
            file.flush()
            made.load_cert_chain(file.name)
    return told, made


def dial(made, network, address, expected):
    """What comes of a connection; a certificate other than the announced one is an error of the plugin."""
    assert network == "unix", network
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(10)
        plain.connect(address)
        try:
            with made.wrap_socket(plain, server_hostname="localhost") as secure:
                assert secure.getpeercert(binary_form=True) == expected, "another certificate"
                secure.sendall(PREFACE)
                start = secure.recv(9)
                if start[3:4] != b"\x04":
                    return "refused"
                return f"{secure.version()} {secure.selected_alpn_protocol() or 'none'} SETTINGS"
        except (ssl.SSLError, ConnectionError):
            return "refused"


def main():
    kind, ca, *options = sys.argv[1].split(",")
    told, made = context(kind, ca == "ca", options)
    environment = dict(os.environ, PLUGIN_CLIENT_CERT=told.decode(), PLUGIN_PROTOCOL_VERSIONS="1")
    plugin = subprocess.Popen(sys.argv[2:], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        fields = plugin.stdout.readline().decode().rstrip("\n").split("|")
        der = base64.b64decode(fields[5] + "=" * (-len(fields[5]) % 4))
        print(dial(made, fields[2], fields[3], der))
    finally:
        plugin.kill()
        plugin.wait()


if __name__ == "__main__":
    main()
