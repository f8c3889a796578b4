//! One claim on a measured network: who would be drawn, what would be expected, what the rule says.

use crate::Network;
use presence::{Direction, Judgement, PresenceParams, Sight, Witness, draw, judge, land};
use types::{Address, ChainId, PublicKey};

pub(crate) struct Trial<'a> {
    pub network: &'a Network,
    pub params: &'a PresenceParams,
    /// One for each node: each is its own operator, in a network of its own.
    witnesses: Vec<Witness>,
    /// Of each node those that measured it, nearest first: as many as a pool, and one that may have to be left out.
    nearest: Vec<Vec<usize>>,
    /// What each of those would measure if a claim to stand beside the node were true, and the node itself did not speak.
    expected_us: Vec<Vec<u32>>,
    /// Row by row, between any two nodes.
    km: Vec<u32>,
    /// Of each node those whose measurements speak for its place, if it does not itself.
    neighbours: Vec<Vec<usize>>,
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
        let nearest = (0..network.nodes.len())
            .map(|node| {
                let here = network.direction(node);
                let mut others: Vec<usize> = network.measured_with(node).collect();
                others.sort_by_cached_key(|other| (-network.direction(*other).dot(here), *other));
                others.truncate(usize::from(params.pool) + 1);
                others
            })
            .collect();
        let neighbours = (0..network.nodes.len())
            .map(|node| network.reference.neighbours(network.direction(node), &[node]))
            .collect();
        let km = (0..network.nodes.len())
            .flat_map(|a| (0..network.nodes.len()).map(move |b| network.km(a, b)))
            .collect();
        let mut trial =
            Self { network, params, witnesses, nearest, neighbours, expected_us: Vec::new(), km };
        trial.expected_us = (0..network.nodes.len())
            .map(|node| {
                let expected = trial.expectation(node, node);
                trial.nearest[node].iter().map(|witness| expected(*witness)).collect()
            })
            .collect();
        trial
    }

    pub fn km(&self, a: usize, b: usize) -> u32 {
        self.km[a * self.network.nodes.len() + b]
    }

    /// The witnesses nearest to a node, as many as those near it are drawn from, of all that measured it but `prover`; and what
    /// each would measure of one that is there.
    pub fn pool(&self, claimed: usize, prover: usize) -> impl Iterator<Item = (usize, u32)> {
        // As a rule `prover` is far away and speaks for nothing here.
        let speaks = self.neighbours[claimed].contains(&prover);
        let again = speaks.then(|| self.expectation(claimed, prover));
        let expected = self.nearest[claimed].iter().zip(&self.expected_us[claimed]);
        expected
            .map(move |(node, us)| (*node, again.as_ref().map_or(*us, |expected| expected(*node))))
            .filter(move |(node, _)| *node != prover)
            .take(usize::from(self.params.pool))
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
        let mut neighbours = self.neighbours[claimed].clone();
        if neighbours.contains(&prover) {
            neighbours = reference.neighbours(self.network.direction(claimed), &[claimed, prover]);
        }
        move |witness| {
            reference.expected_us(&neighbours, witness, self.network.km(claimed, witness))
        }
    }

    /// Does a time exclude the place of a node, as it would exclude a cell of land there, at a speed in metres a millisecond?
    pub fn excludes(&self, witness: usize, node: usize, us: u32, speed: u32) -> bool {
        let reach_km = u64::from(us) * u64::from(speed) / 1_000_000;
        u64::from(self.km(node, witness)) > reach_km + u64::from(land::CELL_RADIUS_KM)
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
