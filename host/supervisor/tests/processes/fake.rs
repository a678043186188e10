//! The example `fake-plugin`, ready to be asked.

use std::path::PathBuf;

use kv::kv_client::KvClient;
use kv::{GetRequest, PutRequest};
use tonic::Status;
use tonic::transport::Channel;
use wharf_supervisor::{Launch, Process};

use crate::support::{Home, examples};

pub(crate) fn program() -> PathBuf {
    examples().join("fake-plugin")
}

/// A launch of it: its versions are 2 and 3.
pub(crate) fn launch(home: &Home, args: &[&str]) -> Launch {
    home.launch(program()).args(args.iter().copied()).versions(&[1, 2])
}

pub(crate) async fn start(home: &Home, args: &[&str]) -> Process {
    launch(home, args).start().await.unwrap()
}

/// What it answers to `key`.
pub(crate) async fn ask(process: &Process, key: &str) -> Result<String, Status> {
    ask_channel(process.channel(), key).await
}

pub(crate) async fn ask_channel(channel: Channel, key: &str) -> Result<String, Status> {
    let request = GetRequest { key: key.to_owned() };
    let value = KvClient::new(channel).get(request).await?.into_inner().value;
    Ok(String::from_utf8(value).unwrap())
}

/// Makes it print `value`.
pub(crate) async fn print(process: &Process, stream: u32, value: Vec<u8>) {
    let request = PutRequest { key: stream.to_string(), value };
    KvClient::new(process.channel()).put(request).await.unwrap();
}
