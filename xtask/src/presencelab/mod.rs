//! `cargo xtask presencelab`: seven groups of witnesses in seven namespaces of the network, and provers in others, that say
//! where they stand: true and false. All between them, channels and datagrams, goes over a [wire] that is as long as the
//! way would be, so that nothing in the programs themselves is simulated. It needs root, Linux and iproute2.

mod chain;
mod wire;
mod world;

use std::{fs, net::Ipv4Addr, path::Path, time::Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

pub use self::chain::run as run_chain;
use self::{
    wire::{Stand, Wire},
    world::{GROUPS, Group, Place, WITNESSES},
};
use crate::{
    lab::{Lab, done, text},
    report::{Outcome, Report},
};

/// Where every witness listens, on an address of its own.
const PORT: u16 = 8_790;
/// What work may take longer than the quickest answer. The way that shows here is three times as long.
const WORK_WITHIN_MS: &str = "60";
const LIST: &str = "dealt/list.json";
/// Where a prover stands, and where it says it does.
const LIES: [(usize, usize); 4] = [(2, 1), (1, 0), (3, 4), (0, 6)];
/// A proxy that answers in one group for a machine in another.
const PROXY: &str = "mxpl-proxy";
const PROXY_AT: Ipv4Addr = Ipv4Addr::new(10, 77, 200, 1);
const PROXIED: usize = 1;
const MACHINE: usize = 2;

pub fn run(binary: &Path, report: &mut Report) {
    let lab = match stand(binary) {
        Ok(lab) => lab,
        Err(error) => {
            let why = format!("the lab does not stand: {error:#}");
            return report.add("presencelab", Outcome::PassedOver(why));
        }
    };
    if let Err(error) = attend(&lab) {
        return report.add("presencelab witnesses", Outcome::Failed(vec![format!("{error:#}")]));
    }
    println!(
        "  {} witnesses in {} namespaces, the keys of each group in one process; Antarctica's are made up: it has no public vantage points",
        GROUPS.len() * WITNESSES,
        GROUPS.len()
    );
    println!(
        "  the wire is a model: fibre 1.1 to 1.7 times as long as the way, 0.4 to 2 ms more, queues, one datagram in 200 lost"
    );
    let mut add = |name: String, said: Result<String>| {
        let outcome = match said {
            Ok(said) => {
                println!("  {said}");
                Outcome::Passed
            }
            Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
        };
        report.add(&format!("presencelab {name}"), outcome);
    };
    for group in 0..GROUPS.len() {
        add(format!("honest-{}", continent(group)), honest(&lab, group));
    }
    for (stands, claims) in LIES {
        let name = format!("{}-claims-{}", continent(stands), continent(claims));
        add(name, lie(&lab, stands, claims));
    }
    add("machine-elsewhere".to_owned(), machine_elsewhere(&lab));
}

fn continent(group: usize) -> &'static str {
    GROUPS[group].continent
}

fn space(group: usize) -> String {
    format!("mxpl-{}", continent(group))
}

/// Where a prover of a group is.
fn prover_space(group: usize) -> String {
    format!("mxpl-at-{}", continent(group))
}

fn prover_at(group: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 100 + u8::try_from(group).expect("seven"), 1)
}

fn witness_at(group: usize, index: usize) -> Ipv4Addr {
    let byte = |number: usize| u8::try_from(number + 1).expect("few");
    Ipv4Addr::new(10, 77, byte(group), byte(index))
}

/// Seven namespaces with witnesses that attend, as many with room for a prover, one for a proxy, and the wire between
/// them. Namespaces and the wire between them: what the machine has to give.
fn stand(binary: &Path) -> Result<Lab> {
    let mut lab = Lab::new("presencelab", binary)?;
    let mut wire = Wire::default();
    let mut devices = Vec::new();
    for (group, of) in GROUPS.iter().enumerate() {
        let space = space(group);
        lab.namespace(&space)?;
        let device = wire.device(&lab, &space, witness_at(group, 0), of.witness(0))?;
        devices.push(device);
        for index in 0..WITNESSES {
            let stand = Stand { device, place: of.witness(index), work_by: None };
            wire.stand(witness_at(group, index), stand);
        }
    }
    for (group, of) in GROUPS.iter().enumerate() {
        prover(&mut lab, &mut wire, &prover_space(group), prover_at(group), of.prover(), None)?;
    }
    let machine = Some(devices[MACHINE]);
    prover(&mut lab, &mut wire, PROXY, PROXY_AT, GROUPS[PROXIED].prover(), machine)?;
    wire.run()?;
    Ok(lab)
}

/// All groups' witnesses, ready to measure.
fn attend(lab: &Lab) -> Result<()> {
    deal(lab, &space(0), Group::witness)?;
    for group in 0..GROUPS.len() {
        let keys = format!("keys-{group}");
        let words = ["presence", "attend", "--list", LIST, "--keys", &keys];
        let words = [&words[..], &["--work-within", WORK_WITHIN_MS]].concat();
        let command = lab.meshx(&space(group), &words);
        lab.start(&format!("witnesses-{}", continent(group)), command, "ready")?;
    }
    Ok(())
}

fn prover(
    lab: &mut Lab,
    wire: &mut Wire,
    space: &str,
    at: Ipv4Addr,
    place: Place,
    work_by: Option<usize>,
) -> Result<()> {
    lab.namespace(space)?;
    let device = wire.device(lab, space, at, place)?;
    wire.stand(at, Stand { device, place, work_by });
    Ok(())
}

/// Keys and list as `meshx presence deal` makes them, but with the addresses of the lab, and each group's keys by themselves.
fn deal(lab: &Lab, space: &str, witness: fn(&Group, usize) -> Place) -> Result<()> {
    let folder = lab.home.join("network");
    fs::create_dir_all(&folder)?;
    let (nodes, rtt) = world::tables(witness);
    fs::write(folder.join("nodes.csv"), nodes)?;
    fs::write(folder.join("rtt.csv"), rtt)?;
    let words = ["presence", "deal", "--network", "network", "--dir", "dealt"];
    done(&mut lab.meshx(space, &words))?;
    let path = lab.home.join(LIST);
    let mut list: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    for group in 0..GROUPS.len() {
        let keys = lab.home.join(format!("keys-{group}"));
        fs::create_dir_all(&keys)?;
        for index in 0..WITNESSES {
            let node = group * WITNESSES + index;
            list["witnesses"][node]["reached_at"] =
                format!("{}:{PORT}", witness_at(group, index)).into();
            let key = format!("{node}.key");
            fs::rename(lab.home.join("dealt/keys").join(&key), keys.join(&key))?;
        }
    }
    fs::write(&path, list.to_string())?;
    Ok(())
}

/// What a prover was told, and how long it took.
struct Told {
    verdict: Value,
    said: String,
    seconds: f64,
}

impl Told {
    fn tier(&self) -> &str {
        self.verdict["tier"].as_str().unwrap_or_default()
    }

    fn measured(&self) -> String {
        let Self { verdict, seconds, .. } = self;
        format!("{} of {} witnesses, {seconds:.1} s", verdict["measured"], verdict["drawn"])
    }

    /// The land that refutes the claim.
    fn land(&self) -> Result<String> {
        let land = &self.verdict["not_provisional"];
        let cell = land["cell"].as_str().with_context(|| format!("no land in {}", self.verdict))?;
        let continent = land["continent"].as_str().unwrap_or_default();
        Ok(format!(
            "it may be at {cell}, {continent}: {} of {} that could exclude this place do so",
            land["refuted"], land["able"]
        ))
    }
}

fn prove(lab: &Lab, space: &str, at: Ipv4Addr, claims: usize, name: &str) -> Result<Told> {
    let (place, listen) = (GROUPS[claims].prover().to_string(), format!("{at}:0"));
    let (key, out) = (format!("{name}.key"), format!("{name}.mxp"));
    let words = ["presence", "prove", "--list", LIST, "--key", &key, "--out", &out];
    let claim = ["--place", &place, "--continent", continent(claims), "--listen", &listen];
    let begun = Instant::now();
    let words = [&words[..], &claim, &["--output", "json"]].concat();
    let output = lab.meshx(space, &words).output()?;
    let seconds = begun.elapsed().as_secs_f64();
    let said = text(&output);
    let verdict = serde_json::from_slice(&output.stdout).with_context(|| said.clone())?;
    let told = Told { verdict, said, seconds };
    let certified = told.tier() == "certified";
    ensure!(output.status.success() == certified, "exit code {}: {}", output.status, told.said);
    // Anyone with the list comes to the same verdict.
    let words = ["presence", "verify", &out, "--list", LIST, "--output", "json"];
    let checked = lab.meshx(space, &words).output()?;
    let checked: Value = serde_json::from_slice(&checked.stdout).with_context(|| text(&checked))?;
    ensure!(checked == told.verdict, "the prover has {}, who verifies {checked}", told.verdict);
    Ok(told)
}

fn honest(lab: &Lab, group: usize) -> Result<String> {
    let name = format!("honest-{}", continent(group));
    let told = prove(lab, &prover_space(group), prover_at(group), group, &name)?;
    let Told { verdict, said, .. } = &told;
    ensure!(told.tier() == "certified", "{verdict}\n{said}");
    ensure!(verdict["continent"] == continent(group), "{verdict}");
    let place = verdict["place"].as_str().unwrap_or_default();
    Ok(format!("certified at {place}, {}: {}", continent(group), told.measured()))
}

fn lie(lab: &Lab, stands: usize, claims: usize) -> Result<String> {
    let name = format!("lie-{}-{}", continent(stands), continent(claims));
    let told = prove(lab, &prover_space(stands), prover_at(stands), claims, &name)?;
    ensure!(told.tier() == "unproven", "{}", told.verdict);
    Ok(format!("{}: {}; {}", told.tier(), told.land()?, told.measured()))
}

/// What answers is where it says, and has the keys; the machine that they are to stand for is not. Its work comes late, by the
/// way there and back, and those who see that sign nothing.
fn machine_elsewhere(lab: &Lab) -> Result<String> {
    let told = prove(lab, PROXY, PROXY_AT, PROXIED, "proxied")?;
    ensure!(told.tier() == "unproven", "{}\n{}", told.verdict, told.said);
    let late = told.said.lines().find(|line| line.contains("the quickest work took"));
    let late = late.with_context(|| format!("nobody says why:\n{}", told.said))?;
    Ok(format!(
        "answers at {}, works at {}: {}, {}; {}",
        continent(PROXIED),
        continent(MACHINE),
        told.tier(),
        told.measured(),
        late.trim()
    ))
}
