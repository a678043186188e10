//! `wharf plugin probe`: starts any go-plugin plugin, asks what can be asked of all of them, and
//! stops it. For people who write or run plugins, of whatever application.
//!
//! [`target`] says what is started and what is offered to it, [`launch`] starts it, with less when
//! it does not do all that is asked, [`ask`], [`reflection`] and [`certificate`] find out,
//! [`report`] is what was found. Needs no server and no data folder, and leaves nothing behind.

mod ask;
mod certificate;
mod launch;
mod reflection;
pub(crate) mod report;
mod target;

use serde_json::json;
use tonic::transport::Channel;
use wharf_proto::handshake::CORE_PROTOCOL;
use wharf_supervisor::{StopStep, Stopped};

use crate::app::App;
use crate::args::Probe;
use crate::error::Error;
use crate::exit::Exit;
use crate::render;
use launch::{GRACE, Started};
use reflection::Reflection;
use report::{AddressKind, Multiplexing, OwnServices, Report, Stop, Tls, milliseconds};
use target::Target;

pub(crate) use reflection::Version;

/// `wharf plugin probe`
pub(crate) async fn run(app: &App, args: Probe) -> Result<Exit, Error> {
    let report = tokio::select! {
        report = probe(app, &args) => report?,
        () = app.interrupts.unguarded() => return Err(Error::Interrupted),
    };
    if app.output.is_json() {
        app.output.json(&json!({ "probe": report }))?;
    } else {
        app.output.data(&render::probe::render(&report))?;
    }
    Ok(Exit::DONE)
}

/// Start, questions, stop.
async fn probe(app: &App, args: &Probe) -> Result<Report, Error> {
    let target = Target::find(app, args)?;
    let started = launch::start(app, args, &target).await?;
    let process = &started.process;
    let channel = process.channel();
    let (health, call) = ask::health(channel.clone()).await;
    let reflection = reflection::ask(channel.clone()).await;
    let own = own_services(&reflection, &channel).await;
    let stopped = process.stop().await;
    let handshake = process.handshake();
    let notes = notes(&started, &reflection);
    let (reflection, services) = match reflection {
        Reflection::Lists(version, services) => (Some(version), services),
        Reflection::Missing | Reflection::Failed(_) => (None, Vec::new()),
    };
    Ok(Report {
        program: target.program.display().to_string(),
        manifest: target.manifest.as_ref().map(|path| path.display().to_string()),
        cookie: target.cookie.key.clone(),
        offered: target.offer.to_string(),
        core_protocol: CORE_PROTOCOL,
        app_protocol: handshake.app_version,
        network: handshake.network.to_string(),
        address: handshake.address.clone(),
        address_kind: AddressKind::of(handshake.network, &handshake.address, process.folder()),
        tls: Tls {
            on: handshake.tls,
            asked: started.asked.tls,
            key: handshake.certificate.as_deref().map(certificate::key_kind),
        },
        multiplexing: Multiplexing {
            asked: started.asked.multiplexing,
            answered: started.asked.multiplexing.then_some(handshake.multiplexing),
        },
        health,
        reflection,
        services,
        own: OwnServices { controller: own.controller.or_else(|| controller(&stopped)), ..own },
        handshake_ms: milliseconds(handshake.line_after),
        first_call_ms: milliseconds(handshake.took),
        call_ms: milliseconds(call),
        stop: Stop::from(&stopped),
        notes,
        stderr: process.stderr_tail(),
    })
}

/// Those that reflection lists are there; the others are asked, for an author may list what he likes.
async fn own_services(reflection: &Reflection, channel: &Channel) -> OwnServices {
    let listed = |name: &str| match reflection {
        Reflection::Lists(_, services) => services.iter().any(|service| service == name),
        Reflection::Missing | Reflection::Failed(_) => false,
    };
    let stdio =
        if listed("plugin.GRPCStdio") { Some(true) } else { ask::has_stdio(channel.clone()).await };
    let broker = if listed("plugin.GRPCBroker") {
        Some(true)
    } else {
        ask::has_broker(channel.clone()).await
    };
    OwnServices { stdio, broker, controller: listed("plugin.GRPCController").then_some(true) }
}

/// The one call that cannot be tried out: the stop shows it. A call that is unknown is not waited
/// for.
fn controller(stopped: &Stopped) -> Option<bool> {
    match stopped.step {
        StopStep::Shutdown => Some(true),
        StopStep::Terminate | StopStep::Kill if stopped.took < GRACE => Some(false),
        _ => None,
    }
}

fn notes(started: &Started, reflection: &Reflection) -> Vec<String> {
    let mut notes = Vec::new();
    if started.asked.tls && !started.got.tls {
        notes.push(
            "it does not do AutoMTLS: its handshake shows no certificate although \
             PLUGIN_CLIENT_CERT was set; it was started again without TLS"
                .to_owned(),
        );
    }
    if started.asked.multiplexing && !started.got.multiplexing {
        notes.push("it does not do multiplexing; it was started again without".to_owned());
    }
    if let Reflection::Failed(why) = reflection {
        notes.push(format!("reflection failed: {why}"));
    }
    notes
}
