//! Whether a value fits a schema: as much of JSON Schema as `schema.rs` writes. Anything else fails.

use crate::json::Json;
use std::collections::BTreeMap;

/// What the schemas are allowed to say. A word that this file does not understand would be a promise nobody checks.
const WORDS: [&str; 14] = [
    "$ref",
    "allOf",
    "description",
    "enum",
    "example",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "required",
];

pub type Schemas<'a> = BTreeMap<&'a str, Json>;

/// # Errors
/// Where and why it does not.
pub fn fits(all: &Schemas<'_>, schema: &Json, value: &Json) -> Result<(), String> {
    let words = schema.properties().iter().map(|(word, _)| word.as_str());
    if let Some(word) = words.filter(|word| *word != "type").find(|word| !WORDS.contains(word)) {
        return Err(format!("the schema says {word}"));
    }
    if let Some(name) = schema.get("$ref").and_then(Json::as_text) {
        let name = name.rsplit('/').next().expect("at least one part");
        let referred = all.get(name).ok_or_else(|| format!("{name} has no schema"))?;
        return fits(all, referred, value).map_err(|error| format!("{name}: {error}"));
    }
    if let Some(variants) = schema.get("oneOf") {
        let errors: Vec<String> =
            variants.items().iter().filter_map(|variant| fits(all, variant, value).err()).collect();
        let fitting = variants.items().len() - errors.len();
        return if fitting == 1 {
            Ok(())
        } else {
            Err(format!("{fitting} variants fit; {errors:?}"))
        };
    }
    if let Some(parts) = schema.get("allOf") {
        return all_of(all, parts.items(), value);
    }
    of_kind(schema, value)?;
    match value {
        Json::Number(digits) => {
            let least = schema.get("minimum");
            let negative = digits.starts_with('-');
            if least.is_some() && negative {
                Err(format!("{digits} is below zero"))
            } else {
                Ok(())
            }
        }
        Json::Text(text) => of_text(schema, text),
        Json::List(items) => {
            let most = schema.get("maxItems").ok_or("a list without a bound")?;
            if *most == Json::number(items.len()) || items.len() < digits(most) {
                let items_schema = schema.get("items").ok_or("a list of nothing")?;
                return items.iter().try_for_each(|item| fits(all, items_schema, item));
            }
            Err(format!("{} items", items.len()))
        }
        Json::Object(properties) => {
            let known = schema.get("properties").map_or(&[][..], Json::properties);
            for needed in schema.get("required").map_or(&[][..], Json::items) {
                let needed = needed.as_text().expect("a name");
                value.get(needed).ok_or_else(|| format!("{needed} is missing"))?;
            }
            properties.iter().try_for_each(|(name, value)| {
                let known = known.iter().find(|(known, _)| known == name);
                let (_, schema) = known.ok_or_else(|| format!("{name} is not described"))?;
                fits(all, schema, value).map_err(|error| format!("{name}: {error}"))
            })
        }
        Json::Null | Json::Bool(_) => Ok(()),
    }
}

fn digits(number: &Json) -> usize {
    let Json::Number(digits) = number else { panic!("{number:?} is no bound") };
    digits.parse().expect("a bound")
}

fn of_kind(schema: &Json, value: &Json) -> Result<(), String> {
    let kind = match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "integer",
        Json::Text(_) => "string",
        Json::List(_) => "array",
        Json::Object(_) => "object",
    };
    let kinds = schema.get("type").ok_or("a schema without a type")?;
    let is_one = |known: &Json| known.as_text() == Some(kind);
    if is_one(kinds) || kinds.items().iter().any(is_one) {
        return Ok(());
    }
    Err(format!("a {kind}, not {kinds:?}"))
}

fn of_text(schema: &Json, text: &str) -> Result<(), String> {
    if let Some(words) = schema.get("enum") {
        let known = words.items().iter().any(|word| word.as_text() == Some(text));
        return if known { Ok(()) } else { Err(format!("{text} is not one of {words:?}")) };
    }
    if schema.get("maxLength").is_some_and(|most| text.chars().count() > digits(most)) {
        return Err(format!("{} letters", text.len()));
    }
    let pattern = schema.get("pattern").and_then(Json::as_text);
    if pattern.is_some_and(|pattern| !matches(pattern, text)) {
        return Err(format!("{text} does not match {pattern:?}"));
    }
    Ok(())
}

/// The patterns there are, by hand: this crate needs no engine for six of them.
fn matches(pattern: &str, text: &str) -> bool {
    let hex = text.bytes().all(|letter| matches!(letter, b'0'..=b'9' | b'a'..=b'f'));
    let number = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_digit())
    };
    let degrees = |text: &str, most| match text.strip_prefix('-').unwrap_or(text).split_once('.') {
        Some((whole, part)) => number(whole, most) && part.len() == 4 && number(part, 4),
        None => false,
    };
    match pattern {
        "^([0-9a-f]{2})*$" => hex && text.len().is_multiple_of(2),
        "^[0-9a-f]{64}$" => hex && text.len() == 64,
        "^[0-9a-f]{128}$" => hex && text.len() == 128,
        "^[0-9]{1,20}$" => number(text, 20),
        "^meshx1[02-9ac-hj-np-z]+$" => text.strip_prefix("meshx1").is_some_and(|rest| {
            !rest.is_empty()
                && rest.bytes().all(|letter| b"qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(&letter))
        }),
        r"^-?[0-9]{1,2}\.[0-9]{4},-?[0-9]{1,3}\.[0-9]{4}$" => {
            text.split_once(',').is_some_and(|(lat, lon)| degrees(lat, 2) && degrees(lon, 3))
        }
        _ => panic!("no reader for the pattern {pattern}"),
    }
}

/// Each part describes some of the properties.
fn all_of(all: &Schemas<'_>, parts: &[Json], value: &Json) -> Result<(), String> {
    let described: Vec<Vec<String>> = parts.iter().map(|part| described(all, part)).collect();
    let mut names = value.properties().iter().map(|(name, _)| name);
    if let Some(extra) = names.find(|name| !described.iter().flatten().any(|known| known == *name))
    {
        return Err(format!("{extra} is not described"));
    }
    parts.iter().zip(described).try_for_each(|(part, own)| {
        let own = value.properties().iter().filter(|(name, _)| own.contains(name)).cloned();
        fits(all, part, &Json::Object(own.collect()))
    })
}

fn described(all: &Schemas<'_>, schema: &Json) -> Vec<String> {
    let name = schema.get("$ref").and_then(Json::as_text);
    let schema = name.map_or(schema, |name| &all[name.rsplit('/').next().expect("a part")]);
    match schema.get("oneOf") {
        Some(variants) => {
            variants.items().iter().flat_map(|variant| described(all, variant)).collect()
        }
        None => schema.get("properties").map_or(vec![], |known| {
            known.properties().iter().map(|(name, _)| name.clone()).collect()
        }),
    }
}
