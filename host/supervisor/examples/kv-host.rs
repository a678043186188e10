//! The host of the key-value plugin: starts it, puts a value, gets it back, stops it.
//!
//! `kv-host PLUGIN KEY VALUE`, where PLUGIN is the program of `sdk/rust/examples/kv.rs`, or one in another language.

#![expect(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;
use std::process::ExitCode;

use kv::kv_client::KvClient;
use kv::{GetRequest, PutRequest};
use wharf_supervisor::{Guardian, Launch, guardian_main};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    // Every plugin runs under a guardian, so that nothing survives a host that is killed. Here it is this program.
    if let Some(code) = guardian_main() {
        return Ok(code);
    }
    tokio::runtime::Runtime::new()?.block_on(run())
}

async fn run() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [plugin, key, value] = arguments.as_slice() else {
        return Err("give me a plugin, a key and a value".into());
    };

    // Launch, handshake, mutual TLS, first answer.
    let process = Launch::new(plugin)
        .cookie("KV_PLUGIN", "hello")
        .versions(&[1])
        .guardian(Guardian::CurrentExe)
        .start()
        .await?;

    // From here on it is gRPC as ever.
    let mut kv = KvClient::new(process.channel());
    kv.put(PutRequest { key: key.clone(), value: value.clone().into_bytes() }).await?;
    let got = kv.get(GetRequest { key: key.clone() }).await?.into_inner();
    println!("{key} = {}", String::from_utf8_lossy(&got.value));

    // Asks the plugin to go, and sees to it.
    let stopped = process.stop().await;
    println!("the plugin {}", stopped.exit);
    Ok(ExitCode::SUCCESS)
}
