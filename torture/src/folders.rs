//! Folders that cannot be used: in use, newer, full, read-only. Each is refused in words that help, and
//! once the reason is gone everything acknowledged is there.

use crate::{
    Acks, Audit, Binary, Faults, Random, Snapshot, Start, kills::settle, load::Load, mesh::Ended,
};
use anyhow::{Context as _, Result, ensure};
use api::Client;
use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

const SENDERS: usize = 8;
/// Room for a mesh that runs a minute, above the least that a start wants.
const DISK: &str = "size=192m";
/// How long a node may go on after its disk is full. Blocks come twice a second.
const FULL_PATIENCE: Duration = Duration::from_secs(60);

/// Try each on a folder of its own below `folder`.
///
/// # Errors
/// If something prevents the test itself.
pub fn folders(binary: &Binary, folder: &Path) -> Result<Faults> {
    fs::create_dir_all(folder)?;
    let mut faults = Faults::new();
    faults.extend(held_and_newer(binary, &folder.join("held"))?);
    match Disk::mount(&folder.join("disk")) {
        Ok(disk) => faults.extend(full_and_read_only(binary, &disk)?),
        Err(why) => println!("  passed over: full and read-only disks because {why:#}"),
    }
    Ok(faults)
}

fn held_and_newer(binary: &Binary, folder: &Path) -> Result<Faults> {
    let mut faults = Faults::new();
    let mesh = binary.start_ready(folder)?;
    let holder = mesh.id().to_string();
    refused(binary, folder, "a second process on one folder", &holder, &mut faults)?;
    Client::new(&mesh.url)?.ready().context("the first process no longer answers")?;
    mesh.kill();

    let format = folder.join("format");
    let ours = fs::read(&format)?;
    fs::write(&format, "99\n")?;
    refused(binary, folder, "data of a newer format", "format 99", &mut faults)?;
    fs::write(&format, ours)?;
    binary.start_ready(folder).context("with its own format again")?.kill();
    Ok(faults)
}

fn full_and_read_only(binary: &Binary, disk: &Disk) -> Result<Faults> {
    let mut faults = Faults::new();
    let folder = disk.path.join("data");
    let filler = disk.path.join("filler");
    let mut mesh = binary.start_ready(&folder)?;
    let (client, people) = settle(&mesh, SENDERS)?;
    let acks = Arc::new(Acks::default());
    let nonces = Snapshot::read(&people, &client)?.nonces;
    let load = Load::start(&people, &mesh.url, &nonces, &acks)?;
    acks.wait_for(SENDERS * 4, Duration::from_secs(30));
    fill(&filler)?;
    match mesh.ended(FULL_PATIENCE)? {
        Some(ended) => judge(&ended, "a disk that fills up under load", "full", &mut faults),
        None => faults.push(format!("a full disk: it still runs after {FULL_PATIENCE:?}")),
    }
    mesh.kill();
    load.stop();
    refused(binary, &folder, "a start on a full disk", "make room", &mut faults)?;

    fs::remove_file(&filler)?;
    let (mut audit, mut random) = (Audit::default(), Random::new(1));
    let mut check = |when: &str, faults: &mut Faults| -> Result<()> {
        let mesh = binary.start_ready(&folder).with_context(|| when.to_owned())?;
        let client = Client::new(&mesh.url)?;
        let (_, found) = audit.check(&people, &client, &acks.all(), &mut random)?;
        println!("  {:<44} {} acknowledged, {} faults", when, acks.count(), found.len());
        faults.extend(found.into_iter().map(|fault| format!("{when}: {fault}")));
        mesh.kill();
        Ok(())
    };
    check("after making room", &mut faults)?;
    disk.remount("ro")?;
    let read_only = refused(binary, &folder, "a read-only disk", "read-only", &mut faults);
    disk.remount("rw")?;
    read_only?;
    check("after mounting it for writing", &mut faults)?;
    Ok(faults)
}

/// Write until nothing fits.
fn fill(path: &Path) -> Result<()> {
    let mut file = File::create(path)?;
    let mut piece = vec![0x55; 1 << 20];
    while !piece.is_empty() {
        if file.write_all(&piece).is_err() {
            piece.truncate(piece.len() / 2);
        }
    }
    Ok(())
}

/// A start that must be refused with `word` in its message.
fn refused(
    binary: &Binary,
    folder: &Path,
    what: &str,
    word: &str,
    faults: &mut Faults,
) -> Result<()> {
    match binary.start(folder)? {
        Start::Ended(ended) => judge(&ended, what, word, faults),
        Start::Ready(_) => faults.push(format!("{what}: it started")),
        Start::Hung(stderr) => faults.push(format!("{what}: it hung: {stderr}")),
    }
    Ok(())
}

fn judge(ended: &Ended, what: &str, word: &str, faults: &mut Faults) {
    println!("  {what:<44} {}", ended.words());
    if !ended.is_clear() || !ended.stderr.contains(word) {
        faults.push(format!("{what}: {word:?} and a hint are wanted: {}", ended.words()));
    }
}

/// A small disk of its own; gone when this is dropped.
struct Disk {
    path: PathBuf,
}

impl Disk {
    fn mount(path: &Path) -> Result<Self> {
        fs::create_dir_all(path)?;
        run(Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "meshx-torture"]).arg(path))?;
        Ok(Self { path: path.to_owned() })
    }

    fn remount(&self, how: &str) -> Result<()> {
        run(Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.path))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = run(Command::new("umount").arg(&self.path)) {
            eprintln!("warning: {error:#}");
        }
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().context("there is no mount command")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "this user may not mount: {}", said.trim());
    Ok(())
}
