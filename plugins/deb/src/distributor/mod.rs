//! Publishes all distributions of a repository for apt.
//!
//! The way through: what distributions say of themselves → packages, in pages, each a paragraph in a list (`lists`) and
//! a file in the `pool` → lists joined, hashed and compressed (`pack`) → a `Release` for each distribution (`release`),
//! signed where the host signs (`entry`).
//! The same version at the same time gives the same bytes. Every index has a second name, its digest, so that clients
//! that hold the `Release` of before find what it lists.

mod client;
mod date;
mod entry;
mod lists;
mod pack;
mod pool;
mod release;
mod settings;
mod tree;

use wharf_sdk::{
    Check, CheckScope, Checked, ClientConfig, ClientConfigRequest, Component, Context, Distributor,
    Done, Error, PublishRequest, Query, ReissueRequest, async_trait,
};

use entry::Entries;
use settings::Settings;
use tree::{Kept, Tree};

/// The component `distributor`.
pub(crate) struct Archives;

#[async_trait]
impl Component for Archives {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        if check.scope == CheckScope::Instance {
            return Ok(Checked::good());
        }
        let settings: Settings = check.values()?;
        match settings.problem() {
            Some((field, why)) => Ok(Checked::good().error(field, "config.deb", why)),
            None => Checked::good().normalised(&settings),
        }
    }
}

#[async_trait]
impl Distributor for Archives {
    async fn publish(&self, request: PublishRequest, context: &Context) -> Result<Done, Error> {
        let settings = Settings::read(&request.attachment)?;
        let kept: Kept = request.attachment.state().unwrap_or_default();
        let seconds = date::next(kept.date(), request.timestamp_ms, context).await?;
        let entries =
            Entries::new(context, seconds, &request.signing, &request.attachment.repository);
        let tree = Tree::new(settings, seconds, true, request.units, (context, entries));
        tree.publish(Query::all().version(request.version), kept).await
    }

    async fn reissue(&self, request: ReissueRequest, context: &Context) -> Result<Done, Error> {
        let settings = Settings::read(&request.attachment)?;
        let kept: Kept = request.attachment.state().unwrap_or_default();
        let seconds = date::next(kept.date(), request.timestamp_ms, context).await?;
        let entries =
            Entries::new(context, seconds, &request.signing, &request.attachment.repository);
        let tree = Tree::new(settings, seconds, false, 0, (context, entries));
        tree.publish(Query::all().version(request.publication.version), kept).await
    }

    async fn client_config(&self, request: ClientConfigRequest) -> Result<ClientConfig, Error> {
        Ok(client::config(&request))
    }
}

fn unwritten(error: &std::io::Error) -> Error {
    let message = "a list cannot be written to the job's folder";
    Error::operation("storage.staged", message).caused_by(error).retryable()
}
