//! Each hint in the source is printed in a situation that is run here, and names commands and options that exist.

mod ground;
mod source;
mod table;
mod typed;

use ground::Ground;
use source::{Hint, hints, root};
use std::{collections::BTreeSet, fs};
use table::{ROWS, Situation};
use typed::Commands;

/// The longest part of a hint between its placeholders, which is printed as it stands.
fn printed(hint: &str) -> String {
    let parts = hint
        .split('{')
        .flat_map(|part| part.split_once('}').map_or(vec![part], |(_, rest)| vec![rest]));
    parts.max_by_key(|part| part.len()).unwrap_or_default().trim().to_owned()
}

fn row_of(hint: &Hint) -> Option<usize> {
    ROWS.iter().position(|(file, words, _)| hint.file.ends_with(file) && hint.text.contains(words))
}

#[test]
fn every_hint_has_a_situation() {
    let hints = hints();
    let lost: Vec<&Hint> = hints.iter().filter(|hint| row_of(hint).is_none()).collect();
    assert!(lost.is_empty(), "no situation prints these hints: {lost:#?}");
    let used: BTreeSet<usize> = hints.iter().filter_map(row_of).collect();
    let unused: Vec<_> = (0..ROWS.len())
        .filter(|row| !used.contains(row))
        .map(|row| (ROWS[row].0, ROWS[row].1))
        .collect();
    assert!(unused.is_empty(), "no hint in the source belongs to these rows: {unused:#?}");
}

/// Situations that are run at once.
const AT_ONCE: usize = 4;

#[test]
fn every_situation_prints_its_hint() {
    let (ground, hints) = (Ground::new(), hints());
    let wrong = std::thread::scope(|scope| {
        let share = |first: usize| {
            let (ground, hints) = (&ground, &hints);
            scope.spawn(move || -> Vec<String> {
                hints
                    .iter()
                    .skip(first)
                    .step_by(AT_ONCE)
                    .filter_map(|hint| mistake(ground, hint))
                    .collect()
            })
        };
        let shares: Vec<_> = (0..AT_ONCE).map(share).collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What is wrong with the situation of a hint, if anything.
fn mistake(ground: &Ground, hint: &Hint) -> Option<String> {
    let words = printed(&hint.text);
    let said = match &ROWS[row_of(hint)?].2 {
        Situation::Typed(line) => ground.typed(line, ""),
        Situation::Fed(line, input) => ground.typed(line, input),
        Situation::Stays(line) => ground.stays(line, &words, false),
        Situation::Interrupted(line) => ground.stays(line, &words, true),
        Situation::Tested(file, name) => {
            let text = fs::read_to_string(root().join(file)).unwrap_or_default();
            let found = text.contains(&format!("fn {name}("));
            return (!found).then(|| format!("no test of {file} is called {name}"));
        }
        Situation::Never(why) => {
            assert!(!why.is_empty(), "{words}");
            return None;
        }
    };
    (!said.contains(&words)).then(|| format!("{}: {words:?} is not in: {said}", hint.file))
}

#[test]
fn hints_name_what_can_be_typed() {
    let commands = Commands::read();
    // A lab has options of its own.
    let ours = hints().into_iter().filter(|hint| !hint.file.starts_with("lab/"));
    let texts = ours.map(|hint| (hint.file, hint.text));
    let codes = types::Code::ALL.iter().map(|code| ("code.rs".to_owned(), code.hint().to_owned()));
    let mut wrong = Vec::new();
    for (file, text) in texts.chain(codes) {
        wrong.extend(
            commands
                .mistakes(&text)
                .into_iter()
                .map(|mistake| format!("{file}: {text:?}: {mistake}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The check itself: what is misspelt is noticed.
    let mistakes = |text: &str| commands.mistakes(text).len();
    assert_eq!(mistakes("meshx stake show lists it, or --node URL"), 0);
    assert_eq!(mistakes("meshx stake list"), 1);
    assert_eq!(mistakes("meshx sleep"), 1);
    assert_eq!(mistakes("raise --fule"), 1);
    assert_eq!(mistakes("meshx job list --royalty 3"), 1);
}
