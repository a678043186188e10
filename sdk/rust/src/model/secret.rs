//! Secrets as settings name them.

use serde::{Deserialize, Serialize};

/// The name of a secret of the host, in settings: the value of a field that the manifest marks with `"format": "secret"`.
/// Users write the name alone, or `{"secret": NAME}`; it is kept as they wrote it. [`Context::secret`](crate::Ask::secret)
/// and [`Check::secret`](crate::Check::secret) give the value for the name.
///
/// ```
/// use serde::Deserialize;
/// use wharf_sdk::SecretName;
///
/// #[derive(Deserialize)]
/// struct Settings {
///     password: SecretName,
/// }
///
/// for text in [r#"{"password": "school"}"#, r#"{"password": {"secret": "school"}}"#] {
///     let settings: Settings = serde_json::from_str(text).unwrap();
///     assert_eq!(settings.password.name(), "school");
/// }
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SecretName {
    /// The name alone.
    Name(String),
    /// `{"secret": NAME}`.
    Reference {
        /// The name.
        secret: String,
    },
}

impl SecretName {
    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Reference { secret: name } => name,
        }
    }
}
