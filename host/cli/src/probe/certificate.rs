//! What kind of key a certificate holds. Source: RFC 5280, section 4.1.
//!
//! Reads the fields up to the public key and judges nothing: whether the certificate is any good
//! was decided when TLS was set up.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode as _, SliceReader, Tag, TagNumber};

/// `ECDSA P-256`, `RSA`, or the key's object identifier when it is an uncommon one.
pub(super) fn key_kind(certificate: &[u8]) -> String {
    match algorithm(certificate) {
        Ok((key, curve)) => name(key, curve),
        Err(error) => format!("unreadable: {error}"),
    }
}

/// ```text
/// Certificate          ::= SEQUENCE { tbsCertificate, ... }
/// TBSCertificate       ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity,
///                                     subject, subjectPublicKeyInfo, ... }
/// SubjectPublicKeyInfo ::= SEQUENCE { algorithm SEQUENCE { algorithm, parameters }, ... }
/// ```
fn algorithm(certificate: &[u8]) -> der::Result<(ObjectIdentifier, Option<ObjectIdentifier>)> {
    let certificate = AnyRef::from_der(certificate)?;
    let body = AnyRef::decode(&mut SliceReader::new(certificate.value())?)?;
    let mut fields = SliceReader::new(body.value())?;
    let version = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    if Tag::peek(&fields)? == version {
        AnyRef::decode(&mut fields)?;
    }
    for _before_the_key in ["serialNumber", "signature", "issuer", "validity", "subject"] {
        AnyRef::decode(&mut fields)?;
    }
    let key = AnyRef::decode(&mut fields)?;
    let algorithm = AnyRef::decode(&mut SliceReader::new(key.value())?)?;
    let mut parts = SliceReader::new(algorithm.value())?;
    let kind = ObjectIdentifier::decode(&mut parts)?;
    // Only elliptic curves name one here; RSA has a NULL, Ed25519 nothing.
    Ok((kind, ObjectIdentifier::decode(&mut parts).ok()))
}

fn name(key: ObjectIdentifier, curve: Option<ObjectIdentifier>) -> String {
    let curve = curve.map(|curve| curve.to_string());
    match (key.to_string().as_str(), curve.as_deref()) {
        ("1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7")) => "ECDSA P-256".to_owned(),
        ("1.2.840.10045.2.1", Some("1.3.132.0.34")) => "ECDSA P-384".to_owned(),
        ("1.2.840.10045.2.1", Some("1.3.132.0.35")) => "ECDSA P-521".to_owned(),
        ("1.2.840.10045.2.1", Some(curve)) => format!("ECDSA on curve {curve}"),
        ("1.2.840.113549.1.1.1", _) => "RSA".to_owned(),
        ("1.3.101.112", _) => "Ed25519".to_owned(),
        (other, _) => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_key_and_that_of_go_are_named() {
        let ours = wharf_proto::tls::Identity::generate().unwrap();
        assert_eq!(key_kind(ours.der()), "ECDSA P-256");
        let pem = include_str!("../../../../proto/tests/data/goplugin-p521.pem");
        let go = wharf_proto::tls::certificate_from_pem(pem).unwrap();
        assert_eq!(key_kind(&go), "ECDSA P-521");
    }

    #[test]
    fn what_is_no_certificate_is_said_to_be_unreadable() {
        for bytes in [&b""[..], b"hello", &[0x30, 0x03, 0x02, 0x01, 0x01]] {
            assert!(key_kind(bytes).starts_with("unreadable: "), "{bytes:?}");
        }
    }
}
