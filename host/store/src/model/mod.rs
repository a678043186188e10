//! Plain data that goes into the store and comes out of it. No handle, no database, no file.

mod attachment;
mod callback;
mod digest;
mod folder;
mod ids;
mod instance;
mod job;
mod key;
mod log;
mod migration;
mod name;
mod path;
mod publication;
mod repository;
mod schedule;
mod search;
mod type_file;
mod types;
mod unit;
mod upload;
mod verify;

pub use attachment::{Attachment, LastRun, NewAttachment};
pub use callback::{
    Attempt, Callback, Delivery, DeliveryOutcome, DueDelivery, NewCallback, Verdict,
    WaitingDeliveries,
};
pub use digest::{Digest, DigestError};
pub use folder::{FileStamp, FolderFile};
pub use ids::{
    AttachmentId, JobId, PublicationId, RepositoryId, ScheduleId, TypeId, UnitId, UploadId,
};
pub use instance::NamedInstance;
pub use job::{Asker, Job, JobEnd, JobFilter, JobState, Lease, NewJob};
pub use key::{CanonicalKey, KeyError, canonical_key, rekey, repo_key};
pub use log::{LogLevel, LogLine};
pub use migration::{ChangedFile, ChangedUnit, Migrated, Migration, Tracked};
pub use name::{NameError, RepositoryName};
pub use path::{PathError, RelativePath};
pub use publication::{
    DirEntry, EntryFrom, Header, Listing, Lookup, NewEntry, NewVariant, Publication,
    PublicationState, PublishedEntry, Variant,
};
pub use repository::{
    CommitVersion, Committed, DiffCursor, DiffEntry, Repository, RepositoryChange, Since, Version,
    VersionMode,
};
pub use schedule::{Fired, NewSchedule, Planned, Schedule};
pub use search::{FieldMatch, FoundUnit, Holding, Match, UnitCursor, UnitOrder, UnitSearch};
pub(crate) use type_file::is_field_name;
pub use type_file::{ReadType, TypeErrors, TypeFault, check_references, read_types};
pub use types::{KeyField, RegisteredType, TypeDefinition};
pub use unit::{
    FieldEquals, FileRow, FileSource, Known, Member, NewArtifact, NewFile, NewUnit, Saved,
    Selector, Source, Staged, UnitQuery, UnitRow,
};
pub use upload::{NewUpload, Token, Upload};
pub use verify::{Stored, Usage};
