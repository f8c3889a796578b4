//! Transfers: how many a second, how soon final, and what each costs a validator.

use crate::{
    audit,
    load::{Senders, decode},
    network::{cores, now, wait_ready},
    pace::{Pace, TICKS_PER_SECOND},
    report::Report,
    usage::{memory_mib, percentile, process_cpu_seconds, thread_cpu_seconds},
};
use ::network::Latency;
use anyhow::{Context as _, Result, bail, ensure};
use node::{
    Folder, Host, Net, Node, Part,
    local::{Plan, deal_network},
};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::mpsc;
use types::{Address, ChainId, Hash, Millis, NanoMeshx, PublicKey, Tx, domain_hash};

/// What `bench tx` is asked to do.
#[derive(Clone, Debug)]
pub struct TxLoad {
    /// Validators per shard; all of them run in this process.
    pub validators: usize,
    /// 1 to 7.
    pub shards: usize,
    /// Transfers per second over all shards.
    pub rate: usize,
    /// How long the clock runs, in seconds.
    pub seconds: usize,
    /// Seconds of the same load before the clock starts.
    pub warmup: usize,
    /// Accounts that pay, taking turns; per shard.
    pub senders: usize,
    /// Accounts that are paid, senders among them; per shard.
    pub accounts: usize,
    /// The time between blocks that leaders aim at, in milliseconds.
    pub block_ms: u64,
    /// How long messages between validators are held back.
    pub latency: Latency,
    /// How `latency` is called.
    pub latency_model: String,
    /// Where the files go; a folder of their own in the system's temporary folder if `None`.
    pub data: Option<PathBuf>,
}

const DRAIN_TIMEOUT: Duration = Duration::from_secs(60);

/// Run transfers through a network in this process.
///
/// # Errors
/// If the network does not start, refuses a transfer, loses one, or ends with another supply.
pub fn tx(load: &TxLoad) -> Result<Report> {
    ensure!((1..=7).contains(&load.shards), "1 to 7 shards, not {}", load.shards);
    ensure!((1..=1_000).contains(&load.senders), "1 to 1,000 senders, not {}", load.senders);
    ensure!(load.accounts >= load.senders, "at least as many accounts as senders");
    let temporary = tempfile::Builder::new().prefix("meshx-bench-").tempdir()?;
    let folder = load.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let mut report = Report::new("tx", &folder);
    report.load("transfers_per_second", load.rate);
    report.load("seconds", load.seconds);
    report.load("warmup_seconds", load.warmup);
    report.load("validators_per_shard", load.validators);
    report.load("shards", load.shards);
    report.load("senders_per_shard", load.senders);
    report.load("accounts_per_shard", load.accounts);
    report.load("block_interval_ms", load.block_ms);
    report.load(
        "submitted_to",
        "one validator of each shard, in batches 40 times a second; signed before the clock starts",
    );
    report.latency_model = load.latency_model.clone();

    let senders = Arc::new(Senders::new(load.senders));
    let chains: Vec<ChainId> =
        ChainId::ALL.into_iter().filter(|chain| chain.is_shard()).take(load.shards).collect();
    let plan = Plan {
        name: "bench".into(),
        chains: chains.clone(),
        validators: load.validators,
        workers: 0,
        capacity: 1,
        block: Millis::new(load.block_ms),
        // No hand-over during a run.
        term_blocks: 1_000_000,
        started: now(),
        latency: load.latency.clone(),
        faucets: 1,
        same_validators: false,
        accounts: senders
            .addresses()
            .iter()
            .map(|address| (*address, NanoMeshx::new(1_000_000_000_000)))
            .collect(),
        witnesses: vec![],
    };
    let dealt = deal_network(&domain_hash("meshx/bench-seed/v1", &[]).0, &plan);
    let (network_keys, network) = (dealt.network_keys.clone(), dealt.network_keys.network());
    // All who hold money from the start, such as the faucet.
    let holders: Vec<Vec<Address>> = dealt
        .chains
        .iter()
        .map(|chain| chain.genesis.accounts.iter().map(|account| account.address).collect())
        .collect();
    let parts: Vec<Part> = dealt.chains.into_iter().map(Part::from).collect();

    let signing = Instant::now();
    let drivers = chains
        .iter()
        .zip(holders)
        .map(|(chain, holders)| Driver::prepare(load, *chain, &senders, &network, holders))
        .collect::<Vec<_>>();
    let signed: usize = drivers.iter().map(|driver| driver.total).sum();
    report.figure("sign_us", signing.elapsed().as_secs_f64() * 1e6 / signed as f64 * cores());

    let net = Net::InProcess(load.latency.clone());
    let held = Folder::open(&folder, "--data")?;
    let measured = node::run(&held, |context| async move {
        let running = node::start(context, folder, network_keys, parts, net, vec![]).await?;
        wait_ready(&running.node).await?;
        let mut outcome = measure(load, &running.node, drivers).await;
        if let Ok(measured) = &mut outcome {
            let checked = running.validators.iter().map(consensus::Chain::signatures_checked);
            measured.signatures_checked = checked.min().unwrap_or(0);
        }
        running.stop();
        outcome
    })?;
    measured.fill(load, &mut report);
    Ok(report)
}

/// One shard's load, and what became of it.
struct Driver {
    chain: ChainId,
    senders: Arc<Senders>,
    /// All who can hold money in the end.
    holders: Arc<Vec<Address>>,
    /// Per second, and in all.
    rate: usize,
    total: usize,
    /// Encoded transfers, one tick each.
    ticks: Vec<(usize, Vec<u8>)>,
}

impl Driver {
    fn prepare(
        load: &TxLoad,
        chain: ChainId,
        senders: &Arc<Senders>,
        network: &Hash,
        mut holders: Vec<Address>,
    ) -> Self {
        let others = load.accounts - load.senders;
        let other = |n: usize| {
            let key = domain_hash("meshx/bench-receiver/v1", &[&(n as u64).to_be_bytes()]);
            Address::of(&PublicKey(key.0))
        };
        let receivers: Vec<Address> =
            senders.addresses().iter().copied().chain((0..others).map(other)).collect();
        let rate = load.rate.div_ceil(load.shards);
        let per_tick = rate.div_ceil(TICKS_PER_SECOND);
        let count = (load.seconds + load.warmup) * TICKS_PER_SECOND;
        let spans: Vec<(usize, usize)> =
            (0..count).map(|tick| (tick * per_tick, (tick + 1) * per_tick)).collect();
        let share = spans.len().div_ceil(cores() as usize).max(1);
        let sign = |span: &(usize, usize)| {
            (span.1 - span.0, senders.transfers(span.0, span.1, &receivers, network, chain))
        };
        let ticks = std::thread::scope(|scope| {
            let parts: Vec<_> = spans
                .chunks(share)
                .map(|part| scope.spawn(|| part.iter().map(sign).collect::<Vec<_>>()))
                .collect();
            parts
                .into_iter()
                .flat_map(|part| part.join().expect("signing does not panic"))
                .collect()
        });
        holders.extend(receivers);
        Self {
            chain,
            senders: senders.clone(),
            holders: Arc::new(holders),
            rate: per_tick * TICKS_PER_SECOND,
            total: count * per_tick,
            ticks,
        }
    }
}

/// When something was seen, in seconds since the load began, and how long it had taken in milliseconds.
type Sample = (f64, f64);

struct Measured {
    /// One per final transfer.
    samples: Vec<Sample>,
    blocks: usize,
    cpu_seconds: f64,
    load_cpu_seconds: f64,
    memory_mib: f64,
    held_back: usize,
    submitted: usize,
    supply: &'static str,
    /// By the validator that checked the fewest.
    signatures_checked: u64,
}

impl Measured {
    fn fill(mut self, load: &TxLoad, report: &mut Report) {
        let (from, to) = (load.warmup as f64, (load.warmup + load.seconds) as f64);
        self.samples.retain(|(at, _)| (from..to).contains(at));
        let transfers = self.samples.len() as f64;
        let mut latencies: Vec<f64> = self.samples.iter().map(|(_, ms)| *ms).collect();
        let cpu = self.cpu_seconds - self.load_cpu_seconds;
        report.result("transfers_final", self.samples.len());
        report.figure("transfers_per_second", transfers / load.seconds as f64);
        report.figure("finality_p50_ms", percentile(&mut latencies, 50));
        report.figure("finality_p99_ms", percentile(&mut latencies, 99));
        report.figure(
            "cpu_us_per_transfer_per_validator",
            cpu * 1e6 / transfers.max(1.0) / load.validators as f64,
        );
        report.figure("cpu_cores_used_by_validators", cpu / load.seconds as f64);
        report.figure("cpu_cores_used_by_the_load", self.load_cpu_seconds / load.seconds as f64);
        report.figure("blocks_per_second", self.blocks as f64 / to);
        report.figure("memory_mib", self.memory_mib);
        report.result("batches_held_back", self.held_back);
        let reached = transfers / load.seconds as f64;
        report.rate("transfers", load.rate, reached, self.held_back);
        report.result("transfers_submitted", self.submitted);
        report.result("signatures_checked_by_each_validator", self.signatures_checked);
        report.result("supply", self.supply);
    }
}

/// What the threads of one shard's load share.
struct Shared {
    pace: Pace,
    /// CPU of the thread that makes the load, in microseconds.
    load_cpu_us: AtomicU64,
}

async fn measure(load: &TxLoad, node: &Node, drivers: Vec<Driver>) -> Result<Measured> {
    let mut listening = Vec::new();
    let mut shareds = Vec::new();
    for driver in drivers {
        let host = node.host(driver.chain).context("this node runs the shard")?.clone();
        let shared = Arc::new(Shared { pace: Pace::new(), load_cpu_us: AtomicU64::new(0) });
        listening.push(tokio::spawn(listen(
            host.chain.finals(),
            driver.senders.clone(),
            (driver.rate, driver.total),
            shared.clone(),
        )));
        shareds.push((driver.chain, driver.holders.clone(), shared.clone()));
        let ((batches, queue), warmup) = (mpsc::unbounded_channel(), load.warmup);
        tokio::spawn(submit(host, queue, shared.clone()));
        std::thread::spawn(move || drive(&driver, &batches, warmup, &shared));
    }
    tokio::time::sleep(Duration::from_secs(load.warmup as u64)).await;
    let before = process_cpu_seconds();
    tokio::time::sleep(Duration::from_secs(load.seconds as u64)).await;
    let cpu_seconds = process_cpu_seconds() - before;
    let memory_mib = memory_mib();

    let (mut samples, mut blocks) = (Vec::new(), 0);
    for (task, (_, _, shared)) in listening.into_iter().zip(&shareds) {
        let (of_shard, blocks_of_shard) = task.await?;
        if let Some(why) = shared.pace.failure() {
            bail!("{why}");
        }
        samples.extend(of_shard);
        blocks += blocks_of_shard;
    }
    for (chain, holders, _) in &shareds {
        let host = node.host(*chain).context("this node runs the shard")?;
        audit::supply(host, holders.iter().copied()).await?;
    }
    let sum = |of: fn(&Shared) -> usize| shareds.iter().map(|(_, _, shared)| of(shared)).sum();
    let load_cpu_us: u64 =
        shareds.iter().map(|(_, _, shared)| shared.load_cpu_us.load(Ordering::Relaxed)).sum();
    Ok(Measured {
        samples,
        blocks,
        cpu_seconds,
        load_cpu_seconds: load_cpu_us as f64 / 1e6,
        memory_mib,
        held_back: sum(|shared| shared.pace.held_back()),
        submitted: sum(|shared| shared.pace.submitted()),
        signatures_checked: 0,
        supply: audit::EXACT,
    })
}

/// Submit a shard's batches on time, on a thread of its own.
fn drive(
    driver: &Driver,
    batches: &mpsc::UnboundedSender<Vec<Tx>>,
    warmup: usize,
    shared: &Shared,
) {
    let mut cpu_before = 0.0;
    for (tick, (count, bytes)) in driver.ticks.iter().enumerate() {
        if tick == warmup * TICKS_PER_SECOND {
            cpu_before = thread_cpu_seconds();
        }
        if !shared.pace.wait_turn(tick, *count) {
            return;
        }
        if batches.send(decode(bytes, *count)).is_err() {
            return;
        }
    }
    let cpu_us = (thread_cpu_seconds() - cpu_before) * 1e6;
    shared.load_cpu_us.store(cpu_us as u64, Ordering::Relaxed);
}

/// Hand batches to the chain in their order, without waiting for one's verdicts before the next.
async fn submit(host: Host, mut queue: mpsc::UnboundedReceiver<Vec<Tx>>, shared: Arc<Shared>) {
    while let Some(txs) = queue.recv().await {
        let (host, shared) = (host.clone(), shared.clone());
        let mut submitting = Box::pin(async move {
            for verdict in host.chain.submit_all(txs).await {
                if let Err(error) = verdict {
                    shared.pace.fail(format!("a transfer was refused: {error}"));
                }
            }
        });
        // The first poll queues the batch; only then may the next one start.
        if futures::poll!(&mut submitting).is_pending() {
            tokio::spawn(submitting);
        }
    }
}

/// Follow final blocks until every transfer was seen. Latency counts from when a transfer was due to be
/// submitted, so that a load that was held back does not look fast.
async fn listen(
    mut finals: tokio::sync::broadcast::Receiver<Arc<consensus::Final>>,
    senders: Arc<Senders>,
    (rate, total): (usize, usize),
    shared: Arc<Shared>,
) -> (Vec<Sample>, usize) {
    let numbers: HashMap<Address, usize> =
        senders.addresses().iter().enumerate().map(|(n, address)| (*address, n)).collect();
    let per_tick = rate / TICKS_PER_SECOND;
    let mut seen = vec![false; total];
    let (mut samples, mut blocks) = (Vec::with_capacity(total), 0);
    while samples.len() < total && !shared.pace.is_over() {
        let block = match tokio::time::timeout(DRAIN_TIMEOUT, finals.recv()).await {
            Ok(Ok(block)) => block,
            Ok(Err(error)) => {
                shared.pace.fail(format!("the listener: {error}"));
                break;
            }
            Err(_) => {
                shared.pace.fail("no block was final for a minute".into());
                break;
            }
        };
        blocks += 1;
        let at = shared.pace.start.elapsed().as_secs_f64();
        for tx in &block.txs {
            let Some(sender) = numbers.get(&tx.from()) else { continue };
            let Some(nonce) = tx.tx().nonce.number() else { continue };
            let index = senders.index(*sender, nonce);
            if index >= total || std::mem::replace(&mut seen[index], true) {
                shared.pace.fail(format!("transfer {index} was final twice, or was never made"));
                continue;
            }
            let due = (index / per_tick) as f64 / TICKS_PER_SECOND as f64;
            samples.push((at, (at - due) * 1e3));
        }
        shared.pace.see(samples.len());
    }
    (samples, blocks)
}
