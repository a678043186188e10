//! The HTTP side of a wharf host: its API, its published content, and its life.
//!
//! [`Server::start`] takes the data folder for itself, opens the engine and answers on a private
//! Unix socket; published content is served over TCP too when an address is given. Inside,
//! `lifecycle` owns folder, listeners and connections, `service` sends each request to its part,
//! `api` speaks JSON ([`api::types`]), `content` serves published trees,
//! `forms` takes what upload clients send.
//!
//! It decides nothing about repositories or plugins: that is the engine's business. It alone
//! knows HTTP status codes.

pub mod api;
mod app;
mod body;
mod content;
mod error;
mod forms;
mod lifecycle;
mod service;

pub use content::{Listing, ListingEntry};
pub use error::Error;
pub use lifecycle::{Config, Record, Server, connect};
