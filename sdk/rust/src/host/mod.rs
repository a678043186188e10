//! Service `Host`, as a plugin sees it: dialled when first needed, with the plugin's own certificate and the
//! host's pinned one; every call carries the job's token.

mod artifact;
mod claim;
mod dial;
mod download;
mod jobs;
mod query;
mod sign;
mod state;
mod units;

pub use artifact::{Artifact, Stored};
pub use claim::{Claim, Grant};
pub(crate) use dial::{Dialer, Host, endpoint};
pub use download::{Download, Downloaded, Downloads};
pub use jobs::{JobEnd, WatchedItem, WatchedItems};
pub use query::{Query, UnitPages};
pub use sign::{SignForm, Signed};
pub use state::State;
pub use units::SavedUnit;
pub use wharf_proto::v1::StateScope;
