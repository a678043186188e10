//! Named instances: a component with settings of its own, to be bound to repositories.

/// A component with settings and a name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedInstance {
    /// Its name, once on this host.
    pub name: String,
    /// The component's address: `smb.importer`.
    pub component: String,
    /// A JSON object. Secrets stand in it by name.
    pub settings: serde_json::Value,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// When the settings were last changed: milliseconds since 1970.
    pub changed_ms: i64,
    /// Repositories that it is bound to, by name.
    pub used_by: Vec<String>,
}
