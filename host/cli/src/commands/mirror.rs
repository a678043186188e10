//! `wharf mirror file`, `deb` and `pypi`: create, attach, sync and publish in one go; repeating it updates.

use std::path::Path;

use serde_json::{Map, Value};

use super::{attach, repo, run};
use crate::api::{Attachment, CreateRepository, Job, PublishRequest, Repository, SyncRequest};
use crate::app::App;
use crate::args::{MirrorDeb, MirrorFile, MirrorPypi, Setting};
use crate::client::{Client, encode};
use crate::error::Error;
use crate::exit::Exit;
use crate::render::json::MirrorLine;
use crate::session::{Need, Session, with_server};

/// The setting of a distributor that signs.
const SIGNING_KEY: &str = "signing_key";
/// What a URL of a folder stands for.
const MANIFEST: &str = "PULP_MANIFEST";

/// Where content comes from: the importer that reads it, and its setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// `PLUGIN.COMPONENT`.
    pub(crate) component: &'static str,
    /// What gives the content out again, written the same way.
    pub(crate) distributor: &'static str,
    /// The importer's setting that names the place.
    pub(crate) key: &'static str,
    /// The place.
    pub(crate) value: String,
    /// The key that what is published is to be signed with; none: as the distributor is set.
    pub(crate) sign: Option<String>,
}

impl Origin {
    /// A URL of a manifest, a URL of its folder, or a local folder.
    pub(crate) fn of(from: &str) -> Result<Self, Error> {
        if let Some((scheme, rest)) = from.split_once("://") {
            return Self::of_url(from, scheme, rest);
        }
        let path = std::fs::canonicalize(Path::new(from)).map_err(|error| {
            Error::usage(
                format!("cannot find the folder {from}: {error}"),
                "name a folder that exists, or a URL such as https://HOST/FOLDER/PULP_MANIFEST",
            )
        })?;
        let text = path.to_str().ok_or_else(|| {
            Error::usage(format!("the name of {} is not UTF-8", path.display()), "rename it")
        })?;
        if path.is_dir() {
            return Ok(Self::file("file.folder", "path", text.to_owned()));
        }
        Err(Error::usage(
            format!("{from} is not a folder"),
            format!("name a folder, or a manifest by its URL: file://{text}"),
        ))
    }

    fn of_url(from: &str, scheme: &str, rest: &str) -> Result<Self, Error> {
        if !matches!(scheme, "http" | "https" | "file") || rest.is_empty() {
            return Err(Error::usage(
                format!("{from} is no address of a manifest"),
                "write it as https://HOST/FOLDER/PULP_MANIFEST, http://... or file:///...",
            ));
        }
        let value = if from.ends_with('/') { format!("{from}{MANIFEST}") } else { from.to_owned() };
        Ok(Self::file("file.importer", "url", value))
    }

    fn file(component: &'static str, key: &'static str, value: String) -> Self {
        Self { component, distributor: "file.distributor", key, value, sign: None }
    }

    /// An apt repository; whether the address is one of such is for the plugin to say.
    fn deb(from: String, sign: Option<String>) -> Self {
        let (component, distributor) = ("deb.importer", "deb.distributor");
        Self { component, distributor, key: "url", value: from, sign }
    }

    /// A Python package index.
    fn pypi(from: String) -> Self {
        Self {
            component: "pypi.importer",
            distributor: "pypi.distributor",
            key: "url",
            value: from,
            sign: None,
        }
    }
}

/// `wharf mirror file`
pub(super) async fn file(app: &App, args: MirrorFile) -> Result<Exit, Error> {
    begin(app, &args.name, Origin::of(&args.from)?, attach::settings(args.settings)?).await
}

/// `wharf mirror deb`
pub(super) async fn deb(app: &App, args: MirrorDeb) -> Result<Exit, Error> {
    begin(app, &args.name, Origin::deb(args.from, args.sign), attach::settings(args.settings)?)
        .await
}

/// `wharf mirror pypi`
pub(super) async fn pypi(app: &App, args: MirrorPypi) -> Result<Exit, Error> {
    let MirrorPypi { name, from, settings } = args;
    begin(app, &name, Origin::pypi(from), projects(&name, settings)?).await
}

/// The settings, with the project that is named like the repository when none is named.
fn projects(name: &str, typed: Vec<Setting>) -> Result<Map<String, Value>, Error> {
    let mut settings = attach::settings(typed)?;
    settings.entry("includes").or_insert_with(|| Value::from(vec![name]));
    Ok(settings)
}

async fn begin(
    app: &App,
    name: &str,
    origin: Origin,
    mut settings: Map<String, Value>,
) -> Result<Exit, Error> {
    if settings.insert(origin.key.to_owned(), Value::String(origin.value.clone())).is_some() {
        return Err(Error::usage(
            format!("--set {} contradicts --from", origin.key),
            "name the source with --from only",
        ));
    }
    with_server(app, Need::Jobs, async |session| {
        mirror(app, session, name, &origin, &settings).await
    })
    .await
}

async fn mirror(
    app: &App,
    session: &Session,
    name: &str,
    origin: &Origin,
    settings: &Map<String, Value>,
) -> Result<Exit, Error> {
    let client = &session.client;
    let (repository, created) = ensure(client, name).await?;
    refuse_others(&repository, origin)?;
    let importer = attach::put(client, name, origin.component, settings).await?;
    give(client, &repository, origin).await?;
    let guard = app.interrupts.guard();
    let path = format!("repositories/{}/sync", encode(name));
    let sync: Job = client.post(&path, &SyncRequest::default()).await?;
    let sync = run::follow(app, session, Some(&guard), sync).await?;
    run::tell_one(app, session, &sync)?;
    let mut published = Vec::new();
    if matches!(Exit::of_job(&sync), Exit::DONE | Exit::PARTIAL) {
        published = publish(app, session, name, &guard).await?;
    }
    let worst = published
        .iter()
        .chain([&sync])
        .max_by_key(|job| Exit::of_job(job).gravity())
        .unwrap_or(&sync);
    if app.output.is_json() {
        let mirror = (&repository, created);
        app.output.json(&MirrorLine::new(&sync, &published, worst, mirror, &importer))?;
    } else if !published.is_empty() && session.status.content.is_none() {
        app.output.note("`wharf serve` serves what is published")?;
    }
    Ok(Exit::of_job(worst))
}

/// Attaches the distributor when it is missing, and gives it the key that it is to sign with.
async fn give(client: &Client, repository: &Repository, origin: &Origin) -> Result<(), Error> {
    let gives = |attachment: &&Attachment| attachment.component == origin.distributor;
    let before = repository.attachments.iter().find(gives);
    let mut settings = before.map(|it| it.settings.clone()).unwrap_or_default();
    let mut stands = before.is_some();
    if let Some(key) = &origin.sign {
        let old = settings.insert(SIGNING_KEY.to_owned(), Value::String(key.clone()));
        stands &= old.as_ref().and_then(Value::as_str) == Some(key);
    }
    if !stands {
        attach::put(client, &repository.name, origin.distributor, &settings).await?;
    }
    Ok(())
}

async fn publish(
    app: &App,
    session: &Session,
    name: &str,
    guard: &crate::interrupts::Guard<'_>,
) -> Result<Vec<Job>, Error> {
    let path = format!("repositories/{}/publish", encode(name));
    let jobs: Vec<Job> = session.client.post(&path, &PublishRequest::default()).await?;
    let mut ended = Vec::with_capacity(jobs.len());
    for job in jobs {
        let job = run::follow(app, session, Some(guard), job).await?;
        run::tell_one(app, session, &job)?;
        ended.push(job);
    }
    Ok(ended)
}

/// The repository, made when it is missing, and whether it was.
async fn ensure(client: &Client, name: &str) -> Result<(Repository, bool), Error> {
    match repo::get(client, name).await {
        Ok(repository) => Ok((repository, false)),
        Err(Error::Problem(problem)) if problem.code.starts_with("not_found") => {
            let body = CreateRepository { name: name.to_owned(), types: Vec::new() };
            Ok((client.post("repositories", &body).await?, true))
        }
        Err(error) => Err(error),
    }
}

/// A repository that another importer fills is not turned into a mirror by accident.
fn refuse_others(repository: &Repository, origin: &Origin) -> Result<(), Error> {
    let other = |attachment: &&Attachment| {
        attachment.role == "importer" && attachment.component != origin.component
    };
    let Some(other) = repository.attachments.iter().find(other) else { return Ok(()) };
    let name = &repository.name;
    Err(Error::usage(
        format!("{name} is filled by {} already", other.component),
        format!("take another name, or first `wharf detach {name} {}`", other.component),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(from: &str) -> String {
        let origin = Origin::of(from).unwrap();
        assert_eq!((origin.component, origin.key), ("file.importer", "url"));
        origin.value
    }

    #[test]
    fn a_url_of_a_folder_means_its_manifest() {
        assert_eq!(value("https://h/t/"), "https://h/t/PULP_MANIFEST");
        assert_eq!(value("http://h/t/PULP_MANIFEST"), "http://h/t/PULP_MANIFEST");
        assert_eq!(value("file:///srv/t/"), "file:///srv/t/PULP_MANIFEST");
    }

    #[test]
    fn without_a_list_the_project_of_the_same_name_is_meant() {
        let settings = projects("six", Vec::new()).unwrap();
        assert_eq!(settings["includes"], serde_json::json!(["six"]));
        let typed = Setting { key: "includes".to_owned(), value: "[\"idna\"]".to_owned() };
        assert_eq!(projects("web", vec![typed]).unwrap()["includes"], "[\"idna\"]");
    }

    #[test]
    fn a_local_folder_is_named_absolutely() {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::of(folder.path().to_str().unwrap()).unwrap();
        assert_eq!((origin.component, origin.key), ("file.folder", "path"));
        assert_eq!(Path::new(&origin.value), folder.path().canonicalize().unwrap());
    }

    #[test]
    fn what_is_neither_is_refused_with_advice() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        for from in ["ftp://h/", "https://", "/no/such/folder", path] {
            assert!(Origin::of(from).is_err(), "{from}");
        }
    }
}
