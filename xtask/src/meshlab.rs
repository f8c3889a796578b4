//! `cargo xtask meshlab`: four validators, an aggregator and three workers, eight processes in eight namespaces of the
//! network on one bridge. A job; a validator that is killed; one whose disk is gone; a network cut in two.

use std::{
    collections::BTreeMap,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    lab::{Lab, PATIENCE, done, text, within, word},
    report::{Outcome, Report},
};

const VALIDATORS: usize = 4;
const AGGREGATOR: usize = 4;
const WORKERS: std::ops::Range<usize> = 5..8;
const BRIDGE: &str = "mxlab-net";
/// Longer than what a job of one block needs, and than a view change.
const WHILE_DOWN: Duration = Duration::from_secs(6);

pub fn run(root: &Path, binary: &Path, report: &mut Report) {
    let step = "meshlab";
    let lab = match stand(binary) {
        Ok(lab) => lab,
        Err(error) => {
            let why = format!("the lab does not stand: {error:#}");
            return report.add(step, Outcome::PassedOver(why));
        }
    };
    report.add(
        step,
        match play(lab, root) {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
        },
    );
}

fn host(node: usize) -> String {
    format!("10.88.0.{}", node + 1)
}

fn space(node: usize) -> String {
    format!("mxlab-{node}")
}

/// Eight namespaces, each with an address on the bridge, and no way out.
fn stand(binary: &Path) -> Result<Lab> {
    let mut lab = Lab::new("meshlab", binary)?;
    lab.namespace(BRIDGE)?;
    lab.inside(BRIDGE, &["ip", "link", "add", "br0", "type", "bridge"])?;
    lab.inside(BRIDGE, &["ip", "link", "set", "br0", "up"])?;
    for node in 0..WORKERS.end {
        let (space, port) = (space(node), format!("p{node}"));
        lab.namespace(&space)?;
        let wire = ["ip", "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns"];
        lab.inside(BRIDGE, &[&wire[..], &[&space]].concat())?;
        lab.inside(BRIDGE, &["ip", "link", "set", &port, "master", "br0", "up"])?;
        let address = format!("{}/24", host(node));
        lab.inside(&space, &["ip", "address", "add", &address, "dev", "eth0"])?;
        lab.inside(&space, &["ip", "link", "set", "eth0", "up"])?;
    }
    Ok(lab)
}

fn play(mut lab: Lab, root: &Path) -> Result<()> {
    let hosts = (0..=AGGREGATOR).map(host).collect::<Vec<_>>().join(",");
    let init = ["node", "init", "--nodes", "4", "--aggregators", "1", "--workers", "0"];
    let init = [&init[..], &["--chains", "EU", "--hosts", &hosts, "--dir", "net"]].concat();
    let init = [&init[..], &["--block-ms", "300"]].concat();
    done(&mut lab.meshx(&space(0), &init))?;
    for node in (0..=AGGREGATOR).rev() {
        // The first ones wait for a quorum.
        start(&mut lab, node, if node == 0 { "ready" } else { "network" })?;
    }
    let said = lab.says(&name(AGGREGATOR), "ready")?;
    let network = word(&said, "network")?;
    let join = said.split_whitespace().find(|word| word.starts_with("/ip4/"));
    let join = join.context("the aggregator says no address")?.to_owned();
    for node in WORKERS {
        let dir = format!("edge-{node}");
        let edge = ["node", "start", "--role", "edge", "--dir", &dir, "--network", &network];
        let edge = [&edge[..], &["--join", &join, "--capacity", "4"]].concat();
        let command = lab.meshx(&space(node), &edge);
        let said = lab.start(&name(node), command, "gateway")?;
        let worker = word(&said, "worker")?;
        let mut send = lab.meshx(&space(AGGREGATOR), &["wallet", "send", &worker, "1"]);
        done(send.env("MESHX_NODE", api(AGGREGATOR)))?;
        lab.says(&name(node), "ready")?;
    }

    let assurance = job(&lab, root, WORKERS.start, "1")?;
    for node in WORKERS {
        lab.says(&name(node), "ran")?;
    }
    println!("  job at the first edge, run at all three: {assurance}");

    let victim = 2;
    let before = height(&lab, 0)?;
    lab.kill(&name(victim))?;
    let assurance = job(&lab, root, WORKERS.start + 1, "2")?;
    let after = height(&lab, 0)?;
    ensure!(after > before, "no block without validator {victim}");
    println!("  validator {victim} killed: blocks {before} to {after}; a job: {assurance}");

    // Its disk is gone, too: what it needs is the state, proved, and not all that led there.
    std::fs::remove_dir_all(lab.home.join(format!("net/node-{victim}/chains")))?;
    let begun = Instant::now();
    start(&mut lab, victim, "ready")?;
    let seconds = begun.elapsed().as_secs_f64();
    println!("  validator {victim} is back without its disk, by state sync, after {seconds:.1} s");

    let sides: [&[usize]; 2] = [&[0, 1, 4, 5], &[2, 3, 6, 7]];
    cut(&lab, &sides, true)?;
    thread::sleep(WHILE_DOWN);
    let at_cut = heights(&lab)?;
    thread::sleep(WHILE_DOWN);
    ensure!(heights(&lab)? == at_cut, "two of four made a block final");
    cut(&lab, &sides, false)?;
    let begun = Instant::now();
    let target = at_cut.values().max().context("validators")? + 10;
    within(PATIENCE, || {
        let now = heights(&lab)?;
        ensure!(now.values().all(|height| *height >= target), "{at_cut:?}, after the cut {now:?}");
        Ok(())
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "  cut in two halves: no block; healed: ten blocks more at all of them after {seconds:.1} s"
    );

    // One validator alone falls behind, and the others go on.
    let sides: [&[usize]; 2] = [&[3], &[0, 1, 2, 4, 5, 6, 7]];
    cut(&lab, &sides, true)?;
    let before = heights(&lab)?;
    // How fast they go without it depends on how often it would have led.
    let mut during = before.clone();
    within(PATIENCE, || {
        during = heights(&lab)?;
        ensure!(during[&0] > before[&0] + 12, "three of four: {before:?}, then {during:?}");
        Ok(())
    })?;
    cut(&lab, &sides, false)?;
    within(PATIENCE, || {
        let now = heights(&lab)?;
        ensure!(now[&3] > during[&0], "validator 3 stays behind: {now:?}");
        Ok(())
    })?;
    println!("  one validator cut off for {} blocks: it has them all", during[&0] - before[&0]);

    let last = heights(&lab)?.into_values().min().context("validators")?;
    let mut compared = 0;
    for height in (1..=last).rev().take(400) {
        let ids: Vec<Option<String>> =
            (0..=AGGREGATOR).map(|node| block(&lab, node, height)).collect::<Result<_>>()?;
        let known: Vec<&String> = ids.iter().flatten().collect();
        ensure!(known.windows(2).all(|pair| pair[0] == pair[1]), "two blocks {height}: {ids:?}");
        compared += known.len();
    }
    println!("  one chain: {compared} blocks of five nodes compared, up to {last}");
    Ok(())
}

fn name(node: usize) -> String {
    format!("process-{node}")
}

fn start(lab: &mut Lab, node: usize, mark: &str) -> Result<String> {
    let dir = format!("net/node-{node}");
    let command = lab.meshx(&space(node), &["node", "start", "--dir", &dir]);
    lab.start(&name(node), command, mark)
}

fn api(node: usize) -> String {
    format!("http://{}:{}", host(node), 8_710 + 2 * node + 1)
}

/// A job given to the API that an edge offers its own machine; the assurance that the receipt states.
fn job(lab: &Lab, root: &Path, node: usize, input: &str) -> Result<String> {
    let module = root.join("examples/wordcount.wasm");
    let module = module.to_str().context("a path that is text")?;
    let file = lab.home.join("input");
    std::fs::write(&file, input)?;
    let file = file.to_str().context("a path that is text")?;
    let words = ["run", module, "--replicas", "3", "--agree", "2", "--input", file];
    let mut command = lab.meshx(&space(node), &words);
    let said = done(command.env("MESHX_NODE", "http://127.0.0.1:8700"))?;
    let assurance = said.lines().find(|line| line.starts_with("assurance"));
    Ok(assurance.context("no assurance")?.split_whitespace().skip(1).collect::<Vec<_>>().join(" "))
}

/// Packets between the sides go nowhere, in both directions.
fn cut(lab: &Lab, sides: &[&[usize]; 2], cut: bool) -> Result<()> {
    let verb = if cut { "add" } else { "del" };
    for (here, there) in [(sides[0], sides[1]), (sides[1], sides[0])] {
        for node in here {
            for other in there {
                let route = ["ip", "route", verb, "blackhole", &host(*other)];
                lab.inside(&space(*node), &route)?;
            }
        }
    }
    Ok(())
}

fn heights(lab: &Lab) -> Result<BTreeMap<usize, u64>> {
    (0..VALIDATORS).map(|node| Ok((node, height(lab, node)?))).collect()
}

fn height(lab: &Lab, node: usize) -> Result<u64> {
    let status = get(lab, node, "status")?.context("no status")?;
    let height = status["chains"][0]["height"].as_u64();
    height.with_context(|| format!("no height in {status}"))
}

fn block(lab: &Lab, node: usize, height: u64) -> Result<Option<String>> {
    let block = get(lab, node, &format!("chains/EU/blocks/{height}"))?;
    Ok(block.and_then(|block| block["id"].as_str().map(str::to_owned)))
}

/// What the API of a node says to its own machine; `None`: it has no such thing.
fn get(lab: &Lab, node: usize, path: &str) -> Result<Option<serde_json::Value>> {
    let url = format!("{}/v1/{path}", api(node));
    let output = lab.command(&space(node), &["curl", "-s", "-m", "5", &url]).output()?;
    if !output.status.success() {
        bail!("{url}: {}", text(&output));
    }
    let value: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(value["code"].is_null().then_some(value))
}
