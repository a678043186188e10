//! When a certificate ends. Source: RFC 5280, section 4.1.
//!
//! Reads the few fields up to the validity with the crate `der`, which the P-521 verifier needs anyway; a whole
//! X.509 library would be a second one beside rustls' own, for one date.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use der::{Decode as _, SliceReader, Tag, TagNumber};
use rustls::pki_types::CertificateDer;

use super::{Error, not_x509};

/// Refuses a certificate whose time is over at `now`. One whose time has not begun is not refused: it was made
/// moments ago, by a clock that may be read with less precision.
pub(super) fn check(certificate: &CertificateDer<'_>, now: SystemTime) -> Result<(), Error> {
    let not_after = not_after(certificate).map_err(|source| not_x509(certificate, &source))?;
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    if not_after < now {
        return Err(Error::Expired { not_after_s: not_after.as_secs(), now_s: now.as_secs() });
    }
    Ok(())
}

/// ```text
/// Certificate    ::= SEQUENCE { tbsCertificate, ... }
/// TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, ... }
/// Validity       ::= SEQUENCE { notBefore, notAfter }
/// ```
fn not_after(certificate: &[u8]) -> der::Result<Duration> {
    let certificate = AnyRef::from_der(certificate)?;
    let body = AnyRef::decode(&mut SliceReader::new(certificate.value())?)?;
    let mut fields = SliceReader::new(body.value())?;
    let version = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    if Tag::peek(&fields)? == version {
        AnyRef::decode(&mut fields)?;
    }
    let [_serial_number, _signature, _issuer, validity] = [
        AnyRef::decode(&mut fields)?,
        AnyRef::decode(&mut fields)?,
        AnyRef::decode(&mut fields)?,
        AnyRef::decode(&mut fields)?,
    ];
    let mut times = SliceReader::new(validity.value())?;
    let [_not_before, not_after] = [AnyRef::decode(&mut times)?, AnyRef::decode(&mut times)?];
    match der::Tagged::tag(&not_after) {
        Tag::UtcTime => Ok(not_after.decode_as::<UtcTime>()?.to_unix_duration()),
        _ => Ok(not_after.decode_as::<GeneralizedTime>()?.to_unix_duration()),
    }
}
