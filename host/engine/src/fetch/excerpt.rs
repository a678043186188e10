//! The beginning of an error page, as one line that people can read.

use std::time::Duration;

use reqwest::Response;
use tokio::time::timeout;
use wharf_store::model::Source;

use super::trust;

/// How long the text may take to arrive.
const TIME: Duration = Duration::from_secs(1);

/// Bytes looked at; a connection whose error page is longer is closed.
const BYTES: usize = 16 * 1024;

/// Characters shown.
const CHARACTERS: usize = 200;

/// Reads the text of a refusal, without what the source keeps secret (F186).
pub(super) async fn of(mut response: Response, source: &Source) -> String {
    let mut bytes = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() >= BYTES {
                break;
            }
        }
    };
    // A server that is slow with its excuse is quoted with what came.
    timeout(TIME, read).await.unwrap_or_default();
    bytes.truncate(BYTES);
    let mut text = plain(&String::from_utf8_lossy(&bytes));
    for secret in trust::secrets(source) {
        text = text.replace(&secret, "***");
    }
    if text.chars().count() > CHARACTERS {
        text = text.chars().take(CHARACTERS).collect();
        text.push('…');
    }
    text
}

/// Without markup, control characters and repeated blanks.
fn plain(text: &str) -> String {
    let mut inside = false;
    let visible: String = text
        .chars()
        .map(|character| match character {
            '<' => {
                inside = true;
                ' '
            }
            '>' if inside => {
                inside = false;
                ' '
            }
            _ if inside || character.is_control() => ' ',
            // Bidirectional controls would turn our own words around.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ' ',
            other => other,
        })
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_pages_become_one_line() {
        assert_eq!(
            plain("<html><b>404</b>\r\n Not\u{202e}Found\u{1b}[1m</html>"),
            "404 Not Found [1m"
        );
    }
}
