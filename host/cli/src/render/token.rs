//! Tokens.

use super::table::{Align, Table};
use super::text::{exact, plain};
use super::time::Clock;
use crate::api::Token;

/// Tokens, one a line.
pub(crate) fn table(tokens: &[Token], clock: &Clock, width: Option<usize>) -> String {
    let columns = [("TOKEN", Align::Left), ("MADE", Align::Left), ("UPLOADS TO", Align::Left)];
    let mut table = Table::new(&columns);
    for token in tokens {
        table.row([
            exact(&token.name).into(),
            clock.ago(token.created_ms).into(),
            plain(&token.upload.join(", ")).into(),
        ]);
    }
    table.render(width)
}
