//! Reads `kitovu.yaml`, the configuration of kitovu, and says what it becomes here.
//!
//! [`read`] takes the text and answers the file, or everything that is wrong with it with its places (`yaml`, `config`,
//! `builtin`); [`plan`](fn@plan) answers instances, repositories and folders. Both are pure: whoever calls them reads the
//! file and makes what was planned. Never touches a file, a server or a password.

mod builtin;
mod config;
mod plan;
mod yaml;

pub use config::{Config, Connection, Read, Source, Subject, read};
pub use plan::{Instance, Plan, Repository, Secret, plan};
pub use yaml::{At, Fault, MAX_BYTES};
