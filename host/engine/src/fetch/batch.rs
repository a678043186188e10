//! Many files in one go: transfers run side by side, and small files are written by the dozen, so that a file of
//! a kilobyte does not pay for a change of threads.

use std::{collections::VecDeque, io, path::PathBuf};

use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;

use super::{
    Done, Error, Fetched, Fetcher, Meter, Request, http::until, local::Copy, target::write_small,
    transfer::Landed, trust, verify::Expected,
};

/// Small files written by one visit to the blocking pool, and their bytes.
const FILES: usize = 64;
const BYTES: u64 = 8 << 20;

/// What one future works on.
enum Work {
    One(usize),
    /// Local files, copied by one visit to the blocking pool.
    Local(Vec<usize>),
}

type Results = Vec<Result<Fetched, Error>>;
type Writings = Vec<(usize, Result<Done, Error>)>;

impl Fetcher {
    /// Brings many files; what [`Fetcher::fetch`] would answer for each, in the order of the requests.
    ///
    /// One file's error stops no other. Files arrive in any order; [`Meter::files`] counts them. Call it with as many
    /// requests as the caller can take in at once (a thousand is good), rather than with a few.
    ///
    /// # Cancel safety
    /// Ends within a second after the token, with [`Error::Cancelled`] for what was not done. Dropped, at most one pile
    /// of files is still written to its targets.
    pub async fn fetch_many(
        &self,
        requests: &[Request],
        cancel: &CancellationToken,
        meter: &Meter,
    ) -> Results {
        let batch = Batch { fetcher: self, requests, cancel, meter };
        let mut results: Results = requests.iter().map(|_| Err(Error::Cancelled)).collect();
        let mut waiting = plan(requests);
        let mut running = FuturesUnordered::new();
        let mut desk = Desk::default();
        // Twice as many as may run: one host that is busy or pausing does not hold up the others.
        let window = self.shared.config.parallel.saturating_mul(2).max(1);
        loop {
            while running.len() < window
                && let Some(work) = waiting.pop_front()
            {
                running.push(batch.work(work));
            }
            let Some(landings) = running.next().await else { break };
            for (place, landed) in landings {
                match landed {
                    Ok(Landed::Memory(pieces, done)) => desk.lay(place, requests, pieces, done),
                    Ok(Landed::File(done)) => settle(&mut results, place, Ok(done), meter),
                    Ok(Landed::NotModified) => set(&mut results, place, Ok(Fetched::NotModified)),
                    Err(error) => settle(&mut results, place, Err(error), meter),
                }
            }
            if desk.is_full() {
                desk.hand_over(&mut results, meter).await;
            }
        }
        // The first call takes what is being written, the second the rest.
        desk.hand_over(&mut results, meter).await;
        desk.hand_over(&mut results, meter).await;
        for (request, result) in requests.iter().zip(&results) {
            if matches!(result, Ok(Fetched::Done(_))) && request.is_vouched_for_weakly() {
                meter.add_weak();
            }
        }
        results
    }
}

/// Local files by the dozen, the others one by one.
fn plan(requests: &[Request]) -> VecDeque<Work> {
    let mut work = VecDeque::with_capacity(requests.len());
    let mut local = Vec::new();
    for (place, request) in requests.iter().enumerate() {
        let first_is_file =
            request.sources.first().is_some_and(|source| trust::is_file(&source.url));
        if first_is_file && request.follow.is_none() {
            local.push(place);
            if local.len() == FILES {
                work.push_back(Work::Local(std::mem::take(&mut local)));
            }
        } else {
            work.push_back(Work::One(place));
        }
    }
    if !local.is_empty() {
        work.push_back(Work::Local(local));
    }
    work
}

struct Batch<'a> {
    fetcher: &'a Fetcher,
    requests: &'a [Request],
    cancel: &'a CancellationToken,
    meter: &'a Meter,
}

impl Batch<'_> {
    async fn work(&self, work: Work) -> Vec<(usize, Result<Landed, Error>)> {
        match work {
            Work::One(place) => vec![(place, self.one(place).await)],
            Work::Local(places) => self.local(places).await,
        }
    }

    async fn one(&self, place: usize) -> Result<Landed, Error> {
        let request = self.requests.get(place).ok_or(Error::NoSource)?;
        if request.follow.is_none() {
            return self.fetcher.land(request, self.cancel, self.meter).await;
        }
        // Readers wait for its end, so it does not wait for a pile. `fetch` counts it itself.
        Ok(match Box::pin(self.fetcher.fetch_uncounted(request, self.cancel, self.meter)).await? {
            Fetched::Done(done) => Landed::File(done),
            Fetched::NotModified => Landed::NotModified,
        })
    }

    async fn local(&self, places: Vec<usize>) -> Vec<(usize, Result<Landed, Error>)> {
        let shared = &self.fetcher.shared;
        let copies: Vec<(usize, Result<Copy, Error>)> = places
            .iter()
            .filter_map(|&place| Some((place, self.requests.get(place)?)))
            .map(|(place, request)| {
                let expected = Expected::of(request, &shared.config);
                let copy = expected.and_then(|expected| {
                    Copy::new(request, 0, &expected, self.cancel, self.meter).ok_or(Error::NoSource)
                });
                (place, copy)
            })
            .collect();
        let Ok(_pass) = until(self.cancel, shared.gate.enter_local()).await else {
            return Vec::new();
        };
        let run = move || {
            copies.into_iter().map(|(place, copy)| (place, copy.and_then(Copy::run))).collect()
        };
        let mut landings: Vec<_> = match spawn_blocking(run).await {
            Ok(landings) => landings,
            Err(error) => {
                let failed =
                    |&place| (place, Err(self.storage(place, io::Error::other(error.to_string()))));
                return places.iter().map(failed).collect();
            }
        };
        for (place, landed) in &mut landings {
            // The whole way with its other sources and retries only for what needs it.
            if let Err(error) = landed
                && (error.retryable()
                    || error.is_integrity()
                    || self.requests.get(*place).is_some_and(|request| request.sources.len() > 1))
            {
                *landed = self.one(*place).await;
            }
        }
        landings
    }

    fn storage(&self, place: usize, source: io::Error) -> Error {
        let path =
            self.requests.get(place).map(|request| request.target.clone()).unwrap_or_default();
        Error::Storage { path, source }
    }
}

/// Small files that arrived: one pile to write, one being written.
#[derive(Default)]
struct Desk {
    pile: Vec<Small>,
    bytes: u64,
    writing: Option<JoinHandle<Writings>>,
}

struct Small {
    place: usize,
    path: PathBuf,
    pieces: Vec<Bytes>,
    done: Done,
}

impl Desk {
    fn lay(&mut self, place: usize, requests: &[Request], pieces: Vec<Bytes>, done: Done) {
        let path = requests.get(place).map(|request| request.target.clone()).unwrap_or_default();
        self.bytes += done.size;
        self.pile.push(Small { place, path, pieces, done });
    }

    fn is_full(&self) -> bool {
        self.pile.len() >= FILES || self.bytes >= BYTES
    }

    /// Waits for the pile that is being written, then begins with the next one.
    async fn hand_over(&mut self, results: &mut Results, meter: &Meter) {
        if let Some(writing) = self.writing.take() {
            // A panic there is ours; its files stay marked as not done.
            for (place, written) in writing.await.unwrap_or_default() {
                settle(results, place, written, meter);
            }
        }
        let pile = std::mem::take(&mut self.pile);
        self.bytes = 0;
        if !pile.is_empty() {
            self.writing =
                Some(spawn_blocking(move || pile.into_iter().map(Small::write).collect()));
        }
    }
}

impl Small {
    fn write(self) -> (usize, Result<Done, Error>) {
        (self.place, write_small(&self.path, &self.pieces, None).map(|()| self.done))
    }
}

fn settle(results: &mut Results, place: usize, done: Result<Done, Error>, meter: &Meter) {
    if done.is_ok() {
        meter.add_file();
    }
    set(results, place, done.map(Fetched::Done));
}

fn set(results: &mut Results, place: usize, result: Result<Fetched, Error>) {
    if let Some(slot) = results.get_mut(place) {
        *slot = result;
    }
}
