//! What packages depend on, inside one version of a repository.
//!
//! The way through: all binary packages of the version are read once, as far as their relations matter (`Packages`) →
//! from the packages asked about on, each dependency is met by what is chosen already, else by the first alternative
//! that the same distribution has, the newest version first; a real package comes before one that provides its name →
//! what is chosen on the way has dependencies of its own. What nobody has is told, each once.

use std::collections::{BTreeMap, HashMap, HashSet};

use wharf_sdk::{Context, Done, Error, Progress, Query, ResolveRequest, Unit, UnitRef};

use crate::control::Reader;
use crate::relation::{self, Relation, Relator};
use crate::types::{DEB, DebKey, PackageInfo};

/// Architecture of packages that fit all.
const ALL: &str = "all";

pub(super) async fn resolve(request: &ResolveRequest, context: &Context) -> Result<Done, Error> {
    let packages = Packages::read(request.version, context).await?;
    let asked: HashSet<u64> = request.units.iter().filter_map(UnitRef::number).collect();
    let found = packages.closure(&asked);
    for package in &found.chosen {
        let unit = packages.list[*package].unit;
        if !asked.contains(&unit) {
            context.resolved(UnitRef::id(unit)).await?;
        }
    }
    for (missing, by) in &found.missing {
        let text = format!("{by} needs {missing}, which this version does not hold");
        context.warn("dependency.missing", text, by).await?;
    }
    Ok(Done::unchanged())
}

/// A binary package.
struct Package {
    unit: u64,
    distribution: String,
    name: String,
    version: String,
    architecture: String,
    needs: Vec<Vec<Relation>>,
}

impl Package {
    /// Whether packages of this architecture may be installed beside it.
    fn fits(&self, other: &Self) -> bool {
        let own = self.architecture.as_str();
        own == ALL || other.architecture == own || other.architecture == ALL
    }

    fn shown(&self) -> String {
        format!("{} {} ({})", self.name, self.version, self.architecture)
    }
}

/// Who has a name: by its own, or by providing it, perhaps with a version.
struct Holder {
    package: usize,
    version: Option<String>,
}

/// All binary packages of a version.
#[derive(Default)]
struct Packages {
    list: Vec<Package>,
    /// By distribution and name.
    real: HashMap<(String, String), Vec<Holder>>,
    provided: HashMap<(String, String), Vec<Holder>>,
}

/// What a closure found.
#[derive(Default)]
struct Found {
    chosen: Vec<usize>,
    /// What is missing, and who needs it.
    missing: BTreeMap<String, String>,
}

impl Packages {
    async fn read(version: u64, context: &Context) -> Result<Self, Error> {
        let query = Query::all().version(version).of_type(DEB).without_files();
        let mut pages = context.units(query).await?;
        let mut packages = Self::default();
        while let Some(page) = pages.next().await? {
            for unit in &page {
                packages.add(unit)?;
            }
            let progress = Progress::new(packages.list.len() as u64, 0).unit("packages");
            context.progress(progress.phase("reading dependencies")).await;
        }
        Ok(packages)
    }

    fn add(&mut self, unit: &Unit) -> Result<(), Error> {
        let unreadable = |error: &serde_json::Error| {
            Error::fault("protocol.unit", "a stored unit cannot be read").caused_by(error)
        };
        let key: DebKey<'_> =
            serde_json::from_str(unit.key_text()).map_err(|error| unreadable(&error))?;
        let info: PackageInfo<'_> =
            serde_json::from_str(unit.attributes_text()).map_err(|error| unreadable(&error))?;
        let mut reader = Reader::new(info.control.as_bytes(), Reader::<&[u8]>::INDEX);
        let (mut needs, mut provides) = (Vec::new(), Vec::new());
        // It was read by the same rules when it came in; what cannot be read now needs nothing.
        if let Ok(Some(paragraph)) = reader.read_next() {
            for field in ["Pre-Depends", "Depends"] {
                needs.extend(relation::read(&paragraph.text(field).unwrap_or_default()));
            }
            provides = relation::read(&paragraph.text("Provides").unwrap_or_default());
        }
        let (place, distribution) = (self.list.len(), key.distribution.into_owned());
        let (name, version) = (key.package.into_owned(), key.version.into_owned());
        let holder = Holder { package: place, version: Some(version.clone()) };
        self.real.entry((distribution.clone(), name.clone())).or_default().push(holder);
        for provided in provides.into_iter().flatten() {
            let version = provided.version.filter(|(relator, _)| *relator == Relator::Equal);
            let holder = Holder { package: place, version: version.map(|(_, version)| version) };
            self.provided.entry((distribution.clone(), provided.name)).or_default().push(holder);
        }
        let (unit, architecture) = (unit.id(), key.architecture.into_owned());
        self.list.push(Package { unit, distribution, name, version, architecture, needs });
        Ok(())
    }

    fn closure(&self, asked: &HashSet<u64>) -> Found {
        let mut found = Found::default();
        let places = 0..self.list.len();
        let mut waiting: Vec<usize> =
            places.filter(|place| asked.contains(&self.list[*place].unit)).collect();
        let mut chosen: HashSet<usize> = waiting.iter().copied().collect();
        while let Some(place) = waiting.pop() {
            found.chosen.push(place);
            for group in &self.list[place].needs {
                let candidates: Vec<Vec<usize>> =
                    group.iter().map(|relation| self.candidates(place, relation)).collect();
                if candidates.iter().flatten().any(|candidate| chosen.contains(candidate)) {
                    continue;
                }
                let Some(taken) = candidates.iter().find(|candidates| !candidates.is_empty())
                else {
                    let missing = relation::write(std::slice::from_ref(group));
                    found.missing.entry(missing).or_insert_with(|| self.list[place].shown());
                    continue;
                };
                for candidate in self.best(place, taken) {
                    if chosen.insert(candidate) {
                        waiting.push(candidate);
                    }
                }
            }
        }
        found.chosen.sort_unstable();
        found
    }

    /// Who meets a relation: real packages, else those that provide the name.
    fn candidates(&self, by: usize, relation: &Relation) -> Vec<usize> {
        let name = (self.list[by].distribution.clone(), relation.name.clone());
        let of = |holders: &HashMap<_, Vec<Holder>>| -> Vec<usize> {
            let holders = holders.get(&name).map(Vec::as_slice).unwrap_or_default();
            holders
                .iter()
                .filter(|holder| self.list[by].fits(&self.list[holder.package]))
                .filter(|holder| match &holder.version {
                    Some(version) => relation.takes(version),
                    // What is provided without a version meets none that is asked for.
                    None => relation.version.is_none(),
                })
                .map(|holder| holder.package)
                .collect()
        };
        let real = of(&self.real);
        if real.is_empty() { of(&self.provided) } else { real }
    }

    /// The newest; for a package that fits all architectures, the newest of each.
    fn best(&self, by: usize, candidates: &[usize]) -> Vec<usize> {
        let mut best: BTreeMap<&str, usize> = BTreeMap::new();
        for candidate in candidates {
            let package = &self.list[*candidate];
            let group = match self.list[by].architecture.as_str() {
                ALL => package.architecture.as_str(),
                own => own,
            };
            let newest = best.entry(group).or_insert(*candidate);
            if crate::version::compare(&package.version, &self.list[*newest].version).is_gt() {
                *newest = *candidate;
            }
        }
        best.into_values().collect()
    }
}
