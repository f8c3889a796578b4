//! `cargo xtask natlab`: workers behind real NATs, in namespaces of the network, run a paid job and reach each other.
//!
//! ```text
//!   11.77.0.20 two validators, gateways, relays          11.77.0.10, .11 coturn: STUN and TURN
//!              |                                                |
//!        NAT A ── worker A                                NAT B ── worker B
//! ```
//! The lab itself is `../shared/lab/natlab.sh`: it needs root, Linux, iproute2, nftables, coturn and miniupnpd.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::report::{Outcome, Report};

const PATIENCE: Duration = Duration::from_secs(60);
const GATEWAY: &str = "11.77.0.20";
const TURN: &str = "mesh:meshpass@11.77.0.10:3478";

/// One pair of NATs and what is to come of it.
struct Scenario {
    name: &'static str,
    /// What the lab reads from its environment.
    lab: &'static [(&'static str, &'static str)],
    /// What the doctor says at A of its NAT, and of the path from A to B.
    nat: &'static str,
    path: &'static str,
    /// By which protocol A's router passes a port on, as `meshx peers` says it.
    mapped: Option<&'static str>,
    /// What the router of A does not get to see, as nftables matches it.
    unheard: Option<&'static str>,
    /// Whether A knows the TURN server.
    turn: bool,
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "cone-cone",
        lab: &[("NAT_A", "cone"), ("NAT_B", "cone"), ("UPNP_A", "0")],
        nat: "cone",
        path: "by hole punching",
        mapped: None,
        unheard: None,
        turn: false,
    },
    Scenario {
        name: "symmetric-symmetric",
        lab: &[("NAT_A", "symmetric"), ("NAT_B", "symmetric"), ("UPNP_A", "0")],
        nat: "symmetric",
        path: "through a relay",
        mapped: None,
        unheard: None,
        turn: false,
    },
    Scenario {
        name: "pcp-symmetric",
        lab: &[("NAT_A", "cone"), ("NAT_B", "symmetric"), ("UPNP_A", "1")],
        nat: "cone",
        path: "through a relay",
        mapped: Some("(pcp)"),
        unheard: None,
        turn: false,
    },
    Scenario {
        name: "natpmp-symmetric",
        lab: &[("NAT_A", "cone"), ("NAT_B", "symmetric"), ("UPNP_A", "1")],
        nat: "cone",
        path: "through a relay",
        mapped: Some("(nat-pmp)"),
        // PCP is version 2 of the same port.
        unheard: Some("udp dport 5351 @th,64,8 2"),
        turn: false,
    },
    Scenario {
        name: "upnp-symmetric",
        lab: &[("NAT_A", "cone"), ("NAT_B", "symmetric"), ("UPNP_A", "1")],
        nat: "cone",
        path: "through a relay",
        mapped: Some("(upnp)"),
        // Neither PCP nor NAT-PMP.
        unheard: Some("udp dport 5351"),
        turn: false,
    },
    Scenario {
        name: "udpblock-cone",
        lab: &[("NAT_A", "udpblock"), ("NAT_B", "cone"), ("UPNP_A", "0")],
        nat: "does not answer",
        path: "through the TURN server",
        mapped: None,
        unheard: None,
        turn: true,
    },
    Scenario {
        name: "cone-carrier",
        lab: &[("NAT_A", "cone"), ("NAT_B", "cone"), ("UPNP_A", "0"), ("CGNAT", "1")],
        nat: "cone",
        path: "by hole punching",
        mapped: None,
        unheard: None,
        turn: false,
    },
];

/// Run the scenarios named, or all, with `binary`.
pub fn run(root: &Path, names: &[&str], binary: &Path, report: &mut Report) {
    let script = root.join("../shared/lab/natlab.sh");
    for scenario in SCENARIOS {
        if !names.is_empty() && !names.contains(&scenario.name) {
            continue;
        }
        let step = format!("natlab {}", scenario.name);
        if !script.is_file() {
            report.add(&step, Outcome::PassedOver("../shared/lab/natlab.sh is not here".into()));
            continue;
        }
        let lab = match Lab::up(&script, scenario) {
            Ok(lab) => lab,
            Err(error) => {
                report
                    .add(&step, Outcome::PassedOver(format!("the lab does not stand: {error:#}")));
                continue;
            }
        };
        let outcome = match lab.play(root, binary, scenario) {
            Ok(told) => {
                println!("{told}");
                Outcome::Passed
            }
            Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
        };
        report.add(&step, outcome);
    }
}

pub fn known(name: &str) -> bool {
    SCENARIOS.iter().any(|scenario| scenario.name == name)
}

/// The namespaces, and what runs in them. All of it ends with this.
struct Lab {
    script: PathBuf,
    running: Vec<Child>,
    home: PathBuf,
}

impl Lab {
    fn up(script: &Path, scenario: &Scenario) -> Result<Self> {
        let home = std::env::temp_dir().join(format!("meshx-natlab-{}", std::process::id()));
        fs::create_dir_all(&home)?;
        let lab = Self { script: script.to_owned(), running: Vec::new(), home };
        drop(lab.command(&["down"]).output());
        let up = lab.command(&["up"]).envs(scenario.lab.iter().copied()).output()?;
        ensure!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr).trim());
        if let Some(unheard) = scenario.unheard {
            let hook = "{ type filter hook input priority -10; }";
            let rule = format!(
                "add table ip deaf; add chain ip deaf in {hook}; add rule ip deaf in {unheard} drop"
            );
            let deaf = lab.command(&["exec", "rtA", "nft", &rule]).output()?;
            ensure!(deaf.status.success(), "{}", String::from_utf8_lossy(&deaf.stderr).trim());
        }
        Ok(lab)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.script);
        command.args(words).env("LAB", "meshxlab").current_dir(&self.home);
        command
    }

    /// `meshx` on a host of the lab.
    fn meshx(&self, host: &str, binary: &Path, words: &[&str]) -> Command {
        let mut command = self.command(&["exec", host]);
        command.arg(binary).args(words).env("HOME", &self.home);
        for base in ["CONFIG", "DATA", "STATE", "CACHE"] {
            command.env_remove(format!("XDG_{base}_HOME"));
        }
        command
    }

    /// Start a node there, and wait until it says `mark`; what it has said by then.
    fn start(
        &mut self,
        host: &str,
        binary: &Path,
        words: &[&str],
        name: &str,
        mark: &str,
    ) -> Result<String> {
        let log = self.home.join(format!("{name}.log"));
        let out = File::create(&log)?;
        let mut command = self.meshx(host, binary, words);
        let child = command.stdout(out.try_clone()?).stderr(out).stdin(Stdio::null()).spawn()?;
        self.running.push(child);
        self.says(name, mark)
    }

    fn says(&self, name: &str, mark: &str) -> Result<String> {
        let log = self.home.join(format!("{name}.log"));
        let begun = Instant::now();
        loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if text.lines().any(|line| line.starts_with(mark)) {
                return Ok(text);
            }
            if begun.elapsed() > PATIENCE {
                bail!("{name} does not say {mark:?}:\n{text}");
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Wait until what a node says of its peers, as JSON, holds `mark`.
    fn holds(&self, dir: &str, binary: &Path, mark: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            let asked = ["peers", "--dir", dir, "--output", "json"];
            let said = text(&self.meshx("pub2", binary, &asked).output()?);
            if said.contains(mark) {
                return Ok(());
            }
            ensure!(begun.elapsed() < PATIENCE, "{dir} does not come to {mark}:\n{said}");
            thread::sleep(Duration::from_millis(500));
        }
    }

    fn play(mut self, root: &Path, binary: &Path, scenario: &Scenario) -> Result<String> {
        let init = ["node", "init", "--nodes", "2", "--workers", "2", "--chains", "EU"];
        let init = [&init[..], &["--dir", "net", "--port", "31710"]].concat();
        done(self.meshx("pub2", binary, &init))?;
        let listen = |port: u16| format!("/ip4/{GATEWAY}/tcp/{port}");
        let second = ["node", "start", "--dir", "net/node-1", "--listen", &listen(8_801)];
        self.start("pub2", binary, &second, "node-1", "network")?;
        let first = ["node", "start", "--dir", "net/node-0", "--listen", &listen(8_800)];
        let said = self.start("pub2", binary, &first, "node-0", "ready")?;
        let network = word(&said, "network", 1)?;
        let join = said.split_whitespace().find(|word| word.starts_with("/ip4/"));
        let join = join.context("node-0 says no address")?.to_owned();

        let turn = scenario.turn.then_some(&["--turn", TURN][..]);
        let mut ids = Vec::new();
        for (host, name) in [("hostA", "edge-a"), ("hostB", "edge-b")] {
            let start = [
                "node",
                "start",
                "--role",
                "edge",
                "--dir",
                name,
                "--network",
                &network,
                "--join",
                &join,
                "--listen",
                "/ip4/0.0.0.0/tcp/8800",
                "--capacity",
                "4",
            ];
            let turn = turn.filter(|_| host == "hostA");
            let start = [&start[..], turn.unwrap_or_default()].concat();
            let said = self.start(host, binary, &start, name, "gateway")?;
            ids.push(word(&said, "id", 1)?);
            let worker = word(&said, "worker", 1)?;
            let mut send = self.meshx("pub2", binary, &["wallet", "send", &worker, "1"]);
            done(send.env("MESHX_NODE", "http://127.0.0.1:31711"))?;
            self.says(name, "ready")?;
        }
        // Two workers of the nodes and the two behind NATs: each of them is drawn.
        let example = root.join("examples/wordcount.wasm");
        let example = example.to_str().context("a path that is text")?;
        let mut job = self.meshx("hostA", binary, &["run", example]);
        let result = done(job.env("MESHX_NODE", "http://127.0.0.1:8700"))?;
        for name in ["edge-a", "edge-b"] {
            self.says(name, "ran")?;
        }
        let stun = ["--stun", "11.77.0.10:3478", "--stun", "11.77.0.11:3478"];
        let asked = ["doctor", "--port", "8805", "--network", &network, "--join", &join];
        let doctor = self.meshx("hostA", binary, &[&asked[..], &stun].concat()).output()?;
        let doctor = text(&doctor);
        let line = |text: &str, what: &str| {
            let found = text.lines().find(|line| line.split_whitespace().nth(1) == Some(what));
            found.unwrap_or_default().to_owned()
        };
        let nat = line(&doctor, "nat");
        ensure!(
            nat.contains(scenario.nat),
            "the NAT at A is {:?}, it says\n{doctor}",
            scenario.nat
        );
        let peers = text(&self.meshx("hostA", binary, &["peers", "--dir", "edge-a"]).output()?);
        let mapped = peers.lines().find(|line| line.starts_with("router")).map(str::to_owned);
        let fits = match (&mapped, scenario.mapped) {
            (Some(line), Some(protocol)) => line.contains(protocol),
            (found, wanted) => found.is_some() == wanted.is_some(),
        };
        ensure!(fits, "the router of A:\n{peers}");
        self.holds("edge-b", binary, "\"relays\":[\"12D3Koo")?;
        let circuit = format!("{join}/p2p-circuit/p2p/{}", ids[1]);
        let asked = ["doctor", "--port", "8806", "--network", &network, "--join", &circuit];
        let asked = [&asked[..], turn.unwrap_or_default()].concat();
        let there = text(&self.meshx("hostA", binary, &asked).output()?);
        let path = line(&there, "path");
        ensure!(path.contains(scenario.path), "A to B:\n{there}");
        let job = result.lines().find(|line| line.starts_with("assurance")).unwrap_or_default();
        Ok(format!(
            "  job     {job}\n  at A    {}\n  A to B  {}{}",
            squeezed(&nat),
            squeezed(&path),
            mapped.map(|mapped| format!("\n  router  {}", squeezed(&mapped))).unwrap_or_default()
        ))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for child in &mut self.running {
            drop(child.kill());
            drop(child.wait());
        }
        // It ends, by process id, what still lives in its namespaces.
        drop(self.command(&["down"]).output());
        drop(fs::remove_dir_all(&self.home));
    }
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

fn done(mut command: impl std::borrow::BorrowMut<Command>) -> Result<String> {
    let output = command.borrow_mut().stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "{:?}:\n{}", command.borrow_mut(), text(&output));
    Ok(text(&output))
}

/// The `n`th word of the line that begins with `mark`.
fn word(said: &str, mark: &str, n: usize) -> Result<String> {
    let line = said.lines().find(|line| line.starts_with(mark));
    let word = line.and_then(|line| line.split_whitespace().nth(n));
    Ok(word.with_context(|| format!("no {mark:?} in\n{said}"))?.to_owned())
}
