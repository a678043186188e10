//! What one image costs: `measure COMPONENT FILE [PARAMETERS]`, where FILE is a base image's `disk.qcow2` or
//! `rootfs.tar.zst`. Prints one JSON object: wall seconds of the build, processor seconds of this process without the tools
//! that it ran, and bytes of the image. `tests/bench` holds it against other programs.
#![allow(clippy::print_stdout, reason = "a program that prints what it measured")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use wharf_plugin_image_cloud::plugin;
use wharf_sdk::testing::{FakeHost, Harness};
use wharf_sdk::{Stage, wire};

/// Ticks of the kernel's clock in a second.
const TICKS: f64 = 100.0;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (component, file, parameters) = match words.as_slice() {
        [component, file] => (component, file, json!({})),
        [component, file, parameters] => (component, file, serde_json::from_str(parameters)?),
        _ => return Err("usage: measure COMPONENT FILE [PARAMETERS]".into()),
    };
    println!("{}", measure(component, Path::new(file), &parameters).await?);
    Ok(())
}

async fn measure(
    component: &str,
    file: &Path,
    parameters: &Value,
) -> Result<Value, Box<dyn Error>> {
    let harness = Harness::start(plugin(), FakeHost::new());
    let name = file.file_name().and_then(|name| name.to_str()).ok_or("the file has no name")?;
    fs::copy(file, harness.work_dir().join(name))?;
    let base = wire::File {
        path: name.to_owned(),
        staged: Some(name.to_owned()),
        ..wire::File::default()
    };
    let recipe = wire::BuildRequest {
        target: Some(wire::Target { name: component.to_owned(), ..wire::Target::default() }),
        parent: Some(wire::Unit { files: vec![base], ..wire::Unit::default() }),
        ..wire::BuildRequest::default()
    };
    let (started, before) = (Instant::now(), own_ticks()?);
    let run =
        harness.call(component).settings(parameters).recipe(recipe).build(Stage::Target).await;
    let (seconds, ticks) = (started.elapsed().as_secs_f64(), own_ticks()? - before);
    if let Some(error) = run.error {
        return Err(error.message.into());
    }
    let bytes = run.units.iter().flat_map(|unit| &unit.files).find_map(|file| file.size);
    Ok(json!({ "seconds": seconds, "cpu_s": f64::from(ticks) / TICKS, "bytes": bytes }))
}

/// Processor time of this process, without its children's.
fn own_ticks() -> Result<u32, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/stat")?;
    let (_name, fields) =
        text.rsplit_once(") ").ok_or("the kernel says nothing of this process")?;
    let mut fields = fields.split(' ').skip(11);
    let mut next = || fields.next().ok_or("a field is missing");
    Ok(next()?.parse::<u32>()? + next()?.parse::<u32>()?)
}
