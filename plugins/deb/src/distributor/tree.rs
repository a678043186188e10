//! One publication.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use wharf_sdk::{Context, Done, Error, Progress, PublishedFile, Query, Unit};

use super::entry::{Entries, Signer};
use super::lists::{ALL, Distribution, Lists, Spool};
use super::pack::{self, How, Made, Plan};
use super::pool::{Pool, Slot};
use super::release;
use super::settings::Settings;
use super::unwritten;
use crate::types::{
    DEB, DebKey, INDEX, IndexInfo, IndexKey, PackageInfo, RELEASE, ReleaseInfo, ReleaseKey, SOURCE,
    SourceKey,
};

/// What is kept between publications.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Kept {
    /// The date of the last `Release`, in seconds since 1970.
    date: i64,
    /// What was published.
    pub(super) distributions: BTreeMap<String, Told>,
    /// Who signed it; `None`: nobody.
    pub(super) signer: Option<Signer>,
}

/// What clients are told of a distribution.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Told {
    pub(super) components: Vec<String>,
    pub(super) sources: bool,
    /// Upstream's own signature stands.
    #[serde(default)]
    pub(super) verbatim: bool,
}

impl Kept {
    /// The date of the publication before, in seconds since 1970; 0: there was none.
    pub(super) fn date(&self) -> i64 {
        self.date
    }

    /// Of the publication that is being made.
    pub(super) fn dated(mut self, seconds: i64) -> Self {
        self.date = seconds;
        self
    }
}

/// What is being published.
pub(super) struct Tree<'a> {
    settings: Settings,
    seconds: i64,
    /// Whether packages and indexes are told, or what clients read first only.
    whole: bool,
    total: u64,
    context: &'a Context,
    entries: Entries<'a>,
    lists: Lists,
    pool: Pool,
    packages: u64,
}

#[derive(Serialize)]
struct Summary {
    packages: u64,
    distributions: usize,
    /// The fingerprint of the key by which clients can check who made the publication.
    signed_by: Option<String>,
}

/// A binary package that waits for the others of its name.
struct Waiting {
    unit: Unit,
    version: String,
}

impl<'a> Tree<'a> {
    pub(super) fn new(
        settings: Settings,
        seconds: i64,
        whole: bool,
        total: u64,
        (context, entries): (&'a Context, Entries<'a>),
    ) -> Self {
        let (lists, pool) = (Lists::default(), Pool::new());
        Self { settings, seconds, whole, total, context, entries, lists, pool, packages: 0 }
    }

    pub(super) async fn publish(mut self, query: Query, mut kept: Kept) -> Result<Done, Error> {
        self.releases(&query).await?;
        self.binaries(&query).await?;
        self.sources(&query).await?;
        self.beside(&query).await?;
        kept.date = self.seconds;
        kept.distributions.clear();
        kept.signer = None;
        let distributions = std::mem::take(&mut self.lists.distributions);
        let count = distributions.len();
        for (number, (name, distribution)) in distributions.into_iter().enumerate() {
            let (told, signer) = self.distribution(number, &name, distribution).await?;
            kept.distributions.insert(name, told);
            kept.signer = signer;
        }
        if let Some(signer) = &kept.signer {
            self.entries.key(signer).await?;
        }
        let signed_by = kept.signer.as_ref().map(|signer| signer.fingerprint.clone());
        let summary = Summary { packages: self.packages, distributions: count, signed_by };
        Done::changed().summary(&summary)?.state(&kept)
    }

    async fn releases(&mut self, query: &Query) -> Result<(), Error> {
        let query = query.clone().of_type(RELEASE).order_by(&["distribution"]);
        let mut pages = self.context.units(query).await?;
        while let Some(page) = pages.next().await? {
            for unit in page {
                let key: ReleaseKey = unit.read_key()?;
                let info: ReleaseInfo = unit.read_attributes()?;
                self.lists.distribution(&key.distribution).release = info;
            }
        }
        Ok(())
    }

    /// Packages come by name; those of one name are put in the order of their versions.
    async fn binaries(&mut self, query: &Query) -> Result<(), Error> {
        let order = ["distribution", "component", "package", "version", "architecture"];
        let mut pages = self.context.units(query.clone().of_type(DEB).order_by(&order)).await?;
        let (mut waiting, mut group): (Vec<Waiting>, _) = (Vec::new(), String::new());
        while let Some(page) = pages.next().await? {
            for unit in page {
                let key: DebKey<'_> = read(unit.key_text())?;
                let own = format!("{} {} {}", key.distribution, key.component, key.package);
                let version = key.version.into_owned();
                if own != group {
                    self.flush(&mut waiting).await?;
                    group = own;
                }
                waiting.push(Waiting { unit, version });
            }
            let progress = Progress::new(self.packages, self.total).unit("packages");
            self.context.progress(progress.phase("publishing")).await;
        }
        self.flush(&mut waiting).await
    }

    async fn flush(&mut self, waiting: &mut Vec<Waiting>) -> Result<(), Error> {
        if waiting.len() > 1 {
            waiting.sort_by(|left, right| crate::version::compare(&left.version, &right.version));
        }
        for Waiting { unit, .. } in waiting.drain(..) {
            self.binary(&unit).await?;
        }
        Ok(())
    }

    async fn binary(&mut self, unit: &Unit) -> Result<(), Error> {
        let key: DebKey<'_> = read(unit.key_text())?;
        let info: PackageInfo<'_> = read(unit.attributes_text())?;
        let Some(file) = unit.files().next() else {
            let name = format!("{} {}", key.package, key.version);
            let error =
                Error::operation("content.no_file", format!("{name} has no file to publish"));
            return self.context.failed(name, error).await;
        };
        let Some(size) = file.bytes() else {
            let text = "its size is not known before it is first fetched; it is left out";
            return self.context.failed(file.path(), Error::operation("content.size", text)).await;
        };
        let source = if info.source.is_empty() { &key.package } else { &info.source };
        let files = [(file.path(), &*key.sha256)];
        let folder = self.pool.folder(&key.component, source, &key.sha256, &files);
        let path = format!("{folder}/{}", file.path());
        let placed = format!("Filename: {path}\nSize: {size}\nSHA256: {}\n\n", key.sha256);
        let at = (&*key.distribution, &*key.component, &*key.architecture);
        let paragraph = [info.control.as_bytes(), placed.as_bytes()];
        let written = self.lists.binary(self.context.work_dir(), at, &paragraph);
        written.map_err(|error| unwritten(&error))?;
        self.packages += 1;
        self.file(&path, &key.sha256, unit.id(), file.path()).await
    }

    /// A file of a unit at its place, once.
    async fn file(&mut self, path: &str, sha256: &str, unit: u64, file: &str) -> Result<(), Error> {
        if !self.whole || self.pool.look(path, sha256) != Slot::Free {
            return Ok(());
        }
        self.pool.take(path, sha256);
        self.context.file(PublishedFile::of_unit(path, unit, file)).await
    }

    async fn sources(&mut self, query: &Query) -> Result<(), Error> {
        let order = ["distribution", "component", "package", "version"];
        let mut pages = self.context.units(query.clone().of_type(SOURCE).order_by(&order)).await?;
        while let Some(page) = pages.next().await? {
            for unit in page {
                self.source(&unit).await?;
            }
        }
        Ok(())
    }

    async fn source(&mut self, unit: &Unit) -> Result<(), Error> {
        let key: SourceKey<'_> = read(unit.key_text())?;
        let info: PackageInfo<'_> = read(unit.attributes_text())?;
        let digest = |file: &wharf_sdk::FileInfo<'_>| file.hex("sha256").map(str::to_owned);
        let digests: Vec<String> = unit.files().filter_map(|file| digest(&file)).collect();
        let files: Vec<(&str, &str)> = unit
            .files()
            .map(wharf_sdk::FileInfo::path)
            .zip(digests.iter().map(String::as_str))
            .collect();
        let folder = self.pool.folder(&key.component, &key.package, &key.sha256, &files);
        let placed = format!("Directory: {folder}\n\n");
        let at = (&*key.distribution, &*key.component);
        let paragraph = [info.control.as_bytes(), placed.as_bytes()];
        let written = self.lists.source(self.context.work_dir(), at, &paragraph);
        written.map_err(|error| unwritten(&error))?;
        self.packages += 1;
        for (name, sha256) in files {
            self.file(&format!("{folder}/{name}"), sha256, unit.id(), name).await?;
        }
        Ok(())
    }

    /// Files that stand beside the indexes, with their digests' names.
    async fn beside(&mut self, query: &Query) -> Result<(), Error> {
        let query = query.clone().of_type(INDEX).order_by(&["distribution", "path"]);
        let mut pages = self.context.units(query).await?;
        let mut named = HashSet::new();
        while let Some(page) = pages.next().await? {
            for unit in page {
                let key: IndexKey = unit.read_key()?;
                let info: IndexInfo = unit.read_attributes()?;
                let Some(file) = unit.files().next() else { continue };
                let size = file.bytes().unwrap_or_default();
                let whole = format!("dists/{}/{}", key.distribution, key.path);
                self.file(&whole, &key.sha256, unit.id(), file.path()).await?;
                let hashed = by_hash(&whole, "SHA256", &key.sha256);
                if self.whole && named.insert(hashed.clone()) {
                    self.context
                        .file(PublishedFile::of_unit(hashed, unit.id(), file.path()))
                        .await?;
                }
                let beside = &mut self.lists.distribution(&key.distribution).beside;
                beside.push((key.path, size, key.sha256));
                beside.push((info.path, info.size, info.sha256));
            }
        }
        Ok(())
    }

    async fn distribution(
        &self,
        number: usize,
        name: &str,
        mut distribution: Distribution,
    ) -> Result<(Told, Option<Signer>), Error> {
        complete(&mut distribution);
        let told = Told {
            components: release::components(&distribution.release).map(str::to_owned).collect(),
            sources: distribution.release.sources,
            verbatim: false,
        };
        let info = distribution.release.clone();
        let beside = std::mem::take(&mut distribution.beside);
        let plans = plans(distribution).map_err(|error| unwritten(&error))?;
        let how = How {
            plain: self.settings.plain(),
            packed: self.settings.packed(),
            xz_preset: self.settings.xz_preset,
            stem: format!("index-{number}"),
        };
        self.context
            .progress(Progress::new(0, 0).phase("compressing indexes").activity(name))
            .await;
        let made = pack::all(plans, &how, self.context.work_dir()).await?;
        let beside =
            beside.iter().map(|(path, size, sha256)| (path.as_str(), *size, sha256.as_str()));
        let mut lines: Vec<release::Line<'_>> = made
            .iter()
            .map(|made| (made.path.as_str(), made.size, made.sha256.as_str()))
            .chain(beside)
            .collect();
        lines.sort_unstable();
        let text = release::text(name, &info, &self.settings, self.seconds, &lines)?;
        if self.whole {
            self.indexes(name, &made).await?;
        }
        let signer = self.entries.distribution(number, name, text).await?;
        Ok((told, signer))
    }

    async fn indexes(&self, distribution: &str, made: &[Made]) -> Result<(), Error> {
        let published = || made.iter().filter(|made| made.published);
        for made in published() {
            let path = format!("dists/{distribution}/{}", made.path);
            let file = PublishedFile::staged(path, &made.staged).modified_ms(self.modified_ms());
            self.context.file(file).await?;
        }
        // The host must have the files before they get a second name.
        self.context.flush().await?;
        let mut named = HashSet::new();
        for made in published() {
            let path = format!("dists/{distribution}/{}", made.path);
            let hashed = by_hash(&path, "SHA256", &made.sha256);
            if named.insert(hashed.clone()) {
                self.context.alias(&hashed, &path).await?;
            }
        }
        Ok(())
    }

    fn modified_ms(&self) -> i64 {
        self.seconds.saturating_mul(1_000)
    }
}

/// Components, architectures and sources that packages came with, though no `Release` named them.
fn complete(distribution: &mut Distribution) {
    let Distribution { release, binaries, sources, .. } = distribution;
    let add = |list: &mut Vec<String>, word: &String| {
        if !list.contains(word) {
            list.push(word.clone());
        }
    };
    for (component, architecture) in binaries.keys() {
        add(&mut release.components, component);
        if architecture != ALL {
            add(&mut release.architectures, architecture);
        }
    }
    for component in sources.keys() {
        add(&mut release.components, component);
    }
    release.sources |= !sources.is_empty();
    if release.architectures.is_empty() {
        release.architectures.push(ALL.to_owned());
    }
}

/// Which lists are published, and of what each consists.
fn plans(distribution: Distribution) -> std::io::Result<Vec<Plan>> {
    let Distribution { release, binaries, sources, .. } = distribution;
    let mut finished = BTreeMap::new();
    for (key, spool) in binaries {
        finished.insert(key, spool.finish()?);
    }
    let part = |component: &str, architecture: &str| {
        finished.get(&(component.to_owned(), architecture.to_owned())).cloned()
    };
    let mut plans = Vec::new();
    let architectures: BTreeSet<&String> = release.architectures.iter().collect();
    for component in &release.components {
        for architecture in &architectures {
            let own = Some(architecture.as_str()).filter(|own| *own != ALL);
            let parts = [part(component, ALL), own.and_then(|own| part(component, own))];
            let path = format!("{component}/binary-{architecture}/Packages");
            plans.push(Plan { path, parts: parts.into_iter().flatten().collect() });
        }
    }
    let mut sources: BTreeMap<String, Spool> = sources;
    for component in release.components.iter().filter(|_| release.sources) {
        let spool = sources.remove(component).map(Spool::finish).transpose()?;
        let path = format!("{component}/source/Sources");
        plans.push(Plan { path, parts: spool.into_iter().collect() });
    }
    Ok(plans)
}

/// The second name of a file: its digest.
pub(super) fn by_hash(path: &str, algorithm: &str, hex: &str) -> String {
    let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    format!("{folder}by-hash/{algorithm}/{hex}")
}

/// Keys and attributes borrow from their texts.
fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| {
        Error::fault("protocol.unit", "a stored unit cannot be read").caused_by(&error)
    })
}
