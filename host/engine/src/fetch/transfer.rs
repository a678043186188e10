//! One file from its sources to its target: attempts, resuming (F112), limits (F102), verification (F101).

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use tokio::{
    select,
    task::spawn_blocking,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Done, Error, Meter, Request, error,
    http::{Answer, Ask, Opened, Shared, until},
    local,
    notes::{Notes, WORTH_NOTING},
    retry::{Plan, Progress},
    sink::{About, Arrived, Sink},
    target::{Target, discard},
    trust,
    verify::Expected,
};

/// A file that is here, verified.
pub(super) enum Landed {
    NotModified,
    /// Few bytes, still to be written to the target.
    Memory(Vec<Bytes>, Done),
    File(Done),
}

/// The work on one request.
pub(super) struct Transfer<'a> {
    pub(super) shared: &'a Shared,
    pub(super) request: &'a Request,
    pub(super) cancel: &'a CancellationToken,
    pub(super) meter: &'a Meter,
}

/// The beginning of a body, kept for the next attempt.
struct Partial {
    source: usize,
    validator: String,
    target: Target,
}

impl Transfer<'_> {
    /// Tries the sources until the file is here or no hope is left.
    ///
    /// # Cancel safety
    /// Ends within a second after the token; dropped, at most one pile is still written to the target.
    pub(super) async fn land(&self) -> Result<Landed, Error> {
        let expected = Expected::of(self.request, &self.shared.config)?;
        if self.request.sources.is_empty() {
            return Err(Error::NoSource);
        }
        let mut plan = Plan::new(&self.shared.config, self.request.sources.len());
        let mut partial = self.left_behind(&expected).await?;
        if let Some(partial) = &partial {
            plan.prefer(partial.source);
        }
        loop {
            let before = partial.as_ref().map_or(0, |partial| partial.target.bytes);
            let error = match self.attempt(plan.current(), &mut partial, &expected).await {
                Ok(landed) => return Ok(landed),
                Err(error) => error,
            };
            let after = partial.as_ref().map(|partial| partial.target.bytes);
            let progress = Progress {
                resumable: after.is_some(),
                added: after.unwrap_or(0).saturating_sub(before),
            };
            let asked = asked_for(&error);
            let next = match plan.after(error, progress) {
                Ok(wait) if wait.is_zero() => Ok(()),
                Ok(wait) => until(self.cancel, sleep(wait.max(asked))).await,
                Err(error) => Err(error),
            };
            if let Err(error) = next {
                self.clean_up(partial).await;
                return Err(error);
            }
            self.meter.add_retry();
        }
    }

    async fn attempt(
        &self,
        place: usize,
        partial: &mut Option<Partial>,
        expected: &Expected,
    ) -> Result<Landed, Error> {
        let source = self.request.sources.get(place).ok_or(Error::NoSource)?;
        if trust::is_file(&source.url) {
            *partial = None;
            return self.local(place, expected).await;
        }
        if partial.as_ref().is_some_and(|partial| partial.source != place) {
            *partial = None;
        }
        loop {
            let resume =
                partial.as_ref().map(|partial| (partial.target.bytes, partial.validator.as_str()));
            let ask = Ask {
                shared: self.shared,
                source,
                trust: &self.request.trust,
                validators: &self.request.validators,
                resume,
                cancel: self.cancel,
                meter: self.meter,
            };
            match Box::pin(ask.open()).await {
                Ok(Opened::NotModified) => return Ok(Landed::NotModified),
                Ok(Opened::Body(answer)) => {
                    return self.receive(*answer, place, partial, expected).await;
                }
                // Without a part the server is not asked for one, so this happens once.
                Ok(Opened::StartOver) => *partial = None,
                Err(error) => {
                    if matches!(error, Error::Answer { .. }) {
                        *partial = None;
                    }
                    return Err(error);
                }
            }
        }
    }

    async fn local(&self, place: usize, expected: &Expected) -> Result<Landed, Error> {
        let _pass = until(self.cancel, self.shared.gate.enter_local()).await?;
        let job = local::Copy::new(self.request, place, expected, self.cancel, self.meter)
            .ok_or(Error::NoSource)?;
        let target = &self.request.target;
        spawn_blocking(move || job.run())
            .await
            .map_err(|error| Error::Storage { path: target.clone(), source: error.into() })?
    }

    /// Takes the body in; what came before it broke off is kept in `partial`.
    async fn receive(
        &self,
        mut answer: Answer,
        place: usize,
        partial: &mut Option<Partial>,
        expected: &Expected,
    ) -> Result<Landed, Error> {
        let url = trust::shown(&answer.url);
        if let Some(Err(error)) = answer.total.map(|total| expected.admit(&url, total)) {
            *partial = None;
            return Err(error);
        }
        let mut sink = self.sink(&answer, place, partial.take(), expected);
        let received = self.pour(&mut answer, &url, &mut sink, expected).await;
        if let Err(error) = received {
            if let (Some(validator), true) = (answer.strong_validator(), may_go_on(&error)) {
                let validator = validator.to_owned();
                *partial =
                    sink.settle().await?.map(|target| Partial { source: place, validator, target });
            } else {
                // Nothing of it is used, but nobody may write to the target once we are done.
                sink.settle().await?;
            }
            return Err(error);
        }
        let mut done = |sha256, size| Done {
            sha256,
            size,
            etag: answer.etag.take(),
            last_modified: answer.last_modified.take(),
            final_url: url.clone(),
            media_type: answer.media_type.take(),
        };
        match sink.finish().await? {
            Arrived::Memory(pieces, mut sums) => {
                for piece in &pieces {
                    sums.update(piece);
                }
                let size = pieces.iter().map(|piece| piece.len() as u64).sum();
                let sha256 = expected.verify(&url, sums, size)?;
                Ok(Landed::Memory(pieces, done(sha256, size)))
            }
            Arrived::File(target) => {
                let size = target.bytes;
                let sha256 = expected.verify(&url, target.sums, size)?;
                self.forget_notes(size, expected).await?;
                Ok(Landed::File(done(sha256, size)))
            }
        }
    }

    fn sink(
        &self,
        answer: &Answer,
        place: usize,
        partial: Option<Partial>,
        expected: &Expected,
    ) -> Sink {
        let worth = expected.is_vouched_for()
            && answer.total.or(expected.size).is_some_and(|size| size >= WORTH_NOTING);
        let notes = answer.strong_validator().filter(|_| worth).and_then(|validator| {
            let url = self.request.sources.get(place)?.url.clone();
            Some(Notes { url, validator: validator.to_owned() })
        });
        let about = About {
            total: answer.total.or(expected.size),
            media_type: answer.media_type.clone(),
            notes,
        };
        let (target, follow) = (&self.request.target, self.request.follow.clone());
        match partial {
            Some(partial) if answer.from > 0 => Sink::resume(target, partial.target, about, follow),
            _ => Sink::new(target, expected.sums(), about, follow),
        }
    }

    async fn pour(
        &self,
        answer: &mut Answer,
        url: &str,
        sink: &mut Sink,
        expected: &Expected,
    ) -> Result<(), Error> {
        let stall = self.shared.config.stall_timeout;
        let mut cancelled = pin!(self.cancel.cancelled());
        let mut got = answer.from;
        loop {
            let chunk = select! {
                biased;
                () = &mut cancelled => return Err(Error::Cancelled),
                chunk = timeout(stall, answer.response.chunk()) => chunk,
            };
            match chunk {
                Ok(Ok(Some(bytes))) => {
                    self.meter.add_bytes(bytes.len());
                    if let Some(pace) = &self.request.pace {
                        tokio::select! {
                            () = self.cancel.cancelled() => return Err(Error::Cancelled),
                            () = pace.pass(bytes.len()) => {}
                        }
                    }
                    got += bytes.len() as u64;
                    expected.admit_so_far(url, got)?;
                    sink.push(bytes).await?;
                }
                Ok(Ok(None)) => break,
                Ok(Err(error)) => {
                    let reason = error::innermost(&error.without_url());
                    let all = answer.total.or(expected.size);
                    return Err(Error::Truncated {
                        url: url.to_owned(),
                        got,
                        expected: all,
                        reason,
                    });
                }
                Err(_elapsed) => {
                    return Err(Error::Stalled { url: url.to_owned(), got, after: stall });
                }
            }
        }
        // A body that ends with its connection cannot tell its end from a broken connection.
        match expected.size.filter(|size| got < *size && answer.total.is_none()) {
            Some(_) => Err(Error::Truncated {
                url: url.to_owned(),
                got,
                expected: expected.size,
                reason: "the connection was closed".to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// What an attempt of the same job left at the target before this process began.
    async fn left_behind(&self, expected: &Expected) -> Result<Option<Partial>, Error> {
        if !expected.is_vouched_for() || expected.size.is_some_and(|size| size < WORTH_NOTING) {
            return Ok(None);
        }
        let (target, expected, cancel) =
            (self.request.target.clone(), expected.clone(), self.cancel.clone());
        let found = spawn_blocking(move || Notes::resume(&target, &expected, &cancel)).await;
        let found = found.map_err(|error| Error::Storage {
            path: self.request.target.clone(),
            source: error.into(),
        })?;
        Ok(found.and_then(|(notes, target)| {
            let source = self.request.sources.iter().position(|source| source.url == notes.url)?;
            Some(Partial { source, validator: notes.validator, target })
        }))
    }

    async fn forget_notes(&self, size: u64, expected: &Expected) -> Result<(), Error> {
        if size < WORTH_NOTING || !expected.is_vouched_for() {
            return Ok(());
        }
        let target = self.request.target.clone();
        spawn_blocking(move || Notes::remove(&target))
            .await
            .map_err(std::io::Error::from)
            .flatten()
            .map_err(|source| Error::Storage { path: self.request.target.clone(), source })
    }

    /// Leaves the target only where a later attempt can continue it.
    async fn clean_up(&self, partial: Option<Partial>) {
        let target = self.request.target.clone();
        // It fails only when the runtime is going down, and the job's folder with it.
        spawn_blocking(move || {
            if partial.is_none() || !Notes::exist(&target) {
                discard(&target);
            }
        })
        .await
        .unwrap_or_default();
    }
}

/// Whether the bytes so far may be the beginning of the right file.
fn may_go_on(error: &Error) -> bool {
    matches!(error, Error::Truncated { .. } | Error::Stalled { .. } | Error::Cancelled)
}

fn asked_for(error: &Error) -> Duration {
    match error {
        Error::Status { retry_after: Some(time), .. } => *time,
        _ => Duration::ZERO,
    }
}
