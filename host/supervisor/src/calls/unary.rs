//! A short call: one question, one answer.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tonic::{Response, Status};

use super::bounds::Bounds;
use super::error::CallError;
use super::status;
use super::unfinished::Unfinished;
use crate::connect::{Process, Taint};
use crate::patience;

/// How long an answer that was sent before the process ended may take to be read.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

/// Waits for `answer` inside the bounds.
pub(super) async fn unary<T>(
    process: &Process,
    call: &'static str,
    bounds: &Bounds,
    answer: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, CallError> {
    tokio::pin!(answer);
    let begun = Instant::now();
    let mut unfinished = Unfinished::new(process);
    let limit = bounds.deadline.map_or(bounds.stall, |deadline| deadline.min(bounds.stall));
    let answered = tokio::select! {
        biased;
        () = bounds.cancel.cancelled() => return Err(CallError::Cancelled),
        answered = &mut answer => answered,
        exit = process.end() => match timeout(LAST_WORDS, &mut answer).await {
            Ok(Ok(answered)) => Ok(answered),
            _ => return Err(status::crashed(process, call, exit)),
        },
        () = patience::over(begun, limit) => {
            process.set_taint(Taint::Fault);
            return Err(CallError::Unresponsive { call, after: begun.elapsed() });
        }
    };
    unfinished.ended();
    match answered {
        Ok(answer) => Ok(answer.into_inner()),
        Err(error) => Err(status::read(process, call, error).await),
    }
}
