//! The keys that a user trusts, and whether one of them signed something.

use std::collections::BTreeMap;
use std::io::BufReader;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pgp::composed::{Deserializable as _, DetachedSignature, PublicOrSecret, SignedPublicKey};
use pgp::packet::{Signature, SignatureType};
use pgp::types::KeyDetails as _;

use crate::certificate::{self, earlier};
use crate::error::{Flaw, KeyError, Refusal, words};
use crate::policy;

/// The most text of keys that is read; the largest keyring of a distribution has some 100 KB.
const MAX_TEXT: usize = 768 << 10;
/// The most keys.
const MAX_KEYS: usize = 256;
/// The most signatures of one document that are looked at.
const MAX_SIGNATURES: usize = 32;
const BEGIN: &str = "-----BEGIN PGP ";

/// Public keys whose signatures count.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Vec<SignedPublicKey>,
    /// The only parts whose signatures count; empty: all.
    only: Vec<String>,
}

/// A document that a trusted key signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The fingerprints of the primary keys, each once however many signatures it made, and when the last of its
    /// signatures is over: a time in seconds since 1970, or never.
    pub signers: BTreeMap<String, Option<i64>>,
}

impl Verified {
    /// When the signature is good no more; `None`: never.
    pub fn until(&self) -> Option<i64> {
        let ends: Option<Vec<i64>> = self.signers.values().copied().collect();
        ends.and_then(|ends| ends.into_iter().max())
    }
}

impl Keyring {
    /// Reads keys. Each text is armored, with any number of keys one behind the other, or a binary keyring in base64.
    ///
    /// # Errors
    /// What it is instead; the first such.
    pub fn read(texts: &[String]) -> Result<Self, KeyError> {
        let mut keyring = Self::default();
        let mut size = 0;
        for text in texts {
            size += text.len();
            if size > MAX_TEXT {
                return Err(KeyError::Size(MAX_TEXT));
            }
            let before = keyring.keys.len();
            if text.contains(BEGIN) {
                // Behind its last line a block may be followed by the next.
                for block in text.match_indices(BEGIN).map(|(begin, _)| begin) {
                    keyring.armored(text.get(block..).unwrap_or_default())?;
                }
            } else {
                keyring.encoded(text)?;
            }
            if keyring.keys.len() == before {
                return Err(KeyError::Count(0));
            }
        }
        Ok(keyring)
    }

    /// The same keys, of which only these count: fingerprints of keys or of their parts, in any case.
    #[must_use]
    pub fn only(mut self, fingerprints: &[String]) -> Self {
        self.only = fingerprints.iter().map(|it| it.to_ascii_uppercase()).collect();
        self
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a key or a part of one has this fingerprint.
    pub fn knows(&self, fingerprint: &str) -> bool {
        let fingerprint = fingerprint.to_ascii_uppercase();
        self.keys.iter().any(|key| {
            certificate::fingerprint(&key.primary_key) == fingerprint
                || key
                    .public_subkeys
                    .iter()
                    .any(|sub| certificate::fingerprint(&sub.key) == fingerprint)
        })
    }

    fn armored(&mut self, text: &str) -> Result<(), KeyError> {
        let parsed = PublicOrSecret::from_armor_many(text.as_bytes());
        let (keys, _headers) = parsed.map_err(|error| KeyError::Unreadable(words(error)))?;
        self.take(keys)
    }

    fn encoded(&mut self, text: &str) -> Result<(), KeyError> {
        let dense: String = text.split_ascii_whitespace().collect();
        let none = || KeyError::Unreadable("it is neither armored nor base64".to_owned());
        let bytes = STANDARD.decode(dense).map_err(|_error| none())?;
        let parsed = PublicOrSecret::from_bytes_many(BufReader::new(bytes.as_slice()));
        self.take(parsed.map_err(|error| KeyError::Unreadable(words(error)))?)
    }

    fn take(
        &mut self,
        keys: impl Iterator<Item = pgp::errors::Result<PublicOrSecret>>,
    ) -> Result<(), KeyError> {
        for key in keys.take(MAX_KEYS) {
            match key.map_err(|error| KeyError::Unreadable(words(error)))? {
                PublicOrSecret::Public(key) => self.keys.push(key),
                PublicOrSecret::Secret(_) => return Err(KeyError::Secret),
            }
        }
        if self.keys.len() > MAX_KEYS { Err(KeyError::Count(self.keys.len())) } else { Ok(()) }
    }

    /// Holds a detached signature, armored or not, against exactly these bytes.
    ///
    /// # Errors
    /// Why nobody who is trusted signed them.
    pub fn verify(&self, bytes: &[u8], signatures: &[u8], now: i64) -> Result<Verified, Refusal> {
        let kinds = [SignatureType::Binary, SignatureType::Text];
        self.check(bytes, &read(signatures)?, &kinds, now)
    }

    /// Holds the signature of a clear-signed text against that text: lines without blanks at their ends, joined by `\n`.
    ///
    /// # Errors
    /// Why nobody who is trusted signed it.
    pub fn verify_text(
        &self,
        text: &[u8],
        signatures: &[u8],
        now: i64,
    ) -> Result<Verified, Refusal> {
        self.check(text, &read(signatures)?, &[SignatureType::Text], now)
    }

    fn check(
        &self,
        bytes: &[u8],
        signatures: &[Signature],
        kinds: &[SignatureType],
        now: i64,
    ) -> Result<Verified, Refusal> {
        let mut verified = Verified { signers: BTreeMap::new() };
        let mut refusal = Refusal::Empty;
        for signature in signatures {
            match self.one(bytes, signature, kinds, now) {
                Ok((key, until)) => {
                    let last = verified.signers.entry(key).or_insert(until);
                    *last = last.zip(until).map(|(last, until)| last.max(until));
                }
                Err(why) if why.weight() > refusal.weight() => refusal = why,
                Err(_) => {}
            }
        }
        if verified.signers.is_empty() { Err(refusal) } else { Ok(verified) }
    }

    /// Which key made a signature, and how long it is good.
    fn one(
        &self,
        bytes: &[u8],
        signature: &Signature,
        kinds: &[SignatureType],
        now: i64,
    ) -> Result<(String, Option<i64>), Refusal> {
        let Some((key, part)) = self.issuer(signature) else {
            return Err(Refusal::Untrusted { keys: issuers(signature) });
        };
        let name = certificate::fingerprint(&key.primary_key);
        let flawed = |flaw| Refusal::Signature { key: part.clone(), flaw };
        if !signature.typ().is_some_and(|kind| kinds.contains(&kind)) {
            return Err(flawed(Flaw::Form));
        }
        let span = policy::sound(signature, now).map_err(flawed)?;
        let bad = |flaw| Refusal::Key { key: part.clone(), flaw };
        let assessed = certificate::assess(key, now).map_err(bad)?;
        let signer = assessed.signers.iter().find(|signer| signer.fingerprint == part);
        let signer = signer.ok_or_else(|| bad(Flaw::Purpose))?;
        if !signer.part.signed(signature, bytes) {
            return Err(Refusal::Bad { key: part });
        }
        Ok((name, earlier(span.expires, signer.expires)))
    }

    /// The trusted key that a signature says it was made by, and the fingerprint of the part that made it.
    fn issuer(&self, signature: &Signature) -> Option<(&SignedPublicKey, String)> {
        let prints = signature.issuer_fingerprint();
        let ids = signature.issuer_key_id();
        self.keys.iter().find_map(|key| {
            let primary = certificate::fingerprint(&key.primary_key);
            let own = (key.primary_key.fingerprint(), key.primary_key.legacy_key_id());
            let subkeys = key.public_subkeys.iter();
            let subkeys = subkeys.map(|sub| (sub.key.fingerprint(), sub.key.legacy_key_id()));
            let mut parts = std::iter::once(own).chain(subkeys);
            let (part, _) = parts.find(|(print, id)| {
                if prints.is_empty() { ids.contains(&id) } else { prints.contains(&print) }
            })?;
            let part = format!("{part:X}");
            let counts =
                self.only.is_empty() || self.only.contains(&primary) || self.only.contains(&part);
            counts.then_some((key, part))
        })
    }
}

/// Reads signatures, armored or not; those of unknown versions are passed over.
fn read(bytes: &[u8]) -> Result<Vec<Signature>, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    let unreadable = |error: pgp::errors::Error| Refusal::Unreadable(words(error));
    let (parsed, _headers) = DetachedSignature::from_reader_many(bytes).map_err(unreadable)?;
    let signatures = parsed.take(MAX_SIGNATURES).map(|it| it.map(|it| it.signature));
    signatures.collect::<Result<_, _>>().map_err(unreadable)
}

/// Who a signature says that it is by.
fn issuers(signature: &Signature) -> String {
    let prints = signature.issuer_fingerprint().into_iter().map(|it| format!("{it:X}"));
    let ids = signature.issuer_key_id().into_iter().map(|it| it.to_string().to_ascii_uppercase());
    let named: Vec<String> =
        if signature.issuer_fingerprint().is_empty() { ids.collect() } else { prints.collect() };
    if named.is_empty() { "a key that it does not name".to_owned() } else { named.join(", ") }
}
