//! Secrets: settings hold their names, the host hands out their values for one call.

use serde::{Deserialize, Serialize};
use wharf_sdk::{Context, Error};

/// The name of a secret of the host.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    /// Its value: a line of text.
    pub(crate) async fn value(&self, context: &Context) -> Result<String, Error> {
        let bytes = context.secret(&self.0).await?;
        match std::str::from_utf8(&bytes).map(str::trim) {
            Ok(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => {
                let message = format!(
                    "the secret {} is no text; set it anew: wharf secret set {}",
                    self.0, self.0
                );
                Err(Error::usage("usage.credentials", message))
            }
        }
    }

    /// What to do about a secret that the provider does not take.
    pub(crate) fn advice(&self) -> String {
        format!("set it anew: wharf secret set {}", self.0)
    }
}
