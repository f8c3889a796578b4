//! A node of four loses its disk under load: when it is back, and when its vote counts again.
//!
//! That it is ready says little. So another node is killed then: three of four are a quorum, and blocks
//! become final only if the one that was wiped votes.

use crate::{
    Acks, Audit, Binary, Faults, Mesh, People, Random, Snapshot,
    kills::percentile,
    load::{Load, fund},
    people::CHAINS,
};
use anyhow::{Context as _, Result, bail};
use api::Client;
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use types::ChainId;

const NODES: usize = 4;
const SENDERS: usize = 8;
/// The load before a wipe, so that there is something to lose.
const LOAD_BEFORE: Duration = Duration::from_secs(3);
/// How long the dead stay dead.
const DEAD: Duration = Duration::from_secs(1);
/// Blocks that must become final on each chain with the wiped node's votes.
const BLOCKS: u64 = 3;
const PATIENCE: Duration = Duration::from_secs(60);

/// Wipe one of four nodes after the other, `wipes` times, and print how long each was away.
///
/// # Errors
/// If something prevents the test itself.
pub fn wipe(binary: &Binary, folder: &Path, wipes: usize, random: &Random) -> Result<Faults> {
    let mut random = random.child("wipes");
    let port = free_ports()?.to_string();
    let network = folder.to_str().context("a folder with a plain name")?;
    let nodes = NODES.to_string();
    binary.run(&[
        "node",
        "init",
        "--nodes",
        &nodes,
        "--dir",
        network,
        "--port",
        &port,
        "--block-ms",
        "300",
        "--chains",
        "na,eu",
    ])?;
    let folders: Vec<PathBuf> = (0..NODES).map(|n| folder.join(format!("node-{n}"))).collect();
    // They wait for each other, so they start together.
    let mut running: Vec<Option<Mesh>> = thread::scope(|scope| {
        let starts: Vec<_> =
            folders.iter().map(|dir| scope.spawn(move || binary.start_node(dir))).collect();
        starts
            .into_iter()
            .map(|start| start.join().expect("no panic").map(Some))
            .collect::<Result<_>>()
    })?;
    let url = running[0].as_ref().context("node 0 runs")?.url.clone();
    let client = Client::new(&url)?;
    let (network, fee) = (client.status()?.network, client.params(CHAINS[0])?.base_fee.min);
    let people = Arc::new(People::new(network, fee, SENDERS));
    fund(&people, &client)?;
    let acks = Arc::new(Acks::default());
    let snapshot = Snapshot::read(&people, &client)?;
    let load = Load::start(&people, &url, &snapshot.nonces, &acks)?;

    let mut faults = Faults::new();
    let (mut back, mut voting) = (Vec::new(), Vec::new());
    for round in 0..wipes {
        thread::sleep(LOAD_BEFORE);
        let victim = 1 + round % (NODES - 1);
        let other = 1 + (round + 1) % (NODES - 1);
        stop(&mut running[victim]);
        fs::remove_dir_all(folders[victim].join("chains"))?;
        thread::sleep(DEAD);
        let begun = Instant::now();
        running[victim] = Some(binary.start_node(&folders[victim])?);
        back.push(begun.elapsed());
        stop(&mut running[other]);
        let known = acks.count();
        let killed = heights(&client)?;
        match wait_for_blocks(&client, &killed) {
            Some(()) => voting.push(begun.elapsed()),
            None => faults.push(format!("wipe {round}: no {BLOCKS} blocks in {PATIENCE:?}")),
        }
        println!(
            "  wipe {} of {wipes}: node {victim} at height {}, ready after {:.1} s, votes with node {other} dead after {:.1} s, {known} acknowledged",
            round + 1,
            killed.iter().max().copied().unwrap_or_default(),
            back.last().map_or(0.0, Duration::as_secs_f64),
            voting.last().map_or(0.0, Duration::as_secs_f64),
        );
        running[other] = Some(binary.start_node(&folders[other])?);
    }
    load.stop();
    faults.extend(acks.faults());
    let acknowledged = acks.all();
    let mut audit = Audit::default();
    let (_, found) = audit.check(&people, &client, &acknowledged, &mut random)?;
    faults.extend(found.into_iter().take(10));

    let figure = |name: &str, value: String| println!("  {name:<44} {value}");
    figure("nodes; validators each; wipes", format!("{NODES}; 2; {wipes}"));
    figure("transfers acknowledged meanwhile", acknowledged.len().to_string());
    figure("  lost", audit.lost.to_string());
    for (name, times) in [("ready again", &mut back), ("voting again", &mut voting)] {
        times.sort_unstable();
        let (half, last) =
            (percentile(times, 50).as_secs_f64(), percentile(times, 100).as_secs_f64());
        figure(&format!("{name} s, p50 and slowest"), format!("{half:.1} {last:.1}"));
    }
    Ok(faults)
}

fn stop(node: &mut Option<Mesh>) {
    if let Some(node) = node.take() {
        node.kill();
    }
}

fn heights(client: &Client) -> Result<Vec<u64>> {
    let address = |chain: ChainId| client.account(chain, types::state::pools::escrow());
    CHAINS.iter().map(|chain| Ok(address(*chain)?.height.get())).collect()
}

fn wait_for_blocks(client: &Client, from: &[u64]) -> Option<()> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let now = heights(client).unwrap_or_default();
        if now.len() == from.len() && now.iter().zip(from).all(|(now, then)| *now >= then + BLOCKS)
        {
            return Some(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    None
}

/// As many ports in a row as the network needs, which nobody uses right now.
fn free_ports() -> Result<u16> {
    let count = 2 * NODES as u16;
    for base in (22_000..31_000).step_by(16) {
        let free = (base..base + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
        if free {
            return Ok(base);
        }
    }
    bail!("no {count} free ports in a row")
}
