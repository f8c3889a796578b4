//! The schemas of nouns as OpenAPI 3.1 writes them, made from descriptions.

use crate::json::Json;
use std::collections::BTreeMap;
use types::describe::{Content, Field, Noun, Shape, Type, Variant};

const HEX: &str = "^([0-9a-f]{2})*$";

/// The schema of each noun that `roots` lead to and that has one of its own, by name. Numbers with a meaning have none: they
/// are described where they stand.
pub fn schemas(roots: impl IntoIterator<Item = Type>) -> BTreeMap<&'static str, Json> {
    let mut found = BTreeMap::new();
    roots.into_iter().for_each(|root| collect(&root, &mut found));
    found
}

fn collect(of: &Type, found: &mut BTreeMap<&'static str, Json>) {
    let noun = match *of {
        Type::Option(item) | Type::List { item, .. } => return collect(item, found),
        Type::Noun(noun) if !matches!(noun.shape, Shape::Number(_)) => noun,
        _ => return,
    };
    let schema = of_noun(noun);
    if let Some(known) = found.insert(noun.name, schema.clone()) {
        return assert_eq!(known, schema, "two nouns are called {}", noun.name);
    }
    match noun.shape {
        Shape::Number(_) | Shape::Text { .. } => {}
        Shape::Struct(fields) => fields.iter().for_each(|field| collect(&field.of, found)),
        Shape::Enum { variants, .. } => {
            for variant in variants {
                match variant.content {
                    Content::None => {}
                    Content::Item(of) => collect(&of, found),
                    Content::Fields(fields) => {
                        fields.iter().for_each(|field| collect(&field.of, found))
                    }
                }
            }
        }
    }
}

fn of_noun(noun: &Noun) -> Json {
    let mut schema = match noun.shape {
        Shape::Number(of) => of_type(&of, ""),
        Shape::Text { pattern, example, .. } => {
            let example = Some(("example", Json::text(example))).filter(|_| !example.is_empty());
            let known = [("type", Json::text("string")), ("pattern", Json::text(pattern))];
            Json::object(known.into_iter().chain(example))
        }
        Shape::Struct(fields) => of_fields(fields, None),
        Shape::Enum { tag: None, variants }
            if variants.iter().all(|v| matches!(v.content, Content::None)) =>
        {
            word(variants.iter().map(|variant| variant.name))
        }
        Shape::Enum { tag, variants } => {
            let variants = variants.iter().map(|variant| of_variant(tag, variant)).collect();
            Json::object([("oneOf", Json::List(variants))])
        }
    };
    describe(&mut schema, noun.doc);
    schema
}

fn of_variant(tag: Option<&str>, variant: &Variant) -> Json {
    let name = || word([variant.name]);
    let mut schema = match (tag, variant.content) {
        (None, Content::None) => name(),
        (None, Content::Item(of)) => object(&[(variant.name, of_type(&of, ""))], &[variant.name]),
        (None, Content::Fields(fields)) => {
            object(&[(variant.name, of_fields(fields, None))], &[variant.name])
        }
        (Some(tag), Content::None) => object(&[(tag, name())], &[tag]),
        (Some(tag), Content::Item(of)) => {
            let parts = vec![of_type(&of, ""), object(&[(tag, name())], &[tag])];
            Json::object([("allOf", Json::List(parts))])
        }
        (Some(tag), Content::Fields(fields)) => of_fields(fields, Some((tag, name()))),
    };
    describe(&mut schema, variant.doc);
    schema
}

fn of_fields(fields: &[Field], tag: Option<(&str, Json)>) -> Json {
    let needed = fields.iter().filter(|field| !matches!(field.of, Type::Option(_)));
    let mut required: Vec<&str> = needed.map(|field| field.name).collect();
    let mut properties: Vec<(&str, Json)> =
        fields.iter().map(|field| (field.name, of_type(&field.of, field.doc))).collect();
    if let Some((tag, name)) = tag {
        required.push(tag);
        properties.push((tag, name));
    }
    object(&properties, &required)
}

/// The schema of what stands in a place described by `doc`.
fn of_type(of: &Type, doc: &str) -> Json {
    let text = || ("type", Json::text("string"));
    let mut schema = match *of {
        Type::Bool => Json::object([("type", Json::text("boolean"))]),
        Type::Number { bytes, signed } => {
            let format = match bytes {
                0..=4 => Some("int32"),
                8 => Some("int64"),
                _ => None,
            };
            let format = format.map(|format| ("format", Json::text(format)));
            let least = Some(("minimum", Json::number(0))).filter(|_| !signed);
            Json::object([("type", Json::text("integer"))].into_iter().chain(format).chain(least))
        }
        Type::Array { bytes } => {
            Json::object([text(), ("pattern", Json::text(format!("^[0-9a-f]{{{}}}$", 2 * bytes)))])
        }
        Type::Bytes { max } => Json::object([
            text(),
            ("pattern", Json::text(HEX)),
            ("maxLength", Json::number(2 * max)),
        ]),
        // Of bytes there may be `max`, so there are never more letters.
        Type::Text { max } => Json::object([text(), ("maxLength", Json::number(max))]),
        Type::Option(item) => return optional(of_type(item, doc)),
        Type::List { item, max } => Json::object([
            ("type", Json::text("array")),
            ("items", of_type(item, "")),
            ("maxItems", Json::number(max)),
        ]),
        Type::Noun(Noun { shape: Shape::Number(of), doc: meaning, .. }) => {
            return of_type(of, if doc.is_empty() { meaning } else { doc });
        }
        Type::Noun(noun) => {
            Json::object([("$ref", Json::text(format!("#/components/schemas/{}", noun.name)))])
        }
    };
    describe(&mut schema, doc);
    schema
}

/// The same or null.
fn optional(schema: Json) -> Json {
    let Json::Object(mut properties) = schema else { return schema };
    match properties.iter_mut().find(|(name, _)| name == "type") {
        Some((_, kind)) => {
            *kind = Json::List(vec![kind.clone(), Json::text("null")]);
            Json::Object(properties)
        }
        None => {
            let null = Json::object([("type", Json::text("null"))]);
            Json::object([("oneOf", Json::List(vec![null, Json::Object(properties)]))])
        }
    }
}

fn word<'a>(words: impl IntoIterator<Item = &'a str>) -> Json {
    Json::object([("type", Json::text("string")), ("enum", Json::texts(words))])
}

fn object(properties: &[(&str, Json)], required: &[&str]) -> Json {
    let required =
        Some(("required", Json::texts(required.iter().copied()))).filter(|_| !required.is_empty());
    let known = [("type", Json::text("object"))].into_iter().chain(required);
    Json::object(known.chain([("properties", Json::object(properties.iter().cloned()))]))
}

fn describe(schema: &mut Json, doc: &str) {
    if let (Json::Object(properties), false) = (schema, doc.is_empty()) {
        properties.push(("description".to_owned(), Json::text(plain(doc))));
    }
}

/// A doc comment without what only rustdoc understands: links, and line breaks within a paragraph.
fn plain(doc: &str) -> String {
    let doc = doc.replace("[`", "`").replace("`]", "`").replace("crate::", "");
    let paragraphs = doc.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}
