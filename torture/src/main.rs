//! `meshx-torture`: what `cargo xtask torture` runs.

use anyhow::{Context as _, Result, bail};
use std::{
    fs,
    path::PathBuf,
    process::ExitCode,
    time::{Instant, UNIX_EPOCH},
};
use torture::{Binary, Faults, Random};

const USAGE: &str = "\
usage: meshx-torture --binary PATH --dir DIR [--kills N] [--flips N] [--flood S] [--wipes N] [--folders] [--seed S]

  --binary PATH  the meshx to torture
  --dir DIR      an empty place on a real disk; what it holds is removed
  --kills N      SIGKILL N times under load
  --flips N      flip a bit of, or cut off, a file of the data folder N times
  --folders      two processes on one folder, newer data, a full disk, a read-only one
  --wipes N      take away the disk of one of four nodes under load, N times
  --flood S      S seconds of more than the node takes
  --seed S       repeat the draws of an earlier run";

struct Words {
    binary: PathBuf,
    dir: PathBuf,
    kills: usize,
    flips: usize,
    flood: u64,
    wipes: usize,
    folders: bool,
    seed: u64,
}

fn main() -> ExitCode {
    let run = words().and_then(|words| run(&words));
    match run {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            for fault in &faults {
                eprintln!("fault: {fault}");
            }
            eprintln!("{} faults", faults.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn words() -> Result<Words> {
    let (mut binary, mut dir) = (None, None);
    let clock = UNIX_EPOCH.elapsed().unwrap_or_default().subsec_nanos();
    let (mut kills, mut flips, mut flood, mut wipes, mut folders) = (0, 0, 0, 0, false);
    let mut seed = u64::from(clock);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} wants a value\n{USAGE}"));
        match &*word {
            "--binary" => binary = Some(value()?.into()),
            "--dir" => dir = Some(value()?.into()),
            "--kills" => kills = value()?.parse()?,
            "--flips" => flips = value()?.parse()?,
            "--wipes" => wipes = value()?.parse()?,
            "--flood" => flood = value()?.parse()?,
            "--seed" => seed = value()?.parse()?,
            "--folders" => folders = true,
            _ => bail!("{word} is not understood\n{USAGE}"),
        }
    }
    let binary = binary.context(USAGE)?;
    Ok(Words { binary, dir: dir.context(USAGE)?, kills, flips, flood, wipes, folders, seed })
}

fn run(words: &Words) -> Result<Faults> {
    let random = Random::new(words.seed);
    fs::create_dir_all(&words.dir)?;
    let dir = words.dir.canonicalize()?;
    if dir.starts_with("/dev/shm") {
        bail!("{} is memory; a disk is wanted", dir.display());
    }
    let binary = Binary::new(&words.binary, &dir.join("home"))?;
    println!("seed {}: repeat with --seed {0}", words.seed);
    let mut faults = Faults::new();
    let mut part = |title: &str, run: &mut dyn FnMut() -> Result<Faults>| -> Result<()> {
        println!("{title}");
        let begun = Instant::now();
        let found = run().with_context(|| format!("{title} (seed {})", words.seed))?;
        println!("  {:<44} {}", "faults", found.len());
        println!("  {:<44} {:.0}", "took s", begun.elapsed().as_secs_f64());
        faults.extend(found.into_iter().map(|fault| format!("{title}: {fault}")));
        Ok(())
    };
    // Flips need a folder with a history: what the kills leave, or a short one of their own.
    if words.kills > 0 || words.flips > 0 {
        let folder = dir.join("kills");
        clear(&folder)?;
        let mut history = None;
        part("kills", &mut || {
            let (left, faults) = torture::kills(&binary, &folder, words.kills.max(1), &random)?;
            history = Some(left);
            Ok(faults)
        })?;
        if let Some(history) = history.filter(|_| words.flips > 0) {
            part("flips", &mut || {
                torture::flips(&binary, &folder, &history, words.flips, &random)
            })?;
        }
        clear(&folder)?;
    }
    if words.folders {
        let folder = dir.join("folders");
        clear(&folder)?;
        part("folders", &mut || torture::folders(&binary, &folder))?;
        clear(&folder)?;
    }
    if words.wipes > 0 {
        let folder = dir.join("wipes");
        clear(&folder)?;
        part("wipes", &mut || torture::wipe(&binary, &folder, words.wipes, &random))?;
        clear(&folder)?;
    }
    if words.flood > 0 {
        let folder = dir.join("flood");
        clear(&folder)?;
        part("flood", &mut || torture::flood(&binary, &folder, words.flood, &random))?;
        clear(&folder)?;
    }
    Ok(faults)
}

fn clear(folder: &std::path::Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot clear {}", folder.display()))
        }
        _ => Ok(()),
    }
}
