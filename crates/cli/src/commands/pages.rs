//! `meshx completions` and `meshx man`: what shells and readers need, made from what can be typed.

use crate::settings::Settings;
use anyhow::Result;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;
use std::path::Path;

const NAME: &str = "meshx";

pub fn completions(settings: &Settings, shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), NAME, &mut script);
    if settings.json() {
        let script = String::from_utf8_lossy(&script);
        println!("{}", json!({ "shell": shell.to_string(), "script": script }));
        return Ok(());
    }
    Ok(talk::to_stdout(&script)?)
}

/// One page for each command, such as `meshx-job-list.1`.
pub fn man(settings: &Settings, dir: &Path) -> Result<()> {
    let mut root = args::command().disable_help_subcommand(true);
    root.build();
    let mut pages = Vec::new();
    write(&root, dir, &mut pages)?;
    if settings.json() {
        println!("{}", json!({ "folder": dir, "pages": pages }));
    } else {
        println!("{} pages in {}", pages.len(), dir.display());
    }
    Ok(())
}

fn write(command: &Command, dir: &Path, pages: &mut Vec<String>) -> Result<()> {
    let page = Man::new(command.clone());
    let (name, mut bytes) = (page.get_filename(), Vec::new());
    page.render(&mut bytes)?;
    client::write_whole(&dir.join(&name), &bytes, false)?;
    pages.push(name);
    command.get_subcommands().try_for_each(|below| write(below, dir, pages))
}
