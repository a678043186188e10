//! Units of a fake host: queries, and units by name.

use std::collections::BTreeMap;

use serde_json::Value;
use tonic::Status;
use wharf_proto::{MAX_BATCH, v1};

use super::host::FakeHost;

/// The pages that answer a query.
pub(super) fn pages(host: &FakeHost, query: &v1::QueryUnitsRequest) -> Vec<v1::Units> {
    let mut units: Vec<_> = host.units().into_iter().map(|unit| (fields(&unit), unit)).collect();
    units.retain(|(_, unit)| query.types.is_empty() || query.types.contains(&unit.r#type));
    units.retain(|(fields, _)| {
        query.r#where.iter().all(|wanted| {
            let value = serde_json::from_str::<Value>(&wanted.value).unwrap_or_default();
            fields.get(&wanted.name) == Some(&value)
        })
    });
    units.sort_by_cached_key(|(fields, unit)| (sort_text(fields, &query.order_by), unit.id));
    let page = |page: &[(BTreeMap<String, Value>, v1::Unit)]| v1::Units {
        units: page.iter().map(|(_, unit)| unit.clone()).collect(),
    };
    units.chunks(MAX_BATCH).map(page).collect()
}

/// Units by number, or by type and key.
pub(super) fn named(host: &FakeHost, named: &[v1::UnitRef]) -> Result<v1::Units, Status> {
    let known = host.units();
    let find = |wanted: &v1::UnitRef| {
        let is_it = |unit: &&v1::Unit| match wanted.id {
            0 => unit.r#type == wanted.r#type && unit.key == wanted.key,
            id => unit.id == id,
        };
        let found = known.iter().find(is_it).cloned();
        found.ok_or_else(|| Status::not_found(format!("no unit {wanted:?}")))
    };
    Ok(v1::Units { units: named.iter().map(find).collect::<Result<_, _>>()? })
}

/// The fields of key and attributes together; those of the key win.
fn fields(unit: &v1::Unit) -> BTreeMap<String, Value> {
    let read =
        |text: &str| serde_json::from_str::<BTreeMap<String, Value>>(text).unwrap_or_default();
    let mut fields = read(&unit.attributes);
    fields.extend(read(&unit.key));
    fields
}

fn sort_text(fields: &BTreeMap<String, Value>, names: &[String]) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    names.iter().map(|name| fields.get(name).map(text).unwrap_or_default()).collect()
}
