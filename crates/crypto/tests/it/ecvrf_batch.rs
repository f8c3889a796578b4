//! A batch of VRF proofs says of each what is said of it alone.

use crypto::{BadVrf, VrfClaim, VrfKey, VrfProof, VrfPublicKey, VrfSuite, verify_vrf_batch};

struct Ticket {
    public: VrfPublicKey,
    suite: VrfSuite,
    alpha: Vec<u8>,
    proof: VrfProof,
}

impl Ticket {
    fn of(seed: u8, suite: VrfSuite) -> Self {
        let (key, alpha) = (VrfKey::from_seed(&[seed; 32]), vec![seed; usize::from(seed)]);
        let proof = key.prove(suite, &alpha);
        Self { public: VrfPublicKey::new(key.public()).unwrap(), suite, alpha, proof }
    }

    /// The same with one byte of the proof replaced so that it still is one in form.
    fn with_byte(self, at: usize) -> Self {
        let bytes = self.proof.to_bytes();
        let proof = (1..=u8::MAX)
            .find_map(|change| {
                let mut bytes = bytes;
                bytes[at] ^= change;
                VrfProof::from_bytes(&bytes).ok()
            })
            .expect("half of all encodings are points");
        Self { proof, ..self }
    }

    fn claim(&self) -> VrfClaim<'_> {
        let Self { public, suite, alpha, proof } = self;
        VrfClaim { public, suite: *suite, alpha, proof }
    }
}

/// Checks that the batch agrees with single verdicts, and which are good.
#[track_caller]
fn check(tickets: &[Ticket], good: impl Fn(usize) -> bool) {
    let claims: Vec<_> = tickets.iter().map(Ticket::claim).collect();
    let verdicts = verify_vrf_batch(&claims);
    let singly: Vec<_> =
        claims.iter().map(|c| c.public.verify(c.suite, c.alpha, c.proof)).collect();
    assert_eq!(verdicts, singly);
    for (n, verdict) in verdicts.iter().enumerate() {
        let expected = Ok(claims[n].proof.claimed_output(claims[n].suite));
        assert_eq!(*verdict, if good(n) { expected } else { Err(BadVrf::Mismatch) }, "item {n}");
    }
}

fn tickets() -> Vec<Ticket> {
    let suite = |n| if n % 3 == 0 { VrfSuite::Tai } else { VrfSuite::Ell2 };
    (0..7).map(|n| Ticket::of(n, suite(n))).collect()
}

#[test]
fn an_empty_batch_has_no_verdicts() {
    check(&[], |_| true);
}

#[test]
fn good_proofs_of_both_suites_pass_together() {
    check(&tickets(), |_| true);
    check(&tickets()[..1], |_| true);
}

#[test]
fn a_bad_proof_in_any_place_is_the_only_one_refused() {
    // A byte of the point, of the challenge and of the scalar.
    for byte in [0, 40, 60] {
        for bad in 0..tickets().len() {
            let mut batch = tickets();
            let ticket = batch.remove(bad);
            batch.insert(bad, ticket.with_byte(byte));
            check(&batch, |n| n != bad);
        }
    }
}

#[test]
fn every_mix_of_good_and_bad_gets_its_single_verdicts() {
    for mix in 0_u32..128 {
        let is_bad = |n: usize| mix >> n & 1 == 1;
        let mut batch = tickets();
        batch.iter_mut().enumerate().filter(|(n, _)| is_bad(*n)).for_each(|(n, ticket)| {
            // Another message, another suite or another's proof.
            match n % 3 {
                0 => ticket.alpha.push(0),
                1 => ticket.suite = VrfSuite::Tai,
                _ => ticket.proof = Ticket::of(99, VrfSuite::Ell2).proof,
            }
        });
        check(&batch, |n| !is_bad(n));
    }
}
