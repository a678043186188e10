//! A key-value store as a plugin: any go-plugin host can use it, in Go or in Rust. Nothing in it is wharf's.
//!
//! `host/supervisor/examples/kv-host.rs` is a host for it.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use kv::kv_server::{Kv, KvServer};
use kv::{GetRequest, GetResponse, PutRequest, PutResponse};
use tonic::{Request, Response, Status};
use wharf_sdk::goplugin::{Server, routes};

#[derive(Default)]
struct Store {
    values: Mutex<HashMap<String, Vec<u8>>>,
}

#[tonic::async_trait]
impl Kv for Store {
    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        let key = request.into_inner().key;
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let value = values.get(&key).cloned();
        let value = value.ok_or_else(|| Status::not_found(format!("there is no {key:?}")))?;
        Ok(Response::new(GetResponse { value }))
    }

    async fn put(&self, request: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        let PutRequest { key, value } = request.into_inner();
        self.values.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value);
        Ok(Response::new(PutResponse {}))
    }
}

fn main() -> ExitCode {
    Server::new("KV_PLUGIN", "hello")
        .version(1, |_context| routes![KvServer::new(Store::default())])
        .reflection(kv::FILE_DESCRIPTOR_SET)
        .serve()
}
