//! Tokens: who may upload from outside, into which repositories.
//!
//! A secret is shown once, when it is made; what is stored is its SHA-256. It has 256 random bits, so that digest needs
//! no salt and no slowness.

use subtle::ConstantTimeEq as _;
use wharf_store::model::{Digest, Token};

use crate::engine::Engine;
use crate::problem::Problem;

/// What every secret begins with, so that scanners for leaked secrets can know it.
const PREFIX: &str = "wharf-";
/// The longest name.
const MAX_NAME: usize = 128;

/// A token just made, with its secret.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What is stored of it.
    pub token: Token,
    /// What clients show. Nobody can tell it again.
    pub secret: String,
}

impl Engine {
    /// Makes a token for uploads into these repositories.
    pub async fn create_token(
        &self,
        name: &str,
        repositories: &[String],
    ) -> Result<NewToken, Problem> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(good) {
            let message = format!("{name:?} is no name for a token: use letters, digits and -_.@");
            return Err(Problem::usage("usage.name", message).at("name"));
        }
        if repositories.is_empty() {
            let message = "a token is for one repository at least";
            return Err(Problem::usage("usage.token", message).at("upload"));
        }
        let mut ids = Vec::with_capacity(repositories.len());
        for repository in repositories {
            ids.push(self.inner.repository(repository).await?.id);
        }
        let mut random = [0_u8; 32];
        getrandom::fill(&mut random)?;
        let secret = format!("{PREFIX}{}", Digest(random).to_hex());
        let digest = Digest::of(secret.as_bytes());
        let token = self.inner.store.meta.create_token(name, digest, ids).await?;
        tracing::info!(token = name, security = true, "a token was made");
        Ok(NewToken { token, secret })
    }

    /// All tokens, by name.
    pub async fn tokens(&self) -> Result<Vec<Token>, Problem> {
        Ok(self.inner.store.meta.tokens().await?)
    }

    /// Deletes a token.
    pub async fn delete_token(&self, name: &str) -> Result<(), Problem> {
        self.inner.store.meta.delete_token(name).await?;
        tracing::info!(token = name, security = true, "a token was deleted");
        Ok(())
    }

    /// Whether a secret allows uploads into a repository; the name of its token.
    ///
    /// # Errors
    ///
    /// `unauthorized.token` for a secret that nobody has, `forbidden.repository` for one of other repositories, or of
    /// a repository that is not there: strangers do not learn which there are.
    pub async fn authorize_upload(
        &self,
        secret: &str,
        repository: &str,
    ) -> Result<String, Problem> {
        let digest = Digest::of(secret.as_bytes());
        let mut found = None;
        for token in self.inner.store.meta.tokens().await? {
            // All are compared, each in the same time.
            if bool::from(token.digest.0.ct_eq(&digest.0)) {
                found = Some(token);
            }
        }
        let token = found.ok_or_else(|| {
            Problem::usage("unauthorized.token", "the token is not known here")
                .help("`wharf token create NAME --upload REPOSITORY` makes one; it is the password")
        })?;
        if token.repositories.iter().any(|(_id, name)| name == repository) {
            return Ok(token.name);
        }
        let message = format!("token {} is not for uploads into \"{repository}\"", token.name);
        Err(Problem::usage("forbidden.repository", message))
    }
}
