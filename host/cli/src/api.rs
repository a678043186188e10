//! The types of the HTTP API, as the server defines them.

pub(crate) use wharf_server::api::types::*;
