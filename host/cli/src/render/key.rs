//! Keys, as everyone may know them.

use super::table::{Align, Table, labelled};
use super::text::{one_line, plain};
use super::time::Clock;
use crate::api::Key;

/// Keys, one a line.
pub(crate) fn table(keys: &[Key], clock: &Clock, width: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("KEY", Align::Left),
        ("ALGORITHM", Align::Left),
        ("CREATED", Align::Left),
        ("EXPIRES", Align::Left),
        ("USED BY", Align::Left),
        ("FINGERPRINT", Align::Left),
    ]);
    for key in keys {
        table.row([
            plain(&key.name).into(),
            plain(&key.algorithm).into(),
            clock.ago(key.created_ms).into(),
            expires(key, clock).into(),
            plain(&key.used_by.join(", ")).into(),
            plain(&key.fingerprint).into(),
        ]);
    }
    table.render(width)
}

/// All that is known of a key but the key itself.
pub(crate) fn details(key: &Key, clock: &Clock) -> String {
    let users: Vec<String> = key.user_ids.iter().map(|user| one_line(user)).collect();
    labelled(&[
        ("key", plain(&key.name)),
        ("fingerprint", plain(&key.fingerprint)),
        ("user id", users.join("\n")),
        ("algorithm", plain(&key.algorithm)),
        ("created", clock.ago(key.created_ms)),
        ("expires", expires(key, clock)),
        ("used by", plain(&key.used_by.join(", "))),
    ])
}

fn expires(key: &Key, clock: &Clock) -> String {
    key.expires_ms.map_or_else(|| "never".to_owned(), |at| clock.date_time(at))
}
