//! The two messages of the handshake, and the one record that confirms them. No I/O.

use super::{
    identity::{BadIdentity, Identity, PeerIdentity},
    record::{Opener, Sealer},
};
use curve25519_dalek::MontgomeryPoint;
use ml_kem::{
    Decapsulate as _, DecapsulationKey768, Encapsulate as _, EncapsulationKey768, Generate as _,
    KeyExport as _,
};
use sha2::{Digest as _, Sha256};
use snow::{
    Builder, HandshakeState,
    params::{CipherChoice, DHChoice, HashChoice},
    resolvers::{CryptoResolver, RingResolver},
    types::{Cipher, Dh, Hash, Random},
};
use zeroize::{Zeroize as _, Zeroizing};

/// The first bytes of every connection: so that a peer with another protocol is told so at once.
const MAGIC: [u8; 3] = *b"MX\x01";
const PROLOGUE: &[u8] = b"/meshx/ik/1";
const KEM_KEY_BYTES: usize = 1_184;
const KEM_CIPHERTEXT_BYTES: usize = 1_088;
const IDENTITY_BYTES: usize = 32;
const BINDING_BYTES: usize = 64;

/// Longest handshake message, its two bytes of length not counted.
pub const HANDSHAKE_FRAME_MAX: usize = 1_536;

/// Which secrets the keys are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// `Noise_IK_25519_ChaChaPoly_SHA256`.
    Classic,
    /// `Noise_IKpsk2_25519_ChaChaPoly_SHA256`, the psk made of an ML-KEM-768 secret.
    Hybrid,
}

impl Suite {
    const fn byte(self) -> u8 {
        match self {
            Self::Classic => 0,
            Self::Hybrid => 1,
        }
    }

    const fn of(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Classic),
            1 => Some(Self::Hybrid),
            _ => None,
        }
    }

    const fn pattern(self) -> &'static str {
        match self {
            Self::Classic => "Noise_IK_25519_ChaChaPoly_SHA256",
            Self::Hybrid => "Noise_IKpsk2_25519_ChaChaPoly_SHA256",
        }
    }
}

/// Which suites one side speaks. Both sides must agree, or there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Suites {
    /// Offer and accept hybrid handshakes only.
    #[default]
    HybridOnly,
    /// Offer hybrid, accept classic ones, too: for peers that have no ML-KEM.
    AcceptClassic,
    /// Offer classic handshakes, accept both.
    OfferClassic,
}

impl Suites {
    const fn offered(self) -> Suite {
        match self {
            Self::HybridOnly | Self::AcceptClassic => Suite::Hybrid,
            Self::OfferClassic => Suite::Classic,
        }
    }

    const fn accepts(self, suite: Suite) -> bool {
        matches!(suite, Suite::Hybrid) || !matches!(self, Self::HybridOnly)
    }
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum HandshakeError {
    #[error("the peer does not speak MeshX: its first bytes are {0:02x?}")]
    NotMeshx([u8; 3]),
    #[error("this program does not know suite {0}\nhint: one of the two programs is too old")]
    UnknownSuite(u8),
    #[error("classic handshakes are not accepted here\nhint: the peer must speak ML-KEM, too")]
    ClassicRefused,
    #[error("the handshake message is cut short or too long")]
    Length,
    #[error(
        "the handshake cannot be decrypted: the peer has another key than expected or is of another network, or bytes were changed"
    )]
    NotOpened,
    #[error(transparent)]
    Identity(#[from] BadIdentity),
    #[error("the identity that the peer claims is not that of its key")]
    NotItsIdentity,
    #[error("the peer's ML-KEM key is malformed")]
    KemKey,
    #[error("the peer demands too much proof of work: {0} bits")]
    TooMuchWork(u8),
    #[error("the proof of work that was demanded is missing")]
    NoWork,
}

/// What both sides have after two messages.
pub struct Established {
    /// Who is at the other end.
    pub peer: PeerIdentity,
    /// What both agreed on.
    pub suite: Suite,
    /// Encrypts what is sent.
    pub sealer: Sealer,
    /// Decrypts what comes.
    pub opener: Opener,
    /// Equal on both sides, different for every connection (the handshake hash).
    pub session: [u8; 32],
}

impl std::fmt::Debug for Established {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Established({})", hex::encode(self.peer.public()))
    }
}

/// The side that dialled, waiting for the answer.
pub struct Initiator {
    state: HandshakeState,
    suite: Suite,
    peer: PeerIdentity,
    kem: Option<DecapsulationKey768>,
}

impl Initiator {
    /// Begin: what to send, without its length. `namespace` keeps networks apart.
    pub fn new(
        me: &Identity,
        suites: Suites,
        namespace: &[u8],
        peer: PeerIdentity,
    ) -> (Self, Vec<u8>) {
        let suite = suites.offered();
        let mut state = builder(me, suite, &prologue(suite, namespace))
            .remote_public_key(peer.x25519())
            .and_then(Builder::build_initiator)
            .expect("pattern, keys and prologue are complete");
        let mut payload = me.public().to_vec();
        payload.extend_from_slice(me.binding());
        let kem = matches!(suite, Suite::Hybrid).then(DecapsulationKey768::generate);
        if let Some(kem) = &kem {
            payload.extend_from_slice(&kem.encapsulation_key().to_bytes());
        }
        let mut message = [0; HANDSHAKE_FRAME_MAX];
        let length = state.write_message(&payload, &mut message).expect("a frame has room for it");
        let mut sent = MAGIC.to_vec();
        sent.push(suite.byte());
        sent.extend_from_slice(&message[..length]);
        (Self { state, suite, peer, kem }, sent)
    }

    /// The answer. The first record to send is empty: it confirms the handshake (see [`super::Opener::confirm`]).
    ///
    /// # Errors
    /// [`HandshakeError`].
    pub fn finish(mut self, answer: &[u8]) -> Result<Established, HandshakeError> {
        let mut message = answer;
        if let Some(kem) = &self.kem {
            let (ciphertext, rest) =
                answer.split_at_checked(KEM_CIPHERTEXT_BYTES).ok_or(HandshakeError::Length)?;
            let secret = kem.decapsulate_slice(ciphertext).map_err(|_| HandshakeError::Length)?;
            self.state.set_psk(2, &*psk(&secret, ciphertext)).expect("psk2 has this place");
            message = rest;
        }
        let mut payload = [0; HANDSHAKE_FRAME_MAX];
        let length = self
            .state
            .read_message(message, &mut payload)
            .map_err(|_| HandshakeError::NotOpened)?;
        let binding: &[u8; BINDING_BYTES] =
            payload[..length].try_into().map_err(|_| HandshakeError::Length)?;
        if !self.peer.bound_by(binding) {
            return Err(HandshakeError::NotItsIdentity);
        }
        Ok(established(self.state, self.suite, self.peer, true))
    }
}

/// The side that was dialled: what it needs before anybody comes.
#[derive(Clone, Debug)]
pub struct Responder {
    /// Who answers.
    pub me: Identity,
    /// Which suites it takes.
    pub suites: Suites,
    /// The network: a handshake for another one fails.
    pub namespace: Vec<u8>,
}

impl Responder {
    /// Read the first message. Nothing is sent yet: the caller may look at who claims to come.
    ///
    /// # Errors
    /// [`HandshakeError`].
    pub fn read(&self, first: &[u8]) -> Result<Incoming, HandshakeError> {
        let (magic, rest) = first.split_first_chunk().ok_or(HandshakeError::Length)?;
        if *magic != MAGIC {
            return Err(HandshakeError::NotMeshx(*magic));
        }
        let (suite, message) = rest.split_first().ok_or(HandshakeError::Length)?;
        let suite = Suite::of(*suite).ok_or(HandshakeError::UnknownSuite(*suite))?;
        if !self.suites.accepts(suite) {
            return Err(HandshakeError::ClassicRefused);
        }
        let mut state = builder(&self.me, suite, &prologue(suite, &self.namespace))
            .build_responder()
            .expect("pattern, key and prologue are complete");
        let mut payload = [0; HANDSHAKE_FRAME_MAX];
        if message.len() > HANDSHAKE_FRAME_MAX {
            return Err(HandshakeError::Length);
        }
        let length =
            state.read_message(message, &mut payload).map_err(|_| HandshakeError::NotOpened)?;
        let payload = &payload[..length];
        let (identity, payload) =
            payload.split_first_chunk::<IDENTITY_BYTES>().ok_or(HandshakeError::Length)?;
        let (binding, kem_key) =
            payload.split_first_chunk::<BINDING_BYTES>().ok_or(HandshakeError::Length)?;
        let peer = PeerIdentity::new(*identity)?;
        if state.get_remote_static() != Some(peer.x25519()) || !peer.bound_by(binding) {
            return Err(HandshakeError::NotItsIdentity);
        }
        let kem_key = match suite {
            Suite::Classic if kem_key.is_empty() => None,
            Suite::Classic => return Err(HandshakeError::Length),
            Suite::Hybrid => {
                let bytes: &[u8; KEM_KEY_BYTES] =
                    kem_key.try_into().map_err(|_| HandshakeError::Length)?;
                let key = EncapsulationKey768::new(bytes.into());
                Some(key.map_err(|_| HandshakeError::KemKey)?)
            }
        };
        Ok(Incoming { state, suite, peer, kem_key, binding: *self.me.binding() })
    }
}

/// Somebody who may be replaying another's first message.
pub struct Incoming {
    state: HandshakeState,
    suite: Suite,
    peer: PeerIdentity,
    kem_key: Option<EncapsulationKey768>,
    binding: [u8; BINDING_BYTES],
}

impl Incoming {
    /// Who claims to come. Unproved until the first record opens.
    pub fn claimed(&self) -> PeerIdentity {
        self.peer
    }

    /// What to send, without its length. The peer is there once its first record has passed
    /// [`super::Opener::confirm`].
    pub fn answer(mut self) -> (Vec<u8>, Established) {
        let mut sent = Vec::with_capacity(HANDSHAKE_FRAME_MAX);
        if let Some(key) = &self.kem_key {
            let (ciphertext, secret) = key.encapsulate();
            self.state.set_psk(2, &*psk(&secret, &ciphertext)).expect("psk2 has this place");
            sent.extend_from_slice(&ciphertext);
        }
        let mut message = [0; HANDSHAKE_FRAME_MAX];
        let length =
            self.state.write_message(&self.binding, &mut message).expect("a frame has room for it");
        sent.extend_from_slice(&message[..length]);
        (sent, established(self.state, self.suite, self.peer, false))
    }
}

fn established(
    mut state: HandshakeState,
    suite: Suite,
    peer: PeerIdentity,
    initiator: bool,
) -> Established {
    let session = *state.get_handshake_hash().first_chunk().expect("SHA-256 has 32 bytes");
    let (mut there, mut back) = state.dangerously_get_raw_split();
    let (sealer, opener) = if initiator {
        (Sealer::new(&there), Opener::new(&back))
    } else {
        (Sealer::new(&back), Opener::new(&there))
    };
    there.zeroize();
    back.zeroize();
    Established { peer, suite, sealer, opener, session }
}

/// The pre-shared key of `psk2`: the secret, and the ciphertext that carried it, so that both are
/// what both sides saw.
fn psk(secret: &[u8], ciphertext: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut hash = Sha256::new();
    hash.update(b"meshx/ik/1/ml-kem-768");
    hash.update(secret);
    hash.update(ciphertext);
    Zeroizing::new(hash.finalize().into())
}

/// The suite is in it, so that nobody on the way exchanges one for another.
fn prologue(suite: Suite, namespace: &[u8]) -> Vec<u8> {
    [PROLOGUE, &[suite.byte()], namespace].concat()
}

fn builder<'a>(me: &'a Identity, suite: Suite, prologue: &'a [u8]) -> Builder<'a> {
    let pattern = suite.pattern().parse().expect("a pattern snow knows");
    Builder::with_resolver(pattern, Box::new(Primitives))
        .local_private_key(me.x25519())
        .and_then(|builder| builder.prologue(prologue))
        .expect("each is set once")
}

/// ring's cipher, hash and randomness; X25519 that refuses a shared secret of zeros (RFC 7748, section 6.1), which snow's
/// own does not.
struct Primitives;

impl CryptoResolver for Primitives {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        RingResolver.resolve_rng()
    }
    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        matches!(choice, DHChoice::Curve25519).then(|| Box::new(X25519::default()) as Box<dyn Dh>)
    }
    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        RingResolver.resolve_hash(choice)
    }
    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        RingResolver.resolve_cipher(choice)
    }
}

#[derive(Default)]
struct X25519 {
    secret: Zeroizing<[u8; 32]>,
    public: [u8; 32],
}

impl Dh for X25519 {
    fn name(&self) -> &'static str {
        "25519"
    }
    fn pub_len(&self) -> usize {
        32
    }
    fn priv_len(&self) -> usize {
        32
    }
    fn pubkey(&self) -> &[u8] {
        &self.public
    }
    fn privkey(&self) -> &[u8] {
        &*self.secret
    }
    fn set(&mut self, secret: &[u8]) {
        self.secret.copy_from_slice(secret);
        self.public = MontgomeryPoint::mul_base_clamped(*self.secret).to_bytes();
    }
    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), snow::Error> {
        let mut secret = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(&mut *secret)?;
        self.set(&*secret);
        Ok(())
    }
    fn dh(&self, public: &[u8], out: &mut [u8]) -> Result<(), snow::Error> {
        let public = *public.first_chunk().ok_or(snow::Error::Dh)?;
        let shared = Zeroizing::new(MontgomeryPoint(public).mul_clamped(*self.secret).to_bytes());
        if *shared == [0; 32] {
            return Err(snow::Error::Dh);
        }
        out.get_mut(..32).ok_or(snow::Error::Dh)?.copy_from_slice(&*shared);
        Ok(())
    }
}
