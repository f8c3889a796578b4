//! Whether a node still says what it had acknowledged.

use crate::{
    Faults,
    load::Ack,
    people::{CHAINS, DEV_BALANCE, Nonces, People, WORKER_BALANCE},
    random::Random,
};
use anyhow::{Context as _, Result, bail};
use api::{Client, Wait, WorkersQuery};
use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};
use types::{Address, ChainId, Hash, Height};

/// How long a node may take to serve again what it served before it was killed.
const CATCH_UP: Duration = Duration::from_secs(30);
/// Older transfers that are sent again at each audit, beside all new ones.
const REPEATED: u64 = 20;
/// How far back a node looks for a repeated transaction, less a margin.
const REPEAT_BLOCKS: u64 = 1_100;
/// Requests at once.
const ASKERS: usize = 4;

/// What is known of the chains from earlier audits.
#[derive(Default)]
pub struct Audit {
    /// Id and number of transactions of each final block.
    blocks: BTreeMap<(ChainId, u64), (Hash, u64)>,
    /// How many acknowledgements earlier audits sent again.
    repeated: usize,
    /// Acknowledged transfers that were not there.
    pub lost: usize,
    /// Transfers that counted twice, as far as the sums show.
    pub doubled: u64,
    /// Restarts after which the node first served an older height than it had acknowledged.
    pub behind: usize,
    /// Transfers sent again that answered with their first height and block.
    pub confirmed: usize,
}

/// What a node served at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// How many transactions each account had in final blocks.
    pub nonces: Nonces,
    balances: BTreeMap<ChainId, Vec<u64>>,
    /// The newest final height of each chain.
    pub heights: BTreeMap<ChainId, u64>,
}

impl Snapshot {
    /// Read every account, twice, until nothing moved between.
    ///
    /// # Errors
    /// If the node does not answer, or does not come to rest.
    pub fn read(people: &People, client: &Client) -> Result<Self> {
        let deadline = Instant::now() + CATCH_UP;
        let mut before = Self::read_once(people, client)?;
        loop {
            let after = Self::read_once(people, client)?;
            if (&after.nonces, &after.balances) == (&before.nonces, &before.balances) {
                return Ok(after);
            }
            if Instant::now() > deadline {
                bail!("the accounts do not come to rest");
            }
            before = after;
        }
    }

    fn read_once(people: &People, client: &Client) -> Result<Self> {
        let (mut nonces, mut balances, mut heights) =
            (Nonces::new(), BTreeMap::new(), BTreeMap::new());
        for chain in CHAINS {
            let numbers: Vec<usize> = (0..people.count()).collect();
            let views =
                in_parallel(
                    &numbers,
                    |number| Ok(client.account(chain, people.address(*number))?),
                )?;
            heights.insert(chain, views.iter().map(|view| view.height.get()).max().unwrap_or(0));
            balances.insert(chain, views.iter().map(|view| view.balance.get()).collect());
            nonces.insert(chain, views.iter().map(|view| view.nonce).collect());
        }
        Ok(Self { nonces, balances, heights })
    }

    /// Balances that do not follow from the nonces.
    pub fn wrong_balances(&self, people: &People) -> Faults {
        let mut faults = Faults::new();
        for (chain, nonces) in &self.nonces {
            let expected = people.balances(nonces);
            for (number, (is, must)) in self.balances[chain].iter().zip(expected).enumerate() {
                if i128::from(*is) != must {
                    faults.push(format!("{chain}: account {number} holds {is}, must hold {must}"));
                }
            }
        }
        faults
    }

    /// Whether everything `earlier` had is in this one.
    pub fn covers(&self, earlier: &Self) -> bool {
        let enough =
            |now: &[u64], then: &[u64]| now.iter().zip(then).all(|(now, then)| now >= then);
        CHAINS.iter().all(|chain| {
            self.heights[chain] >= earlier.heights[chain]
                && enough(&self.nonces[chain], &earlier.nonces[chain])
        })
    }

    /// Transactions in blocks of `chain`, by the nonces.
    fn transactions(&self, chain: ChainId) -> u64 {
        self.nonces[&chain].iter().sum()
    }
}

impl Audit {
    /// Compare what the node serves with `acks`. The load must rest.
    ///
    /// # Errors
    /// If the node does not answer.
    pub fn check(
        &mut self,
        people: &People,
        client: &Client,
        acks: &[Ack],
        random: &mut Random,
    ) -> Result<(Snapshot, Faults)> {
        let mut faults = Faults::new();
        self.wait_for_heights(people, client, acks, &mut faults)?;
        let snapshot = Snapshot::read(people, client)?;

        let lost: Vec<&Ack> = acks
            .iter()
            .filter(|ack| snapshot.nonces[&ack.chain][ack.number] <= ack.nonce)
            .collect();
        self.lost += lost.len();
        faults.extend(lost.iter().map(|ack| format!("lost: {ack:?}")));
        faults.extend(snapshot.wrong_balances(people));
        for chain in CHAINS {
            faults.extend(self.blocks_of(client, chain, snapshot.heights[&chain], acks)?);
            faults.extend(self.sums(people, client, chain, &snapshot)?);
        }
        faults.extend(self.repeat(people, client, acks, &snapshot, random)?);
        Ok((snapshot, faults))
    }

    /// A node may serve its state before it has applied the last blocks it knows to be final.
    fn wait_for_heights(
        &mut self,
        people: &People,
        client: &Client,
        acks: &[Ack],
        faults: &mut Faults,
    ) -> Result<()> {
        let deadline = Instant::now() + CATCH_UP;
        let mut behind = false;
        for chain in CHAINS {
            let known = acks.iter().filter(|ack| ack.chain == chain).map(|ack| ack.height).max();
            loop {
                let height = client.account(chain, people.address(0))?.height.get();
                if known.is_none_or(|known| height >= known) {
                    break;
                }
                behind = true;
                if Instant::now() > deadline {
                    faults.push(format!("{chain} stays at {height}, acknowledged was {known:?}"));
                    break;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        self.behind += usize::from(behind);
        Ok(())
    }

    /// The chain is the one it was, each block names the one before, and acknowledged blocks are in it.
    fn blocks_of(
        &mut self,
        client: &Client,
        chain: ChainId,
        tip: u64,
        acks: &[Ack],
    ) -> Result<Faults> {
        let mut faults = Faults::new();
        let heights: Vec<u64> = (1..=tip).collect();
        let views = in_parallel(&heights, |height| {
            client
                .block(chain, Height::new(*height))
                .with_context(|| format!("block {height} of {chain}"))
        })?;
        let mut parent: Option<Hash> = None;
        for (height, view) in heights.iter().zip(&views) {
            if view.id != view.header.id() || view.header.height.get() != *height {
                faults.push(format!("{chain}: block {height} is not what its id says"));
            }
            if parent.is_some_and(|parent| parent != view.header.parent) {
                faults.push(format!("{chain}: block {height} does not follow the one before"));
            }
            parent = Some(view.id);
            let known =
                self.blocks.entry((chain, *height)).or_insert((view.id, u64::from(view.txs)));
            if *known != (view.id, u64::from(view.txs)) {
                faults.push(format!("{chain}: block {height} was {}, is {}", known.0, view.id));
            }
        }
        for ack in acks.iter().filter(|ack| ack.chain == chain) {
            if self.blocks.get(&(chain, ack.height)).is_none_or(|(id, _)| *id != ack.block) {
                self.lost += 1;
                faults.push(format!("its block is gone: {ack:?}"));
            }
        }
        Ok(faults)
    }

    /// All blocks together hold as many transactions as the nonces say, and no nano came or went.
    fn sums(
        &mut self,
        people: &People,
        client: &Client,
        chain: ChainId,
        snapshot: &Snapshot,
    ) -> Result<Faults> {
        let mut faults = Faults::new();
        let tip = snapshot.heights[&chain];
        let in_blocks: u64 =
            self.blocks.range((chain, 0)..=(chain, tip)).map(|(_, (_, txs))| txs).sum();
        let by_nonces = snapshot.transactions(chain);
        if in_blocks != by_nonces {
            self.doubled += in_blocks.saturating_sub(by_nonces);
            faults.push(format!(
                "{chain}: {in_blocks} transactions in blocks, {by_nonces} by nonces"
            ));
        }
        let workers =
            client.workers(&WorkersQuery { chain: Some(chain), cursor: None, limit: 100 })?;
        let addresses: Vec<Address> = workers.items.iter().map(|worker| worker.address).collect();
        let workers: u128 = in_parallel(&addresses, |address| {
            Ok(u128::from(client.account(chain, *address)?.balance.get()))
        })?
        .iter()
        .sum();
        let people_hold: u128 =
            snapshot.balances[&chain].iter().map(|held| u128::from(*held)).sum();
        let burned = u128::from(by_nonces) * u128::from(people.fee());
        let genesis =
            u128::from(DEV_BALANCE) + addresses.len() as u128 * u128::from(WORKER_BALANCE);
        if people_hold + workers + burned != genesis {
            faults.push(format!(
                "{chain}: supply: {people_hold} + {workers} held + {burned} burned is not {genesis}"
            ));
        }
        Ok(faults)
    }

    /// Send acknowledged transfers again: each must answer with its own height and block.
    fn repeat(
        &mut self,
        people: &People,
        client: &Client,
        acks: &[Ack],
        snapshot: &Snapshot,
        random: &mut Random,
    ) -> Result<Faults> {
        let (old, new) = acks.split_at(self.repeated.min(acks.len()));
        let mut asked: Vec<Ack> = new.to_vec();
        if !old.is_empty() {
            asked.extend((0..REPEATED).map(|_| *random.pick(old)));
        }
        asked.retain(|ack| ack.height + REPEAT_BLOCKS > snapshot.heights[&ack.chain]);
        let answers = in_parallel(&asked, |ack| {
            let tx = people.transfer(ack.chain, ack.number, ack.nonce);
            Ok(client.submit(&tx, Wait::Final))
        })?;
        let mut faults = Faults::new();
        for (ack, answer) in asked.iter().zip(answers) {
            let place = answer.map(|answer| (answer.height.map(Height::get), answer.block));
            match place {
                Ok((Some(height), Some(block))) if (height, block) == (ack.height, ack.block) => {
                    self.confirmed += 1;
                }
                Ok(place) => faults.push(format!("sent again: {ack:?} is now in {place:?}")),
                Err(error) => faults.push(format!("sent again: {ack:?}: {error}")),
            }
        }
        self.repeated = acks.len();
        Ok(faults)
    }
}

/// Ask about all `items`, a few at once; answers come in their order.
fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    ask: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let share = items.len().div_ceil(ASKERS).max(1);
    thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(|| part.iter().map(&ask).collect::<Result<Vec<R>>>()))
            .collect();
        let mut all = Vec::with_capacity(items.len());
        for part in parts {
            all.extend(part.join().expect("asking does not panic")?);
        }
        Ok(all)
    })
}
