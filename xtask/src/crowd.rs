//! `cargo xtask crowd`: processes that know one address come into one Kademlia, and find each other.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    lab::{within, word},
    report::{Outcome, Report},
};

/// How many each one is to find.
const OTHERS: usize = 10;
const FIRST_PORT: u16 = 33_000;
const PATIENCE: Duration = Duration::from_secs(60);
/// The name of a network that nobody else is on.
const NETWORK: &str = "6d657368782063726f776400000000000000000000000000000000000000000a";

pub fn run(processes: usize, binary: &Path, report: &mut Report) {
    let crowd = Crowd { home: home(), running: Vec::new() };
    let outcome = match play(crowd, processes, binary) {
        Ok(()) => Outcome::Passed,
        Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
    };
    report.add(&format!("crowd of {processes}"), outcome);
}

fn home() -> PathBuf {
    std::env::temp_dir().join(format!("meshx-crowd-{}", std::process::id()))
}

struct Crowd {
    home: PathBuf,
    running: Vec<Child>,
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.running {
            drop(child.kill());
            drop(child.wait());
        }
        drop(fs::remove_dir_all(&self.home));
    }
}

impl Crowd {
    /// The `index`th process, which knows `join`.
    fn start(&mut self, binary: &Path, index: usize, join: Option<&str>) -> Result<()> {
        let dir = self.home.join(index.to_string());
        fs::create_dir_all(&dir)?;
        let out = File::create(dir.join("log"))?;
        let listen = format!("/ip4/127.0.0.1/tcp/{}", port(index));
        let metrics = format!("127.0.0.1:{}", port(index) + 1);
        let mut command = Command::new(binary);
        command.args(["node", "start", "--role", "relay", "--network", NETWORK, "--dir"]);
        command.arg(&dir).args(["--listen", &listen, "--metrics", &metrics]);
        command.args(["--no-port-mapping"]);
        if let Some(join) = join {
            command.args(["--join", join]);
        }
        command.env("HOME", &self.home).stdin(Stdio::null());
        let child = command.stdout(out.try_clone()?).stderr(out).spawn()?;
        self.running.push(child);
        Ok(())
    }

    fn says(&self, index: usize, mark: &str) -> Result<String> {
        within(PATIENCE, || {
            let text = fs::read_to_string(self.home.join(index.to_string()).join("log"))?;
            word(&text, mark)
        })
    }
}

fn port(index: usize) -> u16 {
    FIRST_PORT + 2 * u16::try_from(index).expect("not so many")
}

fn play(mut crowd: Crowd, processes: usize, binary: &Path) -> Result<()> {
    let begun = Instant::now();
    crowd.start(binary, 0, None)?;
    let first = crowd.says(0, "id")?;
    let join = format!("/ip4/127.0.0.1/tcp/{}/p2p/{first}", port(0));
    for index in 1..processes {
        crowd.start(binary, index, Some(&join))?;
    }
    let ids: Vec<String> =
        (0..processes).map(|index| crowd.says(index, "id")).collect::<Result<_>>()?;
    let up = begun.elapsed();
    let mut sought = 0;
    for here in 0..processes {
        for step in 1..=OTHERS.min(processes - 1) {
            // Ten others, spread over all, and other ones for each.
            let there = (here + step * 7 + here * step) % processes;
            if there == here {
                continue;
            }
            let path = format!("/peers/{}", ids[there]);
            within(PATIENCE.saturating_sub(begun.elapsed() - up), || {
                let said = get(port(here) + 1, &path)?;
                ensure!(
                    said.contains("\"addresses\""),
                    "process {here} does not find {there}: {said}"
                );
                Ok(())
            })?;
            sought += 1;
        }
    }
    let found = begun.elapsed();
    let tables: Vec<u64> = (0..processes)
        .map(|index| {
            let status: serde_json::Value = serde_json::from_str(&get(port(index) + 1, "/peers")?)?;
            status["table"].as_u64().context("no table")
        })
        .collect::<Result<_>>()?;
    let fewest = tables.iter().min().context("nobody")?;
    println!(
        "  {processes} processes up after {:.1} s; {sought} lookups, all found after {:.1} s; tables hold {fewest} to {} others",
        up.as_secs_f64(),
        found.as_secs_f64(),
        tables.iter().max().context("nobody")?
    );
    ensure!(found - up <= PATIENCE, "that took longer than {} s", PATIENCE.as_secs());
    Ok(())
}

/// The body of what answers on a port of this machine.
fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text.split_once("\r\n\r\n").context("no answer")?.1.to_owned())
}
