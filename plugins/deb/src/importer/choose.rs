//! From a `Release` and the settings to the indexes that are read.

use super::settings::{Settings, Suite};
use crate::release::{Listed, Release};
use crate::types::{FLAT_COMPONENT, INSTALLER};
use crate::unpack::Compression;

/// What an index lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Binary,
    Source,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Source => "source",
        }
    }
}

/// One file, in one of the compressions it is offered in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) compression: Compression,
    /// From the folder of the `Release`.
    pub(super) path: String,
    pub(super) size: u64,
    /// `KIND:HEX`.
    pub(super) digest: String,
}

impl Offer {
    /// `None`: it is listed with a weak digest only.
    pub(super) fn sha256(&self) -> Option<&str> {
        self.digest.strip_prefix("sha256:")
    }
}

/// One index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    /// Without the compression's suffix.
    pub(super) path: String,
    /// Smallest first. Empty: it is listed, and empty.
    pub(super) offers: Vec<Offer>,
    /// What it unpacks to, if that is listed.
    pub(super) plain: Option<Listed>,
    /// The architecture that it is for; none: of whichever.
    pub(super) architecture: Option<String>,
}

impl Index {
    /// Whether it holds what is for all architectures, and nothing else.
    pub(super) fn is_for_all(&self) -> bool {
        self.architecture.as_deref() == Some("all")
    }

    /// Its path with the digest that tells whether it changed.
    pub(super) fn digest(&self) -> (String, String) {
        let plain = self.plain.as_ref().and_then(|plain| plain.sha256.clone());
        let digest = |offer: &Offer| offer.sha256().unwrap_or(&offer.digest).to_owned();
        let first = || self.offers.first().map(digest);
        (self.path.clone(), plain.or_else(first).unwrap_or_default())
    }
}

/// Indexes that are read together: all of one kind in one component. A package for all architectures stands in the
/// index of each, so none of them alone says which such packages there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) component: String,
    pub(super) kind: Kind,
    pub(super) indexes: Vec<Index>,
}

/// What is mirrored of a distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) components: Vec<String>,
    pub(super) architectures: Vec<String>,
    pub(super) areas: Vec<Area>,
    /// Files that are passed on as they are.
    pub(super) beside: Vec<Index>,
    /// What was asked for, and is not offered.
    pub(super) missing: Vec<String>,
}

impl Choice {
    pub(super) fn of(settings: &Settings, suite: &Suite, release: &Release) -> Self {
        let mut choice = Self::default();
        choice.choose_architectures(settings, release);
        if suite.flat {
            choice.components.push(FLAT_COMPONENT.to_owned());
            choice.flat(settings, release);
        } else {
            choice.choose_components(settings, release);
            for component in choice.components.clone() {
                choice.pooled(settings, release, &component);
                if settings.installer {
                    choice.installer(release, &component);
                }
            }
        }
        choice
    }

    fn choose_architectures(&mut self, settings: &Settings, release: &Release) {
        let real = |name: &&String| !matches!(name.as_str(), "all" | "source");
        if settings.architectures.is_empty() {
            self.architectures.extend(release.architectures.iter().filter(real).cloned());
            return;
        }
        self.architectures.extend(settings.architectures.iter().filter(real).cloned());
        if !release.architectures.is_empty() {
            let missing =
                self.architectures.iter().filter(|it| !release.architectures.contains(it));
            self.missing.extend(missing.map(|name| format!("architecture {name}")));
        }
    }

    /// A component is known by its last word: `updates/main` is `main`.
    fn choose_components(&mut self, settings: &Settings, release: &Release) {
        let last = |name: &String| name.rsplit('/').next().unwrap_or(name).to_owned();
        let offered: Vec<String> = release.components.iter().map(last).collect();
        if settings.components.is_empty() {
            self.components = offered;
        } else {
            self.components = settings.components.iter().map(last).collect();
            if !offered.is_empty() {
                let missing = self.components.iter().filter(|it| !offered.contains(it));
                self.missing.extend(missing.map(|name| format!("component {name}")));
                self.components.retain(|name| offered.contains(name));
            }
        }
        self.components.retain(|name| crate::names::is_segment(name));
    }

    fn flat(&mut self, settings: &Settings, release: &Release) {
        let component = FLAT_COMPONENT.to_owned();
        let indexes = Vec::from_iter(index(release, "Packages", None));
        self.areas.push(Area { component: component.clone(), kind: Kind::Binary, indexes });
        if settings.sources {
            let indexes = Vec::from_iter(index(release, "Sources", None));
            self.areas.push(Area { component, kind: Kind::Source, indexes });
        }
    }

    fn pooled(&mut self, settings: &Settings, release: &Release, component: &str) {
        let mut indexes = self.binaries(release, component);
        if !release.all_in_each || self.architectures.is_empty() {
            let path = format!("{component}/binary-all/Packages");
            indexes.extend(index(release, &path, Some("all".to_owned())));
        }
        let component = component.to_owned();
        self.areas.push(Area { component: component.clone(), kind: Kind::Binary, indexes });
        if settings.sources {
            let path = format!("{component}/source/Sources");
            let indexes: Vec<_> = index(release, &path, None).into_iter().collect();
            if indexes.is_empty() {
                self.missing.push(path);
            }
            self.areas.push(Area { component: component.clone(), kind: Kind::Source, indexes });
        }
        let languages = settings.translations.iter();
        let mut beside: Vec<String> =
            languages.map(|language| format!("{component}/i18n/Translation-{language}")).collect();
        if settings.contents {
            let names = self.architectures.iter();
            beside.extend(names.map(|name| format!("{component}/Contents-{name}")));
        }
        for path in beside {
            match index(release, &path, None) {
                Some(index) => self.beside.push(index),
                None => self.missing.push(path),
            }
        }
    }

    /// The indexes of a component for each architecture.
    fn binaries(&mut self, release: &Release, component: &str) -> Vec<Index> {
        let mut indexes = Vec::new();
        for architecture in &self.architectures {
            let path = format!("{component}/binary-{architecture}/Packages");
            match index(release, &path, Some(architecture.clone())) {
                Some(index) => indexes.push(index),
                None => self.missing.push(path),
            }
        }
        indexes
    }

    /// The packages of the installer stand like a component inside the component.
    fn installer(&mut self, release: &Release, component: &str) {
        let component = format!("{component}/{INSTALLER}");
        let indexes = self.binaries(release, &component);
        if !indexes.is_empty() {
            self.components.push(component.clone());
            self.areas.push(Area { component, kind: Kind::Binary, indexes });
        }
    }
}

/// An index in the compressions that are offered; those with a weak digest only where no other has a better one.
fn index(release: &Release, path: &str, architecture: Option<String>) -> Option<Index> {
    let plain = release.digests.get(path).cloned();
    let empty = plain.as_ref().is_some_and(|plain| plain.size == 0 && plain.digest().is_some());
    let offer = |compression: Compression| {
        let path = format!("{path}{}", compression.suffix());
        let listed = release.digests.get(&path)?;
        let (size, digest) = (listed.size, listed.digest()?);
        Some(Offer { compression, path, size, digest })
    };
    let mut offers: Vec<Offer> = Compression::ALL.into_iter().filter_map(offer).collect();
    if offers.is_empty() {
        return None;
    }
    if offers.iter().any(|offer| offer.sha256().is_some()) {
        offers.retain(|offer| offer.sha256().is_some());
    }
    // What is listed plain is often not served, so it comes last whatever its size.
    offers.sort_by_key(|offer| (offer.compression == Compression::None, offer.size));
    if empty {
        offers.clear();
    }
    Some(Index { path: path.to_owned(), offers, plain, architecture })
}
