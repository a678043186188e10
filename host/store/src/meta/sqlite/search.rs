//! Finds units by fields, in one version or in all repositories, page by page from where the page before ended.
//!
//! As in `query`, the expression of a field is that of the type's indexes. A field is asked for type by type also where
//! no type is named, so that people need not name one for a search to be quick.

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
    let Statement { sql, values } = statement(db, search, most)?;
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(&values), |row| {
        let ordered = search.order.is_some();
        let value = if ordered { written(row.get(1)?) } else { String::new() };
        Ok(UnitCursor { unit: UnitId(row.get(0)?), value })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A statement with what is bound to it.
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

/// Asks for the numbers of what is found, each with the value by which it is ordered.
pub(super) fn statement(db: &Connection, search: &UnitSearch, most: i64) -> Outcome<Statement> {
    let mut question = Question::new(db, search)?;
    let order = question.order(search)?;
    let sql = format!(
        "SELECT u.id, {} {} LIMIT {most}",
        order.as_deref().unwrap_or("NULL"),
        question.sql
    );
    Ok(Statement { sql, values: question.values })
}

struct Question {
    sql: String,
    values: Vec<Value>,
    /// The types that are looked through, where fields are of a type.
    types: Vec<(TypeId, TypeDefinition)>,
}

impl Question {
    fn new(db: &Connection, search: &UnitSearch) -> Outcome<Self> {
        let types = looked_through(db, search)?;
        let mut question = Self { sql: String::new(), values: Vec::new(), types };
        match search.version {
            Some((repository, version)) => {
                let repository = question.bind(repository.0);
                let version = question.bind(signed(version));
                let tables = if question.is_indexed(search) {
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
        question.filter(search)?;
        Ok(question)
    }

    /// Whether each of the types has an index that begins with a field of the filter, or the only one has one that
    /// begins with the field of the order.
    fn is_indexed(&self, search: &UnitSearch) -> bool {
        let begins = |definition: &TypeDefinition, name: &str| {
            definition.indexes().iter().any(|index| index.first() == Some(&name))
        };
        let ordered = match (self.types.as_slice(), &search.order) {
            ([(_, definition)], Some(order)) => begins(definition, &order.field),
            _ => false,
        };
        let filtered = |(_, definition): &(TypeId, TypeDefinition)| {
            search.filter.iter().any(|field| begins(definition, &field.name))
        };
        ordered || !self.types.is_empty() && self.types.iter().all(filtered)
    }

    /// The place of a value in the statement.
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// Adds what must hold. Fields are asked for type by type, so that the indexes of each serve.
    fn filter(&mut self, search: &UnitSearch) -> Outcome<()> {
        if search.filter.is_empty() {
            self.sql.push_str(&query::of_types(&search.types, "u.type"));
            return Ok(());
        }
        let mut wanted = Vec::with_capacity(search.filter.len());
        for field in &search.filter {
            // A name that cannot be one is an error though there is nothing to look through.
            expression(&field.name, None, "u.")?;
            wanted.push((field.name.as_str(), self.comparisons(field)?));
        }
        let mut ways = Vec::with_capacity(self.types.len());
        for (id, definition) in &self.types {
            let mut way = format!("u.type = {id}");
            for (name, comparisons) in &wanted {
                let expression = expression(name, Some(definition), "u.")?;
                for comparison in comparisons {
                    way.extend([" AND ", &expression, comparison]);
                }
            }
            ways.push(way);
        }
        match ways.as_slice() {
            [] => self.sql.push_str(" AND false"),
            [way] => self.sql.extend([" AND ", way]),
            ways => self.sql.extend([" AND ((", &ways.join(") OR ("), "))"]),
        }
        Ok(())
    }

    /// What a field is held against: the ends of conditions that begin with its expression.
    fn comparisons(&mut self, field: &FieldMatch) -> Outcome<Vec<String>> {
        Ok(match &field.is {
            Match::Value(value) => {
                let field = FieldEquals { name: field.name.clone(), value: value.clone() };
                let place = self.bind(query::value(&field)?);
                vec![format!(" IS {place}")]
            }
            Match::Written(text) => {
                let mut places = vec![self.bind(text.clone())];
                places.extend(looks_like(text).map(|value| self.bind(value)));
                vec![format!(" IN ({})", places.join(", "))]
            }
            Match::Prefix(prefix) => {
                let from = self.bind(prefix.clone());
                let to = self.bind(format!("{prefix}{}", char::MAX));
                vec![format!(" >= {from}"), format!(" < {to}")]
            }
        })
    }

    /// Adds where to begin, and the order; answers the expression by which it goes. It is the field's own and nothing
    /// made of it, so that an index gives the order too.
    fn order(&mut self, search: &UnitSearch) -> Outcome<Option<String>> {
        let Some(order) = &search.order else {
            if let Some(after) = &search.after {
                let unit = self.bind(after.unit.0);
                // The plus keeps the number from being looked for where a field is: all behind it would be read.
                let is_found = !search.filter.is_empty() && self.is_indexed(search);
                let id = if is_found { "+u.id" } else { "u.id" };
                self.sql.extend([" AND ", id, " > ", &unit]);
            }
            self.sql.push_str(" ORDER BY u.id");
            return Ok(None);
        };
        let definition = match self.types.as_slice() {
            [(_, definition)] => Some(definition),
            _ => None,
        };
        let value = expression(&order.field, definition, "u.")?;
        if let Some(after) = &search.after {
            let last = query::value(&FieldEquals {
                name: order.field.clone(),
                value: after.value.clone(),
            })?;
            let lacked = last == Value::Null;
            let (last, unit) = (self.bind(last), self.bind(after.unit.0));
            // What lacks the field comes before everything, and nothing compares with it.
            let behind = match (lacked, order.descending) {
                (true, false) => {
                    format!("({value} IS NOT NULL OR u.id > {unit}) AND {last} IS NULL")
                }
                (true, true) => format!("{value} IS NULL AND u.id < {unit} AND {last} IS NULL"),
                (false, false) => {
                    format!("{value} >= {last} AND ({value}, u.id) > ({last}, {unit})")
                }
                (false, true) => format!("({value} IS NULL OR ({value}, u.id) < ({last}, {unit}))"),
            };
            self.sql.extend([" AND ", &behind]);
        }
        let way = if order.descending { "DESC" } else { "ASC" };
        self.sql.extend([" ORDER BY ", &value, " ", way, ", u.id ", way]);
        Ok(Some(value))
    }
}

/// The types through which a search goes: those that it names, else all that have units. None at all where it asks for
/// no field.
fn looked_through(db: &Connection, search: &UnitSearch) -> Outcome<Vec<(TypeId, TypeDefinition)>> {
    if let [one] = search.types.as_slice() {
        return Ok(types::by_id(db, *one)?
            .map(|definition| (*one, definition))
            .into_iter()
            .collect());
    }
    if search.filter.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for registered in types::all(db)? {
        // Each type has at least the index of its key, so that the first unit is found at once.
        let id = registered.id;
        let is_wanted = if search.types.is_empty() {
            db.prepare_cached(&format!("SELECT 1 FROM unit WHERE type = {id} LIMIT 1"))?
                .exists([])?
        } else {
            search.types.contains(&id)
        };
        if is_wanted {
            found.push((id, registered.definition));
        }
    }
    Ok(found)
}

/// A value by which units are ordered, as JSON: [`query::value`] reads it again.
fn written(value: Value) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => serde_json::Value::from(number).to_string(),
        Value::Text(text) => serde_json::Value::from(text).to_string(),
        Value::Null | Value::Blob(_) => "null".to_owned(),
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
