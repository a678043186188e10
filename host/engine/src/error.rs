//! Why an engine did not open. What goes wrong later is a [`Problem`](crate::Problem).

/// Why an engine did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data folder or the database.
    #[error(transparent)]
    Store(#[from] wharf_store::Error),
    /// The downloader.
    #[error(transparent)]
    Fetch(#[from] crate::fetch::Error),
    /// The definitions of the host's own types: a bug.
    #[error(transparent)]
    OwnTypes(#[from] wharf_store::model::TypeErrors),
    /// The folder of the keys.
    #[error("{}", .0.message)]
    Keys(Box<crate::Problem>),
    /// The folder of the secrets.
    #[error("{}", .0.message)]
    Secrets(Box<crate::Problem>),
}
