//! A scratch pad over loaded records: an item of a block writes here, and only a whole item is kept.

use crate::{
    Refusal,
    gas::{Gas, cost},
};
use ledger::Accounts;
use std::collections::BTreeMap;
use types::{
    Address, NanoMeshx,
    codec::{DecodeExt, Encode, Read},
    state::{Account, Destination, Event, Key, Supply, Transfer},
};

/// One record to store, or (`None`) to forget.
pub type Write = (Key, Option<Vec<u8>>);

/// Why an item stopped before its end. Its writes are dropped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Load these records and start the item again.
    Missing(Vec<Key>),
    Refused(Refusal),
}

impl<R: Into<Refusal>> From<R> for Stop {
    fn from(refusal: R) -> Self {
        Self::Refused(refusal.into())
    }
}

/// Records read from the store, and those the block has written so far.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) loaded: BTreeMap<Key, Option<Vec<u8>>>,
    pub(crate) written: BTreeMap<Key, Option<Vec<u8>>>,
    pub(crate) events: Vec<Event>,
    /// Of all items that went through.
    pub(crate) gas: u64,
}

impl Records {
    pub(crate) fn scratch(&self) -> Scratch<'_> {
        Scratch { records: self, writes: BTreeMap::new(), events: Vec::new(), gas: Gas::default() }
    }
}

pub(crate) struct Scratch<'a> {
    records: &'a Records,
    writes: BTreeMap<Key, Option<Vec<u8>>>,
    events: Vec<Event>,
    gas: Gas,
}

impl Scratch<'_> {
    /// What an item leaves behind when it went through: its writes, its events and its gas. A run that began anew because a
    /// record was missing has left nothing, so the gas does not depend on what was loaded before.
    pub(crate) fn into_parts(self) -> (BTreeMap<Key, Option<Vec<u8>>>, Vec<Event>, u64) {
        (self.writes, self.events, self.gas.used())
    }

    /// The item's meter.
    pub(crate) const fn gas(&self) -> &Gas {
        &self.gas
    }

    pub(crate) fn get<T: Read<Cfg = ()>>(&self, key: Key) -> Result<Option<T>, Stop> {
        self.gas.charge(cost::READ);
        let bytes = self
            .writes
            .get(&key)
            .or_else(|| self.records.written.get(&key))
            .or_else(|| self.records.loaded.get(&key))
            .ok_or_else(|| Stop::Missing(vec![key]))?;
        Ok(bytes
            .as_ref()
            .map(|bytes| T::decode(bytes.clone()).expect("state holds what this code wrote")))
    }

    /// Have all of `keys` loaded at once: an item that reads many records would start anew for each of them.
    pub(crate) fn need(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), Stop> {
        let is_here = |key: &Key| {
            let Records { loaded, written, .. } = self.records;
            [&self.writes, written, loaded].iter().any(|records| records.contains_key(key))
        };
        let missing: Vec<Key> = keys.into_iter().filter(|key| !is_here(key)).collect();
        if missing.is_empty() { Ok(()) } else { Err(Stop::Missing(missing)) }
    }

    /// A record that genesis put there.
    pub(crate) fn expect<T: Read<Cfg = ()>>(&self, key: Key) -> Result<T, Stop> {
        Ok(self.get(key)?.expect("genesis wrote this record"))
    }

    pub(crate) fn put<T: Encode>(&mut self, key: Key, record: &T) {
        let bytes = record.encode().to_vec();
        let len = u64::try_from(bytes.len()).expect("a record fits into memory");
        self.gas.charge(cost::WRITE + cost::BYTE_WRITTEN * len);
        self.writes.insert(key, Some(bytes));
    }

    pub(crate) fn forget(&mut self, key: Key) {
        self.gas.charge(cost::WRITE);
        self.writes.insert(key, None);
    }

    pub(crate) fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(crate) fn account(&self, address: Address) -> Result<Account, Stop> {
        Ok(self.get(Key::Account(address))?.unwrap_or_default())
    }

    /// Make `amount` that did not exist, for the account of the protocol's own named `to`.
    pub(crate) fn mint(&mut self, to: Address, amount: NanoMeshx) -> Result<(), Stop> {
        let mut supply: Supply = self.expect(Key::Supply)?;
        let mut account = self.account(to)?;
        let fits = "genesis saw to it that all there will be is at most the supply";
        supply.minted = supply.minted.checked_add(amount).expect(fits);
        account.balance = account.balance.checked_add(amount).expect(fits);
        self.put(Key::Supply, &supply);
        self.put(Key::Account(to), &account);
        Ok(())
    }

    /// Post `transfers` through the ledger.
    pub(crate) fn transfer(&mut self, transfers: &[Transfer]) -> Result<(), Stop> {
        let mut accounts = Accounts::new();
        for transfer in transfers {
            accounts.insert(transfer.from, self.account(transfer.from)?);
            if let Destination::Account(to) = transfer.to {
                accounts.insert(to, self.account(to)?);
            }
        }
        let before = accounts.clone();
        let burned = ledger::post(&mut accounts, transfers)?;
        for (address, account) in &accounts {
            // A transfer of nothing, such as a share that is rounded to 0, must not bring an empty account into the
            // state.
            if before.get(address) != Some(account) {
                self.put(Key::Account(*address), account);
            }
        }
        if burned.get() > 0 {
            let mut supply: Supply = self.expect(Key::Supply)?;
            supply.burned = supply.burned.checked_add(burned).expect("no more burns than there is");
            self.put(Key::Supply, &supply);
        }
        Ok(())
    }
}
