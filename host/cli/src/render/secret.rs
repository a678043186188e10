//! Secrets, without their values.

use super::table::{Align, Table};
use super::text::{exact, plain};
use super::time::Clock;
use crate::api::{KeptIn, Secret};

/// Secrets, one a line.
pub(crate) fn table(secrets: &[Secret], clock: &Clock, width: Option<usize>) -> String {
    let columns = [
        ("SECRET", Align::Left),
        ("SET", Align::Left),
        ("KEPT IN", Align::Left),
        ("USED BY", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for secret in secrets {
        table.row([
            exact(&secret.name).into(),
            clock.ago(secret.set_ms).into(),
            kept_in(secret.kept_in).into(),
            plain(&secret.used_by.join(", ")).into(),
        ]);
    }
    table.render(width)
}

/// Where a value lies.
pub(crate) fn kept_in(kept_in: KeptIn) -> &'static str {
    match kept_in {
        KeptIn::File => "data folder",
        KeptIn::Keyring => "keyring",
    }
}
