//! Callbacks: a line each on a job's page, everything about them, what waits at the end of a command.

use super::table::{Align, Cell, Table};
use super::text::{count, exact, many, one_line, plain};
use super::time::Clock;
use super::{BAD, BOLD, GOOD, WARN, styled};
use crate::api::{Callback, Delivery, DeliveryState};

const fn state(delivery: &Delivery) -> (&'static str, anstyle::Style) {
    match delivery.state {
        DeliveryState::Delivered => ("delivered", GOOD),
        DeliveryState::Waiting if delivery.attempts > 0 => ("waiting", WARN),
        DeliveryState::Waiting => ("waiting", anstyle::Style::new()),
        DeliveryState::GivenUp => ("given up", BAD),
    }
}

/// `https://example.org/hook: 2 delivered, 1 waiting, it answered 500 Internal Server Error`
pub(crate) fn line(callback: &Callback) -> String {
    let of = |state| callback.deliveries.iter().filter(|one| one.state == state).count();
    let counted = [
        (DeliveryState::Delivered, "delivered"),
        (DeliveryState::Waiting, "waiting"),
        (DeliveryState::GivenUp, "given up"),
    ];
    let mut parts: Vec<String> = counted
        .into_iter()
        .map(|(state, word)| (of(state), word))
        .filter(|(number, _word)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let mut troubled = callback.deliveries.iter().filter_map(|one| one.error.as_deref());
    parts.extend(troubled.next_back().map(one_line));
    format!("{}: {}", plain(&callback.url), parts.join(", "))
}

/// Everything about the callbacks of a job.
pub(crate) fn details(callbacks: &[Callback], clock: &Clock, width: Option<usize>) -> String {
    let blocks: Vec<String> = callbacks.iter().map(|one| detail(one, clock, width)).collect();
    blocks.join("\n\n")
}

fn detail(callback: &Callback, clock: &Clock, width: Option<usize>) -> String {
    let signed = match &callback.secret {
        Some(name) => format!("signed with {}", exact(name)),
        None => "not signed".to_owned(),
    };
    let gone = if callback.gone { ", the receiver wants no more" } else { "" };
    let head = styled(BOLD, &format!("{} {}", callback.callback, plain(&callback.url)));
    let mut table = Table::new(&[
        ("EVENT", Align::Left),
        ("AT", Align::Left),
        ("STATE", Align::Left),
        ("TRIES", Align::Right),
        ("LAST", Align::Left),
        ("NEXT", Align::Left),
        ("WHY", Align::Left),
    ]);
    let waits = |one: &&Delivery| one.state == DeliveryState::Waiting;
    let next = callback.deliveries.iter().find(waits);
    for delivery in &callback.deliveries {
        let (word, style) = state(delivery);
        let date = |ms: Option<i64>| ms.map(|ms| clock.date_time(ms)).unwrap_or_default();
        // Those behind it wait for it.
        let next_ms = delivery.next_ms.filter(|_ms| next == Some(delivery));
        table.row([
            plain(&delivery.kind).into(),
            clock.date_time(delivery.created_ms).into(),
            Cell::styled(word, style),
            count(delivery.attempts.into()).into(),
            date(delivery.last_ms).into(),
            date(next_ms).into(),
            delivery.error.as_deref().map(one_line).unwrap_or_default().into(),
        ]);
    }
    format!("{head} ({signed}{gone})\n{}", table.render(width))
}

/// What was asked for is under way.
pub(crate) fn redelivering(job: i64, callback: &Callback) -> String {
    let waits = |one: &&Delivery| one.state == DeliveryState::Waiting;
    let waiting = callback.deliveries.iter().filter(waits).count();
    let url = plain(&callback.url);
    if waiting == 0 {
        return format!("{url} has been told everything of job {job}");
    }
    let events = many(u64::try_from(waiting).unwrap_or(u64::MAX), "event", "events");
    format!(
        "{url} is told {events} of job {job} now; `wharf job callbacks {job}` shows how it goes"
    )
}

/// What a server inside a command leaves to the next one.
pub(crate) fn left(events: u64) -> String {
    let events = many(events, "event", "events");
    format!(
        "{}: {events} for callbacks could not be delivered yet; the next server goes on, for example `wharf serve`",
        styled(WARN, "warning")
    )
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn delivery(kind: &str, state: DeliveryState, error: Option<&str>) -> Delivery {
        Delivery {
            id: "msg_1".to_owned(),
            kind: kind.to_owned(),
            created_ms: 1_800_000_000_000,
            state,
            attempts: 2,
            next_ms: (state == DeliveryState::Waiting).then_some(1_800_000_060_000),
            last_ms: Some(1_800_000_030_000),
            status: error.map(|_| 500),
            error: error.map(str::to_owned),
        }
    }

    fn callback() -> Callback {
        Callback {
            callback: 1,
            url: "https://ci.example.org/\u{1b}[31mhook".to_owned(),
            secret: Some("ci".to_owned()),
            gone: false,
            deliveries: vec![
                delivery("job.queued", DeliveryState::Delivered, None),
                delivery("job.running", DeliveryState::Waiting, Some("it answered\n500")),
            ],
        }
    }

    #[test]
    fn a_callback_is_a_line_of_its_job_and_a_table_of_its_own() {
        let callback = callback();
        let line = line(&callback);
        assert!(line.ends_with("hook: 1 delivered, 1 waiting, it answered 500"), "{line}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
        let clock = Clock { now_ms: 1_800_000_040_000, zone: TimeZone::UTC };
        let details = anstream::adapter::strip_str(&details(&[callback], &clock, None)).to_string();
        for said in ["signed with ci", "job.running", "2027-01-15 08:01:00", "it answered 500"] {
            assert!(details.contains(said), "{said}: {details}");
        }
    }

    #[test]
    fn what_is_sent_again_and_what_is_left_are_counted() {
        let callback = callback();
        assert!(redelivering(3, &callback).contains("1 event of job 3"));
        let mut told = callback;
        told.deliveries.truncate(1);
        assert!(redelivering(3, &told).contains("has been told everything"));
        assert!(left(2).contains("2 events"));
    }
}
