//! JSON in the order it is built in: the order of `serde_json`'s maps depends on who else is compiled.

use std::fmt::Write as _;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    /// In digits, because 128 bits do not fit what `serde_json` keeps.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
    pub fn number(number: impl ToString) -> Self {
        Self::Number(number.to_string())
    }
    pub fn object<'a>(properties: impl IntoIterator<Item = (&'a str, Json)>) -> Self {
        Self::Object(properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
    pub fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(properties) = self else { return None };
        properties.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
    /// The text, or nothing if it is none.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
    /// The items of a list; nothing else has any.
    pub fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }
    /// The properties of an object; nothing else has any.
    pub fn properties(&self) -> &[(String, Self)] {
        if let Self::Object(properties) = self { properties } else { &[] }
    }

    /// What `serde_json` makes of the same text.
    pub fn parsed(&self) -> serde_json::Value {
        serde_json::from_str(&self.pretty()).expect("it is JSON")
    }

    /// On lines indented by two spaces, with a line break at the end.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out.push('\n');
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => quoted(out, text),
            Self::List(items) => {
                let parts = items.iter().map(|item| (None, item));
                group(out, depth, ['[', ']'], parts);
            }
            Self::Object(properties) => {
                let parts = properties.iter().map(|(name, value)| (Some(name.as_str()), value));
                group(out, depth, ['{', '}'], parts);
            }
        }
    }
}

fn group<'a>(
    out: &mut String,
    depth: usize,
    [open, close]: [char; 2],
    parts: impl Iterator<Item = (Option<&'a str>, &'a Json)>,
) {
    out.push(open);
    let mut empty = true;
    for (name, value) in parts {
        out.push_str(if empty { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
        if let Some(name) = name {
            quoted(out, name);
            out.push_str(": ");
        }
        value.write(out, depth + 1);
        empty = false;
    }
    if !empty {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
    out.push(close);
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if letter.is_control() => {
                write!(out, "\\u{:04x}", u32::from(letter)).expect("memory")
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}
