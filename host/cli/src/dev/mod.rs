//! `wharf plugin dev`: a server with a plugin from its source folder, reloaded when it changes.
//!
//! [`watch`] looks for changes. What the running program reads (sources, executable) means a new process for the next
//! job; what the host reads (plugin.json, types) means a new server in this process, for it is read at the start only.
//! A change that makes the plugin unusable is told, and the server keeps what it has. Never builds anything.

mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use wharf_conformance::plugin_in;
use wharf_engine::{PluginProcess, Problem};
use wharf_supervisor::{Installed, Root, RootKind};

use crate::app::App;
use crate::args;
use crate::error::{Error, holder};
use crate::exit::Exit;
use crate::render::text::{exact, one_line};
use crate::session::Embedded;
use watch::Snapshot;

/// Between two looks. A change counts when the next look sees no further one: builds write for a while.
const LOOK: Duration = Duration::from_millis(500);

/// `wharf plugin dev`
pub(crate) async fn run(app: &App, args: args::Dev) -> Result<Exit, Error> {
    let folder = std::path::absolute(&args.path).unwrap_or_else(|_unknown| args.path.clone());
    let plugin = read(app, &folder)?;
    let guard = app.interrupts.guard();
    let server = start(app, &args, &plugin).await?;
    let mut dev = Dev { app, args: &args, server: Some(server), plugin, folder };
    let ended = tokio::select! {
        ended = dev.follow() => ended,
        () = guard.first() => Ok(()),
    };
    dev.stop().await;
    ended.map(|()| Exit::DONE)
}

struct Dev<'a> {
    app: &'a App,
    args: &'a args::Dev,
    folder: PathBuf,
    plugin: Arc<Installed>,
    /// None only between two.
    server: Option<Embedded>,
}

/// The plugin as it lies there now.
fn read(app: &App, folder: &Path) -> Result<Arc<Installed>, Error> {
    let at = folder.display();
    let Some(plugin) = plugin_in(folder, app.executable.parent()) else {
        let message = format!("{at} holds no plugin.json that can be read");
        return Err(Error::usage(message, "name the plugin's folder"));
    };
    match &plugin.broken {
        None => Ok(plugin),
        Some(broken) => Err(Error::usage(
            format!("the plugin in {at} cannot be used: {broken}"),
            "mend it, or build it, and begin again",
        )),
    }
}

async fn start(app: &App, args: &args::Dev, plugin: &Installed) -> Result<Embedded, Error> {
    let data = app.data_folder()?;
    let configure = |engine: &mut wharf_engine::Config| {
        let binaries = app.executable.parent().map(Path::to_owned);
        let root = Root { folder: plugin.folder.clone(), kind: RootKind::Plugins, binaries };
        engine.search.roots.insert(0, root);
        let name = plugin.manifest.name.clone();
        engine.attached.extend(args.reattach.clone().map(|running| (name, running)));
        if args.reattach.is_some() {
            // Somebody may look at a breakpoint for long.
            engine.stall_timeout = Duration::from_hours(24);
        }
    };
    match Embedded::start_with(app, data.clone(), (Some(args.listen), None), configure).await? {
        Ok(server) => Ok(server),
        Err(pid) => Err(Error::usage(
            format!("{} uses {} already", holder(pid), data.display()),
            "stop it first, or name another folder with --data",
        )),
    }
}

impl Dev<'_> {
    fn greet(&self) -> Result<(), Error> {
        let data = self.server.as_ref().map(Embedded::data).unwrap_or_default();
        let data = data.display().to_string();
        let name = &self.plugin.manifest.name;
        if self.app.output.is_json() {
            let folder = self.folder.display().to_string();
            return self.app.output.json(&json!({ "dev": { "event": "serving", "plugin": name, "folder": folder, "data": data } }));
        }
        self.app.output.note(&format!(
            "serving {} from {}, data in {data}",
            exact(name),
            self.folder.display()
        ))?;
        self.app.output.flush()
    }

    /// Reloads until something is lost that cannot be brought back.
    async fn follow(&mut self) -> Result<(), Error> {
        self.greet()?;
        self.try_it("ready").await?;
        let mut known = self.look().await;
        loop {
            tokio::time::sleep(LOOK).await;
            let mut now = self.look().await;
            let changed = now.changed(&known);
            if changed.is_empty() {
                continue;
            }
            loop {
                tokio::time::sleep(LOOK).await;
                let next = self.look().await;
                if next == now {
                    break;
                }
                now = next;
            }
            known = now;
            self.reload(&changed).await?;
        }
    }

    async fn look(&self) -> Snapshot {
        let (folder, executable) = (self.folder.clone(), self.plugin.executable.clone());
        let taken = tokio::task::spawn_blocking(move || Snapshot::take(&folder, &executable)).await;
        taken.unwrap_or_default()
    }

    async fn reload(&mut self, changed: &[PathBuf]) -> Result<(), Error> {
        let first = changed.first().map_or(self.folder.as_path(), PathBuf::as_path);
        let first = first.strip_prefix(&self.folder).unwrap_or(first).display().to_string();
        let plugin = match read(self.app, &self.folder) {
            Ok(plugin) => plugin,
            Err(error) => {
                let why = error.into_problem().message;
                return self
                    .tell("kept", &format!("{first} changed, and nothing was reloaded: {why}"));
            }
        };
        let same = plugin.manifest == self.plugin.manifest && plugin.types == self.plugin.types;
        self.plugin = plugin;
        if same {
            return self.try_it(&format!("{first} changed; reloaded")).await;
        }
        // The old one goes first: there is one server for a data folder.
        self.stop().await;
        self.server = Some(start(self.app, self.args, &self.plugin).await?);
        self.try_it(&format!("{first} changed; the server was started anew")).await
    }

    async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }

    /// Has the next job use a new process, which is started now, so that what is wrong is told now.
    async fn try_it(&self, what: &str) -> Result<(), Error> {
        let Some(engine) = self.server.as_ref().map(Embedded::engine) else { return Ok(()) };
        let name = &self.plugin.manifest.name;
        let origin = self.plugin.folder.display().to_string();
        let views = engine.plugins();
        let view = views.iter().find(|view| view.origin == origin);
        if let Some(reason) = view.and_then(|view| view.reason.as_ref()) {
            return self.tell("failed", &format!("{what}, but it cannot be used: {reason}"));
        }
        match engine.renew_plugin(name).await {
            Ok(process) => self.tell("reloaded", &format!("{what}: {}", self.process(&process))),
            Err(Problem { message, .. }) => {
                self.tell("failed", &format!("{what}, but it does not start: {message}"))
            }
        }
    }

    fn process(&self, process: &PluginProcess) -> String {
        let way = if process.tls { "mutual TLS" } else { "unencrypted (dev)" };
        let verb = if self.args.reattach.is_some() { "attached to process" } else { "process" };
        format!("{verb} {}, first answer after {:.0} ms, {way}", process.pid, process.handshake_ms)
    }

    fn tell(&self, event: &str, message: &str) -> Result<(), Error> {
        if self.app.output.is_json() {
            return self.app.output.json(&json!({ "dev": { "event": event, "message": message } }));
        }
        self.app.output.note(&one_line(message))?;
        self.app.output.flush()
    }
}
