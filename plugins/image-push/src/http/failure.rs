//! What a provider or the network does wrong, as errors for people: what happened, where, and what to do next. None of
//! them has an address's query, a password or a token in it.

use wharf_http::{Lost, find};
use wharf_sdk::Error;

use super::{Http, Sent};

/// Letters of a provider's own words that are told.
const MAX_WORDS: usize = 300;

/// The connection failed: before, or in the middle of, an answer.
pub(crate) fn lost(http: &Http, error: &reqwest::Error) -> Error {
    let place = &http.place;
    // What the host itself said, while its bytes were on their way.
    if let Some(own) = find::<Error>(error) {
        return own.clone();
    }
    match Lost::of(error) {
        Lost::Untrusted(tls) => {
            let message = format!(
                "{place}: no trusted connection: {tls}; if its certificate is not from a public authority, put the \
                 authority's into ca_certificate"
            );
            Error::operation("source.tls", message).at_field(http.field)
        }
        Lost::Unreachable(why) => {
            let message = format!(
                "{place}: it cannot be talked to: {why}; look whether it runs and lets this machine in"
            );
            Error::operation("source.unreachable", message).at_field(http.field).retryable()
        }
        Lost::Broken(why) => {
            let message = format!("{place}: the connection broke: {why}");
            Error::operation("source.broken", message).retryable()
        }
    }
}

/// A status that nothing else is known about.
pub(crate) fn status(http: &Http, sent: &Sent) -> Error {
    let code = sent.status;
    let said = words(&sent.text());
    let message = format!("{}: it answers HTTP {code}{said}", http.place);
    if code.is_redirection() {
        let message =
            format!("{message}; it wants us elsewhere: put its own address into the settings");
        return Error::usage("config.url", message).at_field(http.field);
    }
    let error = Error::operation("source.status", message);
    match code.as_u16() {
        429 | 500 | 502 | 503 | 504 => error.retryable(),
        _ => error,
    }
}

/// The provider does not take who we are, or does not let us.
pub(crate) fn refused(http: &Http, sent: &Sent, advice: &str) -> Error {
    let said = words(&sent.text());
    let place = &http.place;
    if sent.status == 401 {
        let message = format!("{place}: it does not take the credentials{said}; {advice}");
        return Error::usage("usage.credentials", message);
    }
    let message = format!("{place}: the user may not do that (HTTP {}){said}", sent.status);
    Error::usage("usage.rights", message)
}

/// What a provider says, in one line, if it says something readable.
pub(crate) fn words(text: &str) -> String {
    let plain: String = text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.is_empty() || plain.starts_with("<!DOCTYPE") || plain.starts_with("<html") {
        return String::new();
    }
    let cut: String = plain.chars().take(MAX_WORDS).collect();
    format!(": {cut}")
}
