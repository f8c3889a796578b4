//! The descriptions are true: what reads bytes by them finds what the codec and serde write, and nothing else decodes.

use crate::{
    fits::{Schemas, fits},
    json::Json,
    read::{Tag, read},
    sample::{Sample, others, vectors},
    schema::schemas,
};
use std::collections::{BTreeMap, BTreeSet};
use types::describe::{Content, Field, Shape, Type};

fn all() -> Vec<Sample> {
    vectors().into_iter().chain(others()).collect()
}

#[test]
fn the_bytes_read_by_their_description_give_what_serde_writes() {
    for sample in all() {
        let (value, _) = read(&sample.of, &sample.bytes);
        if let Some(json) = &sample.json {
            assert_eq!(value.parsed(), *json, "{}", sample.name);
        }
        if let Some(of_json) = sample.of_json {
            assert_eq!(of_json(&value.pretty()).as_ref(), Ok(&sample.bytes), "{}", sample.name);
        }
    }
}

/// Every byte in the place of every tag: the codec takes those that the description lists and no others.
#[test]
fn the_tags_are_those_of_the_codec() {
    for sample in all() {
        for Tag { offset, noun, variants, variant } in read(&sample.of, &sample.bytes).1 {
            for byte in 0..=u8::MAX {
                let mut bytes = sample.bytes.clone();
                bytes[offset] = byte;
                let listed = variants.iter().find(|variant| variant.tag == byte);
                let Some(listed) = listed else {
                    assert!(
                        (sample.decode)(&bytes).is_none(),
                        "{noun} has no tag {byte}, and decodes"
                    );
                    continue;
                };
                if !(is_word(&listed.content) && is_word(&variant.content)) {
                    continue;
                }
                let (again, json) = (sample.decode)(&bytes).unwrap_or_else(|| {
                    panic!("{noun} does not decode with the tag of {}", listed.name)
                });
                assert_eq!(again, bytes);
                if let Some(json) = json {
                    assert_eq!(read(&sample.of, &bytes).0.parsed(), json, "{noun} {}", listed.name);
                }
            }
        }
    }
}

const fn is_word(content: &Content) -> bool {
    matches!(content, Content::None)
}

/// What these tests say of a noun they say of all its variants.
#[test]
fn every_variant_with_content_is_among_the_samples() {
    let samples = all();
    let mut seen: BTreeMap<&str, BTreeSet<u8>> = BTreeMap::new();
    for sample in &samples {
        for Tag { noun, variant, .. } in read(&sample.of, &sample.bytes).1 {
            seen.entry(noun).or_default().insert(variant.tag);
        }
    }
    let mut known = BTreeMap::new();
    samples.iter().for_each(|sample| enums(&sample.of, &mut known));
    let mut missing = Vec::new();
    for (noun, variants) in known {
        let tags = seen.remove(noun).unwrap_or_default();
        let words = || variants.iter().filter(|(_, content)| is_word(content));
        let word_seen = words().any(|(tag, _)| tags.contains(tag));
        for (tag, content) in &variants {
            if !(tags.contains(tag) || is_word(content) && word_seen) {
                missing.push(format!("{noun} {tag}"));
            }
        }
    }
    assert!(missing.is_empty(), "no sample of {missing:?}: add one to sample/variants.rs");
}

/// The enums that `of` leads to, by name, with each variant's tag and content.
fn enums(of: &Type, known: &mut BTreeMap<&'static str, Vec<(u8, Content)>>) {
    match *of {
        Type::Option(item) | Type::List { item, .. } => enums(item, known),
        Type::Noun(noun) => match noun.shape {
            Shape::Struct(fields) => fields.iter().for_each(|field| enums(&field.of, known)),
            Shape::Enum { variants, .. } => {
                let contents = variants.iter().map(|variant| (variant.tag, variant.content));
                if known.insert(noun.name, contents.collect()).is_none() {
                    for variant in variants {
                        match variant.content {
                            Content::None => {}
                            Content::Item(of) => enums(&of, known),
                            Content::Fields(fields) => {
                                fields.iter().for_each(|field| enums(&field.of, known))
                            }
                        }
                    }
                }
            }
            Shape::Number(_) | Shape::Text { .. } => {}
        },
        _ => {}
    }
}

#[test]
fn values_fit_their_schemas_and_spoiled_ones_do_not() {
    let samples: Vec<Sample> = all().into_iter().filter(|sample| sample.json.is_some()).collect();
    let schemas: Schemas<'_> = schemas(samples.iter().map(|sample| sample.of));
    for Sample { name, of, bytes, .. } in &samples {
        let Type::Noun(noun) = of else { continue };
        let schema = &schemas[noun.name];
        let (value, _) = read(of, bytes);
        if let Err(error) = fits(&schemas, schema, &value) {
            panic!("{name}: {error}\n{}", value.pretty());
        }
        for (property, content) in value.properties() {
            let others = value.properties().iter().filter(|(known, _)| known != property).cloned();
            let others: Vec<(String, Json)> = others.collect();
            if *content != Json::Null {
                let without = Json::Object(others.clone());
                let optional = fits(&schemas, schema, &without).is_ok();
                assert!(!optional || is_optional(of, property), "{name} fits without {property}");
            }
            let other =
                if matches!(content, Json::Bool(_)) { Json::Null } else { Json::Bool(true) };
            let wrong = Json::Object([others, vec![(property.clone(), other)]].concat());
            assert!(fits(&schemas, schema, &wrong).is_err(), "{name} fits with a wrong {property}");
        }
        let more = [value.properties(), &[("more".to_owned(), Json::Null)]].concat();
        assert!(fits(&schemas, schema, &Json::Object(more)).is_err(), "{name} fits with one more");
    }
}

/// Whether a property of the noun's own may be null or absent.
fn is_optional(of: &Type, property: &str) -> bool {
    let Type::Noun(noun) = of else { return false };
    let optional = |fields: &[Field]| {
        fields.iter().any(|field| field.name == property && matches!(field.of, Type::Option(_)))
    };
    match noun.shape {
        Shape::Struct(fields) => optional(fields),
        Shape::Enum { variants, .. } => variants.iter().any(|variant| match variant.content {
            Content::Fields(fields) => optional(fields),
            _ => false,
        }),
        _ => false,
    }
}
