//! `wharf-bench`: what `tests/bench/run` cannot measure from outside.
//!
//! `wharf-bench launch PLUGIN N` starts a plugin N times and prints how long each took to its first answered call;
//! `wharf-bench units PLUGIN N` reads N declared units of the misbehaving plugin from its stream and throws them away.
//! Both print one JSON object.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that prints what it measured"
)]

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wharf_proto::v1::{self, event::Event};
use wharf_supervisor::{Bounds, Launch, calls};

/// Units in one message, as many as the contract allows.
const BATCH: u32 = 1_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match measure(&words) {
        Ok(measured) => {
            println!("{measured}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(words: &[String]) -> Result<Value, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match words {
        [what, plugin, count] if what == "launch" => {
            runtime.block_on(launch(plugin, count.parse()?))
        }
        [what, plugin, count] if what == "units" => runtime.block_on(units(plugin, count.parse()?)),
        _ => Err("usage: wharf-bench launch|units PLUGIN N".into()),
    }
}

fn bounds() -> Bounds {
    Bounds::new(Duration::from_secs(30))
}

async fn launch(plugin: &str, count: u32) -> Result<Value, Box<dyn Error>> {
    let mut took = Vec::new();
    for _ in 0..count {
        let started = Instant::now();
        let process = Launch::new(plugin).start().await?;
        calls::describe(&process, v1::DescribeRequest::default(), &bounds()).await?;
        took.push(started.elapsed().as_secs_f64() * 1_000.0);
        process.stop().await;
    }
    Ok(json!({ "ms": took }))
}

async fn units(plugin: &str, count: u32) -> Result<Value, Box<dyn Error>> {
    let process = Launch::new(plugin).start().await?;
    let settings = json!({ "units": count, "batch": BATCH, "url": "http://127.0.0.1:1/" });
    let instance = v1::Instance {
        component: "importer".to_owned(),
        name: "default".to_owned(),
        ..v1::Instance::default()
    };
    let attachment = v1::Attachment {
        instance: Some(instance),
        repository: "bench".to_owned(),
        settings: settings.to_string(),
        ..v1::Attachment::default()
    };
    let request = v1::SyncRequest { attachment: Some(attachment), ..v1::SyncRequest::default() };
    let started = Instant::now();
    let mut events = calls::sync(&process, request, &bounds()).await?;
    let mut seen = 0_u32;
    while let Some(event) = events.next().await? {
        if let Event::Units(batch) = event {
            seen += u32::try_from(batch.units.len())?;
        }
    }
    let rate = f64::from(seen) / started.elapsed().as_secs_f64();
    process.stop().await;
    if seen != count {
        return Err(format!("{seen} of {count} units came").into());
    }
    Ok(json!({ "units_per_s": rate }))
}
