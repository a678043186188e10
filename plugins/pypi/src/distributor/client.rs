//! What a client's machine must be told: pip's configuration file, which uv is told by its own variable.
//!
//! Source: pip's user guide, "Configuration"; the keys are those of the command line.

use std::fmt::Write as _;

use serde::Serialize;
use wharf_sdk::{ClientConfig, ClientConfigRequest, Error};

use super::page::SIMPLE;

/// For programs, and for uv.
#[derive(Serialize)]
struct Data<'a> {
    index_url: &'a str,
}

pub(super) fn config(request: &ClientConfigRequest) -> Result<ClientConfig, Error> {
    let index_url = format!("{}/{SIMPLE}", request.base_url.trim_end_matches('/'));
    let mut text = format!("[global]\nindex-url = {index_url}\n");
    // pip takes nothing from a server that cannot prove who it is, unless told to.
    if let Some(rest) = index_url.strip_prefix("http://") {
        let authority = rest.split('/').next().unwrap_or(rest);
        let _infallible = writeln!(text, "trusted-host = {authority}");
    }
    ClientConfig::new().file("pip.conf", "text/plain", text).data(&Data { index_url: &index_url })
}
