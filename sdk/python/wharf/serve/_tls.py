"""The TLS of both directions: a certificate of our own for this process, the host's pinned one as the only root.

Keys stay in memory. Nothing here is logged.
"""

from __future__ import annotations

import base64
import datetime
from dataclasses import dataclass

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wharf.serve._start_error import StartError

_AGO = datetime.timedelta(seconds=30)
_LIFE = datetime.timedelta(days=3_650)


@dataclass(frozen=True, repr=False)
class Security:
    """What is needed to be server for the host and client of it."""

    key: bytes
    """PEM."""
    certificate: bytes
    """PEM."""
    line_field: str
    """The certificate as the handshake line has it: base64 of the DER form, without padding."""
    host: bytes
    """The host's certificate, PEM."""

    def server(self) -> grpc.ServerCredentials:
        """For the plugin's socket: whoever connects must show the host's certificate."""
        pair = [(self.key, self.certificate)]
        return grpc.ssl_server_credentials(pair, self.host, require_client_auth=True)

    def client(self) -> grpc.ChannelCredentials:
        """For service `Host`: we show the certificate that we announced."""
        return grpc.ssl_channel_credentials(self.host, self.key, self.certificate)


def secure(host_pem: str) -> Security:
    """Makes key and certificate for a host that showed this one."""
    host = _first_certificate(host_pem)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key)
    der = certificate.public_bytes(serialization.Encoding.DER)
    return Security(
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
        line_field=base64.b64encode(der).decode().rstrip("="),
        host=host,
    )


def _first_certificate(pem: str) -> bytes:
    try:
        first = x509.load_pem_x509_certificates(pem.encode())[0]
    except ValueError as cause:
        message = f"PLUGIN_CLIENT_CERT holds no certificate that can be read: {cause}"
        raise StartError(message) from cause
    return first.public_bytes(serialization.Encoding.PEM)


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _AGO)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .sign(key, hashes.SHA256())
    )
