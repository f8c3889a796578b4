//! More than a node takes: it says so in a stated way, holds no more memory for it, and is as fast as
//! before within seconds of its end.

use crate::{
    Binary, Faults, Mesh, People, Random,
    kills::{percentile, settle},
    people::CHAINS,
};
use anyhow::{Result, bail};
use api::{Client, ClientError, Wait};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use types::ChainId;

/// Accounts on each of the two shards; number 1 stays out of the flood and measures.
const PEOPLE: usize = 700;
/// Of these on each shard, so many do not wait for finality: they fill the pool.
const HASTY: usize = 50;
/// Clients that send what is no transaction.
const GARBAGE: usize = 16;
/// Each of theirs takes a port of this machine for a minute.
const GARBAGE_PAUSE: Duration = Duration::from_millis(20);
/// Transfers before the flood whose time is the measure.
const BEFORE: usize = 20;
/// Within this a node must be as fast again as it was.
const RECOVERY_MAX: Duration = Duration::from_secs(5);
/// How long it is watched for that.
const WATCH: Duration = Duration::from_secs(20);
/// "As fast": at most this many times the slowest transfer before the flood.
const AS_FAST: u32 = 2;
/// A second flood may raise the peak of memory by this much: allocators do not give everything back.
const GROWTH_MAX: f64 = 1.25;

/// How often each answer came. What is not an answer is in `faults`.
#[derive(Default)]
struct Tally {
    answers: Mutex<BTreeMap<String, u64>>,
    faults: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    fn answer(&self, name: impl Into<String>) {
        *self.answers.lock().expect("no panic while locked").entry(name.into()).or_default() += 1;
    }

    fn fault(&self, name: impl Into<String>) {
        *self.faults.lock().expect("no panic while locked").entry(name.into()).or_default() += 1;
    }

    fn status(&self, status: u16, retry_after: bool, what: &str) {
        self.answer(format!("{what} {status}"));
        if status >= 500 {
            self.fault(format!("{what}: answered {status}"));
        }
        if status == 429 && !retry_after {
            self.fault(format!("{what}: 429 without Retry-After"));
        }
    }
}

/// Flood a mesh on `folder` twice, `seconds` each time.
///
/// # Errors
/// If something prevents the test itself.
pub fn flood(
    binary: &Binary,
    folder: &std::path::Path,
    seconds: u64,
    random: &Random,
) -> Result<Faults> {
    let mesh = binary.start_ready(folder)?;
    let (client, people) = settle(&mesh, PEOPLE)?;
    let mut faults = Faults::new();
    let mut nonce = 0;
    let mut before: Vec<Duration> =
        (0..BEFORE).map(|_| transfer(&people, &client, &mut nonce)).collect::<Result<_>>()?;
    before.sort_unstable();
    let slowest = percentile(&before, 100);
    figure("transfer until final before, ms p50", percentile(&before, 50).as_millis());
    figure("  slowest of 20", slowest.as_millis());
    figure("memory before MiB", mesh.memory_mib().round());

    let mut peaks = Vec::new();
    for round in 1..=2 {
        let tally = Arc::new(Tally::default());
        let peak = pour(&mesh, &people, seconds, random, &tally);
        let recovered = recovery(&people, &client, &mut nonce, slowest * AS_FAST)?;
        println!("  flood {round}, {seconds} s");
        for (answer, count) in tally.answers.lock().expect("no panic while locked").iter() {
            figure(&format!("  {answer}"), count);
        }
        figure("  memory at its peak MiB", peak.round());
        figure("  memory after MiB", mesh.memory_mib().round());
        match recovered {
            Some(after) => {
                figure("  as fast as before after s", format!("{:.1}", after.as_secs_f64()))
            }
            None => figure("  as fast as before after s", format!("not in {}", WATCH.as_secs())),
        }
        if recovered.is_none_or(|after| after > RECOVERY_MAX) {
            faults.push(format!("flood {round}: slow for {recovered:?} after its end"));
        }
        for (fault, count) in tally.faults.lock().expect("no panic while locked").iter() {
            faults.push(format!("flood {round}: {count} times {fault}"));
        }
        peaks.push(peak);
    }
    if peaks[1] > peaks[0] * GROWTH_MAX {
        faults.push(format!("memory grows: {:.0} MiB, then {:.0} MiB", peaks[0], peaks[1]));
    }
    mesh.kill();
    Ok(faults)
}

/// The flood itself; the most memory seen during it, in MiB.
fn pour(
    mesh: &Mesh,
    people: &Arc<People>,
    seconds: u64,
    random: &Random,
    tally: &Arc<Tally>,
) -> f64 {
    let stop = Arc::new(AtomicBool::new(false));
    let small = || thread::Builder::new().stack_size(256 << 10);
    let mut threads = Vec::new();
    for chain in CHAINS {
        for number in 2..people.count() {
            let wait = if number < 2 + HASTY { Wait::None } else { Wait::Final };
            let (people, tally, stop) = (people.clone(), tally.clone(), stop.clone());
            // Each keeps a connection of its own.
            let client = Client::new(&mesh.url).expect("it was one before");
            let work = move || send(&people, &client, (chain, number), wait, &tally, &stop);
            threads.extend(small().spawn(work).ok());
        }
    }
    let address = mesh.url.trim_start_matches("http://").to_owned();
    for number in 0..GARBAGE {
        let (address, tally, stop) = (address.clone(), tally.clone(), stop.clone());
        let mut random = random.child(&format!("garbage {number}"));
        let work = move || {
            while !stop.load(Ordering::Relaxed) {
                garbage(&address, &mut random, &tally);
                thread::sleep(GARBAGE_PAUSE);
            }
        };
        threads.extend(small().spawn(work).ok());
    }
    let (end, mut peak) = (Instant::now() + Duration::from_secs(seconds), 0.0_f64);
    while Instant::now() < end {
        peak = peak.max(mesh.memory_mib());
        thread::sleep(Duration::from_millis(100));
    }
    stop.store(true, Ordering::Relaxed);
    // What waits for finality is not waited for here: the flood is over when nothing new is asked.
    drop(threads);
    peak
}

/// Send without a pause, and ignore `Retry-After`.
fn send(
    people: &People,
    client: &Client,
    (chain, number): (ChainId, usize),
    wait: Wait,
    tally: &Tally,
    stop: &AtomicBool,
) {
    let what = if wait == Wait::Final { "transfer" } else { "hasty transfer" };
    let mut nonce = None;
    while !stop.load(Ordering::Relaxed) {
        let Some(next) = nonce else {
            match client.account(chain, people.address(number)) {
                Ok(view) => nonce = Some(view.nonce),
                Err(error) => failed(&error, "account", tally),
            }
            continue;
        };
        match client.submit(&people.transfer(chain, number, next), wait) {
            Ok(_) => {
                tally.status(if wait == Wait::Final { 200 } else { 202 }, false, what);
                nonce = Some(next + 1);
            }
            Err(error) => {
                failed(&error, what, tally);
                // The pool dropped one before it, or took it although the answer was lost.
                if error.problem().is_none_or(|problem| problem.code.status() == 409) {
                    nonce = None;
                }
            }
        }
    }
}

fn failed(error: &ClientError, what: &str, tally: &Tally) {
    match error {
        ClientError::Problem(problem) => {
            tally.status(problem.code.status(), problem.retry_after.is_some(), what);
        }
        other => {
            let text = other.to_string();
            tally.fault(format!("{what}: {}", text.lines().next().unwrap_or_default()));
        }
    }
}

/// One request that no client of ours would send, and its answer's first line.
fn garbage(address: &str, random: &mut Random, tally: &Tally) {
    let body: Vec<u8> = (0..random.below(4_096)).map(|_| random.draw() as u8).collect();
    let (path, kind, announced) = match random.below(6) {
        0 => ("/v1/txs", "application/json", body.len()),
        1 => ("/v1/txs", "application/octet-stream", body.len()),
        2 => ("/v1/txs?wait=none", "application/octet-stream", body.len()),
        // More than is allowed, announced and never sent.
        3 => ("/v1/txs", "application/octet-stream", 1 << 40),
        4 => ("/v1/nothing", "text/html", body.len()),
        _ => ("/v1/txs?wait=forever", "application/json", body.len()),
    };
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {kind}\r\ncontent-length: {announced}\r\nconnection: close\r\n\r\n"
    );
    let ask = || -> std::io::Result<(u16, bool)> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(head.as_bytes())?;
        // It may have answered and closed before it has read all of it.
        let _ = stream.write_all(&body);
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let head = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
        let retry =
            head.map(|line| line.to_ascii_lowercase()).any(|line| line.starts_with("retry-after:"));
        Ok((status, retry))
    };
    match ask() {
        // The connection was closed while we wrote: the answer is lost with it.
        Ok((0, _)) => tally.answer("garbage cut off"),
        Ok((status, retry)) => {
            tally.status(status, retry, "garbage");
            if (200..300).contains(&status) {
                tally.fault("garbage was taken for a transaction");
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
            tally.answer("garbage cut off");
        }
        Err(error) => tally.fault(format!("garbage: {error}")),
    }
}

/// How long after now transfers are as fast again as `limit`, and stay so.
fn recovery(
    people: &People,
    client: &Client,
    nonce: &mut u64,
    limit: Duration,
) -> Result<Option<Duration>> {
    let begun = Instant::now();
    let mut fast_since = None;
    while begun.elapsed() < WATCH {
        let asked = begun.elapsed();
        match transfer(people, client, nonce) {
            Ok(took) if took <= limit => {
                fast_since.get_or_insert(asked + took);
            }
            Ok(_) => fast_since = None,
            Err(error) if error.downcast_ref().is_some_and(ClientError::is_passing) => {
                fast_since = None;
                thread::sleep(Duration::from_millis(50));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(fast_since)
}

/// One transfer of account 1, until it is final.
fn transfer(people: &People, client: &Client, nonce: &mut u64) -> Result<Duration> {
    let tx = people.transfer(CHAINS[0], 1, *nonce);
    let asked = Instant::now();
    let answer = client.submit(&tx, Wait::Final)?;
    if answer.height.is_none() {
        bail!("acknowledged without a height");
    }
    *nonce += 1;
    Ok(asked.elapsed())
}

fn figure(name: &str, value: impl std::fmt::Display) {
    println!("  {name:<44} {value}");
}
