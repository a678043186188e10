//! Secrets. A value comes in, in [`PutSecret`], and never goes out.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// When it was last set.
    pub set_ms: i64,
    /// Where its value lies.
    pub kept_in: KeptIn,
    /// Whose settings name it: instances, and attachments with their repositories.
    #[serde(default)]
    pub used_by: Vec<String>,
}

/// Where a secret's value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeptIn {
    /// An encrypted file of the data folder.
    File,
    /// The system's keyring.
    Keyring,
}

/// Answer of `PUT /api/v1/secrets/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretKept {
    /// Where its value lies.
    pub kept_in: KeptIn,
}

/// Body of `PUT /api/v1/secrets/NAME`. It has no `Debug`, for the sake of the value.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSecret {
    /// 1 to 65,536 bytes of UTF-8.
    pub value: String,
}
