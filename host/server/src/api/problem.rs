//! Problems as HTTP answers. The only place that knows which problem has which status.

use axum::response::{IntoResponse, Response as ApiResponse};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use super::types::{Class, Problem, ProblemDocument};

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A refused or failed request.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    headers: HeaderMap,
    problem: Box<Problem>,
}

impl Failure {
    /// A request that the server itself refuses.
    pub(crate) fn usage(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self::new(status, Class::Usage, code, message)
    }

    /// The server takes no new jobs any more; another one will, in a moment.
    pub(crate) fn draining() -> Self {
        let message = "this server lives inside a command that is done, and takes no new jobs";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Class::Operation, "draining", message)
            .help("try again: the data folder is free as soon as the last job here has ended")
            .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// A request that took too long.
    pub(crate) fn timeout() -> Self {
        let message = "the request took too long and was given up; what it began may still happen";
        Self::new(StatusCode::GATEWAY_TIMEOUT, Class::Operation, "limit.time", message)
    }

    /// A bug of ours. `mark` finds the log lines.
    pub(crate) fn internal(mark: &str) -> Self {
        let message = format!("the server met a bug while answering; its log says more at {mark}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Class::Fault, "internal", message)
            .help("please report it with the log lines around that mark")
    }

    fn new(status: StatusCode, class: Class, code: &str, message: impl Into<String>) -> Self {
        let problem = Problem {
            class,
            code: code.to_owned(),
            message: message.into(),
            at: None,
            help: None,
            details: None,
        };
        Self { status, headers: HeaderMap::new(), problem: Box::new(problem) }
    }

    /// The same failure, about this thing.
    #[must_use]
    pub(crate) fn at(mut self, at: impl Into<String>) -> Self {
        self.problem.at = Some(at.into());
        self
    }

    /// The same failure, with advice.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.problem.help = Some(help.into());
        self
    }

    /// The same failure, with a further header.
    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The same failure, with another status than its problem has elsewhere.
    #[must_use]
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The answer.
    pub(crate) fn response(self) -> Response<Bytes> {
        let document = ProblemDocument {
            status: self.status.as_u16(),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            problem: *self.problem,
        };
        // Text, numbers and JSON values with text keys: nothing in it can refuse to be written.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.headers_mut().insert(header::CONTENT_TYPE, MEDIA_TYPE);
        response
    }
}

impl From<wharf_engine::Problem> for Failure {
    fn from(problem: wharf_engine::Problem) -> Self {
        let problem = Problem::from(problem);
        let status = status(&problem);
        if problem.class == Class::Fault {
            tracing::error!(
                code = problem.code,
                message = problem.message,
                "a request met a fault"
            );
        }
        Self { status, headers: HeaderMap::new(), problem: Box::new(problem) }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> ApiResponse {
        self.response().map(axum::body::Body::from)
    }
}

/// Other limits are broken by upstream, not by the client.
fn is_of_upload(code: &str) -> bool {
    matches!(code, "limit.upload" | "limit.uploads" | "limit.attributes")
}

/// The status of a problem, by its class and the first word of its code.
fn status(problem: &Problem) -> StatusCode {
    let kind = problem.code.split('.').next().unwrap_or_default();
    match (problem.class, kind) {
        (Class::Usage, "not_found") => StatusCode::NOT_FOUND,
        (Class::Usage, "conflict") | (Class::Cancelled, _) => StatusCode::CONFLICT,
        (Class::Usage, "unauthorized") => StatusCode::UNAUTHORIZED,
        (Class::Usage, "forbidden" | "policy") => StatusCode::FORBIDDEN,
        (Class::Usage, _) => StatusCode::UNPROCESSABLE_ENTITY,
        (Class::Operation, "limit") if is_of_upload(&problem.code) => StatusCode::PAYLOAD_TOO_LARGE,
        (Class::Operation, "storage" | "draining") => StatusCode::SERVICE_UNAVAILABLE,
        (Class::Operation, _) => StatusCode::BAD_GATEWAY,
        (Class::Fault, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_status_of_its_class_and_kind() {
        let check = |class, code: &str, expected: u16| {
            let failure = Failure::new(StatusCode::IM_A_TEAPOT, class, code, "");
            assert_eq!(status(&failure.problem).as_u16(), expected, "{code}");
        };
        check(Class::Usage, "not_found.repository", 404);
        check(Class::Usage, "conflict.path", 409);
        check(Class::Usage, "policy.type", 403);
        check(Class::Usage, "usage.settings", 422);
        check(Class::Operation, "source.unreachable", 502);
        check(Class::Operation, "storage.full", 503);
        check(Class::Cancelled, "cancelled", 409);
        check(Class::Fault, "crashed", 500);
    }

    #[test]
    fn an_answer_holds_the_problem_and_its_status() {
        let response = Failure::usage(StatusCode::NOT_FOUND, "not_found.x", "no \"x\"")
            .at("x")
            .header(header::ALLOW, HeaderValue::from_static("GET"))
            .response();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::ALLOW], "GET");
        let document: ProblemDocument = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((document.status, document.title.as_str()), (404, "Not Found"));
        assert_eq!(document.problem.at.as_deref(), Some("x"));
    }
}
