//! What a public key says of itself: how long it is good, and which of its parts may sign.

use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::packet::{PublicKey, PublicSubkey, Signature, SignatureType, SubpacketData};
use pgp::types::{KeyDetails as _, PublicParams, SignedUser, Tag};

use crate::error::Flaw;
use crate::policy::{self, Span};

/// A key, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Of the primary key: hex digits in upper case.
    pub fingerprint: String,
    /// Whose it is, as it says.
    pub user_ids: Vec<String>,
    /// `Ed25519`, `RSA 4096` and the like.
    pub algorithm: String,
    /// Seconds since 1970.
    pub created: i64,
    /// Seconds since 1970; `None`: never.
    pub expires: Option<i64>,
}

/// A part of a key that may sign documents.
pub(crate) struct Signer<'a> {
    pub(crate) part: Part<'a>,
    pub(crate) fingerprint: String,
    pub(crate) expires: Option<i64>,
}

pub(crate) enum Part<'a> {
    Primary(&'a PublicKey),
    Subkey(&'a PublicSubkey),
}

impl Part<'_> {
    /// Whether the signature is one of these bytes.
    pub(crate) fn signed(&self, signature: &Signature, bytes: &[u8]) -> bool {
        match self {
            Self::Primary(key) => signature.verify(*key, bytes).is_ok(),
            Self::Subkey(key) => signature.verify(*key, bytes).is_ok(),
        }
    }
}

/// A key that is good now.
pub(crate) struct Assessed<'a> {
    pub(crate) expires: Option<i64>,
    /// Subkeys first, the newest before the others.
    pub(crate) signers: Vec<Signer<'a>>,
}

/// A fingerprint as it is written.
pub(crate) fn fingerprint(key: &impl pgp::types::KeyDetails) -> String {
    format!("{:X}", key.fingerprint())
}

/// What a key says of itself at a time.
pub(crate) fn assess(key: &SignedPublicKey, now: i64) -> Result<Assessed<'_>, Flaw> {
    let primary = &key.primary_key;
    policy::strong(primary)?;
    let revoked = |signature: &Signature| {
        signature.typ() == Some(SignatureType::KeyRevocation)
            && signature.verify_key(primary).is_ok()
    };
    if key.details.revocation_signatures.iter().any(revoked) {
        return Err(Flaw::Revoked);
    }
    let (_, own) = own_words(key, now)?;
    let expires = expires(primary, own);
    if let Some(end) = expires.filter(|end| *end <= now) {
        return Err(Flaw::Expired(end));
    }
    let mut subkeys: Vec<_> =
        key.public_subkeys.iter().filter_map(|sub| subkey(primary, sub, now)).collect();
    subkeys.sort_by_key(|(created, _)| std::cmp::Reverse(*created));
    let mut signers: Vec<Signer<'_>> = subkeys.into_iter().map(|(_, signer)| signer).collect();
    for signer in &mut signers {
        signer.expires = earlier(signer.expires, expires);
    }
    if flags(own).is_none_or(|flags| flags.sign()) {
        let fingerprint = fingerprint(primary);
        signers.push(Signer { part: Part::Primary(primary), fingerprint, expires });
    }
    if signers.is_empty() { Err(Flaw::Purpose) } else { Ok(Assessed { expires, signers }) }
}

/// The newest of the key's signatures on itself.
fn own_words(key: &SignedPublicKey, now: i64) -> Result<(Span, &Signature), Flaw> {
    let primary = &key.primary_key;
    let mut flaw = Flaw::Unbound;
    let mut found: Option<(Span, &Signature)> = None;
    let mut look = |signature, is_own: &dyn Fn() -> bool| {
        match policy::sound(signature, now) {
            Ok(span)
                if found.is_none_or(|(before, _)| before.created <= span.created) && is_own() =>
            {
                found = Some((span, signature));
            }
            // Strangers sign keys too; what they do is no flaw of the key.
            Err(why) if is_own() => flaw = why,
            _ => {}
        }
    };
    let direct = key.details.direct_signatures.iter();
    for signature in direct.filter(|it| it.typ() == Some(SignatureType::Key)) {
        look(signature, &|| signature.verify_key(primary).is_ok());
    }
    for user in key.details.users.iter().filter(|user| !is_revoked(primary, user)) {
        for signature in user.signatures.iter().filter(|it| is_binding(it)) {
            let is_own = || signature.verify_certification(primary, Tag::UserId, &user.id).is_ok();
            look(signature, &is_own);
        }
    }
    found.ok_or(flaw)
}

fn is_binding(signature: &Signature) -> bool {
    use SignatureType as T;
    let kind = signature.typ();
    matches!(kind, Some(T::CertGeneric | T::CertPersona | T::CertCasual | T::CertPositive))
}

fn is_revoked(primary: &PublicKey, user: &SignedUser) -> bool {
    user.signatures.iter().any(|signature| {
        signature.typ() == Some(SignatureType::CertRevocation)
            && signature.verify_certification(primary, Tag::UserId, &user.id).is_ok()
    })
}

/// A subkey that may sign, and when it was bound.
fn subkey<'a>(
    primary: &PublicKey,
    sub: &'a SignedPublicSubKey,
    now: i64,
) -> Option<(i64, Signer<'a>)> {
    policy::strong(&sub.key).ok()?;
    let of = |kind| sub.signatures.iter().filter(move |it| it.typ() == Some(kind));
    let is_own = |it: &&Signature| it.verify_subkey_binding(primary, &sub.key).is_ok();
    if of(SignatureType::SubkeyRevocation).any(|it| is_own(&it)) {
        return None;
    }
    let bindings = of(SignatureType::SubkeyBinding).filter(is_own);
    let sound = bindings.filter_map(|it| Some((policy::sound(it, now).ok()?, it)));
    let (span, binding) = sound.max_by_key(|(span, _)| span.created)?;
    flags(binding).filter(pgp::packet::KeyFlags::sign)?;
    // Without the subkey's own word anyone could claim it as his.
    let back = binding.embedded_signature()?;
    policy::sound(back, now).ok()?;
    back.verify_primary_key_binding(&sub.key, primary).ok()?;
    let expires = expires(&sub.key, binding);
    if expires.is_some_and(|end| end <= now) {
        return None;
    }
    let fingerprint = fingerprint(&sub.key);
    Some((span.created, Signer { part: Part::Subkey(&sub.key), fingerprint, expires }))
}

fn flags(signature: &Signature) -> Option<pgp::packet::KeyFlags> {
    signature.config()?.hashed_subpackets.iter().find_map(|part| match &part.data {
        SubpacketData::KeyFlags(flags) => Some(flags.clone()),
        _ => None,
    })
}

/// When a key's time is over, by what binds it.
fn expires(key: &impl pgp::types::KeyDetails, binding: &Signature) -> Option<i64> {
    let own = policy::end(
        i64::from(key.created_at().as_secs()),
        binding.key_expiration_time().map(pgp::types::Duration::as_secs),
    );
    // What binds it may end sooner than the key says.
    let created = binding.created().map(|at| i64::from(at.as_secs()));
    let lasts = binding.signature_expiration_time().map(pgp::types::Duration::as_secs);
    earlier(own, created.and_then(|created| policy::end(created, lasts)))
}

/// Of two ends the first one; none is never.
pub(crate) fn earlier(left: Option<i64>, right: Option<i64>) -> Option<i64> {
    [left, right].into_iter().flatten().min()
}

impl Certificate {
    pub(crate) fn of(key: &SignedPublicKey, expires: Option<i64>) -> Self {
        let users = key.details.users.iter().filter(|user| !is_revoked(&key.primary_key, user));
        let user_ids = users.map(|user| String::from_utf8_lossy(user.id.id()).into_owned());
        Self {
            fingerprint: fingerprint(&key.primary_key),
            user_ids: user_ids.collect(),
            algorithm: algorithm(&key.primary_key),
            created: i64::from(key.primary_key.created_at().as_secs()),
            expires,
        }
    }
}

fn algorithm(key: &PublicKey) -> String {
    match key.public_params() {
        PublicParams::RSA(_) => match policy::rsa_bits(key) {
            Some(bits) => format!("RSA {bits}"),
            None => "RSA".to_owned(),
        },
        PublicParams::EdDSALegacy(_) | PublicParams::Ed25519(_) => "Ed25519".to_owned(),
        PublicParams::Ed448(_) => "Ed448".to_owned(),
        PublicParams::ECDSA(_) => "ECDSA".to_owned(),
        _ => "another".to_owned(),
    }
}
