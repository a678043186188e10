//! Why a key or a signature is not taken.

use std::fmt;

use jiff::Timestamp;

/// What is wrong with a key or with one signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// A form that is not used any more, or not yet.
    #[error("has a form that does not count here")]
    Form,
    /// A digest that can be forged.
    #[error("rests on the digest {0}, which is too weak")]
    Digest(String),
    /// A key that can be broken.
    #[error("is too weak ({0})")]
    Strength(String),
    /// It demands to be refused by whoever does not understand something.
    #[error("has the critical option {0}, which is not understood here")]
    Critical(String),
    /// It does not say when it was made.
    #[error("does not say when it was made")]
    Undated,
    /// It was made later than now.
    #[error("was made in the future, {}; is a clock wrong?", day(*.0))]
    Early(i64),
    /// Its time is over.
    #[error("expired {}", day(*.0))]
    Expired(i64),
    /// Its owner took it back.
    #[error("is revoked")]
    Revoked,
    /// No signature of its own says what it is for.
    #[error("is not bound by a valid signature of its own")]
    Unbound,
    /// It is not meant for signing documents.
    #[error("may not sign")]
    Purpose,
}

fn day(seconds: i64) -> String {
    let when = Timestamp::from_second(seconds);
    when.map_or_else(
        |_error| "at a time that cannot be written".to_owned(),
        |at| format!("on {at}"),
    )
}

/// Why a document does not count as signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is nothing.
    #[error("it holds no signature")]
    Empty,
    /// It cannot be read.
    #[error("its signature cannot be read: {0}")]
    Unreadable(String),
    /// Somebody else signed.
    #[error("it is signed by {keys}, which is none of the trusted keys")]
    Untrusted {
        /// Their fingerprints, or the ends of them.
        keys: String,
    },
    /// A trusted key signed something else.
    #[error("the signature by {key} is one of other bytes")]
    Bad {
        /// The key's fingerprint.
        key: String,
    },
    /// The signature does not count.
    #[error("the signature by {key} {flaw}")]
    Signature {
        /// The key's fingerprint.
        key: String,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// The key does not count.
    #[error("the key {key}, which signed it, {flaw}")]
    Key {
        /// The key's fingerprint.
        key: String,
        /// What is wrong with it.
        flaw: Flaw,
    },
}

impl Refusal {
    /// What happened, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "signature.missing",
            Self::Unreadable(_) => "signature.malformed",
            Self::Untrusted { .. } => "signature.key",
            Self::Bad { .. } => "signature.bad",
            Self::Signature { flaw, .. } | Self::Key { flaw, .. } => match flaw {
                Flaw::Expired(_) => "signature.expired",
                Flaw::Critical(_) => "signature.critical",
                Flaw::Digest(_) | Flaw::Strength(_) => "signature.weak",
                Flaw::Early(_) => "signature.early",
                Flaw::Revoked => "signature.revoked",
                _ => "signature.bad",
            },
        }
    }

    /// How much it says: of several signatures that do not count, the most telling one is told.
    pub(crate) const fn weight(&self) -> u8 {
        match self {
            Self::Empty => 0,
            Self::Untrusted { .. } | Self::Unreadable(_) => 1,
            Self::Bad { .. } => 2,
            Self::Signature { .. } | Self::Key { .. } => 3,
        }
    }
}

/// Why a text is no key that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is none.
    #[error("it is no OpenPGP key: {0}")]
    Unreadable(String),
    /// It holds nothing, or more than one key where one is wanted.
    #[error("it holds {0} keys, and not one")]
    Count(usize),
    /// It is larger than any keyring.
    #[error("it is larger than {0} bytes")]
    Size(usize),
    /// A secret where a public key is wanted.
    #[error(
        "it holds a secret key; only the public one belongs here, as `gpg --armor --export` writes it"
    )]
    Secret,
    /// A public key where a secret one is wanted.
    #[error("it holds a public key only; `gpg --armor --export-secret-keys` writes the secret one")]
    Public,
    /// Its secret is encrypted.
    #[error(
        "its secret is locked with a passphrase; take that off a copy (`gpg --edit-key KEY passwd`) and export it again"
    )]
    Locked,
    /// It cannot be used.
    #[error("the key {key} {flaw}")]
    Flawed {
        /// Its fingerprint.
        key: String,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// The library does not sign or write.
    #[error("it cannot be used: {0}")]
    Library(String),
}

/// What the library says, in one line.
pub(crate) fn words(error: impl fmt::Display) -> String {
    let text = error.to_string();
    let line: String = text.lines().next().unwrap_or_default().chars().take(200).collect();
    line.escape_debug().to_string()
}
