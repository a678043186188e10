//! Who we are: nobody, a user with a password, or whoever holds a token that such a user was given. A registry says with
//! 401 what it wants. Source: distribution's "Token Authentication Specification", RFC 7617.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_auth::parse_challenges;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use url::Url;
use wharf_sdk::Error;

use crate::http::{Http, Sent, failure, is_in_the_clear};

/// A user of a registry.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
    /// What to do when they are not taken.
    pub(super) advice: String,
}

/// What a registry wants.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Basic,
    Token { realm: String, service: String, scope: String },
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// Answers a 401: what to send from now on.
pub(super) async fn answer(
    http: &Http,
    login: Option<&Login>,
    refused: &Sent,
    name: &str,
) -> Result<HeaderValue, Error> {
    let challenge = refused.header("WWW-Authenticate").unwrap_or_default();
    let wish = wish(challenge).ok_or_else(|| {
        let message = format!("{}: it wants a way of logging in that is not known", http.place);
        Error::operation("source.login", message)
    })?;
    match (wish, login) {
        (Wish::Basic, Some(login)) => value(format!("Basic {}", basic(login))),
        (Wish::Basic, None) => Err(anonymous(http)),
        (Wish::Token { realm, service, scope }, login) => {
            let realm = realm_of(http, &realm, login.is_some())?;
            let scope = if scope.is_empty() {
                format!("repository:{name}:pull,push,delete")
            } else {
                scope
            };
            token(http, login, &realm, (&service, &scope)).await
        }
    }
}

/// Reads a challenge.
fn wish(challenge: &str) -> Option<Wish> {
    let challenges = parse_challenges(challenge).ok()?;
    let bearer = challenges.iter().find(|it| it.scheme.eq_ignore_ascii_case("bearer"));
    if let Some(bearer) = bearer {
        let parameter = |name: &str| {
            let found = bearer.params.iter().find(|(key, _value)| key.eq_ignore_ascii_case(name));
            found.map(|(_key, value)| value.to_unescaped()).unwrap_or_default()
        };
        let [realm, service, scope] = ["realm", "service", "scope"].map(parameter);
        return Some(Wish::Token { realm, service, scope });
    }
    challenges.iter().any(|it| it.scheme.eq_ignore_ascii_case("basic")).then_some(Wish::Basic)
}

/// Where tokens are had. A registry may name any place, so the password goes there encrypted, or stays on this machine.
fn realm_of(http: &Http, realm: &str, with_password: bool) -> Result<Url, Error> {
    let url = Url::parse(realm).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url else {
        let message = format!("{}: it gives out tokens at an address that is none", http.place);
        return Err(Error::operation("source.login", message));
    };
    if with_password && is_in_the_clear(&url) {
        let message = format!(
            "{}: it wants the password at {}, where everybody on the way could read it",
            http.place,
            crate::http::shown(&url)
        );
        return Err(Error::operation("policy.clear", message));
    }
    Ok(url)
}

async fn token(
    http: &Http,
    login: Option<&Login>,
    realm: &Url,
    (service, scope): (&str, &str),
) -> Result<HeaderValue, Error> {
    let sent = http
        .send(|| {
            let mut url = realm.clone();
            if !service.is_empty() {
                url.query_pairs_mut().append_pair("service", service);
            }
            url.query_pairs_mut().append_pair("scope", scope);
            let request = http.client.get(url);
            match login {
                Some(login) => request.header(AUTHORIZATION, format!("Basic {}", basic(login))),
                None => request,
            }
        })
        .await?;
    if matches!(sent.status.as_u16(), 401 | 403) {
        return Err(rejected(http, login, &sent));
    }
    if !sent.status.is_success() {
        return Err(failure::status(http, &sent));
    }
    let read: Option<Token> = serde_json::from_slice(&sent.body).ok();
    let token = read.and_then(|it| it.token.or(it.access_token)).ok_or_else(|| {
        let message = format!("{}: what came for a token is none", http.place);
        Error::operation("content.answer", message)
    })?;
    value(format!("Bearer {token}"))
}

/// What is said when the registry does not want us.
pub(super) fn rejected(http: &Http, login: Option<&Login>, sent: &Sent) -> Error {
    match login {
        Some(login) => failure::refused(http, sent, &login.advice),
        None => anonymous(http),
    }
}

fn anonymous(http: &Http) -> Error {
    let message = format!(
        "{}: it wants a user: set username, and password to the name of a secret with the password",
        http.place
    );
    Error::usage("usage.credentials", message).at_field("/username")
}

fn basic(login: &Login) -> String {
    STANDARD.encode(format!("{}:{}", login.user, login.password))
}

fn value(text: String) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(text).map_err(|_error| {
        Error::usage(
            "usage.credentials",
            "user, password or token have letters that HTTP does not send",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_before_a_password_and_parameters_may_be_quoted_or_missing() {
        let text = r#"Basic realm="x", Bearer realm="https://a.example/token",service="r",scope="repository:a/b:pull,push""#;
        let token = |realm: &str, service: &str, scope: &str| Wish::Token {
            realm: realm.to_owned(),
            service: service.to_owned(),
            scope: scope.to_owned(),
        };
        let all = token("https://a.example/token", "r", "repository:a/b:pull,push");
        assert_eq!(wish(text), Some(all));
        assert_eq!(wish("bearer realm=https"), Some(token("https", "", "")));
        assert_eq!(wish(r#"Basic realm="Registry""#), Some(Wish::Basic));
        assert_eq!(wish("Negotiate"), None);
        assert_eq!(wish(""), None);
    }
}
