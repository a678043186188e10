//! A plugin whose instances have a password: it lists and fetches a folder when the secret that it is handed is what
//! the file `.password` there holds. On request it prints the password wherever a plugin can. Never used outside tests.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use wharf_sdk::{
    Check, Checked, Component, Context, Done, Error, FetchRequest, File, Importer, ListRequest,
    ListedItem, Plugin, Progress, Unit, async_trait,
};

struct Share;

#[derive(Deserialize)]
struct Settings {
    root: PathBuf,
    /// The name of the secret.
    password: String,
    #[serde(default)]
    leak: bool,
    other: Option<String>,
    #[serde(default)]
    remote_dir: String,
    #[serde(default)]
    fail: bool,
}

#[derive(Serialize)]
struct Key<'a> {
    relative_path: &'a str,
}

impl Settings {
    /// The password, if it is the right one.
    async fn log_in(
        &self,
        secret: impl Future<Output = Result<bytes::Bytes, Error>>,
    ) -> Result<String, Error> {
        let password = String::from_utf8_lossy(&secret.await?).into_owned();
        let right = std::fs::read_to_string(self.root.join(".password")).map_err(|error| {
            Error::operation("source.unreachable", error.to_string()).retryable()
        })?;
        if right.trim() == password {
            return Ok(password);
        }
        let told = if self.leak { password.as_str() } else { "the password" };
        Err(Error::usage("unauthorized.password", format!("{told} is wrong")).at_field("/password"))
    }

    fn folder(&self) -> PathBuf {
        self.root.join(self.remote_dir.trim_matches('/'))
    }
}

#[async_trait]
impl Component for Share {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        let settings: Settings = check.values()?;
        if settings.leak {
            return Ok(Checked::good());
        }
        settings.log_in(check.secret(&settings.password)).await?;
        Ok(Checked::good())
    }
}

#[async_trait]
impl Importer for Share {
    async fn list(&self, request: ListRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        if let Some(other) = &settings.other {
            context.secret(other).await?;
        }
        let password = settings.log_in(context.secret(&settings.password)).await?;
        if settings.leak {
            leak(&password, context).await?;
        }
        let root = settings.folder();
        let mut found = Vec::new();
        walk(&root, &root, &mut found).map_err(|error| {
            Error::operation("source.folder", format!("{}: {error}", root.display()))
        })?;
        for (path, metadata) in &found {
            let modified = modified_ns(metadata);
            let unit = Unit::new("shared").key(&Key { relative_path: path })?;
            let unit = unit.file(File::at(path).size(metadata.len()));
            let item = ListedItem::new(unit).revision(format!("{}-{modified}", metadata.len()));
            let modified_ms = i64::try_from(modified / 1_000_000).unwrap_or(0);
            context.listed(item.modified_ms(modified_ms)).await?;
        }
        if settings.fail {
            return Err(Error::operation("source.broken", format!("{password} was refused"))
                .with_details(format!("{{\"sent\":\"{password}\"}}")));
        }
        // The item that failed counts too.
        let done = Done::changed().announced(found.len() as u64 + u64::from(settings.leak));
        if settings.leak { done.summary(&serde_json::json!({ "as": password })) } else { Ok(done) }
    }

    async fn fetch(&self, request: FetchRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        settings.log_in(context.secret(&settings.password)).await?;
        let path = request.unit.files().next().map(|file| file.path().to_owned());
        let path = path.unwrap_or_default();
        let bytes = std::fs::read(settings.folder().join(&path)).map_err(|error| {
            Error::operation("source.gone", format!("{path}: {error}")).for_item(path.clone())
        })?;
        for chunk in bytes.chunks(256 << 10) {
            context.chunk(chunk.to_vec()).await?;
        }
        Ok(Done::unchanged())
    }
}

/// Everywhere that a plugin can print.
async fn leak(password: &str, context: &Context) -> Result<(), Error> {
    let written = writeln!(
        std::io::stderr(),
        "logging in with {password}\n{{\"@level\":\"info\",\"@message\":\"m\",\"sent\":\"{password}\"}}"
    );
    written.map_err(|error| Error::fault("internal.stderr", error.to_string()))?;
    context.log(tracing::Level::INFO, format!("GET /?token={password}")).await;
    context.progress(Progress::new(0, 0).phase("login").activity(password)).await;
    context.warn("login", format!("{password} is weak"), password).await?;
    let failed = Error::operation("source.login", format!("{password} was not taken"));
    context.failed(format!("item {password}"), failed).await
}

fn walk(
    root: &Path,
    folder: &Path,
    found: &mut Vec<(String, std::fs::Metadata)>,
) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            walk(root, &path, found)?;
        } else if entry.file_name() != ".password" {
            let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            found.push((relative, entry.metadata()?));
        }
    }
    Ok(())
}

fn modified_ns(metadata: &std::fs::Metadata) -> i128 {
    use std::os::unix::fs::MetadataExt as _;
    i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec())
}

fn main() -> ExitCode {
    Plugin::new(include_str!("plugin.json")).importer("importer", Share).serve()
}
