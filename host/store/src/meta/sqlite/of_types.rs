//! Units of types, whoever holds them: what a migration reads.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::{Outcome, query, short, types};
use crate::model::{Digest, FieldEquals, TypeId, UnitId};

/// The numbers of all units of these types, ordered by fields, then by number.
pub(in crate::meta) fn unit_ids(
    db: &Connection,
    wanted: &[TypeId],
    filter: &[FieldEquals],
    order_by: &[String],
) -> Outcome<Vec<UnitId>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let definition = match wanted {
        [one] => types::by_id(db, *one)?,
        _ => None,
    };
    let mut sql =
        format!("SELECT u.id FROM unit u WHERE true{}", query::of_types(wanted, "u.type"));
    let mut values: Vec<Value> = Vec::with_capacity(filter.len());
    for field in filter {
        values.push(query::value(field)?);
        let expression = query::expression(&field.name, definition.as_ref(), "u.")?;
        let place = values.len();
        sql.extend([" AND ", &expression, " IS ?", &place.to_string()]);
    }
    sql.push_str(" ORDER BY ");
    for field in order_by {
        let expression = query::expression(field, definition.as_ref(), "u.")?;
        sql.extend(["CAST(", &expression, " AS TEXT), "]);
    }
    sql.push_str("u.id");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(&values), |row| Ok(UnitId(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether a unit of one of these types has a file of these bytes.
pub(in crate::meta) fn hold(db: &Connection, wanted: &[TypeId], digest: Digest) -> Outcome<bool> {
    if wanted.is_empty() {
        return Ok(false);
    }
    let sql = format!(
        "SELECT 1 FROM artifact a JOIN unit_file f ON f.artifact = a.id JOIN unit u ON u.id = f.unit
         WHERE a.hash = ?1 AND a.sha256 = ?2{} LIMIT 1",
        query::of_types(wanted, "u.type")
    );
    Ok(db.prepare_cached(&sql)?.exists((short(&digest.0), digest.0))?)
}
