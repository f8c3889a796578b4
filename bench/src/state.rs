//! The state store: durable updates a second on many keys, and what its proofs cost.

use crate::{
    report::Report,
    usage::{memory_mib, percentile, process_cpu_seconds},
};
use anyhow::{Context as _, Result, ensure};
use consensus::StateStore;
use node::Folder;
use receipt::light::{verify_exclusion, verify_inclusion};
use std::{path::PathBuf, time::Instant};
use types::{
    Address, ChainId, Hash, Header, Height, LogRoot, Millis, NanoMeshx, PublicKey, Term,
    codec::Encode as _,
    domain_hash,
    state::{Account, Key},
};

/// What `bench state` is asked to do.
#[derive(Clone, Debug)]
pub struct StateLoad {
    /// Accounts that the store holds.
    pub keys: usize,
    /// Updates made durable together, as a block's are.
    pub batch: usize,
    /// How many batches of updates are measured.
    pub batches: usize,
    /// Memory for pages of the store's files, in MiB.
    pub cache_mib: usize,
    /// Where the files go; a folder of their own in the system's temporary folder if `None`.
    pub data: Option<PathBuf>,
}

/// Proofs made and verified, of each kind.
const PROOFS: usize = 1_000;

/// Fill a store with accounts, update random ones durably, and prove some present and others absent.
///
/// # Errors
/// If the folder cannot be used, or a proof does not hold.
pub fn state(load: &StateLoad) -> Result<Report> {
    ensure!(load.keys > 0 && load.batch > 0 && load.batches > 0, "at least one of each");
    let temporary = tempfile::Builder::new().prefix("meshx-bench-").tempdir()?;
    let folder = load.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let mut report = Report::new("state", &folder);
    report.load("keys", load.keys);
    report.load("updates_per_batch", load.batch);
    report.load("batches", load.batches);
    report.load("page_cache_mib", load.cache_mib);
    report.load("record", "an account: balance and nonce, 16 bytes");
    report.load("durable", "each batch is synced to disk before the next begins");
    let held = Folder::open(&folder, "--data")?;
    node::run(&held, |context| async move {
        let store = StateStore::open(context, "bench".into(), load.cache_mib << 20).await;
        fill(load, store, &mut report).await?;
        anyhow::Ok(report)
    })
}

fn key(n: usize) -> Key {
    let name = domain_hash("meshx/bench-account/v1", &[&(n as u64).to_be_bytes()]);
    Key::Account(Address::of(&PublicKey(name.0)))
}

fn record(n: u64) -> Vec<u8> {
    Account { balance: NanoMeshx::new(n), nonce: n }.encode().to_vec()
}

async fn fill(load: &StateLoad, mut store: StateStore, report: &mut Report) -> Result<()> {
    let paths: Vec<Hash> = (0..load.keys).map(|n| key(n).path()).collect();
    let begun = Instant::now();
    for chunk in paths.chunks(load.batch) {
        store = store.write(chunk.iter().map(|path| (*path, record(1))).collect()).await;
    }
    report.figure("inserts_per_second", load.keys as f64 / begun.elapsed().as_secs_f64());

    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut pick = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % load.keys as u64) as usize
    };
    let (mut took, cpu) = (Vec::new(), process_cpu_seconds());
    let begun = Instant::now();
    for batch in 0..load.batches as u64 {
        let updates = (0..load.batch).map(|_| (paths[pick()], record(batch + 2))).collect();
        let one = Instant::now();
        store = store.write(updates).await;
        took.push(one.elapsed().as_secs_f64() * 1e3);
    }
    let (seconds, updates) = (begun.elapsed().as_secs_f64(), (load.batches * load.batch) as f64);
    report.figure("updates_per_second", updates / seconds);
    report.figure("batch_p50_ms", percentile(&mut took, 50));
    report.figure("batch_p99_ms", percentile(&mut took, 99));
    report.figure("cpu_us_per_update", (process_cpu_seconds() - cpu) * 1e6 / updates);
    prove(load, &store, report).await?;
    report.figure("memory_mib", memory_mib());
    Ok(())
}

/// Prove accounts that are there and accounts that are not, and check each proof as a light client would.
async fn prove(load: &StateLoad, store: &StateStore, report: &mut Report) -> Result<()> {
    let header = header(store.root());
    for (kind, first) in [("inclusion", 0), ("exclusion", load.keys + 1)] {
        let (mut made, mut checked, mut bytes) = (0.0, 0.0, Vec::new());
        for n in first..first + PROOFS.min(load.keys) {
            let key = key(n);
            let begun = Instant::now();
            let (found, proof) = store.prove(key.path()).await.context("the store was written")?;
            made += begun.elapsed().as_secs_f64();
            bytes.push(proof.len() as f64);
            let begun = Instant::now();
            match (kind, &found) {
                ("inclusion", Some(record)) => verify_inclusion(&header, &key, record, &proof)?,
                ("exclusion", None) => verify_exclusion(&header, &key, &proof)?,
                _ => anyhow::bail!("the store holds {found:?} where {kind} was to be proved"),
            }
            checked += begun.elapsed().as_secs_f64();
            let other = header_of_other_state();
            let wrong = match &found {
                Some(record) => verify_inclusion(&other, &key, record, &proof),
                None => verify_exclusion(&other, &key, &proof),
            };
            ensure!(wrong.is_err(), "a proof held under another root");
        }
        let count = bytes.len() as f64;
        report.figure(&format!("{kind}_proof_made_us"), made * 1e6 / count);
        report.figure(&format!("{kind}_proof_verified_us"), checked * 1e6 / count);
        report.figure(&format!("{kind}_proof_bytes_p50"), percentile(&mut bytes, 50));
        report.figure(&format!("{kind}_proof_bytes_max"), percentile(&mut bytes, 100));
    }
    Ok(())
}

/// A header that says nothing but which state it commits to.
fn header(state_root: Hash) -> Header {
    Header {
        chain: ChainId::NorthAmerica,
        term: Term::ZERO,
        view: 1,
        leader: PublicKey([0; 32]),
        parent_view: 0,
        parent: Hash::default(),
        height: Height::new(1),
        timestamp: Millis::ZERO,
        body: Hash::default(),
        state_root,
        state_log: LogRoot::default(),
        outbox: LogRoot::default(),
    }
}

fn header_of_other_state() -> Header {
    header(Hash([7; 32]))
}
