//! What is said on stderr: plain lines for people, one JSON object a line for programs.

use serde_json::json;
use std::{
    error::Error,
    io::Write as _,
    sync::atomic::{AtomicBool, Ordering},
};

/// The same for the whole process, because what speaks is everywhere in it.
static JSON: AtomicBool = AtomicBool::new(false);

/// From now on, each line that is said on stderr is a JSON object.
pub fn speak_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// Say something on stderr that is no failure. Lines that begin with `hint: ` say what to try.
///
/// For programs it is `{"note": "…", "hints": ["…"]}`.
pub fn note(text: &str) {
    if JSON.load(Ordering::Relaxed) {
        let mut told = Told::default();
        text.lines().for_each(|line| told.add(line, false));
        if !told.is_empty() {
            line(&json!({ "note": told.said.join("\n"), "hints": told.hints }).to_string());
        }
    } else {
        line(text);
    }
}

/// Say a failure. For programs it is `{"error": "…", "causes": ["…"], "hints": ["…"]}`.
pub(crate) fn tell(told: &Told) {
    if JSON.load(Ordering::Relaxed) {
        line(&told.json());
    } else {
        let _ = std::io::stderr().lock().write_all(told.words().as_bytes());
    }
}

/// What cannot be written is left: nobody reads it.
fn line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A failure in its parts.
#[derive(Debug, Default)]
pub(crate) struct Told {
    said: Vec<String>,
    causes: Vec<String>,
    hints: Vec<String>,
}

impl Told {
    /// What happened, its causes, and the hints.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut told = Self::default();
        // An error may tell its cause itself; nobody wants to read that twice.
        let whole = error.to_string();
        let mut next = Some(error);
        while let Some(cause) = next {
            let first = std::ptr::eq(cause, error);
            for line in cause.to_string().lines() {
                if first || line.starts_with(HINT) || !whole.contains(line) {
                    told.add(line, !first);
                }
            }
            next = cause.source();
        }
        told
    }

    fn add(&mut self, line: &str, cause: bool) {
        match line.strip_prefix(HINT) {
            // Two that failed for one reason give one hint.
            Some(hint) if self.hints.iter().any(|known| known == hint) => {}
            Some(hint) => self.hints.push(hint.to_owned()),
            None if line.is_empty() => {}
            None if cause => self.causes.push(line.to_owned()),
            None => self.said.push(line.to_owned()),
        }
    }

    /// What the reader of a command line says of a mistake, without the summary of options that people are shown below it.
    pub(crate) fn typed(text: &str) -> Self {
        let mut told = Self::default();
        // Without a mistake it is a summary: of what could stand behind words that are not complete.
        if !text.starts_with("error:") {
            told.said.push("a subcommand is missing".to_owned());
            told.hints.push("--help lists what can be typed".to_owned());
            return told;
        }
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line.starts_with("Usage:") || line.starts_with("For more information") {
                break;
            }
            match line.strip_prefix("tip: ") {
                Some(tip) => told.hints.push(tip.to_owned()),
                None => told.said.push(line.trim_start_matches("error: ").to_owned()),
            }
        }
        told
    }

    const fn is_empty(&self) -> bool {
        self.said.is_empty() && self.hints.is_empty()
    }

    fn words(&self) -> String {
        let with = |prefix: &str, lines: &[String]| -> String {
            lines.iter().map(|line| format!("{prefix}{line}\n")).collect()
        };
        with("error: ", &self.said) + &with("  because: ", &self.causes) + &with(HINT, &self.hints)
    }

    fn json(&self) -> String {
        let error = self.said.join("\n");
        json!({ "error": error, "causes": self.causes, "hints": self.hints }).to_string()
    }
}

const HINT: &str = "hint: ";

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Failed(&'static str, Option<Box<Failed>>);

    impl std::fmt::Display for Failed {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Failed {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as &(dyn Error + 'static))
        }
    }

    fn check(error: Failed, expected: &str) {
        assert_eq!(Told::of(&error).words(), expected);
    }

    #[test]
    fn hints_come_last_whoever_gives_them() {
        let cause = Failed("the disk is full\nhint: make room", None);
        check(
            Failed("cannot write x\nhint: choose another", Some(Box::new(cause))),
            "error: cannot write x\n  because: the disk is full\nhint: choose another\nhint: make room\n",
        );
    }

    #[test]
    fn a_cause_that_was_told_already_is_not_told_twice() {
        let cause = Failed("the disk is full", None);
        let error = Failed("cannot write x: the disk is full", Some(Box::new(cause)));
        check(error, "error: cannot write x: the disk is full\n");
    }

    #[test]
    fn a_mistake_in_what_is_typed_comes_without_the_summary_of_options() {
        let told = Told::typed(
            "error: unexpected argument '--yaer' found\n\n  tip: a similar argument exists: '--year'\n\nUsage: meshx supply\n",
        );
        assert_eq!(told.said, ["unexpected argument '--yaer' found"]);
        assert_eq!(told.hints, ["a similar argument exists: '--year'"]);
        assert_eq!(Told::typed("Measure this.\n\nUsage: x\n").said, ["a subcommand is missing"]);
    }

    #[test]
    fn programs_get_the_parts_of_a_failure_by_name() {
        let cause = Failed("the disk is \"full\"\nhint: make room", None);
        let told = Told::of(&Failed("cannot write x", Some(Box::new(cause)))).json();
        let expected =
            r#"{"error":"cannot write x","causes":["the disk is \"full\""],"hints":["make room"]}"#;
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parsed(&told), parsed(expected));
    }
}
