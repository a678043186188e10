//! Reading an index: off the runtime, paragraph by paragraph, against its digest.
//!
//! A thread of its own unpacks, hashes and parses; what it finds comes through a channel that holds little, so that the
//! whole index is never in memory.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use wharf_sdk::Error;

use super::choose::{Index, Kind, Offer};
use super::units::{self, Declared, Place, Refused};
use crate::control::{ControlError, Paragraph, Reader};
use crate::names;

/// What one index may unpack to when its plain size is not listed.
const MAX_INDEX: u64 = 4 << 30;
/// Findings in one message of the channel.
const BATCH: usize = 128;
/// The most packages of one component.
const MAX_PACKAGES: usize = 5_000_000;

/// What an index says.
pub(super) enum Finding {
    Unit(Declared),
    /// A package that cannot be taken.
    Refused(Refused),
    /// A package that stands in a place that another one has.
    Conflict(String),
}

/// What stands where, so that a package that several indexes list is declared once: half a digest for each place.
pub(super) struct Seen {
    hasher: (RandomState, RandomState),
    places: HashMap<(u64, u64), u64>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { hasher: (RandomState::new(), RandomState::new()), places: HashMap::new() }
    }
}

impl Seen {
    /// `None`: it was seen already.
    fn take(&mut self, declared: Declared) -> Option<Finding> {
        let place =
            (self.hasher.0.hash_one(&declared.place), self.hasher.1.hash_one(&declared.place));
        let sha256 = self.hasher.0.hash_one(&declared.digest);
        match self.places.insert(place, sha256) {
            None => Some(Finding::Unit(declared)),
            Some(before) if before == sha256 => None,
            Some(before) => {
                self.places.insert(place, before);
                Some(Finding::Conflict(declared.name))
            }
        }
    }
}

/// What is read, and whereto.
pub(super) struct Task {
    pub(super) path: PathBuf,
    pub(super) offer: Offer,
    pub(super) index: Index,
    pub(super) kind: Kind,
    pub(super) place: Place,
    pub(super) seen: Seen,
    pub(super) findings: mpsc::Sender<Vec<Finding>>,
}

/// What came of it.
pub(super) struct Outcome {
    pub(super) seen: Seen,
    /// Packages of other architectures.
    pub(super) foreign: u64,
}

impl Task {
    /// Reads the whole index. Blocks.
    pub(super) fn run(mut self) -> Result<Outcome, Error> {
        let limit = self.index.plain.as_ref().map_or(MAX_INDEX, |plain| plain.size.min(MAX_INDEX));
        let file = File::open(&self.path).map_err(|error| self.unreadable(&error))?;
        let input = BufReader::with_capacity(256 << 10, file);
        let unpacked =
            self.offer.compression.open(input, limit).map_err(|error| self.unreadable(&error))?;
        let hashed = Hashed { inner: unpacked, sum: Sha256::new() };
        let mut reader =
            Reader::new(BufReader::with_capacity(256 << 10, hashed), Reader::<&[u8]>::INDEX);
        let mut found = Found { batch: Vec::with_capacity(BATCH), foreign: 0 };
        while let Some(paragraph) =
            reader.read_next().map_err(|error| refuse(&self.offer.path, &error))?
        {
            if self.seen.places.len() >= MAX_PACKAGES {
                let message =
                    format!("{} lists more than {MAX_PACKAGES} packages", self.offer.path);
                return Err(Error::operation("limit.packages", message));
            }
            self.look_at(&paragraph, &mut found);
            if found.batch.len() >= BATCH {
                let batch = std::mem::replace(&mut found.batch, Vec::with_capacity(BATCH));
                self.findings.blocking_send(batch).map_err(|_gone| Error::cancelled())?;
            }
        }
        self.check_plain(reader.into_inner().into_inner().sum)?;
        self.findings.blocking_send(found.batch).map_err(|_gone| Error::cancelled())?;
        Ok(Outcome { seen: self.seen, foreign: found.foreign })
    }

    fn look_at(&mut self, paragraph: &Paragraph<'_>, found: &mut Found) {
        if self.kind == Kind::Binary && !self.is_wanted(paragraph) {
            found.foreign += 1;
            return;
        }
        let declared = match self.kind {
            Kind::Binary => units::binary(&self.place, paragraph),
            Kind::Source => units::source(&self.place, paragraph),
        };
        match declared {
            Ok(declared) => found.batch.extend(self.seen.take(declared)),
            Err(refused) => found.batch.push(Finding::Refused(refused)),
        }
    }

    /// An index holds what is for its architecture, and what is for all.
    fn is_wanted(&self, paragraph: &Paragraph<'_>) -> bool {
        if self.place.settings.verbatim {
            // An index that is published as it is lists them, so they must be there.
            return true;
        }
        let own = units::architecture(paragraph).unwrap_or_default();
        // One that names none is no package of another architecture: it is refused as what it is.
        if matches!(&*own, "all" | "") {
            return true;
        }
        let wanted = &self.place.settings.architectures;
        let configured = || wanted.is_empty() || wanted.iter().any(|it| *it == own);
        self.index
            .architecture
            .as_ref()
            .map_or_else(configured, |architecture| own == *architecture)
    }

    /// What was unpacked must be what the Release says of the plain file, too.
    fn check_plain(&self, sum: Sha256) -> Result<(), Error> {
        let listed = self.index.plain.as_ref().and_then(|plain| plain.sha256.as_deref());
        let found = names::digits(&sum.finalize());
        match listed.filter(|listed| *listed != found) {
            None => Ok(()),
            Some(listed) => Err(Error::operation(
                "integrity.digest",
                format!(
                    "{} unpacks to sha256 {found}, but the Release lists {listed}. Nothing was changed",
                    self.offer.path
                ),
            )),
        }
    }

    fn unreadable(&self, error: &io::Error) -> Error {
        super::fetch::unreadable(&self.offer.path, error)
    }
}

struct Found {
    batch: Vec<Finding>,
    foreign: u64,
}

fn refuse(path: &str, error: &ControlError) -> Error {
    let code = if error.is_limit() { "limit.index" } else { "content.index" };
    Error::operation(code, format!("{path}: {error}. Nothing was changed; tell whoever makes it"))
}

/// Hashes what is read.
struct Hashed<R> {
    inner: R,
    sum: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.sum.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}
