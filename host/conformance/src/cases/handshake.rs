//! The start: cookie, line, version, socket. Source: proto/README.md, sections 1 and 2.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use wharf_supervisor::{Error as Fault, Network};

use crate::bench::Bench;
use crate::desk::Desk;
use crate::verdict::{Finding, Verdict, failed};

/// An application version that nobody speaks.
const NOBODYS: u32 = 4_000_000_000;

pub(super) fn line<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let process = match bench.launch(&Arc::new(Desk::default())).start().await {
            Ok(process) => process,
            Err(fault) => return failed(fault.to_string(), start_hint(&fault)),
        };
        let handshake = process.handshake().clone();
        process.stop().await;
        let spoken = &bench.subject.manifest().protocol.versions;
        if !spoken.contains(&handshake.app_version) {
            let said = handshake.app_version;
            let reason = format!("it chose version {said}, its manifest speaks {spoken:?}");
            return failed(reason, "print the highest version that both sides speak");
        }
        if handshake.certificate.is_none() {
            let hint = "make a certificate at each start, and print it in the sixth field";
            return failed("it printed no certificate although PLUGIN_CLIENT_CERT was set", hint);
        }
        Ok(())
    }
    .boxed()
}

fn start_hint(fault: &Fault) -> &'static str {
    match fault {
        Fault::NotStarted { .. } => {
            "mend \"executable\" in plugin.json, and the file's mode (chmod +x)"
        }
        Fault::Ended { .. } => {
            "print the line once the socket listens, and stay; see the last words of standard error"
        }
        Fault::StartTimeout { .. } => {
            "print the line and flush it; standard output is a pipe, and libraries buffer it. --timeout gives more time"
        }
        Fault::Handshake { .. } => {
            "print nothing before the line; see proto/README.md, section 2, for its form, and 3 for TLS"
        }
        Fault::Policy { .. } => "bind the socket directly in PLUGIN_UNIX_SOCKET_DIR",
        _ => "see proto/README.md, sections 1 to 3",
    }
}

pub(super) fn by_hand<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let hint = "compare WHARF_PLUGIN first: if it differs, say on standard error what this is, and exit with 1";
        let launch = bench.launch(&Arc::new(Desk::default())).cookie("WHARF_VERIFY", "by-hand");
        match launch.start().await {
            Ok(process) => {
                process.stop().await;
                failed("it serves although WHARF_PLUGIN is not set", hint)
            }
            Err(Fault::Ended { exit, .. }) if exit.code != Some(1) => failed(format!("it {exit}; status 1 is expected"), hint),
            Err(Fault::Ended { exit, .. }) if exit.stderr.is_empty() => {
                failed("it ends with status 1 and does not say why", hint)
            }
            Err(Fault::Ended { .. }) => Ok(()),
            Err(Fault::Handshake { problem, .. }) => failed(format!("it printed something on standard output: {problem}"), hint),
            Err(fault) => failed(fault.to_string(), hint),
        }
    }
    .boxed()
}

pub(super) fn versions<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let hint = "choose the highest common version of PLUGIN_PROTOCOL_VERSIONS, which come in any order; \
                    if there is none, print your lowest";
        let spoken = &bench.subject.manifest().protocol.versions;
        let mixed = [&[NOBODYS], spoken.as_slice(), &[NOBODYS - 1]].concat();
        let process = bench.launch(&Arc::new(Desk::default())).versions(&mixed).start().await?;
        let chosen = process.handshake().app_version;
        process.stop().await;
        if spoken.iter().max() != Some(&chosen) {
            return failed(format!("of {mixed:?} it chose {chosen}"), hint);
        }
        match bench.launch(&Arc::new(Desk::default())).versions(&[NOBODYS]).start().await {
            Ok(process) => {
                process.stop().await;
                failed(format!("it says that it speaks version {NOBODYS}"), hint)
            }
            Err(Fault::Handshake { problem, .. }) if problem.contains("version") => Ok(()),
            Err(fault) => failed(format!("offered only a version that it does not speak: {fault}"), hint),
        }
    }
    .boxed()
}

pub(super) fn socket<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let stage = bench.start().await?;
        let handshake = stage.process.handshake();
        let hint = "listen on a Unix socket directly in PLUGIN_UNIX_SOCKET_DIR, and leave the folder's mode alone";
        if handshake.network != Network::Unix {
            return failed(format!("it listens on {} {}", handshake.network, handshake.address), hint);
        }
        let (socket, folder) = (Path::new(&handshake.address), stage.process.folder());
        let look = |path: &Path| {
            fs::symlink_metadata(path).map_err(|error| Finding::Failed {
                reason: format!("{} cannot be looked at: {error}", path.display()),
                hint: hint.to_owned(),
            })
        };
        let (of_socket, of_folder) = (look(socket)?, look(folder)?);
        let mode = of_folder.mode() & 0o777;
        if socket.parent() != Some(folder) || !of_socket.file_type().is_socket() {
            return failed(format!("{} is no socket directly in the folder that it was given", socket.display()), hint);
        }
        if mode & 0o077 != 0 {
            return failed(format!("the folder that it was given has mode {mode:o} now; others can reach the socket"), hint);
        }
        stage.process.stop().await;
        Ok(())
    }
    .boxed()
}
