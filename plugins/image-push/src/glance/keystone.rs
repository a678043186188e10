//! Keystone, version 3: a token for a project, by password, and where the project's images are kept.

use serde::Deserialize;
use serde_json::json;
use url::Url;
use wharf_sdk::{Context, Error};

use super::Server;
use crate::http::{self, Http, failure};

/// What a login gives.
pub(super) struct Login {
    /// Goes with every request.
    pub(super) token: String,
    /// Where images are kept.
    pub(super) images: Url,
}

#[derive(Deserialize)]
struct Answer {
    token: Token,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    catalog: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    interface: String,
    #[serde(default)]
    region: Option<String>,
    url: String,
}

/// Logs in.
pub(super) async fn login(server: &Server, context: &Context) -> Result<Login, Error> {
    let url = http::address(&server.auth_url, "/auth_url")?;
    let http = Http::new(context, &url, server.ca_certificate.as_deref(), "/auth_url").await?;
    let password = server.password.value(context).await?;
    let body = json!({ "auth": {
        "identity": { "methods": ["password"], "password": { "user": {
            "name": server.username, "domain": { "name": server.user_domain }, "password": password,
        } } },
        "scope": { "project": { "name": server.project, "domain": { "name": server.project_domain } } },
    } })
    .to_string();
    let tokens = format!("{}/auth/tokens", url.as_str().trim_end_matches('/'));
    let make = || {
        let request = http.client.post(&tokens).header("Content-Type", "application/json");
        request.body(body.clone())
    };
    let sent = http.send(make).await?;
    match sent.status.as_u16() {
        201 => {}
        401 | 403 => {
            let advice =
                format!("look at username, domains and project, or {}", server.password.advice());
            return Err(failure::refused(&http, &sent, &advice).at_field("/password"));
        }
        404 => {
            let message = format!(
                "{}: there is no Keystone; auth_url ends in /v3 at most clouds",
                http.place
            );
            return Err(Error::usage("config.url", message).at_field("/auth_url"));
        }
        _ => return Err(failure::status(&http, &sent)),
    }
    let token = sent.header("X-Subject-Token").map(str::to_owned);
    let answer: Option<Answer> = serde_json::from_slice(&sent.body).ok();
    let (Some(token), Some(answer)) = (token, answer) else {
        let message = format!("{}: what came for a token is none", http.place);
        return Err(Error::operation("content.answer", message));
    };
    let images = match &server.endpoint {
        Some(endpoint) => http::address(endpoint, "/endpoint")?,
        None => endpoint(&answer.token.catalog, server.region.as_deref()).ok_or_else(|| {
            let message = format!(
                "{}: its catalog names no public address of a service for images; set region, or endpoint",
                http.place
            );
            Error::usage("config.region", message).at_field("/region")
        })?,
    };
    Ok(Login { token, images })
}

/// The public address of the service for images.
fn endpoint(catalog: &[Service], region: Option<&str>) -> Option<Url> {
    let services = catalog.iter().filter(|service| service.kind == "image");
    let mut endpoints = services.flat_map(|service| &service.endpoints);
    let wanted = |endpoint: &&Endpoint| {
        let here = region.is_none_or(|region| endpoint.region.as_deref() == Some(region));
        endpoint.interface == "public" && here
    };
    http::address(&endpoints.find(wanted)?.url, "/endpoint").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_endpoint_of_the_region_is_taken() {
        let endpoint_of = |interface: &str, region: &str| Endpoint {
            interface: interface.to_owned(),
            region: Some(region.to_owned()),
            url: format!("https://{interface}.{region}.example/"),
        };
        let endpoints =
            vec![endpoint_of("admin", "a"), endpoint_of("public", "a"), endpoint_of("public", "b")];
        let services = |kind: &str| Service { kind: kind.to_owned(), endpoints: Vec::new() };
        let catalog = [services("compute"), Service { endpoints, ..services("image") }];
        let host = |region| endpoint(&catalog, region)?.host_str().map(str::to_owned);
        assert_eq!(host(None).as_deref(), Some("public.a.example"));
        assert_eq!(host(Some("b")).as_deref(), Some("public.b.example"));
        assert_eq!(host(Some("c")), None);
    }
}
