//! Nouns: how the things of `types` look in JSON, for the description of the API only.
//!
//! Their schemas are in `nouns.json`, which `cargo xtask codegen` writes from the declarations in `types`. Here are the names
//! by which views and routes refer to them, and the few schemas of the API's own.

use serde::Serialize;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// Bytes as they are.
#[derive(Serialize, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct Binary(
    #[allow(dead_code, reason = "it is read by a derive, not by code")] Vec<u8>,
);

/// Lowercase hex.
#[derive(Serialize, ToSchema)]
#[schema(pattern = "^([0-9a-f]{2})*$")]
pub(crate) struct Hex(#[allow(dead_code, reason = "it is read by a derive, not by code")] String);

/// Why a request was not answered (RFC 9457).
#[derive(Serialize, ToSchema, utoipa::ToResponse)]
#[response(description = "Why there is no answer", content_type = "application/problem+json")]
#[allow(dead_code, reason = "it is read by a derive, not by code")]
pub(crate) struct Problem {
    /// `urn:meshx:error:<code>`
    r#type: String,
    /// The same for every problem with this code.
    title: String,
    status: u16,
    /// What happened this time.
    detail: String,
    #[schema(inline)]
    code: Code,
    /// What to try.
    hint: Option<String>,
}

/// The meaning of a code never changes. A client must expect codes that it does not know.
#[derive(Serialize)]
pub(crate) struct Code;
impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let known = crate::Code::ALL.iter().filter(|code| code.is_sent());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "The meaning of a code never changes. New codes may appear, so expect unknown ones.",
            ))
            .enum_values(Some(known.map(|code| code.as_str())))
            .into()
    }
}
impl ToSchema for Code {}

/// Names of nouns in `nouns.json`.
macro_rules! nouns {
    ($($name:ident),* $(,)?) => { $(
        #[derive(Serialize)]
        pub(crate) struct $name;
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                described(stringify!($name))
            }
        }
        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
            fn schemas(all: &mut Vec<(String, RefOr<Schema>)>) {
                all.extend(within(stringify!($name)));
            }
        }
    )* };
}
nouns!(
    Address,
    Amount,
    AttestationRecord,
    ChainId,
    Challenges,
    EquivocationProof,
    DrawRecord,
    Earned,
    Hash,
    Header,
    JobRecord,
    Params,
    PeriodRecord,
    Place,
    PresenceParams,
    PresenceRecord,
    Proposal,
    PublicKey,
    Standing,
    Supply,
    Tx,
    VrfRecord,
    WorkerRecord,
);

/// What `cargo xtask codegen` wrote.
static NOUNS: LazyLock<BTreeMap<String, serde_json::Value>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("nouns.json")).expect("it is generated, and a test reads it")
});

/// # Panics
/// If no noun is called so: the names above are ours, and a test asks for all of them.
fn described(name: &str) -> RefOr<Schema> {
    let schema = NOUNS.get(name).unwrap_or_else(|| panic!("nouns.json has no {name}"));
    serde_json::from_value(schema.clone()).expect("a schema is one of OpenAPI's")
}

/// The nouns that `name` refers to, and those that these refer to, itself not.
fn within(name: &str) -> Vec<(String, RefOr<Schema>)> {
    let mut found = BTreeSet::new();
    refer(name, &mut found);
    found.into_iter().map(|name| (name.to_owned(), described(name))).collect()
}

fn refer<'a>(name: &str, found: &mut BTreeSet<&'a str>) {
    let mut waiting: Vec<&'a serde_json::Value> = NOUNS.get(name).into_iter().collect();
    while let Some(value) = waiting.pop() {
        match value {
            serde_json::Value::Object(properties) => waiting.extend(properties.values()),
            serde_json::Value::Array(items) => waiting.extend(items),
            serde_json::Value::String(text) => {
                let name = text.strip_prefix("#/components/schemas/");
                if let Some(name) = name.filter(|name| found.insert(name)) {
                    waiting.extend(NOUNS.get(name));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A schema that utoipa reads only in part would be lost on its way into the description.
    #[test]
    fn every_schema_of_a_noun_is_understood_whole() {
        for (name, schema) in &*NOUNS {
            let read = serde_json::to_value(described(name)).unwrap();
            assert_eq!(read, *schema, "{name}");
        }
    }

    #[test]
    fn a_noun_brings_those_it_refers_to() {
        let names: Vec<String> = within("Submission").into_iter().map(|(name, _)| name).collect();
        let expected =
            ["Abi", "Agreement", "Amount", "Float", "Hash", "InputFile", "JobLimits", "JobSpec"];
        assert_eq!(names, expected);
    }
}
