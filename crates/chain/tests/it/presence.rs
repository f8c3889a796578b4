//! Presence on the chain: what a certificate changes, and what it does not.

use crate::economy::world::{EPOCH, World, lots, voting, who};
use crypto::{SigningKey, VrfSuite};
use presence::{Direction, Reference, Tables, Tier, Witness, land};
use std::collections::BTreeMap;
use types::{
    Action, Bytes, ChainId, Hash, List, Place, PublicKey, Signature,
    codec::{DecodeExt, Encode},
    committee::{SeatsRecord, SortitionParams},
    governance::Admission,
    presence::{
        Claim, MeasuredRecord, Minimum, PeriodRecord, PresenceCertificate, PresenceRecord,
        PresenceTier, WitnessEntry, WitnessList, unnamed_network,
    },
    state::{Key, Params},
};

const RULES: SortitionParams = SortitionParams {
    seats_min: 2,
    ticket_blocks: 3,
    presence_required: 1,
    ..SortitionParams::DEFAULT
};
const NOBODY: [u8; 0] = [];
const BERLIN: &str = "52.5,13.4";
const DENVER: &str = "39.7,-105";

/// A backbone with four validators, and people all over the earth who measure.
struct Earth {
    world: World,
    keys: BTreeMap<PublicKey, SigningKey>,
}

fn place(text: &str) -> Place {
    text.parse().unwrap()
}

/// Microseconds between two places: 13 µs for each kilometre and a little for routers; light needs 10.
fn rtt_us(a: &Direction, b: &Direction) -> u32 {
    a.km(b) * 13 + 700
}

impl Earth {
    fn new() -> Self {
        let mut keys = BTreeMap::new();
        let mut entries = Vec::new();
        // A third in Europe, a third in North America, a third anywhere.
        let mut cells: Vec<_> = land::cells().collect();
        cells.sort_by_key(|cell| types::domain_hash("meshx/test/v1", &[&cell.place.encode()]));
        let of = |continent| cells.iter().filter(move |cell| cell.continent == continent).take(80);
        let some =
            of(ChainId::Europe).chain(of(ChainId::NorthAmerica)).chain(cells.iter().take(80));
        for (index, cell) in (0_u32..).zip(some) {
            let mut seed = [7; 32];
            seed[..4].copy_from_slice(&index.to_be_bytes());
            let secret = SigningKey::from_seed(&seed);
            let key = PublicKey(secret.public());
            let operator = types::Address::of(&key);
            entries.push(WitnessEntry { key, place: cell.place, operator, network: index });
            keys.insert(key, secret);
        }
        for n in 0..6 {
            keys.insert(PublicKey(voting(n).public()), SigningKey::from_seed(&[100 + n; 32]));
        }
        let mut earth = Self { world: World::with(4, RULES, entries), keys };
        earth.world.until_tickets(1);
        earth
    }

    fn list(&self) -> WitnessList {
        self.world.get(Key::Witnesses).unwrap()
    }
    fn period(&self) -> PeriodRecord {
        self.world.get(Key::Period).unwrap()
    }
    fn params(&self) -> Params {
        self.world.get(Key::Params).unwrap()
    }
    fn presence(&self, n: u8) -> Option<PresenceRecord> {
        self.world.get(Key::Presence(who(n)))
    }

    /// Empty blocks until claims of the next period can be made.
    fn next_period(&mut self) {
        let before = self.period().number;
        while self.period().number == before || self.period().seed == Hash::ZERO {
            self.world.block(vec![]);
        }
    }

    fn witnesses(&self) -> Vec<Witness> {
        let witness = |entry: &WitnessEntry| Witness {
            key: entry.key,
            place: entry.place,
            operator: entry.operator,
            network: entry.network,
        };
        self.list().iter().map(witness).collect()
    }

    fn claim(&self, n: u8, claimed: (&str, ChainId)) -> Claim {
        Claim {
            prover: PublicKey(voting(n).public()),
            place: place(claimed.0),
            continent: claimed.1,
            attestation: Hash::ZERO,
            vrf_key: Hash(lots(n).public()),
            period: self.period().number,
        }
    }

    /// What witnesses make of `claim` when person `n` stands at `stands`. `says` is what each makes of what it measured.
    fn certificate(
        &self,
        n: u8,
        claim: Claim,
        stands: &str,
        says: impl Fn(&PublicKey, u32) -> u32,
    ) -> PresenceCertificate {
        let alpha = presence::alpha(&self.period().seed, &claim);
        let proof = lots(n).prove(VrfSuite::Ell2, &alpha.0);
        let randomness = proof.claimed_output(VrfSuite::Ell2).0;
        let (here, stands) = (Direction::of_place(claim.place), Direction::of_place(place(stands)));
        let witnesses = self.witnesses();
        let directions: Vec<Direction> =
            witnesses.iter().map(|witness| Direction::of_place(witness.place)).collect();
        let params = self.params().presence;
        let who = (&claim.prover, &here);
        let committee = presence::draw(who, &randomness, &witnesses, &directions, &params);
        let (id, transcript) = (claim.id(), Hash([5; 32]));
        let minimum = |witness: u16| {
            let index = usize::from(witness);
            let key = witnesses[index].key;
            let rtt_us = says(&key, rtt_us(&stands, &directions[index]));
            let message = Minimum::message(&id, &transcript, witness, rtt_us);
            let signature = Signature(self.keys[&key].sign(Minimum::DOMAIN, &message));
            Minimum { witness, rtt_us, signature }
        };
        let minima = committee.into_iter().map(minimum).collect();
        let message = PresenceCertificate::message(&id, &transcript);
        PresenceCertificate {
            claim,
            draw: Bytes::new(proof.to_bytes().to_vec()).unwrap(),
            transcript,
            signature: Signature(voting(n).sign(PresenceCertificate::DOMAIN, &message)),
            minima: List::new(minima).unwrap(),
        }
    }

    fn honest(&self, n: u8, stands: (&str, ChainId)) -> Action {
        let claim = self.claim(n, stands);
        Action::Certify(self.certificate(n, claim, stands.0, |_, rtt_us| rtt_us))
    }

    /// Everybody of `places` is certified in one block.
    fn certify(&mut self, places: &[(u8, (&str, ChainId))]) {
        let txs = places.iter().map(|(n, at)| self.world.tx(*n, 0, self.honest(*n, *at))).collect();
        assert!(self.world.block(txs).is_empty());
        for (n, (_, continent)) in places {
            let record = self.presence(*n).unwrap();
            assert_eq!((record.tier, record.continent), (PresenceTier::Certified, *continent));
        }
    }

    /// All four ask for a seat in the next draw that can be asked in; what was drawn for `chain` by it.
    fn draw(&mut self) {
        let epoch = self.world.height / EPOCH + 1;
        self.world.until_tickets(epoch);
        let tickets = (0..4).map(|n| self.world.tx(n, 0, self.world.ticket_by(n, n))).collect();
        assert!(self.world.block(tickets).is_empty());
        self.world.until_boundary(epoch + 1);
    }

    fn seated(&self, chain: ChainId) -> Vec<u8> {
        let drawn: Option<SeatsRecord> = self.world.get(Key::Seats(chain));
        let sits =
            |n: &u8| drawn.iter().flat_map(|d| d.seats.iter()).any(|s| s.operator == who(*n));
        (0..6).filter(sits).collect()
    }
}

const EUROPE: (&str, ChainId) = (BERLIN, ChainId::Europe);
const AMERICA: (&str, ChainId) = (DENVER, ChainId::NorthAmerica);

#[test]
fn whoever_is_certified_sits_where_it_stands_and_moves_with_a_new_certificate() {
    let mut earth = Earth::new();
    let fee = earth.params().base_fee.min.get();
    let before = earth.world.balance(who(0));
    earth.certify(&[(0, EUROPE), (1, EUROPE), (2, EUROPE), (3, AMERICA)]);
    assert!(before - earth.world.balance(who(0)) > 10 * fee, "judging is paid for");
    earth.draw();
    assert_eq!(earth.seated(ChainId::Backbone), [0, 1, 2, 3]);
    assert_eq!(earth.seated(ChainId::Europe), [0, 1, 2]);
    assert_eq!(earth.seated(ChainId::NorthAmerica), NOBODY, "one seat is less than two");
    assert_eq!(earth.seated(ChainId::Asia), NOBODY);

    earth.next_period();
    earth.certify(&[(0, EUROPE), (1, EUROPE), (2, AMERICA), (3, AMERICA)]);
    earth.draw();
    assert_eq!(earth.seated(ChainId::Backbone), [0, 1, 2, 3]);
    assert_eq!(earth.seated(ChainId::Europe), [0, 1]);
    assert_eq!(earth.seated(ChainId::NorthAmerica), [2, 3]);
    // Nobody renews: what has run out is worth nothing, and the committees stay.
    let until = earth.presence(0).unwrap().expires;
    while earth.world.height * 500 < until.get() {
        earth.world.block(vec![]);
    }
    let before: Option<SeatsRecord> = earth.world.get(Key::Seats(ChainId::Backbone));
    earth.draw();
    assert_eq!(earth.world.get(Key::Seats(ChainId::Backbone)), before);
    assert_eq!(earth.seated(ChainId::Europe), [0, 1]);
}

#[test]
fn without_a_certificate_a_ticket_wins_no_seat() {
    let mut earth = Earth::new();
    earth.certify(&[(1, EUROPE), (2, EUROPE)]);
    earth.draw();
    assert_eq!(earth.seated(ChainId::Backbone), [1, 2]);
}

#[test]
fn what_governance_admits_no_lot_decides() {
    let mut earth = Earth::new();
    earth.certify(&[(1, EUROPE), (2, EUROPE)]);
    for rule in [Admission::Listed, Admission::Closed] {
        let key = Key::Admission(ChainId::Europe);
        earth.world.store.0.insert(key, rule.encode().to_vec());
        earth.draw();
        assert_eq!(earth.seated(ChainId::Europe), NOBODY, "{rule:?}");
    }
    assert_eq!(earth.seated(ChainId::Backbone), [1, 2]);
}

#[test]
fn a_claim_that_light_refutes_is_refused_with_the_land_that_does() {
    let mut earth = Earth::new();
    // It stands in Denver, and waits as long as Berlin's round trips would take where it can.
    let claim = earth.claim(0, EUROPE);
    let lie = earth.certificate(0, claim, DENVER, |_, rtt_us| rtt_us);
    let tx = earth.world.tx(0, 0, Action::Certify(lie));
    let refused = earth.world.apply(vec![tx.clone()], chain::Mode::Check).unwrap_err();
    let chain::Refusal::Unproven { continent, able, refuted, .. } = refused else {
        panic!("{refused}")
    };
    assert!(continent != ChainId::Europe && refuted < able, "{refused}");
    assert!(refused.to_string().contains(&format!("{refuted} of {able} witnesses")), "{refused}");
    assert_eq!(earth.world.block(vec![tx]), ["unproven"]);
    assert_eq!(earth.presence(0), None);
}

#[test]
fn a_claim_is_of_the_validator_its_keys_and_the_period() {
    let mut earth = Earth::new();
    let refused = |earth: &mut Earth, from: u8, claim: Claim| {
        let certificate = earth.certificate(0, claim, BERLIN, |_, rtt_us| rtt_us);
        let tx = earth.world.tx(from, 0, Action::Certify(certificate));
        earth.world.block(vec![tx]).pop()
    };
    let claim = earth.claim(0, EUROPE);
    let other = Claim { prover: PublicKey(lots(0).public()), ..claim.clone() };
    assert_eq!(refused(&mut earth, 0, other), Some("unknown_voter"));
    let other = Claim { period: claim.period + 1, ..claim.clone() };
    assert_eq!(refused(&mut earth, 0, other), Some("other_period"));
    let other = Claim { vrf_key: Hash(lots(1).public()), ..claim.clone() };
    assert_eq!(refused(&mut earth, 0, other), Some("other_vrf_key"));
    let other = Claim { attestation: Hash([1; 32]), ..claim.clone() };
    assert_eq!(refused(&mut earth, 0, other), Some("other_attestation"));
    let other = Claim { continent: ChainId::Asia, ..claim.clone() };
    assert_eq!(refused(&mut earth, 0, other), Some("bad_certificate"));
    // A key that was registered after the list was frozen would have been chosen with the witnesses in view.
    let again = earth.world.register(0, lots(0).public(), 0);
    assert!(earth.world.block(vec![earth.world.tx(0, 0, again)]).is_empty());
    assert_eq!(refused(&mut earth, 0, claim), Some("late_vrf_key"));
    earth.next_period();
    let claim = earth.claim(0, EUROPE);
    // Anybody may carry what its validator signed, and pays for it.
    assert_eq!(refused(&mut earth, 1, claim), None);
    assert!(earth.presence(0).is_some() && earth.presence(1).is_none());

    let mut bare = World::with(4, RULES, vec![]);
    bare.until_tickets(2);
    let certificate = earth.certificate(0, earth.claim(0, EUROPE), BERLIN, |_, rtt_us| rtt_us);
    let tx = bare.tx(0, 0, Action::Certify(certificate));
    assert_eq!(bare.block(vec![tx]), ["no_period"]);
}

#[test]
fn the_certified_witness_in_the_next_period_as_long_as_their_certificate_counts() {
    let mut earth = Earth::new();
    let first = earth.list();
    earth.certify(&[(0, EUROPE)]);
    assert_eq!(earth.list(), first, "the list is frozen");
    let key = PublicKey(voting(0).public());
    let listed = |earth: &Earth| earth.list().iter().find(|entry| entry.key == key).copied();
    earth.next_period();
    let entry = listed(&earth).expect("it was certified");
    let network = unnamed_network(&who(0));
    let expected = WitnessEntry { key, place: place(BERLIN), operator: who(0), network };
    assert_eq!((entry, earth.list().len()), (expected, first.len() + 1));
    let expires = earth.presence(0).unwrap().expires;
    while earth.period().started < expires {
        earth.next_period();
    }
    assert_eq!(listed(&earth), None);
    assert_eq!(earth.list(), first);
}

#[test]
fn a_witness_that_is_faster_than_light_is_struck_off() {
    let mut earth = Earth::new();
    let marks_max = earth.params().presence.marks_max;
    let first = earth.list();
    let near = place(BERLIN);
    // Drawn for Berlin in any case, it would seem: the nearest of all. It says a microsecond.
    let mut liar = None;
    let mut marks = 0;
    for round in 0..40_u8 {
        if marks == marks_max {
            break;
        }
        let n = round % 2;
        let claim = earth.claim(n, EUROPE);
        let far = |entry: &WitnessEntry| {
            Direction::of_place(entry.place).km(&Direction::of_place(near)) > 300
        };
        let certificate = earth.certificate(n, claim.clone(), BERLIN, |_, rtt_us| rtt_us);
        let drawn = |key: &PublicKey| {
            let list = earth.list();
            certificate.minima.iter().any(|m| list.as_slice()[usize::from(m.witness)].key == *key)
        };
        let key = *liar.get_or_insert_with(|| {
            earth.list().iter().find(|entry| far(entry) && drawn(&entry.key)).unwrap().key
        });
        if drawn(&key) {
            let says = |witness: &PublicKey, us| if *witness == key { 1 } else { us };
            let certificate = earth.certificate(n, claim, BERLIN, says);
            let tx = earth.world.tx(n, 0, Action::Certify(certificate.clone()));
            assert!(earth.world.block(vec![tx]).is_empty());
            marks += 1;
            assert_eq!(earth.world.get::<u16>(Key::Marks(key)), Some(marks));
            // The same again is none, and gives no second mark.
            let tx = earth.world.tx(n, 0, Action::Certify(certificate));
            assert_eq!(earth.world.block(vec![tx]), ["already_certified"]);
            assert_eq!(earth.world.get::<u16>(Key::Marks(key)), Some(marks));
            let listed = earth.list().iter().any(|entry| entry.key == key);
            assert!(listed, "until the period ends");
        }
        if n == 1 {
            earth.next_period();
        }
    }
    assert_eq!(marks, marks_max);
    earth.next_period();
    let key = liar.unwrap();
    assert!(first.iter().any(|entry| entry.key == key));
    assert!(earth.list().iter().all(|entry| entry.key != key), "struck off");
}

/// The chain reads only what it needs; with all rows the verdict is the same, in the next period, when they count.
#[test]
fn the_chain_judges_as_whoever_has_the_whole_table() {
    let mut earth = Earth::new();
    earth.certify(&[(0, EUROPE), (1, EUROPE), (2, EUROPE), (3, AMERICA)]);
    earth.next_period();
    let (witnesses, period) = (earth.witnesses(), earth.period());
    let places: BTreeMap<PublicKey, usize> =
        witnesses.iter().enumerate().map(|(place, witness)| (witness.key, place)).collect();
    let mut pairs = Vec::new();
    for (key, bytes) in &earth.world.store.0 {
        let Key::Measured(node) = key else { continue };
        let record = MeasuredRecord::decode(bytes.clone()).unwrap();
        let row = record.frozen(period.number).expect("measured in the period before");
        let node = places[node];
        pairs.extend(row.times.iter().map(|m| (node, places[&m.witness], m.rtt_us)));
    }
    assert_eq!(pairs.len(), 4 * 96);
    let directions: Vec<Direction> =
        witnesses.iter().map(|witness| Direction::of_place(witness.place)).collect();
    let dense = Reference::new(directions.clone(), pairs);
    let claim = earth.claim(0, EUROPE);
    // As slow as makes some land hard to tell: so that what is expected matters.
    for slower in [100, 130, 160, 200, 260] {
        let says = |_: &PublicKey, us: u32| us * slower / 100;
        let certificate = earth.certificate(0, claim.clone(), BERLIN, says);
        let params = earth.params().presence;
        let tables = Tables {
            seed: period.seed,
            period: period.number,
            witnesses: &witnesses,
            reference: &dense,
        };
        let verdict = presence::verify(&certificate, &params, &tables).unwrap();
        let plain = Reference::sparse(directions.clone(), []);
        let consulted =
            presence::consulted(&certificate, &params, &Tables { reference: &plain, ..tables });
        assert!(consulted.unwrap().len() <= 96 + 7);
        let tx = earth.world.tx(0, 0, Action::Certify(certificate));
        match (earth.world.apply(vec![tx], chain::Mode::Check), verdict.tier) {
            (Err(chain::Refusal::Unproven { cell, able, refuted, .. }), Tier::Unproven) => {
                let weakest = verdict.not_provisional.unwrap();
                assert_eq!((cell, able, refuted), (weakest.cell, weakest.able, weakest.refuted));
            }
            (Ok(applied), tier) => {
                let key = Key::Presence(who(0));
                let (_, bytes) = applied.writes.iter().find(|(k, _)| *k == key).unwrap();
                let record = PresenceRecord::decode(bytes.clone().unwrap()).unwrap();
                let certified = tier == Tier::Certified;
                assert_eq!(record.tier == PresenceTier::Certified, certified, "{slower}");
            }
            (refused, tier) => panic!("{slower} {tier:?} {:?}", refused.err()),
        }
    }
}

/// A carrier can leave witnesses out. That never makes more of a claim, and does not keep the whole certificate out.
#[test]
fn what_a_carrier_leaves_out_only_lowers_a_claim_until_the_whole_comes() {
    let mut earth = Earth::new();
    let claim = earth.claim(0, EUROPE);
    let whole = earth.certificate(0, claim, BERLIN, |_, rtt_us| rtt_us);
    let part = |left: usize| {
        let minima = whole.minima.as_slice()[..left].to_vec();
        PresenceCertificate { minima: List::new(minima).unwrap(), ..whole.clone() }
    };
    // The most that is not yet certified.
    let tier = |earth: &Earth, left: usize| {
        let tx = earth.world.tx(1, 0, Action::Certify(part(left)));
        let applied = earth.world.apply(vec![tx], chain::Mode::Check).ok()?;
        let mut writes = applied.writes.into_iter();
        let (_, bytes) = writes.find(|(key, _)| *key == Key::Presence(who(0)))?;
        Some(PresenceRecord::decode(bytes?).unwrap().tier)
    };
    let tiers: Vec<_> = (0..=96).map(|left| tier(&earth, left)).collect();
    assert!(tiers.is_sorted(), "{tiers:?}");
    assert_eq!((tiers[0], tiers[96]), (None, Some(PresenceTier::Certified)));
    if let Some(left) = tiers.iter().rposition(|t| *t == Some(PresenceTier::Provisional)) {
        for expected in [None, Some("already_certified")] {
            let tx = earth.world.tx(1, 0, Action::Certify(part(left)));
            assert_eq!(earth.world.block(vec![tx]).pop(), expected);
        }
        assert_eq!(earth.presence(0).unwrap().tier, PresenceTier::Provisional);
    }
    let tx = earth.world.tx(0, 0, Action::Certify(whole.clone()));
    assert!(earth.world.block(vec![tx]).is_empty());
    assert_eq!(earth.presence(0).unwrap().tier, PresenceTier::Certified);
}
