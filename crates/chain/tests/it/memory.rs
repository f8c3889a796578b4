//! A store in memory.

use chain::Store;
use std::collections::BTreeMap;
use types::state::Key;

#[derive(Default)]
pub struct Memory(pub BTreeMap<Key, Vec<u8>>);

impl Store for Memory {
    async fn get_many(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        keys.iter().map(|key| self.0.get(key).cloned()).collect()
    }
}
