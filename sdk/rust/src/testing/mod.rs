//! Trying a plugin without a process and without a host.
//!
//! [`Harness`] runs the plugin's services in memory: the real messages, the real codec, the real cancellation,
//! with a [`FakeHost`] in place of service `Host`. A test says what upstream and repository hold, makes a call,
//! and looks at what came of it:
//!
//! ```
//! use wharf_sdk::testing::{FakeHost, Harness};
//! # use wharf_sdk::{async_trait, Component, Context, Done, Download, Error, Importer, Plugin, SyncRequest, Unit};
//! # const MANIFEST: &str = r#"{"name":"words","version":"0.1.0","components":[{"id":"importer","role":"importer"}]}"#;
//! # struct Words;
//! # impl Component for Words {}
//! # #[async_trait]
//! # impl Importer for Words {
//! #     async fn sync(&self, _: SyncRequest, context: &Context) -> Result<Done, Error> {
//! #         let file = context.download(Download::from_url("https://words.example/list")).await?;
//! #         let path = context.in_work_dir(file.staged.unwrap());
//! #         for word in std::fs::read_to_string(path).unwrap().lines() {
//! #             context.unit(Unit::new("word").key(&std::collections::BTreeMap::from([("text", word)]))?).await?;
//! #         }
//! #         Ok(Done::changed().announced(2))
//! #     }
//! # }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let host = FakeHost::new().file("https://words.example/list", "one\ntwo\n");
//! let harness = Harness::start(Plugin::new(MANIFEST).importer("importer", Words), host);
//! let run = harness.call("importer").sync().await;
//! assert_eq!(run.keys(), [r#"{"text":"one"}"#, r#"{"text":"two"}"#]);
//! assert_eq!(run.done().announced, Some(2));
//! # }
//! ```
//!
//! Every run is held against the contract: batches within their limits, one closing event, units of declared
//! types with whole keys. A breach is a panic that says which.

mod call;
mod contract;
mod downloads;
mod harness;
mod hook;
mod host;
mod run;
mod service;
mod signer;
mod units;

pub use call::Call;
pub use harness::Harness;
pub use host::{Doing, FakeHost};
pub use run::{Run, Running};
