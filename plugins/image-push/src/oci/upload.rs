//! One blob on its way to the registry: none if it is there, else in one request that streams it. What broke off is taken
//! back and sent from its beginning: few registries go on where it stopped.

use std::sync::{Mutex, PoisonError};

use reqwest::{Body, Method, StatusCode};
use url::Url;
use wharf_sdk::{Context, Error};

use super::archive::{Descriptor, Layout};
use super::client::Client;
use crate::http::{Patience, Refusal};
use crate::image::File;
use crate::stream::{self, Meter};
use crate::undo::or_undo;

/// Brings a blob to the registry.
pub(super) async fn blob(
    client: &Client,
    (context, file, meter): (&Context, &File, &Meter),
    layout: &Layout,
    blob: &Descriptor,
) -> Result<(), Error> {
    let meter = meter.request();
    let path = format!("blobs/{}", blob.digest);
    let there = client.send(&path, |http, url| http.request(Method::HEAD, url)).await?;
    match there.status {
        StatusCode::OK => {
            meter.add(blob.size).await;
            return Ok(());
        }
        StatusCode::NOT_FOUND => {}
        _ => return Err(client.failed("blobs", &there)),
    }
    let mut patience = Patience::new();
    loop {
        let begun = Mutex::new(None);
        let work = send(client, (context, file, &meter), (layout, blob), &begun);
        match or_undo(context, work, async || give_up(client, &begun).await).await {
            Ok(()) => return Ok(()),
            Err(refusal) => {
                meter.back();
                patience.next(&client.http, refusal).await?;
            }
        }
    }
}

async fn send(
    client: &Client,
    (context, file, meter): (&Context, &File, &Meter),
    (layout, blob): (&Layout, &Descriptor),
    begun: &Mutex<Option<Url>>,
) -> Result<(), Refusal> {
    let opened = client.send("blobs/uploads/", reqwest::Client::post).await?;
    if opened.status != StatusCode::ACCEPTED {
        return Err(opened.refusal(client.failed("uploads", &opened)));
    }
    let mut place = client.location(&opened)?;
    *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(place.clone());
    place.query_pairs_mut().append_pair("digest", &blob.digest);
    let body = stream::metered((context, meter), file, layout.part(blob));
    let request = client
        .http
        .client
        .put(place)
        .header("Content-Type", "application/octet-stream")
        .header("Content-Length", blob.size)
        .body(Body::wrap_stream(body));
    let sent = client.http.once(client.proven(request)).await?;
    match sent.status {
        StatusCode::CREATED | StatusCode::NO_CONTENT => {}
        // A token that ran out meanwhile is renewed for the next try.
        StatusCode::UNAUTHORIZED => {
            client.prove(&sent).await?;
            let message = format!("{}: the login ran out during the upload", client.http.place);
            return Err(Error::operation("unauthorized.expired", message).retryable().into());
        }
        _ => return Err(sent.refusal(client.failed("the blob", &sent))),
    }
    match sent.header("Docker-Content-Digest") {
        Some(told) if told != blob.digest => {
            let message = format!(
                "{}: it says that a blob's digest is {told}, and it is {}",
                client.http.place, blob.digest
            );
            Err(Error::operation("integrity.digest", message).into())
        }
        _ => Ok(()),
    }
}

/// Ends an upload that was begun. One that is over already is fine.
async fn give_up(client: &Client, begun: &Mutex<Option<Url>>) -> Result<(), Error> {
    let place = begun.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(place) = place else { return Ok(()) };
    let request = client.proven(client.http.client.request(Method::DELETE, place));
    client.http.once(request).await.map(drop)
}
