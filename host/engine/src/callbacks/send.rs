//! One attempt to tell one receiver of one event, and what follows from it.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::time::sleep;
use wharf_store::model::{Attempt, DueDelivery, Verdict};

use super::backoff::pause;
use super::config::millis;
use super::document;
use super::sign::Key;
use crate::clock;
use crate::engine::Inner;
use crate::fetch::post::Answered;
use crate::problem::Problem;

/// Before another attempt when the store does not take how one ended.
const UNNOTED: Duration = Duration::from_secs(5);

/// Tries once, and notes how that ended. A stop leaves it as it was: the next host tries.
pub(super) async fn send(engine: Arc<Inner>, due: DueDelivery) {
    let Some(answer) = engine.stop.run_until_cancelled(ask(&engine, &due)).await else { return };
    let answer = match answer {
        Ok(None) => return,
        Ok(Some(answered)) => Ok(answered),
        Err(problem) => Err(engine.secrets.redactor.problem(problem)),
    };
    let attempt = judge(&engine.config.callbacks.delays, &due, answer);
    tell(&due, &attempt);
    if let Err(error) = engine.store.meta.note_attempt(due.id, attempt).await {
        tracing::error!(job = due.job.0, callback = due.n, %error, "the end of an attempt cannot be noted");
        // A stop ends the pause.
        let _stopped = engine.stop.run_until_cancelled(sleep(UNNOTED)).await;
    }
    engine.callbacks.sent.notify_waiters();
}

/// None: the job is forgotten, and nobody waits for word of it.
async fn ask(engine: &Arc<Inner>, due: &DueDelivery) -> Result<Option<Answered>, Problem> {
    let Some(body) = document::body(engine, due).await? else { return Ok(None) };
    let timestamp = clock::now_ms() / 1000;
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", due.event.clone()),
        ("webhook-timestamp", timestamp.to_string()),
    ];
    if let Some(name) = &due.secret {
        // Read anew each time: one that was changed counts from then on.
        let key = Key::read(name, engine.secrets.get(name).await?)?;
        headers.push(("webhook-signature", key.sign(&due.event, timestamp, &body)?));
    }
    Ok(Some(engine.callbacks.poster.post(&due.url, &headers, body).await?))
}

fn judge(delays: &[Duration], due: &DueDelivery, answer: Result<Answered, Problem>) -> Attempt {
    let at_ms = clock::now_ms();
    let (status, wish, error) = match answer {
        Ok(Answered { status: status @ 200..300, .. }) => {
            return Attempt { at_ms, status: Some(status), verdict: Verdict::Delivered };
        }
        Ok(Answered { status, retry_after }) => (Some(status), retry_after, refusal(status)),
        Err(problem) => (None, None, problem.message),
    };
    let gone = status == Some(StatusCode::GONE.as_u16());
    // Without random numbers all wait equally long: worse, but no reason to fail.
    let chance = getrandom::u32().unwrap_or(u32::MAX / 2);
    let wait = pause(delays, due.attempts.saturating_add(1), wish, chance);
    let verdict = match wait.filter(|_| !gone) {
        Some(wait) => Verdict::Again { next_ms: at_ms.saturating_add(millis(wait)), error },
        None => Verdict::GivenUp { error, gone },
    };
    Attempt { at_ms, status, verdict }
}

fn refusal(status: u16) -> String {
    let known = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let name = known.map(|name| format!(" {name}")).unwrap_or_default();
    let means = match status {
        300..400 => ", and redirects are not followed: order with the address that it leads to",
        410 => ": it wants no more",
        _ => "",
    };
    format!("it answered {status}{name}{means}")
}

fn tell(due: &DueDelivery, attempt: &Attempt) {
    let DueDelivery { job, n, state, .. } = due;
    match &attempt.verdict {
        Verdict::Delivered => {
            tracing::debug!(job = job.0, callback = n, %state, "a callback was delivered");
        }
        Verdict::Again { error, .. } => {
            tracing::info!(job = job.0, callback = n, %state, %error, "a callback is tried again later");
        }
        Verdict::GivenUp { error, .. } => {
            tracing::warn!(job = job.0, callback = n, %state, %error, "a callback is given up");
        }
    }
}

#[cfg(test)]
mod tests {
    use wharf_store::model::{JobId, JobState};

    use super::*;

    fn due(attempts: u32) -> DueDelivery {
        DueDelivery {
            id: 1,
            event: "msg_1".to_owned(),
            job: JobId(1),
            n: 1,
            state: JobState::Running,
            job_attempts: 1,
            job_started_ms: None,
            created_ms: 0,
            attempts,
            url: "http://a/".to_owned(),
            origin: "http://a".to_owned(),
            secret: None,
        }
    }

    fn judged(attempts: u32, status: u16, wish: Option<u64>) -> (Verdict, i64) {
        let delays = [Duration::from_secs(10); 2];
        let answer = Answered { status, retry_after: wish.map(Duration::from_secs) };
        let attempt = judge(&delays, &due(attempts), Ok(answer));
        assert_eq!(attempt.status, Some(status));
        (attempt.verdict, attempt.at_ms)
    }

    // F154
    #[test]
    fn an_answer_is_a_receipt_a_reason_to_wait_or_the_end() {
        for status in [200, 204, 299] {
            assert_eq!(judged(5, status, None).0, Verdict::Delivered);
        }
        for (status, why) in
            [(500, "500 Internal"), (429, "429 Too"), (302, "not followed"), (599, "599")]
        {
            let (Verdict::Again { next_ms, error }, at_ms) = judged(0, status, None) else {
                panic!("{status}")
            };
            assert!((8_000..=12_000).contains(&(next_ms - at_ms)), "{status}: {next_ms}");
            assert!(error.contains(why), "{error}");
        }
        let (Verdict::Again { next_ms, .. }, at_ms) = judged(1, 503, Some(60)) else { panic!() };
        assert_eq!(next_ms - at_ms, 60_000);
        assert!(matches!(judged(2, 500, None).0, Verdict::GivenUp { gone: false, .. }));
        assert!(matches!(judged(0, 410, Some(60)).0, Verdict::GivenUp { gone: true, .. }));
    }
}
