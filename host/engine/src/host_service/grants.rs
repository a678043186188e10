//! Who may ask what: each running call has a token, bound to the process it was given to; the rights end with the call.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use tonic::{Extensions, Status, metadata::MetadataMap};
use wharf_proto::TOKEN_HEADER;
use wharf_store::model::{AttachmentId, RepositoryId, TypeId, UnitId};
use wharf_supervisor::PeerProcess;

use crate::fetch::{Meter, Trust};
use crate::jobs::run::JobRun;
use crate::secrets::Audit;
use crate::staging::Folder;

/// What one call of a plugin may do with the host.
pub(crate) struct Rights {
    /// The process that the token was given to.
    pub(crate) process: u64,
    /// 0: none, settings are checked.
    pub(crate) job: i64,
    pub(crate) repository: RepositoryId,
    /// The version whose units may be read.
    pub(crate) version: u64,
    pub(crate) attachment: AttachmentId,
    /// Instead of a version's units, these may be read, whoever holds them.
    pub(crate) only: Option<Only>,
    /// JSON object.
    pub(crate) settings: String,
    /// The key that the call may have used; None: it signs nothing.
    pub(crate) signing_key: Option<String>,
    /// The secrets that the call may be handed.
    pub(crate) secrets: BTreeSet<String>,
    /// Counts them.
    pub(crate) audit: Arc<Audit>,
    /// The job's folder.
    pub(crate) folder: Arc<Folder>,
    /// Which local folders and hosts downloads may reach.
    pub(crate) trust: Arc<Trust>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) cancel: CancellationToken,
}

impl Rights {
    /// What every call of a job may do: work in its folder. What a call may do besides, it says itself.
    pub(crate) fn least(run: &JobRun, process: u64) -> Self {
        Self {
            process,
            job: run.id(),
            // Nothing has the number 0.
            repository: RepositoryId(0),
            version: 0,
            attachment: AttachmentId(0),
            only: None,
            settings: "{}".to_owned(),
            signing_key: None,
            secrets: BTreeSet::new(),
            audit: Arc::clone(&run.audit),
            folder: Arc::clone(&run.folder),
            trust: Arc::default(),
            meter: Arc::clone(&run.meter),
            cancel: run.cancel.clone(),
        }
    }
}

/// Units that do not have to be in a version.
pub(crate) enum Only {
    /// All of these types: they are migrated.
    Types(Vec<TypeId>),
    /// These: they are pushed.
    Units(Vec<UnitId>),
}

/// All tokens that are good now.
#[derive(Clone, Default)]
pub(crate) struct Grants {
    tokens: Arc<Mutex<HashMap<String, Arc<Rights>>>>,
}

impl Grants {
    /// A fresh token for these rights. Dropping the grant ends them.
    pub(crate) fn grant(&self, rights: Rights) -> Result<Grant, getrandom::Error> {
        let mut secret = [0_u8; 32];
        getrandom::fill(&mut secret)?;
        let token = wharf_store::model::Digest(secret).to_hex();
        self.tokens().insert(token.clone(), Arc::new(rights));
        Ok(Grant { grants: self.clone(), token })
    }

    /// The rights behind a request. A token that another process shows is refused and logged as a security event.
    pub(crate) fn check(
        &self,
        metadata: &MetadataMap,
        extensions: &Extensions,
    ) -> Result<Arc<Rights>, Status> {
        let peer = extensions
            .get::<PeerProcess>()
            .ok_or_else(|| Status::unauthenticated("the caller is not a plugin of this host"))?;
        let token =
            metadata.get(TOKEN_HEADER).and_then(|value| value.to_str().ok()).ok_or_else(|| {
                Status::unauthenticated("send JobContext.token as metadata wharf-token")
            })?;
        let rights =
            self.tokens().get(token).cloned().ok_or_else(|| {
                Status::unauthenticated("the token is not good, or its job is over")
            })?;
        if rights.process != peer.instance {
            tracing::error!(
                plugin = %peer.plugin,
                job = rights.job,
                security = true,
                "a plugin process showed the token of another one"
            );
            return Err(Status::permission_denied("the token belongs to another process"));
        }
        Ok(rights)
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<String, Arc<Rights>>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rights that end when this is dropped.
pub(crate) struct Grant {
    grants: Grants,
    token: String,
}

impl Grant {
    /// What the plugin sends with each call.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.grants.tokens().remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(process: u64) -> Rights {
        Rights {
            process,
            job: 1,
            repository: RepositoryId(1),
            version: 0,
            attachment: AttachmentId(1),
            only: None,
            settings: "{}".to_owned(),
            signing_key: None,
            secrets: BTreeSet::new(),
            audit: Arc::default(),
            folder: Arc::new(Folder::new("/nowhere".into())),
            trust: Arc::default(),
            meter: Arc::default(),
            cancel: CancellationToken::new(),
        }
    }

    fn request(token: &str, instance: u64) -> (MetadataMap, Extensions) {
        let mut metadata = MetadataMap::new();
        metadata.insert(TOKEN_HEADER, token.parse().expect("a token is ASCII"));
        let mut extensions = Extensions::default();
        extensions.insert(PeerProcess { plugin: "p".to_owned(), instance });
        (metadata, extensions)
    }

    #[test]
    fn rights_end_with_the_grant() {
        let grants = Grants::default();
        let grant = grants.grant(rights(7)).expect("random numbers");
        let (metadata, extensions) = request(grant.token(), 7);
        assert!(grants.check(&metadata, &extensions).is_ok());
        drop(grant);
        assert!(grants.check(&metadata, &extensions).is_err());
    }

    #[test]
    fn f46_f71_a_token_of_another_process_is_refused() {
        let grants = Grants::default();
        let grant = grants.grant(rights(7)).expect("random numbers");
        let (metadata, extensions) = request(grant.token(), 8);
        let refused = grants.check(&metadata, &extensions).err().expect("refused");
        assert_eq!(refused.code(), tonic::Code::PermissionDenied);
    }
}
