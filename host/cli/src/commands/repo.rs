//! `wharf repo ...`

use serde_json::json;

use crate::api::{Change, CreateRepository, DiffPage, Repository, RepositoryPage, Version};
use crate::app::App;
use crate::args::RepoDiff;
use crate::client::{Client, encode};
use crate::error::Error;
use crate::exit::Exit;
use crate::render::text::{count, exact};
use crate::render::{self, BOLD, styled};
use crate::session::{Need, with_server};

/// Entries asked for at once.
const PAGE: usize = 1000;

/// `wharf repo create`
pub(super) async fn create(app: &App, name: String, types: Vec<String>) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let body = CreateRepository { name: name.clone(), types: types.clone() };
        let repository: Repository = session.client.post("repositories", &body).await?;
        app.output.note(&format!("{} created", styled(BOLD, &exact(&repository.name))))?;
        if app.output.is_json() {
            app.output.json(&repository)?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf repo list`
pub(super) async fn list(app: &App, labels: &[String]) -> Result<Exit, Error> {
    let path = match labels {
        [] => "repositories".to_owned(),
        labels => format!("repositories?label={}", encode(&labels.join(","))),
    };
    with_server(app, Need::Answers, async |session| {
        let repositories: Vec<Repository> = session.client.get(&path).await?;
        if app.output.is_json() {
            app.output.json(&json!({ "repositories": repositories }))?;
        } else if repositories.is_empty() && !labels.is_empty() {
            app.output.note("no repository has these labels")?;
        } else if repositories.is_empty() {
            app.output.note("no repositories yet; `wharf repo create NAME` makes one")?;
        } else {
            let table = render::repo::table(&repositories, &app.clock(), app.terminal.width);
            app.output.data(&table)?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf repo show`
pub(super) async fn show(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let path = format!("repositories/{}", encode(name));
        let repository: RepositoryPage = session.client.get(&path).await?;
        if app.output.is_json() {
            app.output.json(&repository)?;
        } else {
            let content = session.status.content.as_deref();
            app.output.data(&render::repo::details(&repository, content, &app.clock()))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf repo versions`
pub(super) async fn versions(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let path = format!("repositories/{}/versions", encode(name));
        let mut versions: Vec<Version> = session.client.get(&path).await?;
        // Number 0 is the empty version that every repository begins with.
        versions.retain(|version| version.number > 0);
        versions.sort_by_key(|version| std::cmp::Reverse(version.number));
        if app.output.is_json() {
            app.output.json(&json!({ "repository": name, "versions": versions }))?;
        } else if versions.is_empty() {
            app.output.note(&format!("no versions yet; `wharf sync {}` makes one", exact(name)))?;
        } else {
            let table = render::repo::versions(&versions, &app.clock(), app.terminal.width);
            app.output.data(&table)?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf repo delete`
pub(super) async fn delete(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        session.client.delete(&format!("repositories/{}", encode(name))).await?;
        app.output.note(&format!("{} deleted", styled(BOLD, &exact(name))))?;
        if app.output.is_json() {
            app.output.json(&json!({ "deleted": name }))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// One repository.
pub(super) async fn get(client: &Client, name: &str) -> Result<Repository, Error> {
    client.get(&format!("repositories/{}", encode(name))).await
}

/// `wharf repo diff`: printed as it comes, so that a long one costs no memory.
pub(super) async fn diff(app: &App, args: RepoDiff) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let to = match args.to {
            Some(to) => to,
            None => get(&session.client, &args.name).await?.version,
        };
        let from = args.from.unwrap_or(to.saturating_sub(1));
        let mut shown = Shown { added: 0, removed: 0 };
        if app.output.is_json() {
            let name = serde_json::Value::from(args.name.as_str());
            app.output
                .raw(&format!(r#"{{"repository":{name},"from":{from},"to":{to},"entries":["#))?;
        }
        let mut cursor = None;
        loop {
            let page = page(&session.client, &args.name, (from, to), cursor.as_deref()).await?;
            shown.page(app, &page)?;
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        if app.output.is_json() {
            app.output
                .raw(&format!("],\"added\":{},\"removed\":{}}}\n", shown.added, shown.removed))?;
        }
        app.output.flush()?;
        app.output.note(&format!(
            "{} added, {} removed from version {from} to version {to}",
            count(shown.added),
            count(shown.removed)
        ))?;
        Ok(Exit::DONE)
    })
    .await
}

async fn page(
    client: &Client,
    name: &str,
    (from, to): (u64, u64),
    cursor: Option<&str>,
) -> Result<DiffPage, Error> {
    let cursor = cursor.map(|cursor| format!("&cursor={}", encode(cursor))).unwrap_or_default();
    let name = encode(name);
    client.get(&format!("repositories/{name}/diff?from={from}&to={to}&limit={PAGE}{cursor}")).await
}

/// What was printed so far.
struct Shown {
    added: u64,
    removed: u64,
}

impl Shown {
    fn page(&mut self, app: &App, page: &DiffPage) -> Result<(), Error> {
        for entry in &page.entries {
            if app.output.is_json() {
                let comma = if self.added + self.removed > 0 { "," } else { "" };
                let text = serde_json::to_string(entry).map_err(|error| Error::Answer {
                    request: "diff".to_owned(),
                    reason: error.to_string(),
                })?;
                app.output.raw(&format!("{comma}{text}"))?;
            } else {
                app.output.data(&render::repo::difference(entry))?;
            }
            match entry.change {
                Change::Added => self.added += 1,
                Change::Removed => self.removed += 1,
            }
        }
        Ok(())
    }
}
