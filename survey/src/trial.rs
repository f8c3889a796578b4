//! One claim on a measured network: who would be drawn, what would be expected, what the rule says.

use crate::Network;
use presence::{Direction, Judgement, PresenceParams, Sight, Witness, draw, judge, land};
use types::{Address, ChainId, PublicKey};

pub(crate) struct Trial<'a> {
    pub network: &'a Network,
    pub params: &'a PresenceParams,
    /// One for each node: each is its own operator, in a network of its own.
    witnesses: Vec<Witness>,
}

impl<'a> Trial<'a> {
    pub fn new(network: &'a Network, params: &'a PresenceParams) -> Self {
        let witnesses = (0_u32..)
            .zip(&network.nodes)
            .map(|(index, node)| {
                let mut key = [0; 32];
                key[..4].copy_from_slice(&index.to_be_bytes());
                let key = PublicKey(key);
                Witness { key, place: node.place, operator: Address::of(&key), network: index }
            })
            .collect();
        Self { network, params, witnesses }
    }

    /// The witnesses nearest to a node, as many as those near it are drawn from, of all that measured it.
    pub fn pool(&self, claimed: usize, without: &[usize]) -> Vec<usize> {
        let here = self.network.direction(claimed);
        let mut nodes: Vec<usize> =
            self.network.measured_with(claimed).filter(|node| !without.contains(node)).collect();
        nodes.sort_by_key(|node| (-self.network.direction(*node).dot(here), *node));
        nodes.truncate(usize::from(self.params.pool));
        nodes
    }

    /// The committee that a claim to stand at a node's place draws.
    pub fn committee(&self, claimed: usize, without: &[usize], randomness: &[u8]) -> Vec<usize> {
        let nodes: Vec<usize> =
            self.network.measured_with(claimed).filter(|node| !without.contains(node)).collect();
        let witnesses: Vec<Witness> = nodes.iter().map(|node| self.witnesses[*node]).collect();
        let directions: Vec<Direction> =
            nodes.iter().map(|node| *self.network.direction(*node)).collect();
        let claim = (&self.witnesses[claimed].key, self.network.direction(claimed));
        let drawn = draw(claim, randomness, &witnesses, &directions, self.params);
        drawn.into_iter().map(|index| nodes[usize::from(index)]).collect()
    }

    /// What each witness would measure if a claim to stand beside `claimed` were true. Neither that node nor `prover` speaks.
    pub fn expectation(&self, claimed: usize, prover: usize) -> impl Fn(usize) -> u32 {
        let reference = &self.network.reference;
        let neighbours = reference.neighbours(self.network.direction(claimed), &[claimed, prover]);
        move |witness| {
            reference.expected_us(&neighbours, witness, self.network.km(claimed, witness))
        }
    }

    /// Does a time exclude the place of a node, as it would exclude a cell of land there?
    pub fn excludes(&self, witness: usize, node: usize, us: u32) -> bool {
        let reach_km = u64::from(us) * u64::from(self.params.strict_m_per_ms) / 1_000_000;
        u64::from(self.network.km(witness, node)) > reach_km + u64::from(land::CELL_RADIUS_KM)
    }

    /// Judge the claim to stand beside `claimed`, on what each of the committee reports.
    pub fn judge(
        &self,
        claimed: usize,
        continent: ChainId,
        committee: &[usize],
        prover: usize,
        reported: impl Fn(usize) -> Option<u32>,
    ) -> Judgement {
        let expected = self.expectation(claimed, prover);
        let sights: Vec<Sight> = committee
            .iter()
            .map(|witness| Sight {
                witness: *self.network.direction(*witness),
                expected_us: expected(*witness),
                rtt_us: reported(*witness),
            })
            .collect();
        judge(self.network.nodes[claimed].place, continent, &sights, self.params)
    }
}
