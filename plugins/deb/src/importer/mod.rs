//! Mirrors distributions of an apt repository.
//!
//! The way through: `settings` → for every distribution its `Release` (`fetch`), which an unchanged one ends → what is
//! read of it (`choose`) → areas whose digests are those of the last time are kept without a look → the indexes of the
//! others are downloaded against their digests, unpacked and parsed (`read`) → every paragraph becomes a declared unit
//! (`units`). Fetching packages, comparing and removing are the host's. Nothing here verifies a signature: the frame of
//! an `InRelease` is taken off, and what it signs is used.

mod choose;
mod fetch;
mod kept;
mod read;
mod settings;
mod sync;
mod units;
mod upload;
mod verbatim;

use wharf_sdk::{
    Check, CheckScope, Checked, Component, Context, Done, Error, Importer, Level, SyncRequest,
    UploadRequest, async_trait,
};

use fetch::Found;
use kept::Kept;
use settings::Settings;
use sync::Mirror;

/// The component `importer`.
pub(crate) struct Archives;

#[async_trait]
impl Component for Archives {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        if check.scope == CheckScope::Instance {
            return Ok(Checked::good());
        }
        match Settings::checked(&check)? {
            Ok(settings) => Checked::good().normalised(&settings),
            Err(refusals) => Ok(refusals.into_iter().fold(Checked::good(), |checked, refusal| {
                checked.error(&refusal.field, "config.deb", refusal.why)
            })),
        }
    }
}

#[async_trait]
impl Importer for Archives {
    async fn sync(&self, request: SyncRequest, context: &Context) -> Result<Done, Error> {
        let settings = Settings::of(&request.attachment)?;
        let kept = Kept::of(&request, &settings);
        let mut now = Kept { settings: settings.clone(), ..Kept::default() };
        let mut found = Vec::new();
        for suite in settings.suites() {
            let before = kept.as_ref().and_then(|kept| kept.suites.get(&suite.distribution));
            let release = fetch::release(&settings, &suite, before, context).await?;
            found.push((suite, release));
        }
        let whole = request.only.is_empty();
        if whole && found.iter().all(|(_, found)| matches!(found, Found::Unchanged(_))) {
            context.log(Level::INFO, "every Release is the one of the last sync").await;
            for (suite, found) in found {
                if let Found::Unchanged(suite_now) = found {
                    now.suites.insert(suite.distribution, suite_now);
                }
            }
            return Done::nothing_to_do().state(&now);
        }
        let mut mirror = Mirror::new(&settings, &request.only, context);
        for (suite, found) in found {
            let before = kept.as_ref().and_then(|kept| kept.suites.get(&suite.distribution));
            let suite_now = mirror.suite(&suite, found, before).await?;
            now.suites.insert(suite.distribution, suite_now);
        }
        let done = mirror.done()?;
        // What was not read whole must not count as read the next time.
        if whole { done.state(&now) } else { Ok(done.state_bytes(request.attachment.state)) }
    }

    async fn upload(&self, request: UploadRequest, context: &Context) -> Result<Done, Error> {
        upload::upload(&request, context).await
    }
}
