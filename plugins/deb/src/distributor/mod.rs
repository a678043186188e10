//! Publishes all distributions of a repository for apt.
//!
//! The way through: what distributions say of themselves → packages, in pages, each a paragraph in a list (`lists`) and
//! a file in the `pool` → lists joined, hashed and compressed (`pack`) → a `Release` for each distribution (`release`),
//! signed where the host signs (`entry`). Or what upstream made goes out as it is (`verbatim`).
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
mod verbatim;

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
        let query = Query::all().version(request.version);
        if settings.verbatim {
            signed_by_upstream(&request.signing)?;
            return verbatim::publish(query, kept.dated(seconds), true, context).await;
        }
        let entries =
            Entries::new(context, seconds, &request.signing, &request.attachment.repository);
        let tree = Tree::new(settings, seconds, true, request.units, (context, entries));
        tree.publish(query, kept).await
    }

    async fn reissue(&self, request: ReissueRequest, context: &Context) -> Result<Done, Error> {
        let settings = Settings::read(&request.attachment)?;
        let kept: Kept = request.attachment.state().unwrap_or_default();
        let seconds = date::next(kept.date(), request.timestamp_ms, context).await?;
        let query = Query::all().version(request.publication.version);
        if settings.verbatim {
            signed_by_upstream(&request.signing)?;
            return verbatim::publish(query, kept.dated(seconds), false, context).await;
        }
        let entries =
            Entries::new(context, seconds, &request.signing, &request.attachment.repository);
        let tree = Tree::new(settings, seconds, false, 0, (context, entries));
        tree.publish(query, kept).await
    }

    async fn client_config(&self, request: ClientConfigRequest) -> Result<ClientConfig, Error> {
        Ok(client::config(&request))
    }
}

/// What goes out as upstream made it has upstream's signature and no other.
fn signed_by_upstream(signing: &[String]) -> Result<(), Error> {
    if signing.is_empty() {
        return Ok(());
    }
    let message =
        "a verbatim publication keeps upstream's signature: take `signing_key` or `verbatim` away";
    Err(Error::usage("usage.signing_key", message).at_field("/verbatim"))
}

fn unwritten(error: &std::io::Error) -> Error {
    let message = "a list cannot be written to the job's folder";
    Error::operation("storage.staged", message).caused_by(error).retryable()
}
