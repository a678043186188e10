//! Work that leaves nothing behind when it is stopped or fails.

use std::time::Duration;

use wharf_sdk::{Context, Error};

/// How long taking back may take: the host waits a while for a call that it stopped, not for ever.
const PATIENCE: Duration = Duration::from_secs(5);

/// Does `work`; when it fails, or a stop is wanted, `undo` takes back what it began.
pub(crate) async fn or_undo<T, E: From<Error>>(
    context: &Context,
    work: impl Future<Output = Result<T, E>>,
    undo: impl AsyncFnOnce() -> Result<(), Error>,
) -> Result<T, E> {
    let outcome = tokio::select! {
        biased;
        () = context.cancelled() => Err(Error::cancelled().into()),
        outcome = work => outcome,
    };
    if outcome.is_err() {
        let undone = tokio::time::timeout(PATIENCE, undo()).await;
        let why = match undone {
            Ok(Ok(())) => return outcome,
            Ok(Err(error)) => error.to_string(),
            Err(_elapsed) => "it takes too long".to_owned(),
        };
        let text = format!(
            "what was begun at the provider stays there ({why}); the next push takes it away"
        );
        context.log(wharf_sdk::Level::WARN, text).await;
    }
    outcome
}
