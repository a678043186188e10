//! What a probe found out about a plugin.

use super::table::labelled;
use super::text::{exact, one_line, plain, seconds};
use super::{BAD, GOOD, WARN, styled};
use crate::probe::Version;
use crate::probe::report::{AddressKind, OwnServices, Report, Stop};

/// One fact a line.
pub(crate) fn render(report: &Report) -> String {
    let mut rows = vec![
        ("plugin", exact(&report.program)),
        ("manifest", report.manifest.as_deref().map(exact).unwrap_or_default()),
        (
            "started with",
            format!("the environment of this shell, cookie {}", exact(&report.cookie)),
        ),
        ("protocol", protocol(report)),
        ("address", address(report)),
        ("tls", tls(report)),
        ("multiplexing", multiplexing(report)),
        ("health", health(&report.health)),
        ("services", services(report)),
        ("go-plugin's own", own(report.own)),
        ("handshake", format!("after {}", time(report.handshake_ms))),
        ("first call", first_call(report)),
        ("stop", stop(&report.stop, report.own)),
    ];
    rows.extend(report.notes.iter().map(|note| ("note", styled(WARN, &one_line(note)))));
    labelled(&rows)
}

fn protocol(report: &Report) -> String {
    let Report { core_protocol, app_protocol, offered, .. } = report;
    format!("core {core_protocol}, application {app_protocol} of {offered} offered")
}

fn address(report: &Report) -> String {
    let kind = match report.address_kind {
        AddressKind::Private => "in the folder that it was given".to_owned(),
        AddressKind::Elsewhere => styled(WARN, "outside the folder that it was given"),
        AddressKind::Loopback => "this machine only".to_owned(),
        AddressKind::Network => styled(WARN, "others can reach it"),
    };
    format!("{} {}, {kind}", plain(&report.network), exact(&report.address))
}

fn tls(report: &Report) -> String {
    match (&report.tls.key, report.tls.on, report.tls.asked) {
        (Some(key), true, _) => format!("mutual (AutoMTLS), its key is {}", exact(key)),
        (None, true, _) => "mutual".to_owned(),
        (_, false, true) => styled(WARN, "none, although it was asked for"),
        (_, false, false) => "none, as it was not asked for".to_owned(),
    }
}

fn multiplexing(report: &Report) -> String {
    match (report.multiplexing.asked, report.multiplexing.answered) {
        (false, _) => "not asked for".to_owned(),
        (true, Some(true)) => "asked for, yes".to_owned(),
        (true, _) => styled(WARN, "asked for, no"),
    }
}

fn health(said: &str) -> String {
    let style = match said {
        "SERVING" => GOOD,
        "missing" => WARN,
        _ => BAD,
    };
    styled(style, &one_line(said))
}

fn services(report: &Report) -> String {
    let version = match report.reflection {
        Some(Version::V1) => "v1",
        Some(Version::V1Alpha) => "v1alpha",
        None => return "not told: it offers no reflection".to_owned(),
    };
    let names = report.services.iter().map(|name| exact(name));
    let lines: Vec<String> =
        std::iter::once(format!("by reflection {version}:")).chain(names).collect();
    lines.join("\n")
}

fn own(own: OwnServices) -> String {
    let parts = [("stdio", own.stdio), ("broker", own.broker), ("controller", own.controller)];
    let texts = parts.map(|(name, there)| match there {
        Some(true) => format!("{name} yes"),
        Some(false) => styled(WARN, &format!("{name} no")),
        None => format!("{name} unknown"),
    });
    texts.join(", ")
}

fn first_call(report: &Report) -> String {
    format!(
        "answered after {}, a further one in {}",
        time(report.first_call_ms),
        time(report.call_ms)
    )
}

fn stop(stop: &Stop, own: OwnServices) -> String {
    let after = time(stop.took_ms);
    let how = match stop.step {
        "shutdown" => format!("went {after} after Shutdown"),
        "sigterm" if own.controller == Some(false) => format!("went on SIGTERM, {after} in all"),
        "sigterm" => styled(WARN, &format!("ignored Shutdown, went on SIGTERM, {after} in all")),
        "sigkill" => styled(BAD, &format!("had to be killed, {after} in all")),
        _ => styled(WARN, "had ended before it was asked to"),
    };
    format!("{how}; it {}", one_line(&stop.text))
}

/// Milliseconds with two digits behind the point below ten, for that is where plugins differ.
fn time(milliseconds: f64) -> String {
    if milliseconds < 9.995 {
        format!("{milliseconds:.2} ms")
    } else {
        seconds(milliseconds / 1000.0)
    }
}
