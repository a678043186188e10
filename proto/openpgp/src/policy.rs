//! What makes one signature count, whatever it is of.

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureVersion, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails, KeyVersion, PublicParams};

use crate::error::Flaw;

/// How far the clock of whoever signed may be ahead.
const AHEAD: i64 = 300;
/// The smallest modulus of RSA, in bits.
const RSA_BITS: u16 = 2048;

/// When a signature was made, and when its time is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) created: i64,
    pub(crate) expires: Option<i64>,
}

/// Whether a signature could count now, if it is one of the right bytes by the right key.
pub(crate) fn sound(signature: &Signature, now: i64) -> Result<Span, Flaw> {
    let config = signature.config().ok_or(Flaw::Form)?;
    if !matches!(signature.version(), SignatureVersion::V4 | SignatureVersion::V6) {
        return Err(Flaw::Form);
    }
    if !strong_digest(config.hash_alg) {
        return Err(Flaw::Digest(config.hash_alg.to_string()));
    }
    let parts = || config.hashed_subpackets.iter().chain(&config.unhashed_subpackets);
    if let Some(odd) = parts().find(|part| part.is_critical && !understood(&part.data)) {
        return Err(Flaw::Critical(name(&odd.data)));
    }
    // Only what is hashed was said by the key's owner.
    let hashed = || config.hashed_subpackets.iter().map(|part| &part.data);
    let created = hashed().find_map(|part| match part {
        SubpacketData::SignatureCreationTime(at) => Some(i64::from(at.as_secs())),
        _ => None,
    });
    let created = created.ok_or(Flaw::Undated)?;
    let lasts = hashed().find_map(|part| match part {
        SubpacketData::SignatureExpirationTime(lasts) => Some(lasts.as_secs()),
        _ => None,
    });
    let expires = end(created, lasts);
    if created > now.saturating_add(AHEAD) {
        return Err(Flaw::Early(created));
    }
    match expires.filter(|end| *end <= now) {
        Some(end) => Err(Flaw::Expired(end)),
        None => Ok(Span { created, expires }),
    }
}

/// A time that is over after so many seconds; none and 0 say that it never is.
pub(crate) fn end(begin: i64, lasts: Option<u32>) -> Option<i64> {
    lasts.filter(|lasts| *lasts > 0).map(|lasts| begin.saturating_add(i64::from(lasts)))
}

fn strong_digest(digest: HashAlgorithm) -> bool {
    matches!(
        digest,
        HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512
    )
}

/// Whether a key is of a kind that is not broken.
pub(crate) fn strong(key: &impl KeyDetails) -> Result<(), Flaw> {
    if !matches!(key.version(), KeyVersion::V4 | KeyVersion::V6) {
        return Err(Flaw::Form);
    }
    match key.public_params() {
        PublicParams::RSA(_) => match rsa_bits(key).unwrap_or_default() {
            bits if bits < RSA_BITS => Err(Flaw::Strength(format!("RSA with {bits} bits"))),
            _ => Ok(()),
        },
        PublicParams::DSA(_) => Err(Flaw::Strength("DSA".to_owned())),
        PublicParams::ECDSA(_)
        | PublicParams::EdDSALegacy(_)
        | PublicParams::Ed25519(_)
        | PublicParams::Ed448(_) => Ok(()),
        _ => Err(Flaw::Purpose),
    }
}

/// The size of an RSA key: written, its modulus comes first, and begins with its length in bits.
pub(crate) fn rsa_bits(key: &impl KeyDetails) -> Option<u16> {
    let mut written = Vec::new();
    key.public_params().to_writer(&mut written).ok()?;
    written.first_chunk().map(|bits| u16::from_be_bytes(*bits))
}

/// What is acted upon here, or changes nothing about whether a signature counts.
const fn understood(part: &SubpacketData) -> bool {
    use SubpacketData as S;
    matches!(
        part,
        S::SignatureCreationTime(_)
            | S::SignatureExpirationTime(_)
            | S::KeyExpirationTime(_)
            | S::IssuerKeyId(_)
            | S::IssuerFingerprint(_)
            | S::KeyFlags(_)
            | S::Features(_)
            | S::IsPrimary(_)
            | S::EmbeddedSignature(_)
            | S::PreferredSymmetricAlgorithms(_)
            | S::PreferredHashAlgorithms(_)
            | S::PreferredCompressionAlgorithms(_)
            | S::PreferredAeadAlgorithms(_)
            | S::PreferredEncryptionModes(_)
            | S::KeyServerPreferences(_)
            | S::PreferredKeyServer(_)
            | S::SignersUserID(_)
            | S::PolicyURI(_)
            | S::RevocationReason(_, _)
            | S::Revocable(_)
            | S::ExportableCertification(_)
    )
}

fn name(part: &SubpacketData) -> String {
    match part {
        SubpacketData::Notation(notation) => {
            let text = String::from_utf8_lossy(&notation.name).into_owned();
            format!("\"{}\"", crate::error::words(text))
        }
        SubpacketData::Experimental(number, _) | SubpacketData::Other(number, _) => {
            format!("number {number}")
        }
        SubpacketData::RegularExpression(_) => "\"regular expression\"".to_owned(),
        SubpacketData::TrustSignature(..) => "\"trust\"".to_owned(),
        SubpacketData::IntendedRecipientFingerprint(_) => "\"intended recipient\"".to_owned(),
        SubpacketData::RevocationKey(_) => "\"revocation key\"".to_owned(),
        _ => "of an odd kind".to_owned(),
    }
}
