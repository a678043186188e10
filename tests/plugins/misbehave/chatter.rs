//! Progress and warnings that are too many, or cannot be.

use wharf_proto::v1;
use wharf_proto::v1::event::Event as Kind;

use crate::importer::{Events, Gone, send};

/// How many of each flood.
const MANY: u64 = 100_000;

/// Says what `fault` asks for, in the middle of a call.
pub(crate) async fn chatter(fault: &str, events: &Events) -> Result<(), Gone> {
    match fault {
        // F33.
        "progress-flood" => {
            for done in 0..MANY {
                send(events, progress(done, MANY)).await?;
            }
        }
        // F67.
        "progress-nonsense" => {
            for (done, total) in
                [(5, 10), (3, 10), (50, 10), (u64::MAX, 10), (u64::MAX, 0), (0, 0), (9, u64::MAX)]
            {
                send(events, progress(done, total)).await?;
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            }
        }
        // F68.
        "warnings" => {
            for number in 0..MANY {
                let code = if number % 4 == 0 { format!("made-up-{number}") } else { "odd".into() };
                let text = "x".repeat(2_000);
                let warning = v1::Warning { code, text, item: format!("item {number}") };
                send(events, Kind::Warning(warning)).await?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn progress(done: u64, total: u64) -> Kind {
    let (unit, phase) = ("lines".to_owned(), "reading".to_owned());
    Kind::Progress(v1::Progress { done, total, unit, phase, ..v1::Progress::default() })
}
