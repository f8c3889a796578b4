//! The files that a job left under `/out`: saved where the user says, or told of.

use anyhow::{Context as _, Result};
use api::{Client, JobView};
use args::Save;
use client::{
    OutputFolder,
    units::{bytes as human, short_id},
};
use serde_json::{Value, json};
use types::{OutputList, state::Phase};

/// Most files that are named one by one.
const NAMED_MAX: usize = 20;

/// Where files are to be saved; refused before a job is paid for if it could not be written to.
pub fn folder(save: &Save) -> Result<Option<OutputFolder>> {
    let folder = save.out.as_ref().map(|out| OutputFolder::at(out, save.overwrite));
    folder.transpose().context("cannot save the job's files")
}

/// The files that a settled job left, saved to `folder` if there is one.
pub fn save(
    client: &Client,
    view: &JobView,
    folder: Option<&OutputFolder>,
) -> Result<Option<OutputList>> {
    if !left_any(view) {
        return Ok(None);
    }
    let list = client::output_list(client, view)?;
    if let (Some(list), Some(folder)) = (&list, folder) {
        for file in list.files.iter() {
            let bytes = client::output_file(client, view, file)?;
            folder
                .write(file, &bytes)
                .with_context(|| format!("cannot save {}", shown(file.path.as_str())))?;
        }
    }
    Ok(list)
}

fn left_any(view: &JobView) -> bool {
    let Phase::Settled(settlement) = &view.record.phase else { return false };
    settlement.outcome.status.files().is_some()
}

/// Say which files there are and where, or how to get them.
pub fn tell(view: &JobView, list: &OutputList, folder: Option<&OutputFolder>) {
    let files = list.files.as_slice();
    let bytes: u64 = files.iter().map(|file| file.content.len).sum();
    let bytes = human(bytes.into());
    let what = match files.len() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    match folder {
        Some(folder) => eprintln!("saved {what} ({bytes}) in {}", folder.root().display()),
        None => eprintln!("the job left {what} ({bytes}) under /out"),
    }
    for file in files.iter().take(NAMED_MAX) {
        eprintln!("  {:>10}  {}", file.content.len, shown(file.path.as_str()));
    }
    if files.len() > NAMED_MAX {
        eprintln!("  and {} more", files.len() - NAMED_MAX);
    }
    if folder.is_none() {
        eprintln!("hint: meshx job output {} --out DIR saves them", short_id(&view.job));
    }
}

/// The list for programs.
pub fn as_json(list: Option<&OutputList>) -> Value {
    let files = list.map(|list| list.files.as_slice()).unwrap_or_default();
    let file = |file: &types::OutputFile| json!({ "path": file.path, "hash": file.content.hash, "bytes": file.content.len });
    files.iter().map(file).collect()
}

/// A name from a stranger, harmless on a terminal.
fn shown(path: &str) -> String {
    path.escape_debug().collect()
}
