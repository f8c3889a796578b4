//! What the torturer is asked, as the program that `cargo xtask torture` starts. That there is such a test also has
//! `cargo test` build the program: `cargo xtask test` runs it as it is, and compiles nothing a second time.

use std::process::{Command, Output};

fn torture(words: &[&str]) -> Output {
    let mut torturer = Command::new(env!("CARGO_BIN_EXE_meshx-torture"));
    torturer.args(words).output().expect("the torturer starts")
}

fn complaint(words: &[&str]) -> String {
    let output = torture(words);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).expect("words are text")
}

#[test]
fn a_run_without_a_binary_or_a_place_says_how_it_is_asked() {
    assert!(complaint(&[]).contains("usage: meshx-torture"));
    assert!(complaint(&["--binary", "/nowhere/meshx"]).contains("usage: meshx-torture"));
}

#[test]
fn words_that_are_not_understood_are_named() {
    assert!(complaint(&["--kill", "3"]).contains("--kill is not understood"));
    assert!(complaint(&["--kills"]).contains("--kills wants a value"));
}
