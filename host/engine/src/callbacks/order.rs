//! What an order says of callbacks, held against the rules before anything of it starts.

use wharf_store::model::NewCallback;

use super::sign::Key;
use crate::engine::Inner;
use crate::fetch::post::address;
use crate::problem::Problem;

/// The most callbacks of one order.
const MOST: usize = 8;

/// An address that is to be told how the jobs of an order go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Callback {
    /// Where events are sent to: `http` or `https`, without user, password or token.
    pub url: String,
    /// The name of the secret that signs; none: nothing is signed.
    pub secret: Option<String>,
}

impl Inner {
    /// The callbacks of an order as they are stored, each once.
    ///
    /// # Errors
    /// `usage.callback`, `not_found.secret`, `usage.secret`.
    pub(crate) async fn checked_callbacks(
        &self,
        wanted: &[Callback],
    ) -> Result<Vec<NewCallback>, Problem> {
        if wanted.len() > MOST {
            let message = format!("{} callbacks; at most {MOST} for one order", wanted.len());
            return Err(Problem::usage("usage.callback", message));
        }
        let mut callbacks: Vec<NewCallback> = Vec::with_capacity(wanted.len());
        for Callback { url, secret } in wanted {
            let url = address(url).map_err(|error| {
                Problem::usage("usage.callback", error.to_string()).help(
                    "name it as http:// or https://, without credentials: a receiver knows wharf by a signature, \
                     made with a secret that `wharf secret set NAME` keeps and the order names",
                )
            })?;
            if let Some(name) = secret {
                Key::read(name, self.secrets.get(name).await?)?;
            }
            let origin = url.origin().ascii_serialization();
            let new = NewCallback { url: url.into(), origin, secret: secret.clone() };
            if !callbacks.contains(&new) {
                callbacks.push(new);
            }
        }
        Ok(callbacks)
    }
}
