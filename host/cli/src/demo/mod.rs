//! `wharf demo`: the whole way of content, shown on real files, with nothing left behind.
//!
//! It takes the way of every other command, through the HTTP API of a server, and that server is
//! its own, in a temporary data folder. What it claims it has checked: it reads the source and the
//! published tree by itself and compares digests. The steps are in `Show::play`.

mod account;
mod download;
mod folder;
mod manifest;
mod show;
mod source;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use tempfile::TempDir;

use crate::app::App;
use crate::args::Demo;
use crate::error::Error;
use crate::exit::Exit;
use crate::interrupts::Guard;
use crate::render::progress::Bar;
use crate::session::{Embedded, Session};

use account::Account;
use show::Show;
use source::Source;

/// `wharf demo`
pub(crate) async fn run(app: &App, args: Demo) -> Result<Exit, Error> {
    let guard = app.interrupts.guard();
    let scratch = scratch()?;
    let mut account = Account::new(app);
    let result = in_folder(app, &args, &guard, scratch.path(), &mut account).await;
    let bar = Bar::new(&app.terminal, app.output.quiet);
    bar.say("removing the temporary data");
    let path = scratch.path().to_owned();
    let removed = tokio::task::spawn_blocking(move || scratch.close()).await;
    drop(bar);
    if !matches!(removed, Ok(Ok(()))) {
        app.output.tell(&format!("{} could not be removed", path.display()));
    } else if matches!(result, Err(Error::Interrupted)) {
        app.output.tell("interrupted; nothing is left behind");
    } else if let Ok(exit) = result {
        account.end(exit, args.keep)?;
    }
    result
}

fn scratch() -> Result<TempDir, Error> {
    let parent = std::env::temp_dir();
    tempfile::Builder::new()
        .prefix("wharf-demo-")
        .tempdir_in(&parent)
        .map_err(|source| Error::DataFolder { path: parent, source })
}

/// Everything between making the folder and removing it. An interruption ends the server in good
/// order before the folder goes.
async fn in_folder(
    app: &App,
    args: &Demo,
    guard: &Guard<'_>,
    scratch: &Path,
    account: &mut Account<'_>,
) -> Result<Exit, Error> {
    let source = tokio::select! {
        source = Source::look(args.source.as_deref(), scratch) => source?,
        () = guard.first() => return Err(Error::Interrupted),
    };
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let data = scratch.join("data");
    let Ok(server) = Embedded::start(app, data.clone(), Some(loopback), None).await? else {
        // The folder was made a moment ago, under a name that nobody else knows.
        return Err(Error::Silent { data, pid: None });
    };
    let result = tokio::select! {
        result = play(app, &source, &server, account) => result,
        () = guard.first() => Err(Error::Interrupted),
    };
    if let (true, Ok(exit)) = (args.keep, &result) {
        account.kept(*exit)?;
        guard.first().await;
    }
    server.stop().await;
    result
}

async fn play(
    app: &App,
    source: &Source,
    server: &Embedded,
    account: &mut Account<'_>,
) -> Result<Exit, Error> {
    let session = Session::own(server).await?;
    account.source(source)?;
    Show { app, source, session: &session }.play(account).await
}
