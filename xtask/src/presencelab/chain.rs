//! `cargo xtask presencelab chain`: one network of eight validators on seven continents, whose presence counts. What they are
//! certified for decides which shard each votes on, while jobs go on.
//!
//! ```text
//! witnesses attend ─ each node proves its place, period after period ─ seats are drawn ─ three terms ─ shards have changed hands
//!                    one lies                          one moves: proves anew ─ seats ─ three terms ─ another shard has it
//! ```

use std::{
    collections::BTreeMap,
    fs,
    net::Ipv4Addr,
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::{
    GROUPS, LIST, continent, deal, prover,
    wire::{Running, Stand, Wire},
    witness_at,
    world::{Group, Place, WITNESSES},
};
use crate::{
    lab::{Lab, done, text, within},
    report::{Outcome, Report},
};

/// A node in each group, and one more in Europe, which will move.
const NODES: usize = 8;
const MOVER: usize = 7;
const EUROPE: usize = 1;
const AMERICA: usize = 0;
/// It says it is in Europe.
const LIAR: usize = 3;
/// Where clients are: at a node that votes on no shard for long.
const CLIENT: usize = 4;
const PORT: usize = 8_710;
const SHARDS: [&str; 2] = ["EU", "NA"];
const TERM_BLOCKS: &str = "32";
const BLOCK_MS: &str = "1000";
/// A few periods, or a hand-over with the draw before it, on a machine that has other things to do.
const LONG: Duration = Duration::from_secs(900);
const BETWEEN_JOBS: Duration = Duration::from_secs(4);

struct Chain {
    lab: Lab,
    wire: Running,
    /// Of each node: what it votes with, and its operator.
    keys: Vec<String>,
    operators: Vec<String>,
}

pub fn run(root: &Path, binary: &Path, report: &mut Report) {
    let (lab, wire) = match stand(binary) {
        Ok(stands) => stands,
        Err(error) => {
            let why = format!("the lab does not stand: {error:#}");
            return report.add("presencelab chain", Outcome::PassedOver(why));
        }
    };
    let chain = match begin(lab, wire) {
        Ok(chain) => chain,
        Err(error) => {
            let faults = vec![format!("{error:#}")];
            return report.add("presencelab chain begins", Outcome::Failed(faults));
        }
    };
    println!(
        "  {NODES} validators of backbone, EU and NA, and {} witnesses, in {} namespaces; Antarctica's are made up",
        GROUPS.len() * WITNESSES,
        GROUPS.len() + NODES
    );
    println!(
        "  between them the wire of the first part, a model; blocks of {BLOCK_MS} ms, terms of {TERM_BLOCKS} blocks"
    );
    let mut add = |name: &str, said: Result<String>| {
        let outcome = match said {
            Ok(said) => {
                println!("  {said}");
                Outcome::Passed
            }
            Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
        };
        report.add(&format!("presencelab chain {name}"), outcome);
    };
    let over = AtomicBool::new(false);
    let (jobs, seen) = (Mutex::new(Jobs::default()), Mutex::new(Seen::default()));
    thread::scope(|scope| {
        scope.spawn(|| submit(&chain, root, &over, &jobs));
        scope.spawn(|| watch(&chain, &over, &seen));
        add("lie", lie(&chain));
        add("certified", certified(&chain));
        let before = handed_over(&chain, [&[AMERICA], &[EUROPE, MOVER]]);
        let stood = before.is_ok();
        add("committees", before);
        if stood {
            add("move", moves(&chain));
        }
        over.store(true, Ordering::Relaxed);
    });
    let jobs = jobs.into_inner().expect("nothing panics with it");
    let seen = seen.into_inner().expect("nothing panics with it");
    add("jobs", went_on(&jobs, &seen));
}

/// Where a group's witnesses are; the first part has others.
fn space(group: usize) -> String {
    format!("mxpc-{}", continent(group))
}

fn node_space(node: usize) -> String {
    format!("mxpc-node-{node}")
}

fn host(node: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 150 + u8::try_from(node).expect("few"), 1)
}

fn api(node: usize) -> String {
    format!("http://{}:{}", host(node), PORT + 2 * node + 1)
}

/// The group that a node stands in at first, and its place there.
fn at(node: usize) -> (usize, Place) {
    match node {
        MOVER => (EUROPE, GROUPS[EUROPE].witness_near(1)),
        _ => (node, GROUPS[node].prover()),
    }
}

/// Namespaces and the wire between them: what the machine has to give.
fn stand(binary: &Path) -> Result<(Lab, Running)> {
    let mut lab = Lab::new("presencelab-chain", binary)?;
    let mut wire = Wire::default();
    for (group, of) in GROUPS.iter().enumerate() {
        let space = space(group);
        lab.namespace(&space)?;
        let device = wire.device(&lab, &space, witness_at(group, 0), of.witness_near(0))?;
        for index in 0..WITNESSES {
            let stand = Stand { device, place: of.witness_near(index), work_by: None };
            wire.stand(witness_at(group, index), stand);
        }
    }
    for node in 0..NODES {
        prover(&mut lab, &mut wire, &node_space(node), host(node), at(node).1, None)?;
    }
    let wire = wire.run()?;
    Ok((lab, wire))
}

/// The network's nodes and witnesses, all ready.
fn begin(lab: Lab, wire: Running) -> Result<Chain> {
    deal(&lab, &space(0), Group::witness_near)?;
    let hosts = (0..NODES).map(|node| host(node).to_string()).collect::<Vec<_>>().join(",");
    let nodes = NODES.to_string();
    let init = ["node", "init", "--nodes", &nodes, "--hosts", &hosts, "--dir", "net"];
    let chains = ["--chains", "backbone,EU,NA", "--term-blocks", TERM_BLOCKS];
    let rest = ["--block-ms", BLOCK_MS, "--workers", "4", "--witnesses", LIST];
    done(&mut lab.meshx(&node_space(0), &[&init[..], &chains, &rest].concat()))?;
    for node in 0..NODES {
        let dir = format!("net/node-{node}");
        let command = lab.meshx(&node_space(node), &["node", "start", "--dir", &dir]);
        // The first ones wait for the others.
        lab.start(&format!("node-{node}"), command, "peers")?;
    }
    for node in 0..NODES {
        lab.says(&format!("node-{node}"), "ready")?;
    }
    for group in 0..GROUPS.len() {
        let keys = format!("keys-{group}");
        let words = ["presence", "attend", "--follow", "--list", LIST, "--keys", &keys];
        let mut command = lab.meshx(&space(group), &words);
        command.env("MESHX_NODE", api(group));
        lab.start(&format!("witnesses-{}", continent(group)), command, "ready")?;
    }
    let (mut keys, mut operators) = (Vec::new(), Vec::new());
    let validators = get(&lab, 0, "validators")?;
    let validators = validators.as_array().context("no validators")?;
    let node = fs::read_to_string(lab.home.join("net/node-0/node.json"))?;
    let peers = serde_json::from_str::<Value>(&node)?["peers"].clone();
    for node in 0..NODES {
        let key = peers[node][0].as_str().context("no key")?.to_owned();
        let own = validators.iter().find(|validator| validator["key"] == key.as_str());
        let own = own.and_then(|own| own["operator"].as_str()).context("no operator")?.to_owned();
        keys.push(key);
        operators.push(own);
    }
    Ok(Chain { lab, wire, keys, operators })
}

/// `meshx presence prove` of a node, from where it says it stands.
fn prove(lab: &Lab, node: usize, group: usize, place: Place, more: &[&str]) -> Command {
    let (dir, place) = (format!("net/node-{node}"), place.to_string());
    let (listen, out) = (format!("{}:0", host(node)), format!("node-{node}.mxp"));
    let words = ["presence", "prove", "--dir", &dir, "--list", LIST, "--place", &place];
    let claim = ["--continent", continent(group), "--listen", &listen, "--out", &out];
    lab.meshx(&node_space(node), &[&words[..], &claim, more].concat())
}

fn prove_always(lab: &Lab, node: usize, group: usize, place: Place) -> Result<()> {
    let command = prove(lab, node, group, place, &["--submit", "--follow"]);
    lab.start(&format!("prover-{node}-{}", continent(group)), command, "ready").map(drop)
}

/// One says that it stands on another continent: the witnesses' times refute it, and so does the chain.
fn lie(chain: &Chain) -> Result<String> {
    let lab = &chain.lab;
    for node in (0..NODES).filter(|node| *node != LIAR) {
        let (group, place) = at(node);
        prove_always(lab, node, group, place)?;
    }
    let place = GROUPS[EUROPE].prover();
    let said = within(LONG, || {
        let output = prove(lab, LIAR, EUROPE, place, &["--submit", "--output", "json"]).output()?;
        let verdict: Value =
            serde_json::from_slice(&output.stdout).with_context(|| text(&output))?;
        Ok((output.status.code(), verdict))
    });
    let (code, verdict) = said?;
    ensure!(code == Some(1) && verdict["tier"] == "unproven", "{verdict}");
    let out = format!("node-{LIAR}.mxp");
    let mut submit = lab.meshx(&node_space(LIAR), &["presence", "submit", &out]);
    let refused = submit.env("MESHX_NODE", api(LIAR)).output()?;
    let refusal = text(&refused);
    ensure!(!refused.status.success(), "the chain took a lie: {refusal}");
    let refusal = refusal.lines().next().unwrap_or_default().trim().to_owned();
    let cell = verdict["not_provisional"]["cell"].as_str().context("no land")?;
    ensure!(refusal.contains(cell), "{cell} is not named in: {refusal}");
    let (group, place) = at(LIAR);
    prove_always(lab, LIAR, group, place)?;
    Ok(format!("node {LIAR}, {}, claims EU: {refusal}", continent(group)))
}

fn certified(chain: &Chain) -> Result<String> {
    let mut said = Vec::new();
    for node in 0..NODES {
        let (group, _) = at(node);
        let record = within(LONG, || chain.certified(node, group))?;
        let place = record["place"].as_str().unwrap_or_default();
        said.push(format!("node {node} at {place}, {}", continent(group)));
    }
    Ok(format!("certified: {}", said.join("; ")))
}

/// NA's and EU's committees are these nodes and nobody else, as far as every node knows.
fn handed_over(chain: &Chain, wanted: [&[usize]; 2]) -> Result<String> {
    let [america, europe] = wanted;
    let mut terms = BTreeMap::new();
    for (shard, wanted) in [("NA", america), ("EU", europe)] {
        for node in 0..NODES {
            let term = within(LONG, || {
                let status = chain.shard(node, shard)?;
                let committee = chain.nodes(&status);
                ensure!(committee == wanted, "{shard} has nodes {committee:?}: {status}");
                status["term"].as_u64().context("no term")
            })?;
            terms.insert(shard, term);
        }
        for node in wanted {
            let seats = chain.presence(*node)?["seats"].clone();
            let has = seats.as_array().is_some_and(|s| s.iter().any(|s| s["chain"] == shard));
            ensure!(has, "node {node} votes on {shard} and has these seats: {seats}");
        }
    }
    let (na, eu) = (terms["NA"], terms["EU"]);
    Ok(format!("NA's committee is nodes {america:?} in term {na}, EU's is {europe:?} in term {eu}"))
}

/// One is carried to another continent, proves it, and votes there.
fn moves(chain: &Chain) -> Result<String> {
    let lab = &chain.lab;
    lab.kill(&format!("prover-{MOVER}-EU"))?;
    let place = GROUPS[AMERICA].witness_near(1);
    chain.wire.carry(host(MOVER), place);
    let begun = Instant::now();
    prove_always(lab, MOVER, AMERICA, place)?;
    let record = within(LONG, || chain.certified(MOVER, AMERICA))?;
    let certified = begun.elapsed().as_secs();
    let committees = handed_over(chain, [&[AMERICA, MOVER], &[EUROPE]])?;
    let all = begun.elapsed().as_secs();
    Ok(format!(
        "node {MOVER} moved from EU to {}, NA: certified after {certified} s; after {all} s {committees}",
        record["place"].as_str().unwrap_or_default()
    ))
}

impl Chain {
    fn presence(&self, node: usize) -> Result<Value> {
        let show = ["presence", "show", &self.operators[node], "--output", "json"];
        let mut command = self.lab.meshx(&node_space(CLIENT), &show);
        let output = command.env("MESHX_NODE", api(CLIENT)).output()?;
        serde_json::from_slice(&output.stdout).with_context(|| text(&output))
    }

    /// What is recorded of a node, if that says that it is certified in a group.
    fn certified(&self, node: usize, group: usize) -> Result<Value> {
        let view = self.presence(node)?;
        let record = &view["record"];
        let is = view["certified"] == true
            && record["tier"] == "certified"
            && record["continent"] == continent(group);
        if !is {
            let log = format!("prover-{node}-{}.log", continent(group));
            let log = fs::read_to_string(self.lab.home.join(log)).unwrap_or_default();
            bail!("node {node} is not certified in {}: {view}\n{log}", continent(group));
        }
        Ok(record.clone())
    }

    fn shard(&self, node: usize, shard: &str) -> Result<Value> {
        let status = get(&self.lab, node, "status")?;
        let chains = status["chains"].as_array().context("no chains")?;
        chains.iter().find(|chain| chain["chain"] == shard).cloned().context("no such shard")
    }

    /// The nodes of a committee; a stranger is the last number there is.
    fn nodes(&self, status: &Value) -> Vec<usize> {
        let keys = status["committee"].as_array().map(Vec::as_slice).unwrap_or_default();
        let node = |key: &Value| self.keys.iter().position(|own| key == own.as_str());
        let mut nodes: Vec<usize> =
            keys.iter().map(|key| node(key).unwrap_or(usize::MAX)).collect();
        nodes.sort_unstable();
        nodes
    }
}

#[derive(Default)]
struct Jobs {
    done: BTreeMap<&'static str, u32>,
    lost: Vec<String>,
    seconds_max: f64,
}

/// Jobs on both shards, one after another, each with an input of its own. `meshx run` ends well only with a receipt that verifies.
fn submit(chain: &Chain, root: &Path, over: &AtomicBool, jobs: &Mutex<Jobs>) {
    let module = root.join("examples/wordcount.wasm").display().to_string();
    for number in 0_u64.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let shard = SHARDS[usize::try_from(number % 2).expect("0 or 1")];
        let input = chain.lab.home.join("job-input");
        drop(fs::write(&input, format!("job {number}")));
        let input = input.display().to_string();
        let words = ["run", &module, "--chain", shard, "--input", &input];
        let begun = Instant::now();
        let mut command = chain.lab.meshx(&node_space(CLIENT), &words);
        let output = command.env("MESHX_NODE", api(CLIENT)).output();
        let mut jobs = jobs.lock().expect("nothing panics with it");
        match output {
            Ok(output) if output.status.success() => {
                *jobs.done.entry(shard).or_default() += 1;
                jobs.seconds_max = jobs.seconds_max.max(begun.elapsed().as_secs_f64());
            }
            Ok(output) => jobs.lost.push(format!("job {number} on {shard}: {}", text(&output))),
            Err(error) => jobs.lost.push(format!("job {number} on {shard}: {error}")),
        }
        drop(jobs);
        thread::sleep(BETWEEN_JOBS);
    }
}

/// What the client's node saw of each chain.
#[derive(Default)]
struct Seen {
    chains: BTreeMap<String, Progress>,
}

struct Progress {
    height: u64,
    first: u64,
    since: Instant,
    stood: Duration,
    /// Committees, by the term that they began in.
    committees: BTreeMap<u64, Vec<usize>>,
}

fn watch(chain: &Chain, over: &AtomicBool, seen: &Mutex<Seen>) {
    while !over.load(Ordering::Relaxed) {
        let status = get(&chain.lab, CLIENT, "status").unwrap_or_default();
        let now = Instant::now();
        let mut seen = seen.lock().expect("nothing panics with it");
        for of in status["chains"].as_array().into_iter().flatten() {
            let name = of["chain"].as_str().unwrap_or_default().to_owned();
            let height = of["height"].as_u64().unwrap_or_default();
            let progress = seen.chains.entry(name).or_insert_with(|| Progress {
                height,
                first: height,
                since: now,
                stood: Duration::ZERO,
                committees: BTreeMap::new(),
            });
            progress.stood = progress.stood.max(now - progress.since);
            if height > progress.height {
                (progress.height, progress.since) = (height, now);
            }
            let term = of["term"].as_u64().unwrap_or_default();
            progress.committees.insert(term, chain.nodes(of));
        }
        drop(seen);
        thread::sleep(Duration::from_millis(500));
    }
}

fn went_on(jobs: &Jobs, seen: &Seen) -> Result<String> {
    let Jobs { done, lost, seconds_max } = jobs;
    ensure!(lost.is_empty(), "{} jobs were lost, {done:?} done:\n{}", lost.len(), lost.join("\n"));
    ensure!(SHARDS.iter().all(|shard| done.contains_key(shard)), "jobs: {done:?}");
    let count: u32 = done.values().sum();
    let chains: Vec<String> = seen
        .chains
        .iter()
        .map(|(name, Progress { first, height, stood, committees, .. })| {
            let terms = committees.len().saturating_sub(1);
            let all: Vec<&Vec<usize>> = committees.values().collect();
            let changed = all.windows(2).filter(|pair| pair[0] != pair[1]).count();
            format!(
                "{name} blocks {first} to {height}, {terms} hand-overs of which {changed} to others, never without a block for more than {:.1} s",
                stood.as_secs_f64()
            )
        })
        .collect();
    let stood = seen.chains.values().map(|progress| progress.stood).max().unwrap_or_default();
    ensure!(stood < Duration::from_secs(60), "a chain stood still: {chains:?}");
    Ok(format!(
        "{count} jobs {done:?}, each with a receipt that verifies, none lost, the slowest {seconds_max:.0} s; {}",
        chains.join("; ")
    ))
}

/// What the API of a node says to its own machine.
fn get(lab: &Lab, node: usize, path: &str) -> Result<Value> {
    let url = format!("{}/v1/{path}", api(node));
    let command = ["curl", "-s", "-m", "10", &url];
    let output = lab.command(&node_space(node), &command).output()?;
    ensure!(output.status.success(), "{url}: {}", text(&output));
    let value: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(value["code"].is_null(), "{url}: {value}");
    Ok(value)
}
