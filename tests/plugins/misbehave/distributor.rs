//! Service Distributor: every unit's files at their own paths, and what the fault adds.

use std::sync::Arc;

use tonic::{Request, Response, Status, async_trait};
use wharf_proto::v1::distributor_server::{self, DistributorServer};
use wharf_proto::v1::event::Event as Kind;
use wharf_proto::v1::{self, Event, published_file};

use crate::answers::Answer;
use crate::fault;
use crate::importer::{Events, Gone, pause, send, stream};
use crate::made_up::Settings;
use crate::serve::House;

/// Service Distributor.
pub(crate) struct Distributor(Arc<House>);

impl Distributor {
    pub(crate) fn service(house: &Arc<House>) -> DistributorServer<Self> {
        DistributorServer::new(Self(Arc::clone(house)))
    }
}

#[async_trait]
impl distributor_server::Distributor for Distributor {
    type PublishStream = Answer<Event>;
    type UnpublishStream = Answer<Event>;
    type ReissueStream = Answer<Event>;

    async fn publish(
        &self,
        request: Request<v1::PublishRequest>,
    ) -> Result<Response<Self::PublishStream>, Status> {
        let request = request.into_inner();
        let settings = Settings::of(request.attachment.as_ref(), &["distributor"])?;
        let attempt = request.context.map_or(1, |context| context.attempt);
        let (house, version) = (Arc::clone(&self.0), request.version);
        Ok(stream(move |events| publish(house, settings, attempt, version, events)))
    }

    async fn unpublish(
        &self,
        request: Request<v1::UnpublishRequest>,
    ) -> Result<Response<Self::UnpublishStream>, Status> {
        let settings = Settings::of(request.into_inner().attachment.as_ref(), &["distributor"])?;
        if settings.fault != "anonymous-push" {
            return Err(Status::unimplemented("nothing is pushed"));
        }
        Ok(stream(async move |events| send(&events, Kind::Result(v1::Result::default())).await))
    }

    async fn reissue(
        &self,
        request: Request<v1::ReissueRequest>,
    ) -> Result<Response<Self::ReissueStream>, Status> {
        let settings = Settings::of(request.into_inner().attachment.as_ref(), &["distributor"])?;
        if settings.fault != "stale-entry" {
            return Err(Status::unimplemented("no entry points"));
        }
        Ok(stream(async move |events| {
            let files = vec![inline("VERSION", "no entry point")];
            send(&events, Kind::Files(v1::PublishedFiles { files })).await?;
            send(&events, Kind::Result(v1::Result::default())).await
        }))
    }

    async fn client_config(
        &self,
        request: Request<v1::ClientConfigRequest>,
    ) -> Result<Response<v1::ClientConfigResponse>, Status> {
        let settings = Settings::of(request.into_inner().attachment.as_ref(), &["distributor"])?;
        if settings.fault != "nameless-file" {
            return Err(Status::unimplemented("no client needs anything"));
        }
        let files = vec![v1::ClientFile { content: b"x".to_vec(), ..v1::ClientFile::default() }];
        Ok(Response::new(v1::ClientConfigResponse { files, data: String::new() }))
    }
}

async fn publish(
    house: Arc<House>,
    settings: Settings,
    attempt: u32,
    version: u64,
    events: Events,
) -> Result<(), Gone> {
    let every_unit = v1::PassThrough { prefix: String::new(), types: vec!["odd".to_owned()] };
    send(&events, Kind::PassThrough(every_unit)).await?;
    let text = format!("version {version}\n");
    let mut files = vec![inline("VERSION", &text)];
    match settings.fault.as_str() {
        // F98.
        "hostile-path" => files.push(inline(&settings.target, "escaped")),
        // F100.
        "doubled" => files.push(inline("VERSION", "another")),
        "prefix" => files.push(inline("VERSION/below", "a file below a file")),
        _ => {}
    }
    send(&events, Kind::Files(v1::PublishedFiles { files })).await?;
    pause(&settings).await;
    fault::strike(&house, &settings.fault, attempt);
    if settings.fault == "no-result" {
        return Ok(());
    }
    send(&events, Kind::Result(v1::Result { changed: true, ..v1::Result::default() })).await
}

fn inline(path: &str, text: &str) -> v1::PublishedFile {
    v1::PublishedFile {
        path: path.to_owned(),
        from: Some(published_file::From::Inline(text.as_bytes().to_vec())),
        media_type: "text/plain".to_owned(),
        ..v1::PublishedFile::default()
    }
}
