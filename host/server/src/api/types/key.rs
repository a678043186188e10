//! Keys that the host signs with. A secret comes in, in [`CreateKey`], and never goes out.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A key of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Key {
    /// Its name on this host.
    pub name: String,
    /// Of the primary key: hex digits in upper case.
    pub fingerprint: String,
    /// Whose it is, as it says.
    #[serde(default)]
    pub user_ids: Vec<String>,
    /// `Ed25519`, `RSA 4096` and the like.
    pub algorithm: String,
    /// When it was made.
    pub created_ms: i64,
    /// When it signs no more; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
    /// The public key, armored.
    pub public_key: String,
    /// Repositories whose publications it signs.
    #[serde(default)]
    pub used_by: Vec<String>,
}

/// Body of `POST /api/v1/keys`. It has no `Debug`, for the sake of the secret.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "releases", "user_id": "Releases <releases@example.org>"})))]
pub struct CreateKey {
    /// 1 to 64 of `A-Z a-z 0-9 . _ -`, not beginning with a dot or a dash.
    pub name: String,
    /// Whose it is, for people; none: the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// What it computes with; none: Ed25519.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<KeyAlgorithm>,
    /// An armored secret key without a passphrase, to be taken instead of making one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<String>,
}

/// What a new key computes with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyAlgorithm {
    /// Ed25519.
    #[default]
    Ed25519,
    /// RSA with 4096 bits.
    Rsa4096,
}
