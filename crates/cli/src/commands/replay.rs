//! `meshx replay`: run a receipt's job again here and compare bytes.

use crate::{
    commands::verify::{REFUSED, check, refuse},
    request,
    settings::Settings,
};
use anyhow::{Context as _, Result, bail};
use args::Replay;
use client::{Request, home, units::grouped};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};
use types::{Hash, folder::pack};

pub fn replay(settings: &Settings, args: &Replay) -> Result<ExitCode> {
    let verified = match check(&args.receipt)?.0 {
        Ok(verified) => verified,
        Err(failed) => return Ok(refuse(settings, &failed)),
    };
    let submission = &verified.receipt().record().submission;
    let request = Request::again(submission, |what, hash| match what {
        "module" => content(what, hash, args.module.as_ref()),
        "input" => content(what, hash, args.input.as_ref()),
        _ => given(args, hash),
    })?;
    let here = client::dry_run(&client::engine()?, &request)?;
    let there = verified.settlement().outcome;
    let same = here == there;
    if settings.json() {
        println!("{}", json!({ "replayed": same, "here": here, "receipt": there }));
    } else if same {
        println!(
            "replayed  the same output ({}), ending and fuel ({}) as the receipt says",
            here.stdout.hash,
            grouped(here.fuel.get())
        );
    } else {
        eprintln!(
            "refused: this machine gets another result\n  receipt: {there:?}\n  here:    {here:?}"
        );
    }
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}

/// The bytes of a file or a folder of the job.
fn given(args: &Replay, hash: Hash) -> Result<Vec<u8>> {
    for path in &args.files {
        let bytes = client::read_plain(path, api::BLOB_BYTES_MAX)?;
        if Hash::of_content(&bytes) == hash {
            return Ok(bytes);
        }
    }
    if let Some(dir) = &args.dir {
        let packed = pack(client::read_tree(dir, request::TREE)?)?;
        if Hash::of_content(&packed) == hash {
            return Ok(packed);
        }
    }
    home::kept_blob(&hash).with_context(|| format!("a file of the job, {hash}, is not among those kept from earlier runs\nhint: name the job's files with --file FILE, and its folder with --dir DIR; their content must be as it was"))
}

/// The bytes with this hash: from the file named, or kept from an earlier run.
fn content(what: &str, hash: Hash, named: Option<&PathBuf>) -> Result<Vec<u8>> {
    let Some(path) = named else {
        return home::kept_blob(&hash)
            .with_context(|| format!("the {what} {hash} is not among the files kept from earlier runs\nhint: name it with --{what} FILE"));
    };
    let bytes = client::read_plain(path, request::TEXT_BYTES_MAX)?;
    let bytes = if what == "module" { client::binary_of(&bytes)?.into_owned() } else { bytes };
    if Hash::of_content(&bytes) != hash {
        bail!("{} is not the {what} of this job\nhint: its BLAKE3 must be {hash}", path.display());
    }
    Ok(bytes)
}
