//! What can be typed, as the completions for bash have it.

use crate::support::User;
use std::collections::{BTreeMap, BTreeSet};

/// Options of other programs, which hints name, too.
const OTHERS: &[&str] = &["--release", "--path", "--export-memory"];
/// Words that may follow the program's name in a sentence.
const PROSE: &[&str] = &["that", "of", "and", "is"];

/// Commands by their words, with the options of each.
pub struct Commands {
    options: BTreeMap<String, BTreeSet<String>>,
}

impl Commands {
    pub fn read() -> Self {
        let made = User::new().json(&["completions", "bash"]);
        let script = made["script"].as_str().unwrap();
        let lines: Vec<&str> = script.lines().map(str::trim).collect();
        let quoted = |line: &str, name: &str| -> Option<String> {
            Some(line.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"')?.to_owned())
        };
        let (mut words, mut options) =
            (BTreeMap::from([("meshx".to_owned(), String::new())]), BTreeMap::new());
        for pair in lines.windows(2) {
            // PARENT,NAME) and then cmd="FUNCTION"
            if let (Some((parent, name)), Some(function)) = (
                pair[0].strip_suffix(')').and_then(|case| case.split_once(',')),
                quoted(pair[1], "cmd"),
            ) && let Some(before) = words.get(parent).cloned()
            {
                words.insert(function, format!("{before} {name}").trim().to_owned());
            }
        }
        for pair in lines.windows(2) {
            let function = pair[0].strip_suffix(')').and_then(|function| words.get(function));
            if let (Some(words), Some(all)) = (function, quoted(pair[1], "opts")) {
                let long = all.split(' ').filter(|word| word.starts_with("--"));
                options.insert(words.clone(), long.map(str::to_owned).collect());
            }
        }
        assert!(options.len() > 50, "these are all commands: {:?}", options.keys());
        Self { options }
    }

    /// What a text names that cannot be typed.
    pub fn mistakes(&self, text: &str) -> Vec<String> {
        let mut mistakes = Vec::new();
        let words: Vec<&str> = text.split([' ', '`', ',', ';', '(', ')', '\n']).collect();
        let mut at: Option<String> = None;
        for (place, word) in words.iter().enumerate() {
            let word = word.trim_end_matches(['.', ':', '?']);
            if word == "meshx" {
                let next = words.get(place + 1).copied().unwrap_or("").trim_end_matches('?');
                let prose = next.is_empty() || next.starts_with('{') || PROSE.contains(&next);
                at = (!prose).then(|| self.longest(&words[place + 1..])).filter(|_| !prose);
                match &at {
                    Some(command) if command.is_empty() => {
                        mistakes.push(format!("there is no command meshx {next}"))
                    }
                    Some(command) if self.lacks_a_word(command, &words[place + 1..]) => {
                        mistakes.push(format!("meshx {command} has no such command below it"));
                    }
                    _ => {}
                }
            } else if word.starts_with("--") && word.len() > 2 && !word.contains('{') {
                let option = word.split('=').next().unwrap();
                let known = match at.as_ref().and_then(|command| self.options.get(command)) {
                    Some(options) => options.contains(option),
                    None => self.options.values().any(|options| options.contains(option)),
                };
                if !known && !OTHERS.contains(&option) {
                    mistakes.push(format!("{option} is no option there"));
                }
            }
            // What a command is told ends with its clause.
            if words[place].ends_with([';', '.', ':']) || text_breaks(text, place) {
                at = None;
            }
        }
        mistakes
    }

    /// The words from the first on that are a command.
    fn longest(&self, words: &[&str]) -> String {
        let mut command = String::new();
        for word in words {
            let word = word.trim_end_matches(['?', '.', ':']);
            let longer = format!("{command} {word}").trim().to_owned();
            if !self.options.contains_key(&longer) {
                break;
            }
            command = longer;
        }
        command
    }

    /// Whether `command` only does something with one more word, and none of its own follows.
    fn lacks_a_word(&self, command: &str, words: &[&str]) -> bool {
        let below = format!("{command} ");
        let is_group = self.options.keys().any(|known| known.starts_with(&below));
        is_group && words.len() >= command.split(' ').count()
    }
}

/// Whether a clause ends behind the word at `place`: options behind it may belong to another command.
fn text_breaks(text: &str, place: usize) -> bool {
    let mut seen = 0;
    for char in text.chars() {
        if [' ', '`', ',', ';', '(', ')', '\n'].contains(&char) {
            if seen == place {
                return matches!(char, ',' | ';' | ')' | '\n');
            }
            seen += 1;
        }
    }
    false
}
