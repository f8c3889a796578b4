//! `cargo xtask torlab`: two validators reached as onion services, and workers that make no connection but through Tor,
//! in one namespace with a Tor network of its own. A paid job; and a capture of every packet the workers' users send.
//!
//! The Tor network is `../shared/lab/torlab.sh`: Debian's tor, on loopback.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    lab::{Lab, done, sh, text, word},
    report::{Outcome, Report},
};

const SPACE: &str = "mxtor";
/// Who the workers run as, so that their packets are told from all others.
const HIDDEN: &str = "64001";

/// What counts packets: those of the workers to Tor's ports, and answers of their own listeners; and all others of
/// theirs, which must not be.
const CAPTURE: &str = "
table inet capture {
  counter to_tor {}
  counter elsewhere {}
  set seen { type ipv4_addr . inet_service; flags dynamic; size 1024; }
  chain hidden {
    ip daddr 127.0.0.1 tcp dport { PORTS } counter name to_tor accept
    # The API that each offers the programs of its own machine, and itself.
    ip daddr 127.0.0.1 tcp dport { 8700, 8701 } accept
    ct direction reply accept
    add @seen { ip daddr . tcp dport }
    counter name elsewhere drop
  }
  chain out {
    type filter hook output priority 0;
    meta skuid USER jump hidden
  }
}";

pub fn run(root: &Path, binary: &Path, report: &mut Report) {
    let step = "torlab";
    let script = root.join("../shared/lab/torlab.sh");
    if !script.is_file() {
        return report.add(step, Outcome::PassedOver("../shared/lab/torlab.sh is not here".into()));
    }
    let tor = match Tor::up(&script, binary) {
        Ok(tor) => tor,
        Err(error) => {
            let why = format!("the lab does not stand: {error:#}");
            return report.add(step, Outcome::PassedOver(why));
        }
    };
    report.add(
        step,
        match play(tor, root) {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
        },
    );
}

/// A namespace with a Tor network in it; `SOCKS_A` and the others as the script names them.
struct Tor {
    script: PathBuf,
    lab: Lab,
    ports: String,
}

impl Tor {
    fn up(script: &Path, binary: &Path) -> Result<Self> {
        let mut lab = Lab::new("torlab", binary)?;
        lab.namespace(SPACE)?;
        let mut tor = Self { script: script.to_owned(), lab, ports: String::new() };
        done(&mut tor.script("up"))?;
        tor.ports = done(&mut tor.script("env"))?;
        Ok(tor)
    }

    fn script(&self, word: &str) -> Command {
        let script = self.script.to_str().expect("a path that is text");
        let mut command = self.lab.command(SPACE, &[script, word]);
        command.env("TORLAB", self.lab.home.join("tor"));
        command
    }

    fn port(&self, name: &str) -> Result<String> {
        let mark = format!("{name}=");
        let port = self.ports.split_whitespace().find_map(|word| word.strip_prefix(&mark));
        Ok(port.with_context(|| format!("no {name} in {}", self.ports))?.to_owned())
    }
}

impl Drop for Tor {
    fn drop(&mut self) {
        drop(self.script("down").output());
    }
}

fn play(mut tor: Tor, root: &Path) -> Result<()> {
    let (socks, control) = (tor.port("SOCKS_A")?, tor.port("CTRL_A")?);
    let (hidden_socks, hidden_control) = (tor.port("SOCKS_B")?, tor.port("CTRL_B")?);
    let lab = &mut tor.lab;
    let init = ["node", "init", "--nodes", "2", "--workers", "2", "--chains", "EU", "--dir", "net"];
    done(&mut lab.meshx(SPACE, &init))?;
    for node in [1, 0] {
        let dir = format!("net/node-{node}");
        let words = ["node", "start", "--dir", &dir, "--onion", "--tor-socks", &socks];
        let command = lab.meshx(SPACE, &[&words[..], &["--tor-control", &control]].concat());
        let name = format!("node-{node}");
        lab.start(&name, command, "network")?;
    }
    let onion = lab.says("node-0", "join      meshx provide --tor")?;
    let said = lab.says("node-0", "ready")?;
    let network = word(&said, "network")?;
    let join = onion.split_whitespace().find(|word| word.starts_with("/onion3/"));
    let join = join.context("no onion address")?.to_owned();

    let port_of = |address: &str| address.rsplit(':').next().unwrap_or_default().to_owned();
    let ports = format!("{}, {}", port_of(&hidden_socks), port_of(&hidden_control));
    let rules = lab.home.join("capture.nft");
    std::fs::write(&rules, CAPTURE.replace("USER", HIDDEN).replace("PORTS", &ports))?;
    lab.inside(SPACE, &["nft", "-f", rules.to_str().context("a path that is text")?])?;

    for edge in ["edge-a", "edge-b"] {
        let dir = lab.home.join(edge);
        std::fs::create_dir_all(&dir)?;
        let dir = dir.to_str().context("a path that is text")?;
        sh(&["chown", HIDDEN, dir])?;
        let api = format!("127.0.0.1:{}", if edge == "edge-a" { 8_700 } else { 8_701 });
        let home = format!("HOME={dir}");
        let as_user = ["setpriv", "--reuid", HIDDEN, "--regid", HIDDEN, "--clear-groups", "env"];
        let words = ["node", "start", "--role", "edge", "--tor", "--tor-socks", &hidden_socks];
        let more = ["--tor-control", &hidden_control, "--network", &network, "--join", &join];
        let rest = ["--dir", dir, "--capacity", "4", "--api", &api];
        let words = [&as_user[..], &[&home, lab.binary()], &words, &more, &rest].concat();
        let command = lab.command(SPACE, &words);
        let said = lab.start(edge, command, "gateway")?;
        let worker = word(&said, "worker")?;
        let mut send = lab.meshx(SPACE, &["wallet", "send", &worker, "1"]);
        done(send.env("MESHX_NODE", "http://127.0.0.1:8711"))?;
        lab.says(edge, "ready")?;
    }
    let module = root.join("examples/wordcount.wasm");
    let module = module.to_str().context("a path that is text")?;
    let mut job = lab.meshx(SPACE, &["run", module]);
    let result = done(job.env("MESHX_NODE", "http://127.0.0.1:8700"))?;
    for edge in ["edge-a", "edge-b"] {
        lab.says(edge, "ran")?;
    }
    let assurance = result.lines().find(|line| line.starts_with("assurance")).unwrap_or_default();
    println!("  job       {}", assurance.split_whitespace().collect::<Vec<_>>().join(" "));
    let peers = text(&lab.meshx(SPACE, &["peers", "--dir", "edge-a"]).output()?);
    for line in peers.lines().filter(|line| line.contains("onion")) {
        println!("  {}", line.split_whitespace().collect::<Vec<_>>().join(" "));
    }

    let counters = done(&mut lab.command(SPACE, &["nft", "list", "counters"]))?;
    let packets = |name: &str| -> Result<u64> {
        let (_, rest) = counters.split_once(&format!("counter {name}")).context("no counter")?;
        let number = rest.split_whitespace().skip_while(|word| *word != "packets").nth(1);
        Ok(number.context("no packets")?.parse()?)
    };
    let (to_tor, elsewhere) = (packets("to_tor")?, packets("elsewhere")?);
    ensure!(to_tor > 0, "nothing was captured:\n{counters}");
    ensure!(
        elsewhere == 0,
        "{elsewhere} packets went past Tor:\n{}",
        done(&mut lab.command(SPACE, &["nft", "list", "ruleset"]))?
    );
    println!("  packets   {to_tor} of the workers to Tor's ports; {elsewhere} to anybody else");
    Ok(())
}
