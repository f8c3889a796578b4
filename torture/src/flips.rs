//! One wrong bit, or a file cut short: a clear refusal or the right balances, never anything else.

use crate::{Binary, Faults, Mesh, Random, Snapshot, Start, kills::History, people::CHAINS};
use anyhow::{Context as _, Result};
use api::{Client, Wait};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// How long a node may take to serve again what it had acknowledged.
const CATCH_UP: Duration = Duration::from_secs(30);
/// One change in so many cuts the file short; the others flip a bit.
const CUT_ONE_IN: u64 = 4;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// All balances right, and a transfer became final.
    Served,
    /// Exit 125 before it was ready, with what happened and what to try.
    Refused,
    /// The same, but after it had served for a while.
    Stopped,
    Fault,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Served, Self::Refused, Self::Stopped, Self::Fault];
}

/// Damage a copy of `folder` `count` times, once each, and start a mesh on it.
///
/// # Errors
/// If something prevents the test itself.
pub fn flips(
    binary: &Binary,
    folder: &Path,
    history: &History,
    count: usize,
    random: &Random,
) -> Result<Faults> {
    let damaged = folder.with_file_name("flips");
    let _ = fs::remove_dir_all(&damaged);
    let files = Files::list(folder)?;
    println!("  {} files of {} kinds", files.count(), files.kinds.len());
    let (mut faults, mut wrong) = (Faults::new(), 0);
    let (mut refused_in_chains, mut repaired) = (0, 0);
    let mut table: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    for flip in 1..=count {
        let mut random = random.child(&format!("flip {flip}"));
        restore(folder, &damaged)?;
        let (kind, file) = files.draw(&mut random);
        let change = damage(&damaged.join(&file), &mut random)?;
        let (outcome, words) = judge(binary, &damaged, history, &mut wrong)?;
        table.entry(kind).or_default()[outcome as usize] += 1;
        println!("  flip {flip} of {count}: {} {change}: {outcome:?} {words}", file.display());
        // The other validators of the chain are in the same process: they are its peers.
        if let (Outcome::Refused | Outcome::Stopped, Some(owner)) = (outcome, validator(&file)) {
            refused_in_chains += 1;
            wipe(&damaged, &owner)?;
            match judge(binary, &damaged, history, &mut wrong)? {
                (Outcome::Served, _) => repaired += 1,
                (_, words) => faults.push(format!("flip {flip}: {owner} wiped: {words}")),
            }
        }
        if outcome == Outcome::Fault {
            faults.push(format!("flip {flip}: {} {change}: {words}", file.display()));
            // As the failed start left it, for a person to look into.
            fs::rename(&damaged, folder.with_file_name(format!("flip-{flip}")))?;
        }
    }
    let _ = fs::remove_dir_all(&damaged);
    println!("  {:<44} {:?}", "outcome by kind of file", Outcome::ALL);
    for (kind, counts) in &table {
        println!("    {kind:<42} {counts:?}");
    }
    for outcome in Outcome::ALL {
        let sum: usize = table.values().map(|counts| counts[outcome as usize]).sum();
        println!("  {:<44} {sum}", format!("{outcome:?}").to_lowercase());
    }
    println!(
        "  {:<44} {repaired} of {refused_in_chains}",
        "that validator wiped, repaired by the others"
    );
    println!("  {:<44} {wrong}", "wrong balances");
    Ok(faults)
}

/// Start a mesh on a damaged folder, and see what it makes of it.
fn judge(
    binary: &Binary,
    folder: &Path,
    history: &History,
    wrong: &mut usize,
) -> Result<(Outcome, String)> {
    let mut mesh = match binary.start(folder)? {
        Start::Ended(ended) if ended.is_clear() => return Ok((Outcome::Refused, ended.words())),
        Start::Ended(ended) => return Ok((Outcome::Fault, format!("unclear: {}", ended.words()))),
        Start::Hung(stderr) => return Ok((Outcome::Fault, format!("hung: {stderr}"))),
        Start::Ready(mesh) => mesh,
    };
    let served = serve(&mesh, history, wrong);
    // What it did not answer, it may have stopped for.
    let patience = Duration::from_secs(if served.is_err() { 5 } else { 0 });
    if let Some(ended) = mesh.ended(patience)? {
        let outcome = if ended.is_clear() { Outcome::Stopped } else { Outcome::Fault };
        return Ok((outcome, ended.words()));
    }
    mesh.kill();
    Ok(match served {
        Ok(faults) if faults.is_empty() => (Outcome::Served, String::new()),
        Ok(faults) => (Outcome::Fault, faults.join("; ")),
        Err(error) => (Outcome::Fault, format!("{error:#}")),
    })
}

/// What is wrong with what it serves.
fn serve(mesh: &Mesh, history: &History, wrong: &mut usize) -> Result<Faults> {
    let (client, people) = (Client::new(&mesh.url)?, &history.people);
    let mut faults = Faults::new();
    // Never more than it catches up with, and never anything that was not so at some moment.
    let deadline = Instant::now() + CATCH_UP;
    let mut now = Snapshot::read(people, &client)?;
    while !now.covers(&history.snapshot) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(100));
        now = Snapshot::read(people, &client)?;
    }
    if !now.covers(&history.snapshot) {
        faults.push(format!("stays at {:?}, was {:?}", now.heights, history.snapshot.heights));
    }
    let mut found = now.wrong_balances(people);
    for chain in CHAINS {
        let nonce = now.nonces[&chain][1];
        let tx = people.transfer(chain, 1, nonce);
        client.submit(&tx, Wait::Final).with_context(|| format!("a transfer on {chain}"))?;
    }
    found.extend(Snapshot::read(people, &client)?.wrong_balances(people));
    *wrong += found.len();
    faults.extend(found);
    Ok(faults)
}

/// The files of a folder that hold something, by kind.
struct Files {
    kinds: BTreeMap<String, Vec<(PathBuf, u64)>>,
}

impl Files {
    fn list(folder: &Path) -> Result<Self> {
        let mut kinds = BTreeMap::<String, Vec<(PathBuf, u64)>>::new();
        let mut open = vec![folder.to_owned()];
        while let Some(inside) = open.pop() {
            let mut entries = fs::read_dir(inside)?.collect::<Result<Vec<_>, _>>()?;
            entries.sort_by_key(fs::DirEntry::path);
            for entry in entries {
                let (path, data) = (entry.path(), entry.metadata()?);
                if data.is_dir() {
                    open.push(path);
                } else if data.len() > 0 {
                    let path = path.strip_prefix(folder)?.to_owned();
                    kinds.entry(kind(&path)).or_default().push((path, data.len()));
                }
            }
        }
        Ok(Self { kinds })
    }

    fn count(&self) -> usize {
        self.kinds.values().map(Vec::len).sum()
    }

    /// Half the time a place anywhere, so that long files have their share; else a kind, so that short
    /// ones have theirs.
    fn draw(&self, random: &mut Random) -> (String, PathBuf) {
        if random.below(2) == 0 {
            let all =
                || self.kinds.iter().flat_map(|(kind, files)| files.iter().map(move |f| (kind, f)));
            let mut place = random.below(all().map(|(_, (_, len))| len).sum());
            for (kind, (path, len)) in all() {
                if place < *len {
                    return (kind.clone(), path.clone());
                }
                place -= len;
            }
        }
        let kinds: Vec<&String> = self.kinds.keys().collect();
        let kind = *random.pick(&kinds);
        (kind.clone(), random.pick(&self.kinds[kind]).0.clone())
    }
}

/// `chains/na-0-state-log_data/…` is of kind `state-log_data`; a file beside `chains` is its own.
fn kind(path: &Path) -> String {
    let mut parts = path.iter().map(|part| part.to_string_lossy());
    match (parts.next().as_deref(), parts.next()) {
        (Some("chains"), Some(partition)) => {
            let rest = partition.strip_prefix(&*validator(path).unwrap_or_default());
            rest.unwrap_or(&partition).trim_start_matches('-').to_owned()
        }
        (Some(first), _) => first.to_owned(),
        (None, _) => String::new(),
    }
}

/// `na-0` of `chains/na-0-state-log_data/…`: the validator whose file it is.
fn validator(path: &Path) -> Option<String> {
    let partition = path.strip_prefix("chains").ok()?.iter().next()?.to_str()?;
    let (chain, rest) = partition.split_once('-')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| format!("{chain}-{}", &rest[..digits]))
}

/// Take away all that a validator has, so that it must fetch its chain from the others.
fn wipe(folder: &Path, validator: &str) -> Result<()> {
    for entry in fs::read_dir(folder.join("chains"))? {
        let entry = entry?;
        let inside = Path::new("chains").join(entry.file_name());
        if self::validator(&inside).as_deref() == Some(validator) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Change the file, and say how.
fn damage(path: &Path, random: &mut Random) -> Result<String> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let len = file.metadata()?.len();
    if random.below(CUT_ONE_IN) == 0 {
        let len = random.below(len);
        file.set_len(len)?;
        return Ok(format!("cut to {len} bytes"));
    }
    let (at, bit) = (random.below(len), random.below(8) as u8);
    let mut byte = [0];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut byte)?;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(&[byte[0] ^ (1 << bit)])?;
    Ok(format!("bit {bit} of byte {at}"))
}

/// Make `to` what `from` is, writing only where they differ: most of the thousands of files do not.
fn restore(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if !from.join(entry.file_name()).exists() {
            let path = entry.path();
            if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.metadata()?.is_dir() {
            restore(&entry.path(), &target)?;
            continue;
        }
        let content = fs::read(entry.path())?;
        if fs::read(&target).ok().as_ref() != Some(&content) {
            fs::write(target, content)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{kind, validator};
    use std::path::Path;

    #[test]
    fn a_file_is_of_the_kind_of_its_partition() {
        assert_eq!(kind(Path::new("chains/na-0-state-log_data/00")), "state-log_data");
        assert_eq!(kind(Path::new("chains/backbone-12-simplex/00")), "simplex");
        assert_eq!(kind(Path::new("chains/na-1-state_sync_metadata/00")), "state_sync_metadata");
        assert_eq!(kind(Path::new("mesh.json")), "mesh.json");
        assert_eq!(validator(Path::new("chains/na-12-simplex/00")).as_deref(), Some("na-12"));
        assert_eq!(validator(Path::new("blobs/na-12")), None);
    }
}
