//! A key that signs.

use std::io::Read;

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, DetachedSignature, KeyType, PublicOrSecret,
    SecretKeyParamsBuilder, SignedPublicKey, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails as _, KeyVersion, Password, SecretParams, SigningKey, Timestamp};
use rand::rngs::OsRng;

use crate::certificate::{self, Assessed, Certificate, Part};
use crate::error::{Flaw, KeyError, words};

/// The largest text of a secret key.
const MAX_TEXT: usize = 256 << 10;
/// What documents are hashed with.
const DIGEST: HashAlgorithm = HashAlgorithm::Sha512;

/// What a new key computes with. apt's verifiers take both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// Small and quick; known to gpg since 2.1.
    #[default]
    Ed25519,
    /// For clients that are older.
    Rsa4096,
}

/// How a detached signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As text.
    Armored,
    /// As it is.
    Binary,
}

/// A key that signs. It has no `Debug`: a secret is not shown.
pub struct SecretKey {
    key: SignedSecretKey,
    signer: Place,
    certificate: Certificate,
    public: String,
}

/// Which part signs.
#[derive(Clone, Copy)]
enum Place {
    Primary,
    Subkey(usize),
}

impl SecretKey {
    /// Makes a key without an end, in version 4 of the format, which all of apt's verifiers read. `now` is the present:
    /// the library dates what binds the key by the clock.
    ///
    /// # Errors
    /// [`KeyError::Library`].
    pub fn generate(user_id: &str, algorithm: Algorithm, now: i64) -> Result<Self, KeyError> {
        let key_type = match algorithm {
            // The newer number for the same curve is unknown to gpg 2.2.
            Algorithm::Ed25519 => KeyType::Ed25519Legacy,
            Algorithm::Rsa4096 => KeyType::Rsa(4096),
        };
        let params = SecretKeyParamsBuilder::default()
            .version(KeyVersion::V4)
            .key_type(key_type)
            .created_at(timestamp(now))
            .can_certify(true)
            .can_sign(true)
            .feature_seipd_v1(false)
            .primary_user_id(user_id.to_owned())
            .preferred_hash_algorithms(vec![DIGEST, HashAlgorithm::Sha256].into())
            .build()
            .map_err(|error| KeyError::Library(words(error)))?;
        let key = params.generate(OsRng).map_err(|error| KeyError::Library(words(error)))?;
        Self::usable(key, now)
    }

    /// Reads one armored secret key that is not locked.
    ///
    /// # Errors
    /// What it is instead, and why it cannot sign.
    pub fn read(text: &str, now: i64) -> Result<Self, KeyError> {
        if text.len() > MAX_TEXT {
            return Err(KeyError::Size(MAX_TEXT));
        }
        let unreadable = |error: pgp::errors::Error| KeyError::Unreadable(words(error));
        let (keys, _headers) =
            PublicOrSecret::from_armor_many(text.as_bytes()).map_err(unreadable)?;
        let mut keys = keys.take(2).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        match (keys.pop(), keys.len()) {
            (Some(PublicOrSecret::Secret(key)), 0) => Self::usable(key, now),
            (Some(PublicOrSecret::Public(_)), 0) => Err(KeyError::Public),
            (_, others) => Err(KeyError::Count(others)),
        }
    }

    fn usable(key: SignedSecretKey, now: i64) -> Result<Self, KeyError> {
        let public_key = key.to_public_key();
        let name = certificate::fingerprint(&public_key.primary_key);
        let flawed = |flaw| KeyError::Flawed { key: name.clone(), flaw };
        let assessed = certificate::assess(&public_key, now).map_err(flawed)?;
        let signer = place(&key, &assessed)
            .map_err(|locked| if locked { KeyError::Locked } else { flawed(Flaw::Purpose) })?;
        if key.primary_key.version() != KeyVersion::V4 {
            return Err(flawed(Flaw::Form));
        }
        let certificate = Certificate::of(&public_key, assessed.expires);
        let public = armored(&public_key)?;
        Ok(Self { key, signer, certificate, public })
    }

    /// The whole key, armored. Whoever has this text can sign.
    ///
    /// # Errors
    /// [`KeyError::Library`].
    pub fn write(&self) -> Result<String, KeyError> {
        let text = self.key.to_armored_string(ArmorOptions::default());
        text.map_err(|error| KeyError::Library(words(error)))
    }

    /// What it says of itself.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The public key, armored.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The text and its signature in one file. Blanks at the ends of lines are taken off: no verifier sees them.
    ///
    /// # Errors
    /// [`KeyError::Library`].
    pub fn clearsign(&self, text: &str, now: i64) -> Result<Vec<u8>, KeyError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let lines: Vec<&str> =
            text.split('\n').map(|line| line.trim_end_matches([' ', '\t', '\r'])).collect();
        let message = CleartextSignedMessage::new_many(&lines.join("\n"), |text| {
            Ok(vec![self.sign(SignatureType::Text, text.as_bytes(), now)?])
        });
        let written = message.and_then(|it| it.to_armored_bytes(ArmorOptions::default()));
        written.map_err(|error| KeyError::Library(words(error)))
    }

    /// A signature of exactly these bytes.
    ///
    /// # Errors
    /// [`KeyError::Library`], a broken reader included.
    pub fn detached(&self, bytes: impl Read, form: Form, now: i64) -> Result<Vec<u8>, KeyError> {
        let written = self.sign(SignatureType::Binary, bytes, now).and_then(|signature| {
            let signature = DetachedSignature::new(signature);
            match form {
                Form::Armored => signature.to_armored_bytes(ArmorOptions::default()),
                Form::Binary => signature.to_bytes(),
            }
        });
        written.map_err(|error| KeyError::Library(words(error)))
    }

    fn sign(
        &self,
        kind: SignatureType,
        bytes: impl Read,
        now: i64,
    ) -> pgp::errors::Result<Signature> {
        match self.signer {
            Place::Primary => sign(&self.key.primary_key, kind, bytes, now),
            Place::Subkey(place) => match self.key.secret_subkeys.get(place) {
                Some(subkey) => sign(&subkey.key, kind, bytes, now),
                None => sign(&self.key.primary_key, kind, bytes, now),
            },
        }
    }
}

fn sign(
    key: &impl SigningKey,
    kind: SignatureType,
    bytes: impl Read,
    now: i64,
) -> pgp::errors::Result<Signature> {
    let mut config = SignatureConfig::v4(kind, key.algorithm(), DIGEST);
    config.hashed_subpackets = vec![
        Subpacket::critical(SubpacketData::SignatureCreationTime(timestamp(now)))?,
        Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))?,
    ];
    config.unhashed_subpackets =
        vec![Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))?];
    config.sign(key, &Password::empty(), bytes)
}

/// The first part that may sign and is not locked; otherwise whether one is locked.
fn place(key: &SignedSecretKey, assessed: &Assessed<'_>) -> Result<Place, bool> {
    let mut locked = false;
    for signer in &assessed.signers {
        let (place, secret) = match signer.part {
            Part::Primary(_) => (Place::Primary, Some(key.primary_key.secret_params())),
            Part::Subkey(public) => {
                let found = key.secret_subkeys.iter().position(|it| it.key.public_key() == public);
                let secret = found.and_then(|found| key.secret_subkeys.get(found));
                (Place::Subkey(found.unwrap_or_default()), secret.map(|it| it.key.secret_params()))
            }
        };
        match secret {
            Some(SecretParams::Plain(_)) => return Ok(place),
            Some(SecretParams::Encrypted(_)) => locked = true,
            None => {}
        }
    }
    Err(locked)
}

fn armored(key: &SignedPublicKey) -> Result<String, KeyError> {
    let text = key.to_armored_string(ArmorOptions::default());
    text.map_err(|error| KeyError::Library(words(error)))
}

/// A time as the format has it, until 2106.
fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_secs(u32::try_from(seconds.max(0)).unwrap_or(u32::MAX))
}
