//! `Host.QueryUnits` over made-up units.

use std::collections::BTreeMap;

use serde_json::Value;
use wharf_proto::v1;

/// Units in one message.
const PAGE: usize = 500;

/// All pages of the answer.
pub(super) fn pages(units: &[v1::Unit], query: &v1::QueryUnitsRequest) -> Vec<v1::Units> {
    let mut chosen: Vec<&v1::Unit> = units.iter().filter(|unit| is_wanted(unit, query)).collect();
    if !query.order_by.is_empty() {
        chosen.sort_by_cached_key(|unit| (order(unit, &query.order_by), unit.id));
    }
    let told = |unit: &&v1::Unit| {
        let mut unit = (*unit).clone();
        if query.without_files {
            unit.files.clear();
        }
        unit
    };
    chosen.chunks(PAGE).map(|page| v1::Units { units: page.iter().map(told).collect() }).collect()
}

fn is_wanted(unit: &v1::Unit, query: &v1::QueryUnitsRequest) -> bool {
    if !query.types.is_empty() && !query.types.contains(&unit.r#type) {
        return false;
    }
    if query.r#where.is_empty() {
        return true;
    }
    let fields = fields(unit);
    query.r#where.iter().all(|wanted| {
        let value: Value = serde_json::from_str(&wanted.value).unwrap_or_default();
        fields.get(&wanted.name) == Some(&value)
    })
}

/// Those of the key win.
fn fields(unit: &v1::Unit) -> BTreeMap<String, Value> {
    let read =
        |text: &str| serde_json::from_str::<BTreeMap<String, Value>>(text).unwrap_or_default();
    let mut fields = read(&unit.attributes);
    fields.extend(read(&unit.key));
    fields
}

fn order(unit: &v1::Unit, names: &[String]) -> Vec<String> {
    let fields = fields(unit);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    names.iter().map(|name| fields.get(name).map(text).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_filtered_ordered_and_paged() {
        let unit = |id: u64| v1::Unit {
            id,
            r#type: if id.is_multiple_of(2) { "even" } else { "odd" }.to_owned(),
            key: format!(r#"{{"path":"{:04}"}}"#, 2_000 - id),
            ..v1::Unit::default()
        };
        let units: Vec<_> = (1..=1_200).map(unit).collect();
        let query = |types: &[&str], path: Option<&str>| v1::QueryUnitsRequest {
            types: types.iter().map(|id| (*id).to_owned()).collect(),
            r#where: path
                .map(|path| v1::FieldEquals { name: "path".to_owned(), value: format!("{path:?}") })
                .into_iter()
                .collect(),
            order_by: vec!["path".to_owned()],
            ..v1::QueryUnitsRequest::default()
        };
        let all = pages(&units, &query(&[], None));
        assert_eq!(all.iter().map(|page| page.units.len()).collect::<Vec<_>>(), [500, 500, 200]);
        assert_eq!(all[0].units[0].id, 1_200);
        assert_eq!(pages(&units, &query(&["even"], None))[0].units[0].id, 1_200);
        let one = pages(&units, &query(&[], Some("1993")));
        assert_eq!((one.len(), one[0].units[0].id), (1, 7));
    }
}
