//! Mirrors distributions of an apt repository.
//!
//! The way through: `settings` → for every distribution its `Release` (`fetch`), which an unchanged one ends → what is
//! read of it (`choose`) → areas whose digests are those of the last time are kept without a look → the indexes of the
//! others are downloaded against their digests, unpacked and parsed (`read`) → every paragraph becomes a declared unit
//! (`units`). Fetching packages, comparing and removing are the host's. With trusted keys a `Release` is read after its
//! signature was found good, and refused when it is older than the last or over (`fresh`).

mod choose;
mod fetch;
mod fresh;
mod kept;
mod read;
mod resolve;
mod settings;
mod source_upload;
mod sync;
mod units;
mod upload;
mod verbatim;

use wharf_sdk::{
    Check, CheckScope, Checked, Component, Context, Done, Error, Importer, Level, ResolveRequest,
    SyncRequest, UploadRequest, async_trait,
};

use fetch::{Found, Source};
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
        let keyring = settings
            .keyring()
            .map_err(|refusal| Error::usage("config.deb", refusal.why).at_field(refusal.field))?;
        if settings.url.is_empty() {
            let message =
                "no source is set: packages can be uploaded, but there is nothing to sync";
            return Err(Error::usage("config.no_source", message).at_field("/url"));
        }
        let kept = Kept::of(&request, &settings);
        let seen = Kept::seen(&request, &settings);
        let mut now = Kept { settings: settings.kept(), ..Kept::default() };
        let source =
            Source { settings: &settings, keyring: keyring.as_ref(), context, now: seconds() };
        let mut found = Vec::new();
        for suite in settings.suites() {
            let name = &suite.distribution;
            let before = kept.as_ref().and_then(|kept| kept.suites.get(name));
            let release = source.release(&suite, before).await?;
            fresh::check(&suite, release.kept(), seen.get(name), source.now, context).await?;
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
        let mut mirror = Mirror::new(&settings, &request, context);
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

    async fn resolve(&self, request: ResolveRequest, context: &Context) -> Result<Done, Error> {
        resolve::resolve(&request, context).await
    }
}

fn seconds() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}
