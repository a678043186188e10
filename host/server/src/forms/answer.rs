//! Answers that upload clients show to people: a status, its reason and the body, in plain words.
//!
//! twine prints the reason phrase, uv the body; so both say the same.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use hyper::ext::ReasonPhrase;
use wharf_engine::{BroughtUnit, Class, JobView, Problem};

use crate::body::Body;

/// The longest reason phrase.
const MAX_REASON: usize = 200;

/// A form that was not taken.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
    help: Option<String>,
    late: bool,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), help: None, late: false }
    }

    /// The method is not one for uploads.
    pub(super) fn method(message: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, message)
    }

    /// The job takes longer than a client waits.
    pub(super) fn late(job: i64) -> Self {
        let message = format!("the upload is taken, and job {job} goes on with it");
        let help = Some(format!("`wharf job show {job}` tells how it ends"));
        Self { status: StatusCode::GATEWAY_TIMEOUT, message, help, late: true }
    }

    pub(super) fn is_late(&self) -> bool {
        self.late
    }

    pub(super) fn response(self) -> Response<Body> {
        let reason = self.message.clone();
        let text = match self.help {
            Some(help) => format!("{}\n{help}\n", self.message),
            None => format!("{}\n", self.message),
        };
        let mut response = plain(self.status, text);
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let realm = HeaderValue::from_static("Basic realm=\"wharf\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, realm);
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        if let Ok(reason) = ReasonPhrase::try_from(phrase(&reason).into_bytes()) {
            response.extensions_mut().insert(reason);
        }
        response
    }
}

/// What upload clients understand: 400 for what is wrong with the files, 409 for what is there already.
impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let kind = problem.code.split('.').next().unwrap_or_default();
        let status = match (problem.class, kind) {
            (Class::Usage, "unauthorized") => StatusCode::UNAUTHORIZED,
            (Class::Usage, "forbidden" | "policy") => StatusCode::FORBIDDEN,
            (Class::Usage, "not_found") => StatusCode::NOT_FOUND,
            (Class::Usage | Class::Operation, "conflict") => StatusCode::CONFLICT,
            (Class::Operation, _) if problem.code == "content.conflict" => StatusCode::CONFLICT,
            (Class::Operation, "limit") => StatusCode::PAYLOAD_TOO_LARGE,
            (Class::Operation, "storage" | "draining") | (Class::Cancelled, _) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            (Class::Usage | Class::Operation, _) => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, message: problem.message, help: problem.help, late: false }
    }
}

impl From<multer::Error> for Refusal {
    fn from(error: multer::Error) -> Self {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        let message = format!("the form cannot be read: {error}{}", cause.unwrap_or_default());
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

/// What a form became.
pub(super) fn words(job: &JobView) -> String {
    let Some(result) = &job.result else { return String::new() };
    let line = |unit: &BroughtUnit| format!("{} -> {} {}", unit.file, unit.kind, unit.unit);
    let lines: Vec<String> = result.brought.iter().map(line).collect();
    lines.join("\n") + "\n"
}

pub(super) fn done(words: &str) -> Response<Body> {
    plain(StatusCode::OK, words.to_owned())
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::Bytes(Bytes::from(text)));
    *response.status_mut() = status;
    let media = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
}

/// One line of printable ASCII, which is all that every client reads.
fn phrase(message: &str) -> String {
    let plain = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    message.chars().map(plain).take(MAX_REASON).collect()
}
