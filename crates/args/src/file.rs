//! A file that says what could have been typed: `--config FILE` of `meshx node start`.
//!
//! Each name is a flag without its dashes; a list says it several times. What is typed counts instead of what
//! the file says.

use anyhow::{Context as _, Result, bail};
use std::{ffi::OsString, fs, path::Path};
use toml::Value;

const FLAG: &str = "--config";

/// `typed` with what the file adds to it, if one is named.
pub fn with_file(typed: Vec<OsString>) -> Result<Vec<OsString>> {
    let is = |index: usize, word: &str| typed.get(index).is_some_and(|typed| typed == word);
    let Some(verb) = (1..typed.len()).find(|index| is(*index, "node") && is(index + 1, "start"))
    else {
        return Ok(typed);
    };
    let named = typed.iter().enumerate().skip(verb).find_map(|(index, word)| {
        let word = word.to_str()?;
        match word.strip_prefix(FLAG)? {
            "" => typed.get(index + 1).cloned(),
            rest => rest.strip_prefix('=').map(OsString::from),
        }
    });
    let Some(path) = named else { return Ok(typed) };
    let path = Path::new(&path);
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let table: toml::Table =
        text.parse().with_context(|| format!("{} is not TOML", path.display()))?;
    let mut all = typed.clone();
    for (name, value) in table {
        let flag = format!("--{name}");
        let is_typed = typed.iter().filter_map(|word| word.to_str()).any(|word| {
            word.strip_prefix(&flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        });
        if !is_typed {
            let place = || format!("{}: {name}", path.display());
            all.extend(words(&flag, value).with_context(place)?);
        }
    }
    Ok(all)
}

fn words(flag: &str, value: Value) -> Result<Vec<OsString>> {
    let one = |value: String| vec![OsString::from(format!("{flag}={value}"))];
    Ok(match value {
        Value::Boolean(true) => vec![flag.into()],
        Value::Boolean(false) => Vec::new(),
        Value::String(text) => one(text),
        Value::Integer(number) => one(number.to_string()),
        Value::Array(values) => {
            let mut all = Vec::new();
            for value in values {
                if matches!(value, Value::Array(_)) {
                    bail!("a list cannot hold another list");
                }
                all.extend(words(flag, value)?);
            }
            all
        }
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => {
            bail!("expected text, a whole number, true, false, or a list of these")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(typed: &str, file: &str) -> Result<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        fs::write(&path, file).unwrap();
        let path = path.to_str().unwrap();
        let typed = typed.replace("FILE", path);
        let all = with_file(typed.split(' ').map(OsString::from).collect())?;
        let all: Vec<String> = all.into_iter().map(|word| word.into_string().unwrap()).collect();
        Ok(all.join(" ").replace(path, "FILE"))
    }

    #[test]
    fn a_file_says_what_could_be_typed() {
        let file = "mdns = true\nonion = false\ncapacity = 4\njoin = [\"a\", \"b\"]\n";
        assert_eq!(
            expanded("meshx node start --config FILE", file).unwrap(),
            "meshx node start --config FILE --capacity=4 --join=a --join=b --mdns"
        );
        assert_eq!(
            expanded("meshx node start --config=FILE --join c --capacity=2", file).unwrap(),
            "meshx node start --config=FILE --join c --capacity=2 --mdns"
        );
        let other = "meshx run x.wasm --config FILE";
        assert_eq!(expanded(other, file).unwrap(), other, "a job's own words are its own");
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for bad in ["capacity = 1.5", "[join]\na = 1", "join = [[\"a\"]]", "not toml"] {
            assert!(expanded("meshx node start --config FILE", bad).is_err(), "{bad}");
        }
        assert!(
            with_file(["m", "node", "start", "--config", "/nowhere"].map(Into::into).into())
                .is_err()
        );
    }
}
