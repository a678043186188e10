//! Service `Host`, as a plugin sees it: dialled when first needed, with the plugin's own certificate and the
//! host's pinned one; every call carries the job's token.

mod artifact;
mod dial;
mod download;
mod query;
mod sign;
mod state;

pub use artifact::Artifact;
pub(crate) use dial::{Dialer, Host, endpoint};
pub use download::{Download, Downloaded, Downloads};
pub use query::{Query, UnitPages};
pub use sign::{SignForm, Signed};
pub use state::State;
pub use wharf_proto::v1::StateScope;
