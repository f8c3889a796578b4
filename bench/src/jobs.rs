//! Paid jobs, from submission to settlement.

use crate::{
    audit,
    network::{cores, now, wait_ready},
    pace::TICKS_PER_SECOND,
    report::Report,
    usage::{memory_mib, percentile, process_cpu_seconds},
};
use ::network::Latency;
use ::sandbox::{Ended, Engine, EngineConfig, Job};
use anyhow::{Context as _, Result, bail, ensure};
use client::{signed, wallet::address};
use crypto::SigningKey;
use node::{
    Folder, Host, Net, Part,
    local::{Plan, deal_network},
};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::{Duration, Instant},
};
use types::{
    Abi, Action, Address, Agreement, ChainId, Float, Fuel, Hash, Height, Intent, JobId, JobSpec,
    Limits, List, Millis, NanoMeshx, Nonce, Submission, Text, Tx, domain_hash,
    state::{Event, Phase},
};

/// What `bench jobs` is asked to do.
#[derive(Clone, Debug)]
pub struct JobsLoad {
    /// Validators of the shard; all of them run in this process.
    pub validators: usize,
    /// Workers, all in this process.
    pub workers: usize,
    /// Workers that run each job, all of whom must agree.
    pub replicas: u8,
    /// Jobs per second.
    pub rate: usize,
    /// How long the clock runs, in seconds.
    pub seconds: usize,
    /// Seconds of the same load before the clock starts.
    pub warmup: usize,
    /// The time between blocks that leaders aim at, in milliseconds.
    pub block_ms: u64,
    /// How long messages between validators are held back.
    pub latency: Latency,
    /// What reports call `latency`.
    pub latency_model: String,
    /// Where the files go; a folder of their own in the system's temporary folder if `None`.
    pub data: Option<PathBuf>,
}

/// Prints its first argument: a small job whose output differs from every other's.
const MODULE: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start") (local $at i32) (local $len i32)
        (drop (call $sizes (i32.const 0) (i32.const 4)))
        (drop (call $args (i32.const 16) (i32.const 256)))
        (local.set $at (i32.load (i32.const 20)))
        (loop $next
            (if (i32.load8_u (i32.add (local.get $at) (local.get $len)))
                (then (local.set $len (i32.add (local.get $len) (i32.const 1))) (br $next))))
        (i32.store (i32.const 8) (local.get $at))
        (i32.store (i32.const 12) (local.get $len))
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))))"#;

const CHAIN: ChainId = ChainId::NorthAmerica;
/// As many as a genesis has room for: each then has at most three jobs that are not settled, and its transactions never
/// wait in a queue of its own that is full.
const PAYERS: usize = 1_000;
/// Jobs submitted and not settled, above which the load is held back: what a shard settles within some seconds.
const IN_FLIGHT_MAX: usize = 2_048;
/// Places of one worker: the replicas of all jobs in flight must find one.
const CAPACITY: u16 = 1_000;
const DEADLINE_BLOCKS: u64 = 2_000;
const DRAIN: Duration = Duration::from_secs(30);

const LIMITS: Limits = Limits {
    fuel: Fuel::new(10_000_000),
    memory_bytes: 1 << 20,
    output_bytes: 1 << 16,
    wall: Millis::new(1_000),
};

/// Submit jobs, let the workers of this process run them, and wait until each is settled.
///
/// # Errors
/// If the network does not start, a job is refused or ends unsettled, or money is lost.
pub fn jobs(load: &JobsLoad) -> Result<Report> {
    ensure!(load.workers >= usize::from(load.replicas), "at least as many workers as replicas");
    let temporary = tempfile::Builder::new().prefix("meshx-bench-").tempdir()?;
    let folder = load.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let mut report = Report::new("jobs", &folder);
    report.load("jobs_per_second", load.rate);
    report.load("seconds", load.seconds);
    report.load("warmup_seconds", load.warmup);
    report.load("validators", load.validators);
    report.load("workers", load.workers);
    report.load("replicas", load.replicas);
    report.load("must_agree", load.replicas);
    report.load("block_interval_ms", load.block_ms);
    report.load("job", "a WASI command that prints its argument; every job's argument is its own");
    report.latency_model = load.latency_model.clone();

    let module = ::sandbox::binary_of(MODULE.as_bytes())?.into_owned();
    let run_us = time_of_one_run(&module)?;
    let payers: Vec<SigningKey> = (0..PAYERS as u64)
        .map(|n| SigningKey::from_seed(&domain_hash("meshx/bench-payer/v1", &[&n.to_be_bytes()]).0))
        .collect();
    let plan = Plan {
        name: "bench".into(),
        chains: vec![CHAIN],
        validators: load.validators,
        workers: load.workers,
        capacity: CAPACITY,
        block: Millis::new(load.block_ms),
        // No hand-over during a run.
        term_blocks: 1_000_000,
        started: now(),
        latency: load.latency.clone(),
        faucets: 1,
        same_validators: false,
        accounts: payers
            .iter()
            .map(|key| (address(key), NanoMeshx::new(1_000_000_000_000_000)))
            .collect(),
        witnesses: vec![],
    };
    let dealt = deal_network(&domain_hash("meshx/bench-seed/v1", &[]).0, &plan);
    let (network_keys, network) = (dealt.network_keys.clone(), dealt.network_keys.network());
    let holders: Vec<Address> =
        dealt.chains[0].genesis.accounts.iter().map(|account| account.address).collect();
    let parts: Vec<Part> = dealt.chains.into_iter().map(Part::from).collect();
    let net = Net::InProcess(load.latency.clone());
    let held = Folder::open(&folder, "--data")?;
    let measured = node::run(&held, |context| async move {
        let running = node::start(context, folder, network_keys, parts, net, vec![]).await?;
        wait_ready(&running.node).await?;
        running.node.keep(&module)?;
        running.node.keep(&[])?;
        let host = running.node.host(CHAIN).context("this node runs the shard")?.clone();
        let client = Client {
            host,
            payers,
            network,
            module: (Hash::of_content(&module), module.len() as u64),
        };
        let outcome = client.measure(load).await;
        let outcome = match outcome {
            Ok(measured) => client.audit(&holders).await.map(|()| measured),
            failed => failed,
        };
        running.stop();
        outcome
    })?;
    measured.fill(load, run_us, &mut report);
    Ok(report)
}

/// Microseconds of CPU that running the module once takes, with nothing around it.
fn time_of_one_run(module: &[u8]) -> Result<f64> {
    let engine =
        Engine::new(EngineConfig { slots: 1, memory_bytes_max: 64 << 20, cache_modules: 1 })?;
    let job = Job { args: &["12345"], ..Job::new(module, Abi::Wasi, LIMITS) };
    let run = || match engine.run(&job, &|_| {}, &AtomicBool::new(false))? {
        Ended::Done(run) if run.stdout == b"12345" => Ok(()),
        other => bail!("the job ended with {other:?}"),
    };
    run()?;
    const RUNS: u32 = 5_000;
    let begun = Instant::now();
    for _ in 0..RUNS {
        run()?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(RUNS))
}

struct Client {
    host: Host,
    payers: Vec<SigningKey>,
    network: Hash,
    module: (Hash, u64),
}

struct Measured {
    /// When a job settled, in seconds since the start, and how long it had taken in milliseconds.
    samples: Vec<(f64, f64)>,
    cpu_seconds: f64,
    memory_mib: f64,
    /// Ticks at which the load waited for jobs to be settled.
    held_back: usize,
}

impl Client {
    async fn measure(&self, load: &JobsLoad) -> Result<Measured> {
        let params = self.host.chain.params().await.context("the chain has its rules")?;
        let agreement = Agreement { replicas: load.replicas, agree: load.replicas };
        // The offer covers any demand during the measurement.
        let spec = self.submission(0, agreement, NanoMeshx::ZERO).spec;
        let price_max = ::jobs::price_max(&spec, &agreement, params.demand.max, &params)
            .context("an amount pays for this fuel")?;
        let due: Arc<Mutex<HashMap<JobId, f64>>> = Arc::default();
        let start = Instant::now();
        let per_tick = load.rate.div_ceil(TICKS_PER_SECOND);
        let ticks = (load.warmup + load.seconds) * TICKS_PER_SECOND;
        let total = per_tick * ticks;
        let listening = tokio::spawn(settled(self.host.clone(), due.clone(), start, total));
        let (mut cpu_before, mut held_back) = (0.0, 0);
        for tick in 0..ticks {
            let at = tick as f64 / TICKS_PER_SECOND as f64;
            tokio::time::sleep_until((start + Duration::from_secs_f64(at)).into()).await;
            if tick == load.warmup * TICKS_PER_SECOND {
                cpu_before = process_cpu_seconds();
            }
            let in_flight = || due.lock().expect("no panic while locked").len();
            if in_flight() > IN_FLIGHT_MAX {
                held_back += 1;
            }
            while in_flight() > IN_FLIGHT_MAX && !listening.is_finished() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let first = tick * per_tick;
            let txs: Vec<_> = (first..first + per_tick)
                .map(|number| {
                    let payer = &self.payers[number % PAYERS];
                    let submission = self.submission(number, agreement, price_max);
                    let nonce = Nonce::strict((number / PAYERS) as u64);
                    let action = Action::SubmitJob(submission);
                    let (chain, tip, fee_max) = (CHAIN, NanoMeshx::ZERO, Tx::ANY_FEE);
                    signed(payer, &self.network, Intent { chain, nonce, tip, fee_max, action })
                })
                .collect();
            {
                let mut due = due.lock().expect("no panic while locked");
                due.extend(txs.iter().map(|tx| (tx.id(), at)));
            }
            for verdict in self.host.chain.submit_all(txs).await {
                verdict.context("a job was refused")?;
            }
            if listening.is_finished() {
                break;
            }
        }
        let end = start + Duration::from_secs((load.warmup + load.seconds) as u64);
        tokio::time::sleep_until(end.into()).await;
        let cpu_after = process_cpu_seconds();
        let samples = tokio::time::timeout(DRAIN, listening)
            .await
            .context("jobs are not settled half a minute after the last was submitted")???;
        let cpu_seconds = cpu_after - cpu_before;
        Ok(Measured { samples, cpu_seconds, memory_mib: memory_mib(), held_back })
    }

    fn submission(&self, number: usize, agreement: Agreement, price_max: NanoMeshx) -> Submission {
        let now = self.host.chain.tip().map_or(Height::ZERO, |tip| tip.height);
        let argument = Text::new(number.to_string()).expect("a short number");
        Submission {
            spec: JobSpec {
                module: self.module.0,
                module_len: self.module.1,
                abi: Abi::Wasi,
                float: Float::Strict,
                input: Hash::of_content(&[]),
                input_len: 0,
                args: List::new(vec![argument]).expect("one argument"),
                env: List::default(),
                files: List::default(),
                limits: LIMITS,
                profile: ::sandbox::profile(Float::Strict),
                seed: Hash::default(),
                clock: Millis::ZERO,
            },
            agreement,
            price_max,
            deadline: Height::new(now.get() + DEADLINE_BLOCKS + number as u64 % 64),
            fresh: false,
        }
    }

    /// Escrow is empty again, and no nano appeared or disappeared.
    async fn audit(&self, holders: &[Address]) -> Result<()> {
        let escrow = audit::supply(&self.host, holders.iter().copied()).await?;
        ensure!(escrow == 0, "{escrow} nano are left in escrow after the last job");
        Ok(())
    }
}

/// Follow final blocks until `total` jobs are settled.
async fn settled(
    host: Host,
    due: Arc<Mutex<HashMap<JobId, f64>>>,
    start: Instant,
    total: usize,
) -> Result<Vec<(f64, f64)>> {
    let mut finals = host.chain.finals();
    let mut samples = Vec::with_capacity(total);
    while samples.len() < total {
        let block = finals.recv().await?;
        let at = start.elapsed().as_secs_f64();
        for event in &block.events {
            let Event::Job { job, phase } = event else { continue };
            match phase {
                Phase::Settled(settlement) => {
                    let due = due.lock().expect("no panic while locked").remove(job);
                    let due = due.with_context(|| format!("job {job} settled twice"))?;
                    ensure!(settlement.paid > NanoMeshx::ZERO, "job {job} was not paid for");
                    samples.push((at, (at - due) * 1e3));
                }
                Phase::Ended { .. } => bail!("job {job} ended without a result: {phase:?}"),
                _ => {}
            }
        }
    }
    Ok(samples)
}

impl Measured {
    fn fill(mut self, load: &JobsLoad, run_us: f64, report: &mut Report) {
        let (from, to) = (load.warmup as f64, (load.warmup + load.seconds) as f64);
        self.samples.retain(|(at, _)| (from..to).contains(at));
        let jobs = self.samples.len() as f64;
        let mut latencies: Vec<f64> = self.samples.iter().map(|(_, ms)| *ms).collect();
        let cpu_ms = self.cpu_seconds * 1e3 / jobs.max(1.0);
        let execution_ms = run_us * f64::from(load.replicas) / 1e3;
        report.result("jobs_settled", self.samples.len());
        report.result("batches_held_back", self.held_back);
        report.rate("jobs", load.rate, jobs / load.seconds as f64, self.held_back);
        report.figure("jobs_per_second", jobs / load.seconds as f64);
        report.figure("settlement_p50_ms", percentile(&mut latencies, 50));
        report.figure("settlement_p99_ms", percentile(&mut latencies, 99));
        report.figure("cpu_ms_per_job", cpu_ms);
        report.figure("cpu_ms_per_job_of_execution", execution_ms);
        report.figure("cpu_ms_per_job_of_protocol", cpu_ms - execution_ms);
        report.figure("one_run_us_without_the_protocol", run_us);
        report.figure("cpu_cores_used", self.cpu_seconds / load.seconds as f64);
        report.figure("cpu_cores_there", cores());
        report.figure("memory_mib", self.memory_mib);
        report.result(
            "money",
            "exact: escrow empty, genesis + minted - burned = sum of all balances",
        );
    }
}
