//! `wharf unit ...`

use crate::api::{FoundUnit, Unit, UnitPage, UnitSearch};
use crate::app::App;
use crate::args::UnitList;
use crate::error::Error;
use crate::exit::Exit;
use crate::render;
use crate::render::text::many;
use crate::session::{Need, with_server};

/// Units asked for at once.
const PAGE: usize = 1000;

/// `wharf unit list`: printed page by page, so that a long list costs no memory.
pub(super) async fn list(app: &App, args: UnitList) -> Result<Exit, Error> {
    let UnitList { name, version, chosen, order, limit, fields } = args;
    let (order, descending) = match order.as_deref().map(|order| order.strip_prefix('-')) {
        Some(Some(field)) => (Some(field.to_owned()), true),
        _ => (order, false),
    };
    let search = UnitSearch {
        repository: name,
        version,
        select: chosen.selection(Vec::new()),
        order,
        descending,
        fields: fields.clone(),
        ..UnitSearch::default()
    };
    with_server(app, Need::Answers, async |session| {
        let mut shown = Shown { count: 0, fields: &fields };
        let mut search = search.clone();
        let most = limit.unwrap_or(u64::MAX).max(1);
        loop {
            let left = usize::try_from(most - shown.count).unwrap_or(usize::MAX);
            search.limit = Some(left.min(PAGE));
            let page: UnitPage = session.client.post("units/search", &search).await?;
            // Behind the first answer: a refusal is the only object then.
            if app.output.is_json() && search.cursor.is_none() {
                app.output.raw(r#"{"units":["#)?;
            }
            shown.page(app, page.units)?;
            search.cursor = page.cursor;
            if search.cursor.is_none() || shown.count >= most {
                break;
            }
        }
        if app.output.is_json() {
            let more = search.cursor.is_some();
            app.output.raw(&format!("],\"count\":{},\"more\":{more}}}\n", shown.count))?;
        }
        app.output.flush()?;
        let more = if search.cursor.is_some() { "; there are more, raise --limit" } else { "" };
        app.output.note(&format!("{}{more}", many(shown.count, "unit", "units")))?;
        Ok(Exit::DONE)
    })
    .await
}

/// What was printed so far.
struct Shown<'a> {
    count: u64,
    fields: &'a [String],
}

impl Shown<'_> {
    fn page(&mut self, app: &App, units: Vec<FoundUnit>) -> Result<(), Error> {
        for unit in units {
            if app.output.is_json() {
                let comma = if self.count > 0 { "," } else { "" };
                let text = serde_json::to_string(&unit).map_err(|error| Error::Answer {
                    request: "units/search".to_owned(),
                    reason: error.to_string(),
                })?;
                app.output.raw(&format!("{comma}{text}"))?;
            } else {
                app.output.data(&render::unit::line(&unit, self.fields))?;
            }
            self.count += 1;
        }
        Ok(())
    }
}

/// `wharf unit show`
pub(super) async fn show(app: &App, id: i64) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let unit: Unit = session.client.get(&format!("units/{id}")).await?;
        if app.output.is_json() {
            app.output.json(&unit)?;
        } else {
            app.output.data(&render::unit::details(&unit))?;
        }
        Ok(Exit::DONE)
    })
    .await
}
