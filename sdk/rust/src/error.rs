//! The error that a plugin's method ends with, and how it travels.
//!
//! An expected error is the last event of a long call. Its class decides how the host treats it, its code says
//! what happened; both are part of the contract.

use std::time::Duration;

use wharf_proto::v1;

/// How an error is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// The user can fix it: a bad value, a missing right, an unknown name. Never retried.
    Usage,
    /// The outside world failed: unreachable, vanished, wrong checksum.
    Operation,
    /// A stop was asked for.
    Cancelled,
    /// A bug, on either side.
    Fault,
}

/// How far an operation error reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// One item failed; the run goes on.
    Item,
    /// This attachment failed; others may go on.
    Attachment,
    /// The run failed.
    Run,
}

/// An error of a plugin, for people and for the host.
///
/// ```
/// use wharf_sdk::Error;
///
/// let error = Error::usage("config.url", "the address has no file name").at_field("/url");
/// assert_eq!(error.to_string(), "the address has no file name");
/// assert_eq!(error.code(), "config.url");
/// ```
#[derive(Clone, PartialEq, thiserror::Error)]
#[error("{}", body.message)]
pub struct Error {
    body: Box<Body>,
}

#[derive(Clone, Debug, PartialEq)]
struct Body {
    class: Class,
    code: String,
    message: String,
    scope: Scope,
    item: String,
    field: String,
    retryable: bool,
    retry_after: Duration,
    details: String,
    not_offered: bool,
}

impl Error {
    /// The user can fix it. Code: stable, dotted, its first word one of the contract's, such as `config.url`.
    /// Message: what happened, where, and what to do next.
    pub fn usage(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::Usage, code, message)
    }

    /// The outside world failed, for the whole run; narrow it with [`Error::for_item`] or [`Error::in_scope`].
    pub fn operation(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::Operation, code, message)
    }

    /// A stop was asked for. Methods of [`crate::Context`] end with this once the call is cancelled, so `?` is
    /// all that a plugin needs.
    pub fn cancelled() -> Self {
        Self::new(Class::Cancelled, "cancelled", "the call was cancelled")
    }

    /// A bug.
    pub fn fault(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::Fault, code, message)
    }

    /// The operation is not offered: the answer of every default method of the role traits.
    pub fn not_offered(operation: &str) -> Self {
        let message = format!("this plugin does not offer {operation}");
        Self::new(Class::Usage, "usage.not_offered", message).with(|body| body.not_offered = true)
    }

    fn new(class: Class, code: impl Into<String>, message: impl Into<String>) -> Self {
        let body = Body {
            class,
            code: code.into(),
            message: message.into(),
            scope: Scope::Run,
            item: String::new(),
            field: String::new(),
            retryable: false,
            retry_after: Duration::ZERO,
            details: String::new(),
            not_offered: false,
        };
        Self { body: Box::new(body) }
    }

    fn with(mut self, change: impl FnOnce(&mut Body)) -> Self {
        change(&mut self.body);
        self
    }

    /// The item that it is about; the scope becomes [`Scope::Item`].
    #[must_use]
    pub fn for_item(self, item: impl Into<String>) -> Self {
        self.with(|body| (body.item, body.scope) = (item.into(), Scope::Item))
    }

    /// How far it reaches.
    #[must_use]
    pub fn in_scope(self, scope: Scope) -> Self {
        self.with(|body| body.scope = scope)
    }

    /// The setting at fault, as a JSON pointer: `/url`.
    #[must_use]
    pub fn at_field(self, field: impl Into<String>) -> Self {
        self.with(|body| body.field = field.into())
    }

    /// Trying again may help.
    #[must_use]
    pub fn retryable(self) -> Self {
        self.with(|body| body.retryable = true)
    }

    /// Trying again may help, but not earlier than this.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        self.with(|body| (body.retryable, body.retry_after) = (true, wait))
    }

    /// Appends what an underlying error said.
    #[must_use]
    pub fn caused_by(self, cause: &dyn std::error::Error) -> Self {
        self.with(|body| body.message = format!("{}: {cause}", body.message))
    }

    /// Further evidence, as the text of a JSON object.
    #[must_use]
    pub fn with_details(self, details: impl Into<String>) -> Self {
        self.with(|body| body.details = details.into())
    }

    /// How it is treated.
    pub fn class(&self) -> Class {
        self.body.class
    }

    /// The stable, dotted code.
    pub fn code(&self) -> &str {
        &self.body.code
    }

    /// The item it is about, or an empty text.
    pub fn item(&self) -> &str {
        &self.body.item
    }

    /// The setting at fault, or an empty text.
    pub fn field(&self) -> &str {
        &self.body.field
    }

    /// How far it reaches.
    pub fn scope(&self) -> Scope {
        self.body.scope
    }

    /// Whether trying again may help.
    pub fn is_retryable(&self) -> bool {
        self.body.retryable
    }

    pub(crate) fn is_not_offered(&self) -> bool {
        self.body.not_offered
    }

    /// What a call that answers once, not with events, ends with.
    pub(crate) fn to_status(&self) -> tonic::Status {
        let code = match self.body.class {
            _ if self.body.not_offered => tonic::Code::Unimplemented,
            Class::Usage => tonic::Code::InvalidArgument,
            Class::Operation => tonic::Code::Unavailable,
            Class::Cancelled => tonic::Code::Cancelled,
            Class::Fault => tonic::Code::Internal,
        };
        tonic::Status::new(code, self.body.message.clone())
    }

    /// What a call to the host failed with. Source of the mapping: the contract's table of plain statuses.
    pub(crate) fn from_status(call: &str, status: &tonic::Status) -> Self {
        use tonic::Code;
        let message = format!("the host refused {call}: {}", status.message());
        match status.code() {
            Code::Cancelled => Self::cancelled(),
            Code::NotFound => Self::usage("not_found", message),
            Code::InvalidArgument | Code::FailedPrecondition => Self::usage("usage", message),
            Code::PermissionDenied | Code::Unauthenticated => Self::usage("policy", message),
            Code::Aborted => Self::operation("conflict", message).retryable(),
            Code::Unavailable | Code::ResourceExhausted => {
                Self::operation("internal.host", message).retryable()
            }
            Code::Unimplemented => {
                let message = format!("this host does not offer {call}");
                Self::fault("internal.host.not_offered", message)
            }
            _ => Self::fault("internal.host", message),
        }
    }
}

impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.body.fmt(f)
    }
}

impl From<Error> for v1::Error {
    fn from(error: Error) -> Self {
        let error = *error.body;
        let class = match error.class {
            Class::Usage => v1::ErrorClass::Usage,
            Class::Operation => v1::ErrorClass::Operation,
            Class::Cancelled => v1::ErrorClass::Cancelled,
            Class::Fault => v1::ErrorClass::Fault,
        };
        let scope = match error.scope {
            Scope::Item => v1::ErrorScope::Item,
            Scope::Attachment => v1::ErrorScope::Attachment,
            Scope::Run => v1::ErrorScope::Run,
        };
        Self {
            class: class.into(),
            code: error.code,
            message: error.message,
            scope: scope.into(),
            item: error.item,
            field: error.field,
            retryable: error.retryable,
            retry_after_ms: u64::try_from(error.retry_after.as_millis()).unwrap_or(u64::MAX),
            details: error.details,
        }
    }
}

/// An error of the host, as in the answers of `Host.Download`. What is not set counts as a fault of the run.
impl From<v1::Error> for Error {
    fn from(error: v1::Error) -> Self {
        let class = match error.class() {
            v1::ErrorClass::Usage => Class::Usage,
            v1::ErrorClass::Operation => Class::Operation,
            v1::ErrorClass::Cancelled => Class::Cancelled,
            v1::ErrorClass::Fault | v1::ErrorClass::Unspecified => Class::Fault,
        };
        let scope = match error.scope() {
            v1::ErrorScope::Item => Scope::Item,
            v1::ErrorScope::Attachment => Scope::Attachment,
            v1::ErrorScope::Run | v1::ErrorScope::Unspecified => Scope::Run,
        };
        let body = Body {
            class,
            scope,
            retry_after: Duration::from_millis(error.retry_after_ms),
            code: error.code,
            message: error.message,
            item: error.item,
            field: error.field,
            retryable: error.retryable,
            details: error.details,
            not_offered: false,
        };
        Self { body: Box::new(body) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_wire() {
        let error = Error::operation("source.unreachable", "no route")
            .for_item("a/b")
            .at_field("/url")
            .retry_after(Duration::from_secs(3))
            .with_details("{}");
        assert_eq!(Error::from(v1::Error::from(error.clone())), error);
    }

    #[test]
    fn every_class_keeps_its_meaning_on_the_wire() {
        for (error, class) in [
            (Error::usage("usage", ""), v1::ErrorClass::Usage),
            (Error::operation("source", ""), v1::ErrorClass::Operation),
            (Error::cancelled(), v1::ErrorClass::Cancelled),
            (Error::fault("internal", ""), v1::ErrorClass::Fault),
        ] {
            assert_eq!(v1::Error::from(error).class(), class);
        }
    }

    #[test]
    fn an_error_without_class_is_a_fault_of_the_run() {
        let error = Error::from(v1::Error::default());
        assert_eq!((error.class(), error.scope()), (Class::Fault, Scope::Run));
    }
}
