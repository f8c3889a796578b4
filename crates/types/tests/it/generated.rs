//! What is generated from the nouns: `vectors/*.json` for everyone who speaks the protocol, and the schemas of the API.

use crate::{
    json::Json,
    read::read,
    sample::{Sample, vectors},
    schema::schemas,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};
use types::describe::Type;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A vector as people read it: which noun, the value, its bytes, what is signed of it, what it is called.
fn vector(sample: &Sample) -> Json {
    let (value, _) = read(&sample.of, &sample.bytes);
    let mut parts = vec![
        ("noun", Json::text(title(&sample.of))),
        ("value", value),
        ("bytes", Json::text(hex::encode(&sample.bytes))),
    ];
    parts.extend(sample.names.clone());
    Json::object(parts)
}

/// The name of a type; of a list, that of its items in brackets.
fn title(of: &Type) -> String {
    match of {
        Type::Noun(noun) => noun.name.to_owned(),
        Type::List { item, .. } => format!("[{}]", title(item)),
        of => panic!("a vector is of a noun or of a list of them, not of {of:?}"),
    }
}

/// All generated files, by where they stand in the repository.
fn files() -> BTreeMap<String, String> {
    let vectors = vectors();
    let in_json = vectors.iter().filter(|sample| sample.json.is_some());
    let schemas = schemas(in_json.map(|sample| sample.of));
    let mut files: BTreeMap<String, String> = vectors
        .iter()
        .map(|sample| (format!("vectors/{}.json", sample.name), vector(sample).pretty()))
        .collect();
    assert_eq!(files.len(), vectors.len(), "two vectors have one name");
    files.insert("crates/api/src/nouns.json".to_owned(), Json::object(schemas).pretty());
    files
}

#[test]
fn the_generated_files_are_fresh() {
    let files = files();
    if std::env::var_os("MESHX_UPDATE").is_some() {
        update(&files);
    }
    let is_stale = |(path, text): &(&String, &String)| {
        fs::read_to_string(root().join(path)).ok().as_ref() != Some(text)
    };
    let stale: Vec<&String> = files.iter().filter(is_stale).map(|(path, _)| path).collect();
    assert!(
        stale.is_empty(),
        "stale: {stale:?}\nhint: if that is meant, cargo xtask codegen writes them anew"
    );
    let unknown = unknown(&files);
    assert!(unknown.is_empty(), "nothing generates {unknown:?}");
}

fn update(files: &BTreeMap<String, String>) {
    for (path, text) in files {
        fs::write(root().join(path), text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    for name in unknown(files) {
        fs::remove_file(root().join("vectors").join(name)).expect("it was there");
    }
}

/// What stands in `vectors/` that no noun gave.
fn unknown(files: &BTreeMap<String, String>) -> BTreeSet<OsString> {
    let there = fs::read_dir(root().join("vectors")).expect("the folder is there");
    let names = there.map(|entry| entry.expect("it can be read").file_name());
    names
        .filter(|name| !files.contains_key(&format!("vectors/{}", name.to_string_lossy())))
        .collect()
}

/// The pinned bytes are those of the value, the value is that of the bytes, and no other length of them decodes.
#[test]
fn the_bytes_are_those_of_the_vectors() {
    for sample in vectors() {
        let Sample { name, bytes, decode, .. } = &sample;
        let path = root().join(format!("vectors/{name}.json"));
        let pinned =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let pinned: serde_json::Value = serde_json::from_str(&pinned).expect("a vector is JSON");
        assert_eq!(pinned["bytes"], hex::encode(bytes), "the bytes of {name} have changed");
        let (again, json) = decode(bytes).expect("a vector decodes");
        assert_eq!(again, *bytes, "{name}");
        if let Some(json) = json {
            assert_eq!(pinned["value"], json, "the JSON of {name} has changed");
        }
        for end in 0..bytes.len() {
            assert!(
                decode(&bytes[..end]).is_none(),
                "{name} decodes from {end} of {} bytes",
                bytes.len()
            );
        }
        assert!(
            decode(&[&bytes[..], &[0]].concat()).is_none(),
            "{name} decodes with a byte too many"
        );
    }
}
