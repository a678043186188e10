//! Finds units of a version by type and by fields.
//!
//! A field is one of the key, else one of the attributes. With one type the expression is exactly that of the type's
//! indexes, so that they serve.

use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, params_from_iter};

use super::{Outcome, limit, short, signed, types, unsigned, versions};
use crate::error::Error;
use crate::model::{
    Digest, FieldEquals, FileRow, RelativePath, RepositoryId, Selector, TypeDefinition, TypeId,
    UnitId, UnitQuery, UnitRow,
};

/// The expression of a field. `table`: empty, or the name of the table with a point.
pub(super) fn expression(
    field: &str,
    definition: Option<&TypeDefinition>,
    table: &str,
) -> Outcome<String> {
    if !crate::model::is_field_name(field) {
        return Err(Error::FieldName { name: field.to_owned() }.into());
    }
    let of = |column: &str| format!("json_extract({table}{column}, '$.\"{field}\"')");
    Ok(match definition {
        Some(definition) if definition.is_key_field(field) => of("key"),
        Some(_) => of("attributes"),
        None => format!("coalesce({}, {})", of("key"), of("attributes")),
    })
}

/// A question about the units of a version, as a statement without its first words and its order.
pub(super) struct Question {
    sql: String,
    pub(super) values: Vec<Value>,
    definition: Option<TypeDefinition>,
}

impl Question {
    /// ?1 is the repository, ?2 the version, ?3 the unit after which to begin.
    pub(super) fn new(
        db: &Connection,
        (repository, version, after): (RepositoryId, u64, Option<UnitId>),
        wanted: &[TypeId],
        filter: &[FieldEquals],
    ) -> Outcome<Self> {
        let definition = match wanted {
            [one] => types::by_id(db, *one)?,
            _ => None,
        };
        let indexed = definition.as_ref().is_some_and(|definition| is_indexed(definition, filter));
        let tables = match (indexed, wanted.is_empty() && filter.is_empty()) {
            (true, _) => "unit u CROSS JOIN membership m ON m.repository = ?1 AND m.unit = u.id",
            (false, false) => "membership m CROSS JOIN unit u ON u.id = m.unit",
            (false, true) => "membership m",
        };
        let id = if indexed { "u.id" } else { "m.unit" };
        let mut sql = format!(
            "FROM {tables} WHERE m.repository = ?1 AND {id} > ?3
             AND m.added_in <= ?2 AND (m.removed_in IS NULL OR m.removed_in > ?2)"
        );
        let mut values = vec![
            repository.0.into(),
            signed(version).into(),
            after.map_or(i64::MIN, |unit| unit.0).into(),
        ];
        sql.push_str(&of_types(wanted, "u.type"));
        for field in filter {
            values.push(value(field)?);
            let expression = expression(&field.name, definition.as_ref(), "u.")?;
            let place = values.len();
            sql.extend([" AND ", &expression, " IS ?", &place.to_string()]);
        }
        Ok(Self { sql, values, definition })
    }

    pub(super) fn statement(&self, order: &str) -> String {
        format!("SELECT m.unit {} {order}", self.sql)
    }

    fn ids(&self, db: &Connection, order: &str) -> Outcome<Vec<UnitId>> {
        let mut statement = db.prepare_cached(&self.statement(order))?;
        let rows =
            statement.query_map(params_from_iter(&self.values), |row| Ok(UnitId(row.get(0)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The condition that a unit is of one of these types; none: of any. Written out and not bound, so that a single type
/// is seen to be the one that a partial index is for.
pub(super) fn of_types(types: &[TypeId], column: &str) -> String {
    match types {
        [] => String::new(),
        [one] => format!(" AND {column} = {one}"),
        several => {
            let list: Vec<String> = several.iter().map(TypeId::to_string).collect();
            format!(" AND {column} IN ({})", list.join(", "))
        }
    }
}

/// Whether an index begins with one of these fields.
fn is_indexed(definition: &TypeDefinition, filter: &[FieldEquals]) -> bool {
    let indexes = definition.indexes();
    let mut firsts = indexes.iter().filter_map(|index| index.first());
    firsts.any(|first| filter.iter().any(|field| field.name == *first))
}

/// A JSON value as SQLite's JSON functions give it.
pub(super) fn value(field: &FieldEquals) -> Outcome<Value> {
    let parsed: serde_json::Value = serde_json::from_str(&field.value).map_err(|error| {
        Error::FieldValue { name: field.name.clone(), problem: error.to_string() }
    })?;
    Ok(match parsed {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => i64::from(value).into(),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => integer.into(),
            None => number.as_f64().map_or(Value::Null, Value::from),
        },
        serde_json::Value::String(text) => text.into(),
        nested => nested.to_string().into(),
    })
}

/// Units of the newest version.
pub(in crate::meta) fn members_matching(
    db: &Connection,
    repository: RepositoryId,
    type_id: Option<TypeId>,
    selector: &Selector,
) -> Outcome<Vec<UnitId>> {
    let version = super::repositories::get(db, repository)?.current_version;
    let wanted: Vec<TypeId> = type_id.into_iter().collect();
    let filter = match selector {
        Selector::Keys(digests) => return members_with_keys(db, repository, type_id, digests),
        Selector::All => Vec::new(),
        Selector::Field { name, value } => {
            vec![FieldEquals { name: name.clone(), value: value.clone() }]
        }
    };
    let at = (repository, version, None);
    Question::new(db, at, &wanted, &filter)?.ids(db, "ORDER BY m.unit")
}

fn members_with_keys(
    db: &Connection,
    repository: RepositoryId,
    type_id: Option<TypeId>,
    digests: &[[u8; 32]],
) -> Outcome<Vec<UnitId>> {
    let mut find = db.prepare_cached(
        "SELECT u.id FROM unit u CROSS JOIN membership m
            ON m.repository = ?2 AND m.unit = u.id AND m.removed_in IS NULL
         WHERE u.key_hash = ?4 AND u.key_digest = ?1 AND (?3 IS NULL OR u.type = ?3)",
    )?;
    let mut found = Vec::with_capacity(digests.len());
    for digest in digests {
        let unit = find
            .query_row((digest, repository.0, type_id.map(|id| id.0), short(digest)), |row| {
                row.get(0)
            })
            .optional()?;
        found.extend(unit.map(UnitId));
    }
    Ok(found)
}

/// A page of the units of a version.
pub(in crate::meta) fn units(
    db: &Connection,
    repository: RepositoryId,
    version: u64,
    query: &UnitQuery,
) -> Outcome<Vec<UnitRow>> {
    versions::check(db, repository, version)?;
    let question =
        Question::new(db, (repository, version, query.after), &query.types, &query.filter)?;
    let order = format!("ORDER BY m.unit LIMIT {}", limit(query.limit, 1_000));
    units_by_id(db, &question.ids(db, &order)?, query.with_files)
}

/// The numbers of a version's units, ordered by fields.
pub(in crate::meta) fn unit_ids(
    db: &Connection,
    repository: RepositoryId,
    version: u64,
    wanted: &[TypeId],
    filter: &[FieldEquals],
    order_by: &[String],
) -> Outcome<Vec<UnitId>> {
    versions::check(db, repository, version)?;
    let mut question = Question::new(db, (repository, version, None), wanted, filter)?;
    if !order_by.is_empty() && wanted.is_empty() && filter.is_empty() {
        question.sql = question.sql.replacen(
            "membership m",
            "membership m CROSS JOIN unit u ON u.id = m.unit",
            1,
        );
    }
    let mut order = "ORDER BY ".to_owned();
    for field in order_by {
        let expression = expression(field, question.definition.as_ref(), "u.")?;
        order.extend(["CAST(", &expression, " AS TEXT), "]);
    }
    order.push_str("m.unit");
    question.ids(db, &order)
}

/// Whether there are such units, in the order asked.
pub(in crate::meta) fn exist(db: &Connection, units: &[UnitId]) -> Outcome<Vec<bool>> {
    let mut find = db.prepare_cached("SELECT 1 FROM unit WHERE id = ?1")?;
    units.iter().map(|unit| Ok(find.exists([unit.0])?)).collect()
}

/// Units by their numbers, in the order asked.
pub(in crate::meta) fn units_by_id(
    db: &Connection,
    units: &[UnitId],
    with_files: bool,
) -> Outcome<Vec<UnitRow>> {
    let mut find = db.prepare_cached("SELECT id, type, key, attributes FROM unit WHERE id = ?1")?;
    let mut files = db.prepare_cached(
        "SELECT f.path, a.sha256, coalesce(a.size, f.size), ifnull(a.present, 0), f.media_type,
            f.digests
         FROM unit_file f LEFT JOIN artifact a ON a.id = f.artifact
         WHERE f.unit = ?1 ORDER BY f.path",
    )?;
    let mut found = Vec::with_capacity(units.len());
    for unit in units {
        let Some(mut row) = find.query_row([unit.0], read_unit).optional()? else { continue };
        if with_files {
            row.files = read_files(&mut files, *unit)?;
        }
        found.push(row);
    }
    Ok(found)
}

fn read_unit(row: &Row<'_>) -> rusqlite::Result<UnitRow> {
    Ok(UnitRow {
        id: UnitId(row.get(0)?),
        type_id: TypeId(row.get(1)?),
        key: row.get(2)?,
        attributes: row.get(3)?,
        files: Vec::new(),
    })
}

fn read_files(files: &mut CachedStatement<'_>, unit: UnitId) -> Outcome<Vec<FileRow>> {
    let rows = files.query_map([unit.0], |row| {
        let digests: String = row.get(5)?;
        Ok(FileRow {
            path: RelativePath::stored(row.get(0)?),
            sha256: row.get::<_, Option<[u8; 32]>>(1)?.map(Digest),
            size: row.get::<_, Option<i64>>(2)?.map(unsigned),
            present: row.get(3)?,
            media_type: row.get(4)?,
            digests: digests.split_ascii_whitespace().map(str::to_owned).collect(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
