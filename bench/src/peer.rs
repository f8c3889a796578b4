//! CometBFT with its key-value store, four validators on loopback: somebody else's chain under the same load.
//!
//! What is compared are whole programs as they come, not their parts: its transactions bear no signature and its state has
//! no proofs; its validators are processes that speak TCP, where those of `bench tx` share one process.

use crate::{
    pace::{Pace, TICKS_PER_SECOND},
    usage::{cpu_seconds_of, percentile},
};
use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

/// What CometBFT is given to do.
#[derive(Clone, Debug)]
pub struct PeerLoad {
    /// The program.
    pub cometbft: PathBuf,
    /// As many processes.
    pub validators: usize,
    /// Transactions per second.
    pub rate: usize,
    /// Seconds that count.
    pub seconds: usize,
    /// Seconds of the same load before.
    pub warmup: usize,
    /// Its `timeout_commit`: the wait after a block before the next.
    pub commit_ms: u64,
    /// Bytes of a transaction.
    pub tx_bytes: usize,
}

/// What came of it.
pub struct PeerMeasured {
    /// What the program says its version is.
    pub version: String,
    /// Transactions that were final in the seconds that count.
    pub txs: usize,
    /// The same, for each of those seconds.
    pub txs_per_second: f64,
    /// From when a transaction was due until it was final, in milliseconds: the median.
    pub finality_p50_ms: f64,
    /// The 99th percentile.
    pub finality_p99_ms: f64,
    /// Microseconds of CPU for each transaction and validator.
    pub cpu_us_per_tx_per_validator: f64,
    /// Batches of load that had to wait.
    pub held_back: usize,
}

/// Connections over which batches are handed in, so that a slow answer does not hold up the next batch.
const HANDS: usize = 4;
const START_TIMEOUT: Duration = Duration::from_secs(60);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// Run the load through a network of its own under `folder`.
///
/// # Errors
/// If the program does not start, refuses a transaction, or stops making blocks.
pub fn cometbft(load: &PeerLoad, folder: &Path) -> Result<PeerMeasured> {
    let version = said(Command::new(&load.cometbft).arg("version"))?;
    let network = Network::start(load, folder)?;
    network.wait_ready()?;
    let mut measured = network.measure(load)?;
    measured.version = version;
    Ok(measured)
}

fn said(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Validators that run until this is dropped.
struct Network {
    validators: Vec<Child>,
    /// Where the first answers.
    rpc: String,
    agent: ureq::Agent,
}

impl Drop for Network {
    fn drop(&mut self) {
        for validator in &mut self.validators {
            // One that has ended by itself is as good.
            let _ = validator.kill();
            let _ = validator.wait();
        }
    }
}

impl Network {
    fn start(load: &PeerLoad, folder: &Path) -> Result<Self> {
        let count = load.validators;
        said(
            Command::new(&load.cometbft)
                .args(["testnet", "--populate-persistent-peers=false", "--v", &count.to_string()])
                .arg("--o")
                .arg(folder),
        )?;
        let ports = free_ports(2 * count)?;
        let homes: Vec<PathBuf> = (0..count).map(|n| folder.join(format!("node{n}"))).collect();
        let mut peers = Vec::new();
        for (home, port) in homes.iter().zip(&ports) {
            configure(home, load.commit_ms)?;
            let id = said(Command::new(&load.cometbft).args(["show-node-id", "--home"]).arg(home))?;
            peers.push(format!("{id}@127.0.0.1:{port}"));
        }
        let mut network = Self {
            validators: Vec::new(),
            rpc: format!("http://127.0.0.1:{}", ports[count]),
            agent: ureq::Agent::new_with_defaults(),
        };
        for (index, home) in homes.iter().enumerate() {
            let log = fs::File::create(home.join("log"))?;
            let started = Command::new(&load.cometbft)
                .args(["start", "--proxy_app=kvstore", "--home"])
                .arg(home)
                .arg(format!("--p2p.laddr=tcp://127.0.0.1:{}", ports[index]))
                .arg(format!("--rpc.laddr=tcp://127.0.0.1:{}", ports[count + index]))
                .arg(format!("--p2p.persistent_peers={}", peers.join(",")))
                .stdin(Stdio::null())
                .stderr(log.try_clone()?)
                .stdout(log)
                .spawn();
            network.validators.push(started.context("cannot start a validator of CometBFT")?);
        }
        Ok(network)
    }

    fn get(&self, path: &str) -> Result<Value> {
        let mut answer = self.agent.get(format!("{}/{path}", self.rpc)).call()?;
        Ok(serde_json::from_str(&answer.body_mut().read_to_string()?)?)
    }

    fn height(&self) -> Result<u64> {
        let status = self.get("status")?;
        let height = status["result"]["sync_info"]["latest_block_height"].as_str();
        height.and_then(|height| height.parse().ok()).context("CometBFT tells no height")
    }

    fn wait_ready(&self) -> Result<()> {
        let begun = Instant::now();
        while !self.height().is_ok_and(|height| height > 1) {
            ensure!(begun.elapsed() < START_TIMEOUT, "CometBFT made no block in a minute");
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// CPU seconds of all validators so far.
    fn cpu_seconds(&self) -> f64 {
        self.validators.iter().map(|validator| cpu_seconds_of(validator.id())).sum()
    }

    fn measure(&self, load: &PeerLoad) -> Result<PeerMeasured> {
        let per_tick = load.rate.div_ceil(TICKS_PER_SECOND);
        let ticks = (load.seconds + load.warmup) * TICKS_PER_SECOND;
        let total = per_tick * ticks;
        let batches: Vec<String> =
            (0..ticks).map(|tick| batch(tick * per_tick, per_tick, load.tx_bytes)).collect();
        let from = self.height()?;
        let pace = Arc::new(Pace::new());
        let (feed, batches_due) = mpsc::channel::<String>();
        let batches_due = Arc::new(Mutex::new(batches_due));
        let hands: Vec<_> = (0..HANDS)
            .map(|_| {
                let (url, due, pace) = (self.rpc.clone(), batches_due.clone(), pace.clone());
                thread::spawn(move || hand_in(&url, &due, &pace))
            })
            .collect();
        let driving = {
            let pace = pace.clone();
            // The hands are through when the feed is gone.
            thread::spawn(move || {
                for (tick, batch) in batches.into_iter().enumerate() {
                    if !pace.wait_turn(tick, per_tick) || feed.send(batch).is_err() {
                        return;
                    }
                }
            })
        };
        let watched = self.watch(load, from, (per_tick, total), &pace);
        pace.end();
        for hand in hands {
            hand.join().expect("a hand does not panic");
        }
        driving.join().expect("the load does not panic");
        if let Some(why) = pace.failure() {
            bail!("CometBFT refused a transaction: {why}");
        }
        let (samples, cpu) = watched?;
        let (from, to) = (load.warmup as f64, (load.warmup + load.seconds) as f64);
        let mut took: Vec<f64> =
            samples.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, ms)| *ms).collect();
        let txs = took.len();
        Ok(PeerMeasured {
            version: String::new(),
            txs,
            txs_per_second: txs as f64 / load.seconds as f64,
            finality_p50_ms: percentile(&mut took, 50),
            finality_p99_ms: percentile(&mut took, 99),
            cpu_us_per_tx_per_validator: cpu * 1e6 / txs.max(1) as f64 / load.validators as f64,
            held_back: pace.held_back(),
        })
    }

    /// Follow blocks until all transactions were in one. When each was final, in seconds since the start, and how long that
    /// took in milliseconds; and CPU seconds of the validators in the seconds that count.
    ///
    /// Transactions are told apart by their number only: the one that is final as the `n`th is taken for the one that was
    /// due as the `n`th. So each latency may be off by what two transactions overtake each other.
    fn watch(
        &self,
        load: &PeerLoad,
        from: u64,
        (per_tick, total): (usize, usize),
        pace: &Pace,
    ) -> Result<(Vec<(f64, f64)>, f64)> {
        let (mut height, mut samples) = (from, Vec::with_capacity(total));
        let (mut cpu_before, mut cpu_after) = (None, None);
        let mut progress = Instant::now();
        while samples.len() < total {
            let at = pace.start.elapsed().as_secs_f64();
            if at >= load.warmup as f64 {
                cpu_before.get_or_insert_with(|| self.cpu_seconds());
            }
            if at >= (load.warmup + load.seconds) as f64 {
                cpu_after.get_or_insert_with(|| self.cpu_seconds());
            }
            // It calls a question about blocks to come an error of its own.
            let (next, newest) = (height + 1, self.height()?);
            let last = newest.min(next + 19);
            let found = if newest < next {
                Value::Null
            } else {
                self.get(&format!("blockchain?minHeight={next}&maxHeight={last}"))?
            };
            let mut blocks: Vec<(u64, usize)> = found["result"]["block_metas"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|meta| {
                    let number = |value: &Value| value.as_str()?.parse::<u64>().ok();
                    let txs = number(&meta["num_txs"])?;
                    Some((number(&meta["header"]["height"])?, usize::try_from(txs).ok()?))
                })
                .filter(|(number, _)| *number > height)
                .collect();
            blocks.sort_unstable();
            let at = pace.start.elapsed().as_secs_f64();
            for (number, txs) in blocks {
                height = number;
                progress = Instant::now();
                for _ in 0..txs {
                    let tick = samples.len() / per_tick;
                    let due = tick as f64 / TICKS_PER_SECOND as f64;
                    samples.push((at, (at - due) * 1e3));
                }
            }
            pace.see(samples.len());
            ensure!(progress.elapsed() < DRAIN_TIMEOUT, "CometBFT made no block in a minute");
            if pace.is_over() {
                break;
            }
            thread::sleep(POLL);
        }
        let cpu_after = cpu_after.unwrap_or_else(|| self.cpu_seconds());
        Ok((samples, cpu_after - cpu_before.unwrap_or(cpu_after)))
    }
}

/// Hand in batches until there are no more.
fn hand_in(url: &str, due: &Mutex<mpsc::Receiver<String>>, pace: &Pace) {
    let agent = ureq::Agent::new_with_defaults();
    loop {
        let next = due.lock().expect("no panic while locked").recv();
        let Ok(batch) = next else { return };
        let answer = agent
            .post(url)
            .header("content-type", "application/json")
            .send(batch)
            .and_then(|mut answer| answer.body_mut().read_to_string());
        match answer {
            Ok(text) if text.contains("\"error\"") => {
                pace.fail(text.chars().take(300).collect());
            }
            Ok(_) => {}
            Err(error) => pace.fail(error.to_string()),
        }
    }
}

/// One request for `count` transactions from number `first` on.
fn batch(first: usize, count: usize, tx_bytes: usize) -> String {
    let request = |index: usize| {
        let tx = format!("k{index:012}={}", "v".repeat(tx_bytes.saturating_sub(14)));
        // As a URI parameter it would be text; as JSON it is base64.
        format!(
            r#"{{"jsonrpc":"2.0","id":{index},"method":"broadcast_tx_async","params":{{"tx":"{}"}}}}"#,
            BASE64.encode(tx)
        )
    };
    let requests: Vec<String> = (first..first + count).map(request).collect();
    format!("[{}]", requests.join(","))
}

/// Settings without which it cannot be loaded from one machine, and its wait between blocks.
fn configure(home: &Path, commit_ms: u64) -> Result<()> {
    let path = home.join("config/config.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?;
    let settings = [
        ("timeout_commit", format!("\"{commit_ms}ms\"")),
        ("max_request_batch_size", "0".into()),
        ("max_body_bytes", "100000000".into()),
        ("allow_duplicate_ip", "true".into()),
        ("addr_book_strict", "false".into()),
        ("indexer", "\"null\"".into()),
        ("size", "60000".into()),
        ("cache_size", "120000".into()),
        ("log_level", "\"error\"".into()),
    ];
    let lines = text.lines().map(|line| {
        let name = line.split('=').next().unwrap_or_default().trim();
        match settings.iter().find(|(setting, _)| *setting == name) {
            Some((name, value)) => format!("{name} = {value}"),
            None => line.to_owned(),
        }
    });
    fs::write(&path, lines.collect::<Vec<_>>().join("\n"))?;
    Ok(())
}

/// Ports of loopback that nobody listened on a moment ago.
fn free_ports(count: usize) -> Result<Vec<u16>> {
    let held =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_json_and_its_transactions_have_the_length_that_was_asked_for() {
        let batch: Value = serde_json::from_str(&batch(5, 3, 150)).unwrap();
        assert_eq!(batch.as_array().unwrap().len(), 3);
        assert_eq!(batch[2]["id"], 7);
        assert_eq!(batch[0]["params"]["tx"].as_str().unwrap().len(), 200);
    }
}
