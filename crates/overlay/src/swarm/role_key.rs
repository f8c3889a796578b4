//! The keys under which nodes say in the network's table that they have a role.

use crate::{Cell, Config, record::Role};
use libp2p::kad;
use std::collections::BTreeSet;
use types::ChainId;

/// What nodes with `role` on `chain` provide: anywhere, or in one cell.
pub(super) fn role_key(role: Role, chain: ChainId, cell: Option<Cell>) -> Vec<u8> {
    let place = cell.map(|cell| format!("/{}", cell.index())).unwrap_or_default();
    format!("/meshx/role/{}/{chain}{place}", role.name()).into_bytes()
}

impl Config {
    /// Every key under which a node like this says that it has `role`.
    pub(super) fn role_keys(&self, role: Role) -> Vec<Vec<u8>> {
        let mut chains = BTreeSet::from([self.chain]);
        // A node votes on the chain it works on first. It answers for all that it holds.
        if role == Role::Aggregator {
            chains.extend(&self.serves);
        }
        // For those who look nearby, and for those who look anywhere.
        let cells: Vec<_> = self.cell.map(Some).into_iter().chain([None]).collect();
        let of = |chain| cells.iter().map(move |cell| role_key(role, chain, *cell));
        chains.into_iter().flat_map(of).collect()
    }
}

/// Whether `key` is one of them: nothing else is provided here.
pub(super) fn is_role_key(key: &kad::RecordKey) -> bool {
    let parsed = || {
        let text = std::str::from_utf8(key.as_ref()).ok()?.strip_prefix("/meshx/role/")?;
        let mut parts = text.split('/');
        let role = Role::of_name(parts.next()?)?;
        let chain = parts.next()?;
        let chain = ChainId::ALL.into_iter().find(|known| known.to_string() == chain)?;
        let cell = parts.next().map(|index| Cell::of_index(index.parse().ok()?));
        let cell = cell.map_or(Some(None), |cell| cell.map(Some))?;
        // One key for each: not with zeros in front, nor with more behind.
        Some(role_key(role, chain, cell) == key.as_ref())
    };
    parsed().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_looked_up_under_every_chain_that_it_serves() {
        let key = crypto::SigningKey::from_seed(&[1; 32]);
        let mut config = Config::new(key, types::Hash([2; 32]), vec![]);
        (config.chain, config.serves) =
            (ChainId::Asia, vec![ChainId::Europe, ChainId::Asia, ChainId::Backbone]);
        config.cell = Cell::of_index(7);
        let keys = config.role_keys(Role::Aggregator);
        assert_eq!(keys.len(), 6, "three chains, nearby and anywhere");
        for chain in [ChainId::Europe, ChainId::Backbone] {
            assert!(keys.contains(&role_key(Role::Aggregator, chain, None)));
        }
        assert_eq!(config.role_keys(Role::Validator).len(), 2);
    }

    #[test]
    fn only_roles_on_chains_are_provided() {
        let provided = |key: &[u8]| is_role_key(&kad::RecordKey::new(&key));
        assert!(provided(&role_key(Role::Validator, ChainId::Europe, None)));
        assert!(provided(&role_key(Role::Relay, ChainId::Backbone, Cell::of_index(647))));
        let plain = String::from_utf8(role_key(Role::Relay, ChainId::Europe, None)).unwrap();
        let longer =
            ["/648", "/07", "/7/", "/-1", "/"].map(|end| format!("{plain}{end}").into_bytes());
        let strange = [&b"/meshx/role/validator"[..], b"/meshx/role/owner/europe", b"", &[7; 32]];
        for stranger in strange.into_iter().chain(longer.iter().map(Vec::as_slice)) {
            assert!(!provided(stranger), "{stranger:?}");
        }
    }
}
