//! What the users of a publication are told: the plugin's words, with the address that the caller knows.
//!
//! Starts the plugin's process if none is idle; writes nothing. Only what is published can be told about: what a
//! client must write may depend on what there is.

use std::time::Duration;

use wharf_proto::v1;
use wharf_store::model::Attachment;
use wharf_supervisor::calls;

use crate::convert;
use crate::engine::Engine;
use crate::instances::Bound;
use crate::problem::Problem;

/// How long a plugin may take to answer.
const ANSWER: Duration = Duration::from_secs(30);

/// What a client of a publication must be told.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientConfig {
    /// The distributor: `deb.distributor`.
    pub component: String,
    /// Where its publication is served.
    pub url: String,
    /// Files for the client's machine.
    pub files: Vec<ClientFile>,
    /// For programs: a JSON object.
    pub data: Option<serde_json::Value>,
}

/// A file for a client's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFile {
    /// As the plugin names it.
    pub name: String,
    /// Empty: not told.
    pub media_type: String,
    /// Its text.
    pub content: String,
}

impl Engine {
    /// What clients must be told to use what a repository publishes. `distributor`: `PLUGIN.COMPONENT[@INSTANCE]`, not
    /// needed when there is one. `base`: scheme and authority under which `/content/` is served.
    ///
    /// # Errors
    /// `not_found.*`, `usage.distributor`, `usage.not_published`, `usage.not_offered`, and the plugin's own.
    pub async fn client_config(
        &self,
        repository: &str,
        distributor: Option<&str>,
        base: &str,
    ) -> Result<ClientConfig, Problem> {
        let engine = &self.inner;
        let repository = engine.repository(repository).await?;
        let mut attached = engine.attached(&repository, "distributor").await?;
        // What lies in a folder is there already.
        attached.retain(|attachment| !super::folder::is_folder(attachment));
        let attachment = choose(attached, distributor)?;
        let Some((publication, path)) = attachment.publication.zip(attachment.path.clone()) else {
            let message = format!("{} has published nothing yet", address(&attachment));
            return Err(Problem::usage("usage.not_published", message)
                .help(format!("first `wharf publish {}`", repository.name)));
        };
        let bound = Bound::resolve(engine, &attachment)?;
        let url = format!("{}/content/{path}/", base.trim_end_matches('/'));
        let version = attachment.last.as_ref().map(|last| last.version).unwrap_or_default();
        let request = v1::ClientConfigRequest {
            attachment: Some(crate::convert::attachment(
                &bound.component.id,
                &attachment,
                &repository,
                &bound.plugin_settings(),
                attachment.state.clone(),
            )),
            publication: Some(v1::Publication {
                id: publication.0.unsigned_abs(),
                version,
                identifier: String::new(),
            }),
            base_url: url.clone(),
            options: String::new(),
        };
        let process = engine.supervisor.lease(&bound.plugin).await?;
        let answer = calls::client_config(&process, request, &calls::Bounds::new(ANSWER)).await;
        let answer = match answer {
            Err(calls::CallError::Unimplemented { .. }) => {
                let message = format!("{} has nothing to tell clients", attachment.component);
                return Err(Problem::usage("usage.not_offered", message)
                    .help(format!("what it publishes is served at {url}")));
            }
            answer => answer?,
        };
        Ok(ClientConfig {
            component: address(&attachment),
            url,
            files: answer.files.into_iter().map(file).collect::<Result<_, _>>()?,
            data: convert::json_object(&answer.data, "ClientConfigResponse.data")?,
        })
    }
}

fn address(attachment: &Attachment) -> String {
    match attachment.instance.as_str() {
        "default" => attachment.component.clone(),
        instance => format!("{}@{instance}", attachment.component),
    }
}

/// The distributor that is meant: the one that is named, or the only one.
fn choose(mut attached: Vec<Attachment>, named: Option<&str>) -> Result<Attachment, Problem> {
    let names = attached.iter().map(address).collect::<Vec<_>>();
    if let Some(named) = named {
        let place = names.iter().position(|name| name == named).ok_or_else(|| {
            let message = format!("{named} is no distributor of the repository");
            Problem::usage("not_found.attachment", message)
                .help(format!("there are: {}", names.join(", ")))
        })?;
        return Ok(attached.swap_remove(place));
    }
    match attached.as_slice() {
        [_] => Ok(attached.swap_remove(0)),
        _ => Err(Problem::usage("usage.distributor", "the repository has several distributors")
            .help(format!("name one of: {}", names.join(", ")))),
    }
}

fn file(file: v1::ClientFile) -> Result<ClientFile, Problem> {
    let v1::ClientFile { name, media_type, content } = file;
    let content = String::from_utf8(content).map_err(|_error| {
        Problem::protocol(format!("the client's file {name} is no UTF-8 text"))
    })?;
    Ok(ClientFile { name, media_type, content })
}
