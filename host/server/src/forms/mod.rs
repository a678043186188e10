//! `POST /upload/NAME/`: a form with files, as twine and uv send it, becomes units of a repository.
//!
//! The host knows forms, the repository's importer knows what its fields mean. The way through: who is it (`who`) → the
//! form is received, files straight to the disk (`receive`) → one import, as `wharf upload` asks for it → the version
//! and its publications are waited for → an answer in plain words (`answer`).
//!
//! Never reads a form of somebody who showed no good token, and never takes one in the clear from another machine.

mod answer;
mod receive;
mod stream;
mod who;

use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;
use wharf_engine::{Class, ImportFile, ImportOptions, JobState, JobView, Problem};

use self::answer::Refusal;
use self::receive::Received;
use crate::app::App;
use crate::body::Body;

/// Forms received at once; more wait.
pub(crate) const AT_ONCE: usize = 8;
/// How long version and publications may take before the client is told that they take longer.
const DEADLINE: Duration = Duration::from_mins(5);
/// What is read of a form that is refused, so that its client reads the refusal.
const DRAINED: usize = 64 << 20;
/// How long that may take.
const DRAINING: Duration = Duration::from_secs(10);

/// Whether secrets and files come in the clear over a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// They do not leave the machine.
    Local,
    /// Anybody on the way can read and change them.
    Open,
}

/// Answers a request below `/upload/`.
pub(crate) async fn serve(app: &App, wire: Wire, request: Request<Incoming>) -> Response<Body> {
    let (head, mut body) = request.into_parts();
    let taken = async {
        let place = permitted(app, wire, &head).await?;
        take(app, &place, &head, &mut body).await
    };
    match taken.await {
        Ok(words) => answer::done(&words),
        Err(refusal) => {
            drain(body).await;
            refusal.response()
        }
    }
}

/// The repository that the request means and may upload to.
async fn permitted(app: &App, wire: Wire, head: &http::request::Parts) -> Result<String, Refusal> {
    let place = head.uri.path().strip_prefix("/upload/").unwrap_or_default();
    let name = place.split('/').next().unwrap_or_default().to_owned();
    if head.method != Method::POST {
        let message = "files are uploaded here with POST; what is published is below /content/";
        return Err(Refusal::method(message));
    }
    if wire == Wire::Open {
        let message = "this address is served without TLS beyond the machine, where tokens could be read: uploads are \
                       taken on a loopback address only; put a proxy with TLS in front of one";
        return Err(Refusal::new(StatusCode::FORBIDDEN, message));
    }
    if app.is_draining() {
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server is leaving"));
    }
    let secret = who::secret(&head.headers).ok_or_else(|| {
        Refusal::new(StatusCode::UNAUTHORIZED, "a token is needed: it is the password")
    })?;
    let token = app.engine.authorize_upload(&secret, &name).await.map_err(|problem| {
        tracing::warn!(
            repository = name,
            code = problem.code,
            security = true,
            "an upload was refused"
        );
        Refusal::from(problem)
    })?;
    tracing::info!(repository = name, token, "an upload begins");
    Ok(name)
}

/// Receives the form and makes units of its files.
async fn take(
    app: &App,
    name: &str,
    head: &http::request::Parts,
    body: &mut Incoming,
) -> Result<String, Refusal> {
    let _place = app.forms.acquire().await.map_err(|_closed| {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server is leaving")
    })?;
    let mut received = Received::default();
    let done = async {
        receive::receive(app, name, &head.headers, body, &mut received).await?;
        import(app, name, &received).await
    };
    let done = done.await;
    // An import that took place has removed them itself; one that still runs needs them.
    if !matches!(&done, Err(refusal) if refusal.is_late()) {
        for id in received.uploads() {
            if let Err(problem) = app.engine.delete_upload(id).await
                && problem.code != "not_found.upload"
            {
                tracing::warn!(upload = id, %problem, "a refused upload stays until it is too old");
            }
        }
    }
    done
}

async fn import(app: &App, name: &str, received: &Received) -> Result<String, Refusal> {
    let files = received.uploads().map(|upload| ImportFile { upload, name: None }).collect();
    let attributes = received.attributes();
    let options = ImportOptions { files, attributes, ..ImportOptions::default() };
    let job = app.engine.import(name, options).await?;
    app.work();
    let id = job.id;
    let waiting = async {
        let ended = end(app, id).await?;
        let follow_ups = ended.result.iter().flat_map(|result| result.follow_ups.clone());
        for next in follow_ups.collect::<Vec<_>>() {
            // What could not be published is published later; the files are in the repository.
            if let Err(problem) = end(app, next).await {
                tracing::warn!(job = next, %problem, "an upload is not published");
            }
        }
        Ok::<_, Problem>(ended)
    };
    match timeout(DEADLINE, waiting).await {
        Ok(ended) => Ok(answer::words(&ended?)),
        Err(_elapsed) => Err(Refusal::late(id)),
    }
}

/// How a job ended; its problem, if it did not go well.
async fn end(app: &App, id: i64) -> Result<JobView, Problem> {
    if let Some(mut news) = app.engine.watch(id) {
        let over = news.wait_for(|view| view.finished_ms.is_some());
        tokio::select! {
            _over = over => {}
            () = app.stop.cancelled() => {
                return Err(Problem::new(Class::Operation, "draining", "the server is leaving"));
            }
        }
    }
    let job = app.engine.job(id).await?;
    match &job.problem {
        Some(problem) => Err(problem.clone()),
        None if job.state == JobState::Succeeded => Ok(job),
        None => Err(Problem::fault("internal", format!("job {id} ended as {}", job.state))),
    }
}

/// Reads some of a form that nobody wants: a client that still sends would not hear why.
async fn drain(mut body: Incoming) {
    let reading = async {
        let mut left = DRAINED;
        while left > 0 {
            let Some(Ok(frame)) = body.frame().await else { return };
            left = left.saturating_sub(frame.data_ref().map_or(0, bytes::Bytes::len));
        }
    };
    if timeout(DRAINING, reading).await.is_err() {
        tracing::debug!("a refused form took too long");
    }
}
