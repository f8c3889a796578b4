//! Transfers from many at once, and what was acknowledged.

use crate::people::{CHAINS, Nonces, People};
use anyhow::{Context as _, Result, bail};
use api::{Client, ClientError, Wait};
use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use types::{ChainId, Hash};

/// An answer 200 with a final height: never to be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The chain that holds it.
    pub chain: ChainId,
    /// The sender's number among the [`People`].
    pub number: usize,
    /// The transaction's nonce.
    pub nonce: u64,
    /// The height of the final block that holds it.
    pub height: u64,
    /// The id of that block.
    pub block: Hash,
    /// How long the client waited for it.
    pub took: Duration,
}

/// All acknowledgements so far, and what was wrong with answers.
#[derive(Default)]
pub struct Acks {
    inner: Mutex<(Vec<Ack>, Vec<String>)>,
    changed: Condvar,
}

impl Acks {
    fn push(&self, ack: Ack) {
        self.inner.lock().expect("no panic while locked").0.push(ack);
        self.changed.notify_all();
    }

    fn fault(&self, fault: String) {
        self.inner.lock().expect("no panic while locked").1.push(fault);
    }

    /// Every acknowledgement so far, in the order in which they came.
    pub fn all(&self) -> Vec<Ack> {
        self.inner.lock().expect("no panic while locked").0.clone()
    }

    /// How many acknowledgements there are so far.
    pub fn count(&self) -> usize {
        self.inner.lock().expect("no panic while locked").0.len()
    }

    /// What was wrong with answers, in the order in which they came; empty if nothing was.
    pub fn faults(&self) -> Vec<String> {
        self.inner.lock().expect("no panic while locked").1.clone()
    }

    /// Wait until there are `count`; false if that takes too long.
    pub fn wait_for(&self, count: usize, patience: Duration) -> bool {
        let inner = self.inner.lock().expect("no panic while locked");
        let (inner, _) = self
            .changed
            .wait_timeout_while(inner, patience, |inner| inner.0.len() < count)
            .expect("no panic while locked");
        inner.0.len() >= count
    }
}

/// Senders at work.
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Everyone but the dev wallet sends one transfer after the other, from the nonce given, each when the
    /// one before is final.
    ///
    /// # Errors
    /// If the URL is none.
    pub fn start(
        people: &Arc<People>,
        url: &str,
        nonces: &Nonces,
        acks: &Arc<Acks>,
    ) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let client = Client::new(url)?;
        let mut threads = Vec::new();
        for chain in CHAINS {
            for number in 1..people.count() {
                let from = nonces.get(&chain).context("both chains have nonces")?[number];
                let (people, acks, stop) = (people.clone(), acks.clone(), stop.clone());
                let client = client.clone();
                threads.push(std::thread::spawn(move || {
                    send(&people, &client, (chain, number, from), &acks, &stop);
                }));
            }
        }
        Ok(Self { stop, threads })
    }

    /// Ask everyone to stop after what they wait for, and wait for them.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

fn send(
    people: &People,
    client: &Client,
    (chain, number, from): (ChainId, usize, u64),
    acks: &Acks,
    stop: &AtomicBool,
) {
    let mut nonce = from;
    while !stop.load(Ordering::Relaxed) {
        let tx = people.transfer(chain, number, nonce);
        let asked = Instant::now();
        match client.submit(&tx, Wait::Final) {
            Ok(answer) => {
                let (Some(height), Some(block)) = (answer.height, answer.block) else {
                    acks.fault(format!("{chain} {number}/{nonce}: acknowledged without a height"));
                    return;
                };
                if answer.tx != tx.id() {
                    acks.fault(format!("{chain} {number}/{nonce}: acknowledged as {}", answer.tx));
                }
                let took = asked.elapsed();
                acks.push(Ack { chain, number, nonce, height: height.get(), block, took });
                nonce += 1;
            }
            // The process was killed: what was asked may have been done.
            Err(ClientError::Unreachable { .. }) => return,
            Err(error) if error.problem().is_some_and(|problem| problem.code.status() == 429) => {
                std::thread::sleep(Duration::from_millis(50));
            }
            // A body cut off by the kill.
            Err(ClientError::BadAnswer { .. }) if stop.load(Ordering::Relaxed) => return,
            Err(error) => {
                acks.fault(format!("{chain} {number}/{nonce}: {error}"));
                return;
            }
        }
    }
}

/// Let the dev wallet give everyone something to send, and wait until it is final.
///
/// # Errors
/// If the node refuses it.
pub fn fund(people: &People, client: &Client) -> Result<()> {
    for chain in CHAINS {
        let last = people.count() as u64 - 2;
        for nonce in 0..=last {
            let wait = if nonce == last { Wait::Final } else { Wait::None };
            let tx = people.transfer(chain, 0, nonce);
            let begun = Instant::now();
            while let Err(error) = client.submit(&tx, wait) {
                if !error.is_passing() || begun.elapsed() > Duration::from_secs(60) {
                    bail!("the dev wallet cannot fund the senders on {chain}: {error}");
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
    Ok(())
}
