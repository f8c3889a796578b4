//! `meshx verify`: check a receipt without asking anyone.

use crate::settings::Settings;
use anyhow::{Context as _, Result};
use args::{ReceiptFile, Verify};
use client::{
    Difference, Failed, Logs, NotRead, Verified, read_plain,
    units::{grouped, short_id},
};
use serde_json::json;
use std::{
    io::{self, Read as _},
    path::Path,
    process::ExitCode,
};
use types::{Hash, JobId, Outcome, Status};

/// What `verify` and `replay` exit with when the receipt does not hold.
pub const REFUSED: u8 = 1;

/// Longest receipt that is read: a thousand times a usual one.
const RECEIPT_BYTES_MAX: u64 = 16 << 20;

/// Print the hash of a file's content.
pub fn hash(settings: &Settings, path: &Path) -> Result<()> {
    let hash = Hash::of_content(&read(path)?);
    if settings.json() {
        println!("{}", json!({ "hash": hash }));
    } else {
        println!("{hash}  {}", path.display());
    }
    Ok(())
}

/// Content that no piece of a job is longer than.
fn read(path: &Path) -> Result<Vec<u8>> {
    let max = api::BLOB_BYTES_MAX;
    if path != Path::new("-") {
        return Ok(read_plain(path, max)?);
    }
    let mut bytes = Vec::new();
    io::stdin().take(max + 1).read_to_end(&mut bytes).context("cannot read stdin")?;
    if bytes.len() as u64 > max {
        return Err(NotRead::TooLong { path: path.to_owned(), max }.into());
    }
    Ok(bytes)
}

/// Check the file, against the networks this machine knows and those named.
pub fn check(args: &ReceiptFile) -> Result<(Result<Verified, Failed>, usize)> {
    let bytes = read_plain(&args.file, RECEIPT_BYTES_MAX)?;
    Ok((client::verify(&bytes, &args.networks), bytes.len()))
}

/// Say why a receipt is refused.
pub fn refuse(settings: &Settings, failed: &Failed) -> ExitCode {
    let code = refused(settings, &failed.to_string());
    if let (Failed::Network(network), false) = (failed, settings.json()) {
        eprintln!(
            "hint: all its signatures hold. If someone you trust told you this network's id, add --network {network}"
        );
    }
    code
}

/// Say that what somebody holds is not what the receipt proves.
fn refused(settings: &Settings, why: &str) -> ExitCode {
    if settings.json() {
        println!("{}", json!({ "accepted": false, "failed": why }));
    } else {
        eprintln!("refused: {why}");
    }
    ExitCode::from(REFUSED)
}

/// How the file at `path` differs from the job's output.
fn other_output(path: &Path, outcome: &Outcome) -> Result<Option<String>> {
    let found = Hash::of_content(&read(path)?);
    let proved = outcome.stdout.hash;
    Ok((found != proved).then(|| {
        format!(
            "the receipt is valid, but {} is not the output: its hash is {found}, the receipt proves {proved}",
            path.display()
        )
    }))
}

/// How the files below `path` differ from those that the job left.
fn other_files(path: &Path, outcome: &Outcome, job: &JobId) -> Result<Option<String>> {
    let Some(found) = client::difference(path, outcome.status.files())? else { return Ok(None) };
    let path = path.display();
    Ok(Some(match found {
        Difference::SomeForNone => format!(
            "the receipt is valid, but it proves that the job left no files, and {path} has some"
        ),
        Difference::Others(files) => format!(
            "the receipt is valid, but the files in {path} are not those that the job left: it proves {} bytes in the list {}, and does not name each file\nhint: nothing else may be in the folder; meshx job output {} --out DIR saves them in a new one",
            grouped(files.bytes),
            files.list.hash,
            short_id(job)
        ),
    }))
}

pub fn verify(settings: &Settings, args: &Verify) -> Result<ExitCode> {
    let (verdict, bytes) = check(&args.receipt)?;
    let verified = match verdict {
        Ok(verified) => verified,
        Err(failed) => return Ok(refuse(settings, &failed)),
    };
    let (receipt, settlement) = (verified.receipt(), verified.settlement());
    let outcome = &settlement.outcome;
    if let Some(path) = &args.result
        && let Some(why) = other_output(path, outcome)?
    {
        return Ok(refused(settings, &why));
    }
    if let Some(path) = &args.out
        && let Some(why) = other_files(path, outcome, &receipt.job)?
    {
        return Ok(refused(settings, &why));
    }
    if settings.json() {
        let object = json!({
            "accepted": true, "network": verified.network(), "dev_dealer": verified.dev_dealer(), "chain": receipt.chain,
            "height": receipt.proved.header.height, "job": receipt.job, "module": receipt.record().submission.spec.module,
            "input": receipt.record().submission.spec.input, "status": outcome.status, "output_hash": outcome.stdout.hash,
            "files": outcome.status.files(), "fuel": outcome.fuel, "price": settlement.paid, "assurance": verified.assurance().to_string(),
        });
        println!("{object}");
        return Ok(ExitCode::SUCCESS);
    }
    let ending = match outcome.status {
        Status::Exited(code) | Status::ExitedWithFiles { code, .. } => format!("exit code {code}"),
        Status::Trapped(_) | Status::CannotRun(_) => client::ending(
            outcome,
            &receipt.record().submission.spec.limits,
            None,
            Logs::Of(receipt.job),
        )
        .map_or_else(|| "no result".to_owned(), |story| story.what),
    };
    println!("accepted  {} ({bytes} bytes)", args.receipt.file.display());
    println!(
        "job       {} on {}, block {}",
        receipt.job, receipt.chain, receipt.proved.header.height
    );
    println!("module    {}", receipt.record().submission.spec.module);
    println!("input     {}", receipt.record().submission.spec.input);
    println!("output    {} ({} bytes), {ending}", outcome.stdout.hash, outcome.stdout.len);
    if let Some(files) = outcome.status.files() {
        println!("files     {} ({} bytes under /out)", files.list.hash, files.bytes);
    }
    println!("price     {} MESHX for {} fuel", settlement.paid, grouped(outcome.fuel.get()));
    println!("assurance {}", verified.assurance());
    println!("network   {}", verified.network());
    if client::home::is_passing(&verified.network()) {
        println!(
            "note      one command of this machine made this network: the receipt proves nothing to others"
        );
    } else if verified.dev_dealer() {
        println!(
            "note      one process dealt this network's keys: it could have made this receipt alone"
        );
    }
    Ok(ExitCode::SUCCESS)
}
