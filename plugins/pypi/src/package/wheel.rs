//! The METADATA of a wheel. Source: the binary distribution format.

use std::fs::File;

use super::{PackageError, zip};
use crate::name::normalize;

/// The file `NAME-VERSION.dist-info/METADATA`, byte for byte: installers that ask for it before the wheel hold it
/// against its digest (PEP 658).
pub(super) fn metadata(file: File, filename: &str) -> Result<Vec<u8>, PackageError> {
    let project = filename.split('-').next().and_then(normalize);
    zip::member(file, "*.dist-info/METADATA", |member| {
        let Some((folder, "METADATA")) = member.split_once('/') else { return false };
        let Some(stem) = folder.strip_suffix(".dist-info") else { return false };
        // Wheels may vendor others' dist-info deeper inside; at the top there is one, of the wheel's own name.
        stem.split('-').next().and_then(normalize) == project
    })
}
