//! `meshx bench`, `meshx econ` and others: experiments are in `meshx-lab`, which is started in place of this process.

use crate::settings::Settings;
use anyhow::{Context as _, Result, bail};
use args::LabWords;
use std::{
    env, io,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, ExitCode},
};

const LAB: &str = "meshx-lab";

/// Go on as `meshx-lab VERB WORDS`: its exit code, its output and its signals are the command's own. Returns on failure only.
pub fn lab(settings: &Settings, verb: &[&str], words: &LabWords) -> Result<ExitCode> {
    let mut command = Command::new(beside().unwrap_or_else(|| LAB.into()));
    // Its reports name the command that was typed.
    command.arg0(env::args_os().next().unwrap_or_else(|| LAB.into()));
    command.args(verb).args(&words.words);
    // What was typed before the verb, or stands in a file of settings. What is typed behind it counts instead.
    command.env("MESHX_OUTPUT", settings.output.name());
    let failed = command.exec();
    if failed.kind() == io::ErrorKind::NotFound {
        bail!(
            "{LAB} is neither beside this program nor on PATH: meshx {} is one of its experiments\nhint: cargo build --release -p {LAB}, or cargo install --path lab",
            verb.join(" ")
        );
    }
    Err(failed).with_context(|| format!("cannot start {LAB}"))
}

/// The one that was built or installed with this program.
fn beside() -> Option<PathBuf> {
    Some(env::current_exe().ok()?.with_file_name(LAB)).filter(|path| path.exists())
}
