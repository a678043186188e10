//! Declaring what a distribution holds.

use std::collections::BTreeSet;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use wharf_sdk::{Context, Done, Download, Error, File, Keep, Progress, SyncRequest, Unit};

use super::choose::{Area, Choice, Index, Kind, Offer};
use super::fetch::{self, Found};
use super::kept::KeptSuite;
use super::read::{Finding, Seen, Task};
use super::settings::{Duplicates, Settings, Suite};
use super::units::Place;
use super::verbatim;
use crate::names;
use crate::release::Release;
use crate::types::{
    DEB, FILE, INDEX, IndexInfo, IndexKey, RELEASE, ReleaseInfo, ReleaseKey, SOURCE,
};

/// The largest compressed index.
const MAX_PACKED: u64 = 1 << 30;
/// Messages between the thread that parses and the call.
const WAITING: usize = 8;

/// One sync.
pub(super) struct Mirror<'a> {
    pub(super) settings: &'a Settings,
    asked: &'a SyncRequest,
    pub(super) context: &'a Context,
    told: u64,
    kept_areas: u64,
    summary: Summary,
}

#[derive(Default, Serialize)]
struct Summary {
    indexes_read: u64,
    areas_unchanged: u64,
    /// Whether anything was verified beyond digests.
    signature: &'static str,
    /// The fingerprints of the trusted keys that signed what was read.
    signers: BTreeSet<String>,
}

impl<'a> Mirror<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        asked: &'a SyncRequest,
        context: &'a Context,
    ) -> Self {
        let summary = Summary { signature: "not verified", ..Summary::default() };
        Self { settings, asked, context, told: 0, kept_areas: 0, summary }
    }

    pub(super) fn done(mut self) -> Result<Done, Error> {
        self.summary.areas_unchanged = self.kept_areas;
        // The host alone knows how many units a kept area has.
        let done = Done::changed().summary(&self.summary)?;
        Ok(if self.kept_areas == 0 { done.announced(self.told) } else { done })
    }

    /// Declares a distribution, and says what is to be kept of it.
    pub(super) async fn suite(
        &mut self,
        suite: &Suite,
        found: Found,
        before: Option<&KeptSuite>,
    ) -> Result<KeptSuite, Error> {
        let (release, mut now) = match found {
            Found::Unchanged(now) => {
                self.signed(&now);
                self.keep_suite(suite).await?;
                return Ok(now);
            }
            Found::Changed(release, now) => (release, now),
        };
        self.signed(&now);
        let choice = Choice::of(self.settings, suite, &release);
        for missing in &choice.missing {
            let text = format!("{} does not offer {missing}", suite.distribution);
            self.context.warn("source.not_offered", text, missing).await?;
        }
        self.declare_release(suite, &release, &choice).await?;
        for area in &choice.areas {
            let digests: Vec<_> = area.indexes.iter().map(Index::digest).collect();
            let name = format!("{}/{}", area.component, area.kind.word());
            if before.and_then(|before| before.areas.get(&name)) == Some(&digests) {
                self.keep_area(suite, area).await?;
            } else {
                self.read_area(suite, area, release.by_hash).await?;
            }
            now.areas.insert(name, digests);
        }
        for index in &choice.beside {
            self.declare_index(suite, index).await?;
        }
        if self.settings.verbatim {
            let held = before.map(|before| &before.files);
            now.files = verbatim::declare(self, suite, &release, &choice, &now, held).await?;
        }
        Ok(now)
    }

    fn signed(&mut self, now: &KeptSuite) {
        if !now.signers.is_empty() {
            self.summary.signature = "verified";
            self.summary.signers.extend(now.signers.iter().cloned());
        }
    }

    async fn keep_suite(&mut self, suite: &Suite) -> Result<(), Error> {
        self.kept_areas += 1;
        for kind in [DEB, SOURCE, INDEX, FILE, RELEASE] {
            let keep = Keep::field(kind, "distribution", &suite.distribution)?;
            self.context.keep(keep).await?;
        }
        Ok(())
    }

    async fn keep_area(&mut self, suite: &Suite, area: &Area) -> Result<(), Error> {
        self.kept_areas += 1;
        let kind = match area.kind {
            Kind::Binary => DEB,
            Kind::Source => SOURCE,
        };
        let name = format!("{}/{}", suite.distribution, area.component);
        self.context.keep(Keep::field(kind, "area", &name)?).await
    }

    async fn declare_release(
        &mut self,
        suite: &Suite,
        release: &Release,
        choice: &Choice,
    ) -> Result<(), Error> {
        let info = ReleaseInfo {
            fields: release.fields.clone(),
            architectures: choice.architectures.clone(),
            components: choice.components.clone(),
            sources: self.settings.sources,
        };
        let text = serde_json::to_vec(&info).map_err(|error| {
            Error::fault("internal.json", "a distribution cannot be written").caused_by(&error)
        })?;
        let sha256 = names::digits(&Sha256::digest(&text));
        let key = ReleaseKey { distribution: suite.distribution.clone(), sha256 };
        let unit = Unit::new(RELEASE).key(&key)?.attributes(&info)?;
        self.tell(&suite.distribution, unit).await
    }

    /// A file beside the indexes, taken over as it is.
    async fn declare_index(&mut self, suite: &Suite, index: &Index) -> Result<(), Error> {
        let Some(offer) = index.offers.first() else { return Ok(()) };
        let plain = index.plain.clone().filter(|plain| plain.sha256.is_some());
        let plain = plain.and_then(|plain| Some((plain.size, plain.sha256?)));
        let Some(((size, sha256), packed)) = plain.zip(offer.sha256().map(str::to_owned)) else {
            let text = format!(
                "{} is listed in compressed form only, or without a SHA256, and left out",
                index.path
            );
            return self.context.warn("source.not_listed", text, &index.path).await;
        };
        let (distribution, path) = (suite.distribution.clone(), offer.path.clone());
        let key = IndexKey { distribution, path: path.clone(), sha256: packed.clone() };
        let info = IndexInfo { path: index.path.clone(), size, sha256 };
        let url = self.settings.address(&format!("{}{}", suite.folder, offer.path));
        let segment = path.rsplit('/').next().unwrap_or(&path).to_owned();
        // Upstream drops the old one with its next update, so it is fetched now whatever the policy.
        let file = File::at(segment).size(offer.size).sha256(&packed).url(url).eager();
        let unit = Unit::new(INDEX).key(&key)?.attributes(&info)?.file(file);
        self.tell(&path, unit).await
    }

    pub(super) async fn tell(&mut self, name: &str, unit: Unit) -> Result<(), Error> {
        if self.asked.wants(name) {
            self.told += 1;
            self.context.unit(unit).await?;
        }
        Ok(())
    }

    async fn read_area(&mut self, suite: &Suite, area: &Area, by_hash: bool) -> Result<(), Error> {
        let mut seen = Seen::default();
        for index in area.indexes.iter().filter(|index| !index.offers.is_empty()) {
            self.summary.indexes_read += 1;
            let (offer, path) = match self.download(suite, index, by_hash).await {
                Ok(found) => found,
                // Partial mirrors list the packages for all architectures apart, and have them in the other indexes only.
                Err(error)
                    if area.indexes.len() > 1
                        && index.is_for_all()
                        && fetch::is_missing(&error) =>
                {
                    let text = format!(
                        "{} is listed and not served; the other indexes are read",
                        index.path
                    );
                    self.context.warn("source.not_served", text, &index.path).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let (findings, mut arriving) = mpsc::channel(WAITING);
            let place = Place {
                settings: self.settings.clone(),
                distribution: suite.distribution.clone(),
                component: area.component.clone(),
            };
            let (index, kind) = (index.clone(), area.kind);
            let task = Task {
                path: path.clone(),
                offer,
                index: index.clone(),
                kind,
                place,
                seen,
                findings,
            };
            let reading = tokio::task::spawn_blocking(move || task.run());
            while let Some(batch) = arriving.recv().await {
                for finding in batch {
                    self.finding(finding).await?;
                }
                let progress =
                    Progress::new(self.told, 0).unit("packages").phase("reading indexes");
                self.context.progress(progress).await;
            }
            let outcome = reading.await.map_err(|error| {
                Error::fault("internal.thread", "the reader of an index ended").caused_by(&error)
            })??;
            seen = outcome.seen;
            if outcome.foreign > 0 && index.architecture.is_some() {
                let text = format!(
                    "{}: {} packages of other architectures are left out",
                    index.path, outcome.foreign
                );
                self.context.warn("content.foreign", text, &index.path).await?;
            }
            std::fs::remove_file(&path).map_err(|error| fetch::unreadable(&index.path, &error))?;
        }
        Ok(())
    }

    async fn finding(&mut self, finding: Finding) -> Result<(), Error> {
        match finding {
            Finding::Unit(declared) => self.tell(&declared.name, declared.unit).await,
            Finding::Refused((name, error)) => {
                self.told += 1;
                self.context.failed(name, error).await
            }
            Finding::Conflict(name) if self.settings.duplicates == Duplicates::Fail => {
                let message = format!(
                    "{name}: the same version is listed twice with different files. Nothing was changed; tell \
                     whoever makes the repository, or set duplicates=first"
                );
                Err(Error::operation("content.conflict", message))
            }
            Finding::Conflict(name) => {
                self.told += 1;
                let text =
                    "the same version is listed twice with different files; the first one is taken";
                self.context.skipped(name, "content.conflict", text).await
            }
        }
    }

    /// The first offer that upstream really has.
    async fn download(
        &self,
        suite: &Suite,
        index: &Index,
        by_hash: bool,
    ) -> Result<(Offer, std::path::PathBuf), Error> {
        let mut last = None;
        for offer in &index.offers {
            self.context
                .progress(
                    Progress::new(self.told, 0).phase("fetching indexes").activity(&offer.path),
                )
                .await;
            match self.context.download(self.request(suite, offer, by_hash)).await {
                Ok(file) => return Ok((offer.clone(), fetch::staged(&file, self.context))),
                Err(error) if fetch::is_missing(&error) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| {
            Error::operation("source.not_found", format!("{} is not offered", index.path))
        }))
    }

    pub(super) fn request(&self, suite: &Suite, offer: &Offer, by_hash: bool) -> Download {
        let plain = self.settings.address(&format!("{}{}", suite.folder, offer.path));
        let folder = offer.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let slash = if folder.is_empty() { "" } else { "/" };
        let named = |sha256| format!("{}{folder}{slash}by-hash/SHA256/{sha256}", suite.folder);
        let download = match offer.sha256().filter(|_| by_hash).map(named) {
            Some(named) => Download::from_url(self.settings.address(&named))
                .or_from(plain, std::collections::HashMap::new()),
            None => Download::from_url(plain),
        };
        download.size(offer.size).digest(offer.digest.clone()).max_bytes(MAX_PACKED)
    }
}
