//! Row numbers, one type for each kind, so that they cannot be mixed up.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[doc = $doc:literal] $name:ident)*) => {$(
        #[doc = $doc]
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(
            /// The number of the row.
            pub i64,
        );

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

id! {
    #[doc = "A repository."]
    RepositoryId
    #[doc = "An attachment of a repository."]
    AttachmentId
    #[doc = "A unit."]
    UnitId
    #[doc = "A type of units."]
    TypeId
    #[doc = "A job. Grows; never used twice."]
    JobId
    #[doc = "A publication. Grows; never used twice."]
    PublicationId
    #[doc = "An upload. Grows; never used twice."]
    UploadId
    #[doc = "A schedule. Grows; never used twice."]
    ScheduleId
}
