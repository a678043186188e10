//! Makes the next version of a repository: compares what is wanted with what is there, in one pass over both, and
//! writes the difference.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Outcome, attachments, known, repositories, retain, short, signed};
use crate::clock;
use crate::error::{Error, Thing};
use crate::model::{CommitVersion, Committed, LastRun, Lease, RepositoryId, UnitId, VersionMode};

pub(in crate::meta) fn commit(
    db: &Connection,
    lease: Lease,
    wanted: &CommitVersion,
) -> Outcome<Committed> {
    let repository = repositories::get(db, wanted.repository)?;
    let (base, current) = (wanted.base, repository.current_version);
    if base != current {
        return Err(Error::BaseMoved { base, current }.into());
    }
    let mut change = Change::find(db, wanted)?;
    let places = places(db, &change.added)?;
    if repository.units > 0 {
        change.replace(db, wanted.repository, &places)?;
    }
    let version = if change.added.is_empty() && change.removed.is_empty() {
        None
    } else {
        Some(change.write(db, lease, wanted, &places)?)
    };
    revise(db, wanted.repository, &change.revised)?;
    if let Some(attachment) = wanted.attachment {
        let last = LastRun {
            finished_ms: clock::now_ms(),
            version: version.unwrap_or(base),
            outcome: wanted.outcome.clone(),
            settings_digest: wanted.settings_digest.clone(),
        };
        attachments::ran(db, attachment, wanted.state.as_deref(), &last)?;
    }
    if version.is_some() {
        retain::apply(db, wanted.repository)?;
    }
    Ok(Committed {
        version,
        added: change.added.len() as u64,
        removed: change.removed.len() as u64,
        unchanged: change.kept,
    })
}

/// A unit with the revision that a listing gave it.
type Present<'a> = (UnitId, Option<&'a str>);

/// How the new version differs from its base.
struct Change<'a> {
    added: Vec<Present<'a>>,
    /// In the order of their numbers, as far as `find` found them.
    removed: Vec<UnitId>,
    /// Members that have another revision now.
    revised: Vec<(UnitId, &'a str)>,
    kept: u64,
}

impl<'a> Change<'a> {
    /// Walks along the members and the units that are wanted, both in the order of their numbers.
    fn find(db: &Connection, wanted: &'a CommitVersion) -> Outcome<Self> {
        let present = sorted(&wanted.present);
        let mut dropped = wanted.removed.clone();
        dropped.sort_unstable();
        let mirror = wanted.mode == VersionMode::Mirror;
        let mut change =
            Self { added: Vec::new(), removed: Vec::new(), revised: Vec::new(), kept: 0 };
        let mut rest = present.into_iter().peekable();
        let mut members = db.prepare_cached(
            "SELECT unit, revision FROM membership WHERE repository = ?1 AND removed_in IS NULL
             ORDER BY unit",
        )?;
        let mut members = members.query([wanted.repository.0])?;
        while let Some(member) = members.next()? {
            let unit = UnitId(member.get(0)?);
            while let Some(new) = rest.next_if(|(present, _)| *present < unit) {
                change.added.push(new);
            }
            let named = rest.next_if(|(present, _)| *present == unit);
            match named {
                None if mirror || dropped.binary_search(&unit).is_ok() => change.removed.push(unit),
                None => change.kept += 1,
                Some((_, revision)) => {
                    change.kept += 1;
                    change.note_revision(unit, revision, member)?;
                }
            }
        }
        change.added.extend(rest);
        Ok(change)
    }

    fn note_revision(
        &mut self,
        unit: UnitId,
        revision: Option<&'a str>,
        member: &Row<'_>,
    ) -> Outcome<()> {
        if let Some(revision) = revision
            && member.get_ref(1)?.as_str_or_null().ok().flatten() != Some(revision)
        {
            self.revised.push((unit, revision));
        }
        Ok(())
    }

    /// Takes out members whose place a new unit takes.
    fn replace(
        &mut self,
        db: &Connection,
        repository: RepositoryId,
        places: &[Option<[u8; 32]>],
    ) -> Outcome<()> {
        let asked: Vec<[u8; 32]> = places.iter().flatten().copied().collect();
        let mut replaced = Vec::new();
        for member in known::members_by_place(db, repository, &asked)?.into_iter().flatten() {
            if self.removed.binary_search(&member.unit).is_err() {
                replaced.push(member.unit);
            }
        }
        self.kept -= replaced.len() as u64;
        self.removed.append(&mut replaced);
        Ok(())
    }

    /// Writes the version, and answers its number.
    fn write(
        &self,
        db: &Connection,
        lease: Lease,
        wanted: &CommitVersion,
        places: &[Option<[u8; 32]>],
    ) -> Outcome<u64> {
        let repository = wanted.repository.0;
        let number = wanted.base + 1;
        let mut remove = db.prepare_cached(
            "UPDATE membership SET removed_in = ?3
             WHERE repository = ?1 AND unit = ?2 AND removed_in IS NULL",
        )?;
        for unit in &self.removed {
            remove.execute((repository, unit.0, signed(number)))?;
        }
        let mut add = db.prepare_cached(
            "INSERT INTO membership (repository, unit, added_in, revision, place)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for ((unit, revision), place) in self.added.iter().zip(places) {
            let place = place.as_ref().map(short);
            add.execute((repository, unit.0, signed(number), revision, place))?;
        }
        let (added, removed) = (self.added.len() as u64, self.removed.len() as u64);
        let units = signed(self.kept + added);
        db.prepare_cached("INSERT INTO version VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(
            (
                repository,
                signed(number),
                clock::now_ms(),
                lease.job.0,
                units,
                signed(added),
                signed(removed),
                &wanted.info,
            ),
        )?;
        db.prepare_cached("UPDATE repository SET version = ?2, units = ?3 WHERE id = ?1")?
            .execute((repository, signed(number), units))?;
        Ok(number)
    }
}

/// Each unit once, in the order of their numbers. Of several revisions of one unit the last one counts.
fn sorted(present: &[(UnitId, Option<String>)]) -> Vec<Present<'_>> {
    let mut sorted: Vec<Present<'_>> =
        present.iter().map(|(unit, revision)| (*unit, revision.as_deref())).collect();
    sorted.sort_by_key(|(unit, _)| *unit);
    sorted.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same && later.1.is_some() {
            first.1 = later.1;
        }
        same
    });
    sorted
}

/// Where the new units stand.
///
/// # Errors
///
/// Two of them stand in one place.
fn places(db: &Connection, added: &[Present<'_>]) -> Outcome<Vec<Option<[u8; 32]>>> {
    let mut find = db.prepare_cached("SELECT repo_key FROM unit WHERE id = ?1")?;
    let mut taken: HashMap<[u8; 32], UnitId> = HashMap::new();
    let mut places = Vec::with_capacity(added.len());
    for (unit, _) in added {
        let place: Option<Option<[u8; 32]>> =
            find.query_row([unit.0], |row| row.get(0)).optional()?;
        let place = place.ok_or_else(|| Error::not_found(Thing::Unit, unit))?;
        if let Some(place) = place
            && let Some(other) = taken.insert(place, *unit)
        {
            let (one, other) = (key(db, other)?, key(db, *unit)?);
            return Err(Error::PlaceConflict { one, other }.into());
        }
        places.push(place);
    }
    Ok(places)
}

fn key(db: &Connection, unit: UnitId) -> Outcome<String> {
    Ok(db.query_row("SELECT key FROM unit WHERE id = ?1", [unit.0], |row| row.get(0))?)
}

fn revise(db: &Connection, repository: RepositoryId, revised: &[(UnitId, &str)]) -> Outcome<()> {
    let mut update = db.prepare_cached(
        "UPDATE membership SET revision = ?3
         WHERE repository = ?1 AND unit = ?2 AND removed_in IS NULL",
    )?;
    for (unit, revision) in revised {
        update.execute((repository.0, unit.0, revision))?;
    }
    Ok(())
}
