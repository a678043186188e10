//! Finds units by fields, in one version or in all repositories, page by page from where the page before ended.
//!
//! As in `query`, the expression of a field is that of the type's indexes when one type is asked for.

use std::collections::BTreeSet;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::query::{self, expression};
use super::{Outcome, limit, signed, types, unsigned, versions};
use crate::error::{Error, Thing};
use crate::model::{
    FieldEquals, FieldMatch, FoundUnit, Holding, Match, TypeDefinition, TypeId, UnitCursor, UnitId,
    UnitSearch,
};

/// A page of what is found.
pub(in crate::meta) fn search(db: &Connection, search: &UnitSearch) -> Outcome<Vec<FoundUnit>> {
    let cursors = hits(db, search, limit(search.limit, 1_000))?;
    let ids: Vec<UnitId> = cursors.iter().map(|cursor| cursor.unit).collect();
    let mut holders = db.prepare_cached(
        "SELECT r.name FROM repository r CROSS JOIN membership m
            ON m.repository = r.id AND m.unit = ?1 AND m.removed_in IS NULL ORDER BY r.name",
    )?;
    let units = query::units_by_id(db, &ids, false)?;
    let mut found = Vec::with_capacity(units.len());
    for (unit, cursor) in units.into_iter().zip(cursors) {
        let repositories = if search.version.is_some() {
            Vec::new()
        } else {
            let names = holders.query_map([unit.id.0], |row| row.get(0))?;
            names.collect::<Result<_, _>>()?
        };
        found.push(FoundUnit { unit, cursor, repositories });
    }
    Ok(found)
}

/// The numbers of all units that are found.
pub(in crate::meta) fn ids(db: &Connection, search: &UnitSearch) -> Outcome<Vec<UnitId>> {
    Ok(hits(db, search, i64::MAX)?.into_iter().map(|hit| hit.unit).collect())
}

fn hits(db: &Connection, search: &UnitSearch, most: i64) -> Outcome<Vec<UnitCursor>> {
    if let Some((repository, version)) = search.version {
        versions::check(db, repository, version)?;
    }
    let mut question = Question::new(db, search)?;
    let order = question.order(search)?;
    let sql =
        format!("SELECT u.id, {} {} LIMIT {most}", order.as_deref().unwrap_or("''"), question.sql);
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(&question.values), |row| {
        Ok(UnitCursor { unit: UnitId(row.get(0)?), value: row.get(1)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

struct Question {
    sql: String,
    values: Vec<Value>,
    definition: Option<TypeDefinition>,
}

impl Question {
    fn new(db: &Connection, search: &UnitSearch) -> Outcome<Self> {
        let definition = match search.types.as_slice() {
            [one] => types::by_id(db, *one)?,
            _ => None,
        };
        let indexed = definition.as_ref().is_some_and(|definition| {
            let indexes = definition.indexes();
            let mut firsts = indexes.iter().filter_map(|index| index.first());
            firsts.any(|first| search.filter.iter().any(|field| field.name == *first))
        });
        let mut question = Self { sql: String::new(), values: Vec::new(), definition };
        match search.version {
            Some((repository, version)) => {
                let repository = question.bind(repository.0);
                let version = question.bind(signed(version));
                let tables = if indexed {
                    format!(
                        "unit u CROSS JOIN membership m ON m.repository = {repository} AND m.unit = u.id"
                    )
                } else {
                    "membership m CROSS JOIN unit u ON u.id = m.unit".to_owned()
                };
                question.sql = format!(
                    "FROM {tables} WHERE m.repository = {repository} AND m.added_in <= {version}
                        AND (m.removed_in IS NULL OR m.removed_in > {version})"
                );
            }
            None => {
                "FROM unit u WHERE EXISTS (SELECT 1 FROM repository r CROSS JOIN membership m
                    ON m.repository = r.id AND m.unit = u.id AND m.removed_in IS NULL)"
                    .clone_into(&mut question.sql);
            }
        }
        question.sql.push_str(&query::of_types(&search.types, "u.type"));
        for field in &search.filter {
            question.field(field)?;
        }
        Ok(question)
    }

    /// The place of a value in the statement.
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    fn expression(&self, name: &str) -> Outcome<String> {
        expression(name, self.definition.as_ref(), "u.")
    }

    fn field(&mut self, field: &FieldMatch) -> Outcome<()> {
        let expression = self.expression(&field.name)?;
        let condition = match &field.is {
            Match::Value(value) => {
                let field = FieldEquals { name: field.name.clone(), value: value.clone() };
                let place = self.bind(query::value(&field)?);
                format!("{expression} IS {place}")
            }
            Match::Written(text) => {
                let mut places = vec![self.bind(text.clone())];
                places.extend(looks_like(text).map(|value| self.bind(value)));
                format!("{expression} IN ({})", places.join(", "))
            }
            Match::Prefix(prefix) => {
                let from = self.bind(prefix.clone());
                let to = self.bind(format!("{prefix}{}", char::MAX));
                format!("{expression} >= {from} AND {expression} < {to}")
            }
        };
        self.sql.extend([" AND ", &condition]);
        Ok(())
    }

    /// Adds where to begin, and the order; answers the expression by which it goes.
    fn order(&mut self, search: &UnitSearch) -> Outcome<Option<String>> {
        let Some(order) = &search.order else {
            if let Some(after) = &search.after {
                let unit = self.bind(after.unit.0);
                self.sql.extend([" AND u.id > ", &unit]);
            }
            self.sql.push_str(" ORDER BY u.id");
            return Ok(None);
        };
        let value = format!("coalesce(CAST({} AS TEXT), '')", self.expression(&order.field)?);
        let (beyond, way) = if order.descending { ("<", "DESC") } else { (">", "ASC") };
        if let Some(after) = &search.after {
            let (last, unit) = (self.bind(after.value.clone()), self.bind(after.unit.0));
            self.sql.extend([" AND (", &value, ", u.id) ", beyond, " (", &last, ", ", &unit, ")"]);
        }
        self.sql.extend([" ORDER BY ", &value, " ", way, ", u.id ", way]);
        Ok(Some(value))
    }
}

/// The number or truth value that a text looks like, as SQLite's JSON functions give it.
fn looks_like(text: &str) -> Option<Value> {
    match text {
        "true" => Some(Value::Integer(1)),
        "false" => Some(Value::Integer(0)),
        _ => text
            .parse()
            .map(Value::Integer)
            .ok()
            .or_else(|| text.parse().ok().filter(|it: &f64| it.is_finite()).map(Value::Real)),
    }
}

/// The types of these units, each once.
pub(in crate::meta) fn types_of(db: &Connection, units: &[UnitId]) -> Outcome<BTreeSet<TypeId>> {
    let mut find = db.prepare_cached("SELECT type FROM unit WHERE id = ?1")?;
    let mut types = BTreeSet::new();
    for unit in units {
        let found = find.query_row([unit.0], |row| row.get(0)).optional()?;
        types.extend(found.map(TypeId));
    }
    Ok(types)
}

/// Which versions hold a unit, repository by repository.
pub(in crate::meta) fn holdings(db: &Connection, unit: UnitId) -> Outcome<Vec<Holding>> {
    if query::units_by_id(db, &[unit], false)?.is_empty() {
        return Err(Error::not_found(Thing::Unit, &unit).into());
    }
    let mut statement = db.prepare_cached(
        "SELECT r.name, m.added_in, m.removed_in FROM repository r CROSS JOIN membership m
            ON m.repository = r.id AND m.unit = ?1 ORDER BY r.name, m.added_in",
    )?;
    let rows = statement.query_map([unit.0], |row| {
        Ok(Holding {
            repository: row.get(0)?,
            added_in: unsigned(row.get(1)?),
            removed_in: row.get::<_, Option<i64>>(2)?.map(unsigned),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
