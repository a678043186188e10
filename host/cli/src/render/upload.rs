//! Uploads that were begun and not ended.

use super::table::{Align, Table};
use super::text::{exact, size};
use super::time::Clock;
use crate::api::Upload;

/// One a line: number, when it was begun, how much is here, and of what.
pub(crate) fn table(uploads: &[Upload], clock: &Clock, width: Option<usize>) -> String {
    let columns = [
        ("UPLOAD", Align::Right),
        ("BEGUN", Align::Left),
        ("HERE", Align::Right),
        ("OF", Align::Right),
        ("FILE", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for upload in uploads {
        table.row([
            upload.id.to_string().into(),
            clock.ago(upload.created_ms).into(),
            size(upload.received).into(),
            upload.size.map_or_else(|| "?".to_owned(), size).into(),
            exact(&upload.name).into(),
        ]);
    }
    table.render(width)
}
