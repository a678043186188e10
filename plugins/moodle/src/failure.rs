//! What a site or the network does wrong, as errors for people: what happened, where, and what to do next.
//!
//! What the user can mend is a usage error; what befell the site ends the run; what befell one file is that file's. None of
//! them has the user's key in it.

use std::time::Duration;

use reqwest::StatusCode;
use url::Url;
use wharf_http::Lost;
use wharf_sdk::{Error, Scope};

use crate::answer::Exception;
use crate::place::{plain, shown};
use crate::settings::Server;

/// What a request was about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked<'a> {
    /// A function of the web service.
    Function(&'static str),
    /// What the course of this name holds.
    Course(&'a str),
    /// The file at this path.
    File(&'a str),
}

impl Asked<'_> {
    pub(crate) fn function(&self) -> &'static str {
        match self {
            Self::Function(name) => name,
            Self::Course(_) => "core_course_get_contents",
            Self::File(_) => "webservice/pluginfile.php",
        }
    }

    /// For people: what, and where.
    fn shown(&self, server: &Server) -> String {
        match self {
            Self::Function(_) => shown(&server.url),
            Self::Course(name) => {
                format!("{}, course \"{}\"", shown(&server.url), shown(&plain(name)))
            }
            Self::File(path) => format!("{}, {}", shown(&server.url), shown(path)),
        }
    }

    /// As far as what was asked for reaches.
    fn reaching(&self, error: Error) -> Error {
        match self {
            Self::Function(_) | Self::Course(_) => error.in_scope(Scope::Attachment),
            Self::File(path) => error.for_item(*path),
        }
    }
}

/// The site's name is not known.
pub(crate) fn name(server: &Server, why: &str) -> Error {
    let message = format!(
        "{}: no address is known for it: {why}; look at the setting url, and whether this machine is in the network that \
         knows the name (a VPN, perhaps)",
        shown(&server.url)
    );
    Error::operation("source.name", message).in_scope(Scope::Attachment).retryable()
}

/// The connection failed: before, or in the middle of, an answer.
pub(crate) fn lost(server: &Server, asked: &Asked<'_>, error: &reqwest::Error) -> Error {
    match Lost::of(error) {
        Lost::Untrusted(tls) => {
            let message = format!(
                "{}: no trusted connection: {tls}; look whether the address and this machine's clock are right, and if the site has \
                 a certificate of its own authority, hand that one's over: --set certificates=@FILE",
                shown(&server.url)
            );
            Error::operation("source.tls", message).in_scope(Scope::Attachment)
        }
        Lost::Unreachable(why) => {
            let message = format!(
                "{}: the site cannot be talked to: {why}; look whether it runs and lets this machine in",
                shown(&server.url)
            );
            Error::operation("source.unreachable", message).in_scope(Scope::Attachment).retryable()
        }
        Lost::Broken(why) => {
            let message = format!("{}: the connection broke: {why}", asked.shown(server));
            asked.reaching(Error::operation("source.broken", message)).retryable()
        }
    }
}

/// A function took too long.
pub(crate) fn late(server: &Server, asked: &Asked<'_>) -> Error {
    let message =
        format!("{}: the answer to {} does not end", asked.shown(server), asked.function());
    Error::operation("source.unreachable", message).in_scope(Scope::Attachment).retryable()
}

/// An answer that is none of Moodle's.
pub(crate) fn malformed(server: &Server, asked: &Asked<'_>, error: &serde_json::Error) -> Error {
    let message = format!(
        "{}: what came is no answer of Moodle's to {} ({error}); look at the setting url: is it where the site begins?",
        asked.shown(server),
        asked.function()
    );
    asked.reaching(Error::operation("content.answer", message)).at_field("/url")
}

/// What the site itself says went wrong. Source: Moodle's words in `errorcode`.
pub(crate) fn exception(server: &Server, asked: &Asked<'_>, told: &Exception) -> Error {
    let (place, words) = (asked.shown(server), shown(&told.message));
    let key = server.token.name();
    match (told.code.as_str(), asked) {
        ("invalidtoken", _) => {
            let message = format!(
                "{place}: the site does not take your key ({words}); set it anew: wharf secret set {key} (in Moodle it \
                 stands below Preferences, Security keys, in the line of the mobile web service)"
            );
            Error::usage("usage.credentials", message).at_field("/token")
        }
        ("accessexception" | "servicenotavailable", _) => {
            let message = format!(
                "{place}: your key may not use {} ({words}); use the key of the mobile web service: wharf secret set {key}",
                asked.function()
            );
            Error::usage("usage.rights", message).at_field("/token")
        }
        ("sitemaintenance", _) => {
            let message =
                format!("{place}: the site is being worked on ({words}); sync again later");
            Error::operation("source.maintenance", message).in_scope(Scope::Attachment).retryable()
        }
        ("invalidrecord", Asked::Function(function)) => {
            let message = format!(
                "{place}: the site does not know {function} ({words}); whoever runs it must switch on the web service for \
                 mobile devices"
            );
            Error::operation("source.refused", message).in_scope(Scope::Attachment)
        }
        ("invalidrecord", Asked::Course(_)) => course(format!("{place}: it is gone ({words})")),
        (code, Asked::Course(_)) => {
            course(format!("{place}: the site does not show it to you: {words} ({})", shown(code)))
        }
        ("filenotfound" | "invalidrecord", Asked::File(path)) => vanished(server, path),
        (code, _) => {
            let message = format!("{place}: the site says: {words} ({})", shown(code));
            asked.reaching(Error::operation("source.refused", message))
        }
    }
}

/// Code of an error that is about one course and no other.
pub(crate) const COURSE: &str = "source.course";

fn course(message: String) -> Error {
    Error::operation(COURSE, message).in_scope(Scope::Attachment).at_field("/remote_dir")
}

/// No course of that name, or several.
pub(crate) fn unknown(server: &Server, wanted: &str, why: &str) -> Error {
    course(format!("{}: {why} \"{}\"", shown(&server.url), shown(wanted)))
}

/// A file is not there any more.
pub(crate) fn vanished(server: &Server, path: &str) -> Error {
    let message = format!(
        "{}, {}: it vanished between listing and fetching; the next sync will not list it",
        shown(&server.url),
        shown(path)
    );
    Error::operation("source.vanished", message).for_item(path)
}

/// A file is another one than that whose beginning the host has.
pub(crate) fn changing(server: &Server, path: &str) -> Error {
    let message = format!(
        "{}, {}: it was changed while it was fetched; sync again",
        shown(&server.url),
        shown(path)
    );
    Error::operation("source.changing", message).for_item(path).retryable()
}

/// An HTTP status other than a good one.
pub(crate) fn status(
    server: &Server,
    asked: &Asked<'_>,
    status: StatusCode,
    location: &str,
    wait: Option<Duration>,
) -> Error {
    let place = asked.shown(server);
    if status.is_redirection() {
        let to = Url::parse(location).ok().and_then(|url| url.host_str().map(str::to_owned));
        let message = format!(
            "{place}: the site sends us elsewhere (to {}), where your key is not sent; set url to the site's own address",
            shown(&to.unwrap_or_else(|| "another page".to_owned()))
        );
        return asked.reaching(Error::operation("source.moved", message)).at_field("/url");
    }
    match (status.as_u16(), asked) {
        (404 | 410, Asked::File(path)) => return vanished(server, path),
        (401 | 403, Asked::File(path)) => {
            let message = format!(
                "{place}: you may not read it (HTTP {status}); ask whoever runs the course"
            );
            return Error::operation("source.forbidden", message).for_item(*path);
        }
        (404, _) => {
            let message = format!(
                "{place}: there is no web service (HTTP {status}); look at the setting url: is it where the site begins?"
            );
            return asked.reaching(Error::operation("source.status", message)).at_field("/url");
        }
        _ => {}
    }
    let message = format!("{place}: {} is answered with HTTP {status}", asked.function());
    let error = asked.reaching(Error::operation("source.status", message));
    match wait {
        Some(wait) => error.retry_after(wait),
        None if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            error.retryable()
        }
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use wharf_sdk::{Class, SecretName};

    use super::*;

    fn server() -> Server {
        let token = SecretName::Name("school".to_owned());
        Server { url: "https://m.example".to_owned(), token, certificates: String::new() }
    }

    fn told(code: &str) -> Exception {
        Exception { code: code.to_owned(), message: "The site's words".to_owned() }
    }

    #[test]
    fn what_a_site_says_reaches_as_far_as_it_is_meant() {
        let function = Asked::Function("core_webservice_get_site_info");
        for (code, asked, class, expected, scope) in [
            ("invalidtoken", function, Class::Usage, "usage.credentials", None),
            ("invalidtoken", Asked::File("a"), Class::Usage, "usage.credentials", None),
            ("accessexception", function, Class::Usage, "usage.rights", None),
            (
                "invalidrecord",
                function,
                Class::Operation,
                "source.refused",
                Some(Scope::Attachment),
            ),
            (
                "invalidrecord",
                Asked::Course("C"),
                Class::Operation,
                COURSE,
                Some(Scope::Attachment),
            ),
            (
                "requireloginerror",
                Asked::Course("C"),
                Class::Operation,
                COURSE,
                Some(Scope::Attachment),
            ),
            (
                "filenotfound",
                Asked::File("a"),
                Class::Operation,
                "source.vanished",
                Some(Scope::Item),
            ),
            (
                "nopermissions",
                Asked::File("a"),
                Class::Operation,
                "source.refused",
                Some(Scope::Item),
            ),
            (
                "sitemaintenance",
                Asked::File("a"),
                Class::Operation,
                "source.maintenance",
                Some(Scope::Attachment),
            ),
        ] {
            let error = exception(&server(), &asked, &told(code));
            assert_eq!((error.class(), error.code()), (class, expected), "{code}");
            assert!(scope.is_none_or(|scope| scope == error.scope()), "{code}: {error:?}");
        }
    }

    #[test]
    fn statuses_are_told_with_what_to_do() {
        let of = |asked: Asked<'_>, code: u16, location: &str| {
            let code = StatusCode::from_u16(code).unwrap();
            status(&server(), &asked, code, location, None)
        };
        let moved = of(Asked::Function("f"), 301, "https://other.example/x?token=1");
        assert!(moved.to_string().contains("(to other.example)"), "{moved}");
        assert!(!moved.to_string().contains("token=1"), "{moved}");
        assert_eq!(of(Asked::File("a"), 404, "").code(), "source.vanished");
        assert_eq!(of(Asked::File("a"), 403, "").scope(), Scope::Item);
        assert!(of(Asked::File("a"), 502, "").is_retryable());
        assert_eq!(of(Asked::Function("f"), 404, "").field(), "/url");
        assert!(!of(Asked::Function("f"), 400, "").is_retryable());
    }
}
