//! TPM 2.0: an attestation key, registers, quotes, and credential activation.
//!
//! The attestation key is a primary key of the owner hierarchy, so it follows from the TPM's seed and
//! the template and needs no storage. It is restricted: it signs nothing that the TPM has not made
//! itself.
//!
//! Source: TCG, *TPM 2.0 Library* part 3 (commands), part 2 (structures); *EK Credential Profile*
//! for the endorsement key's template.

mod template;
mod wire;

use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

use attestation::{Evidence, TpmQuote};
use ring::digest;
use serde_bytes::ByteBuf;

use self::{
    template::ATTESTATION_KEY,
    wire::{Answer, Command},
};
use crate::Failed;

const HIERARCHY_OWNER: u32 = 0x4000_0001;
const HIERARCHY_NULL: u32 = 0x4000_0007;
const HIERARCHY_ENDORSEMENT: u32 = 0x4000_000b;
const ALG_SHA256: u16 = 0x000b;
const ALG_NULL: u16 = 0x0010;
const SESSION_POLICY: u8 = 1;
/// `TPM2B_DATA` holds a digest and its algorithm; SHA-256 is what every TPM has.
const CHALLENGE_BYTES_MAX: usize = 50;
/// Registers that one command reads at most.
const READ_AT_ONCE: usize = 8;

/// What carries commands: `/dev/tpmrm0`, or a socket of swtpm.
pub trait Transport: Read + Write {}
impl<T: Read + Write> Transport for T {}

/// A TPM at the other end of a transport.
pub struct Tpm<T>(T);

/// A key inside the TPM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    handle: u32,
    /// `TPMT_PUBLIC`.
    public: Vec<u8>,
    /// `SubjectPublicKeyInfo`, DER.
    pub spki: Vec<u8>,
}

impl Key {
    /// What the TPM calls the key: its hash algorithm and the hash of its public part.
    #[must_use]
    pub fn name(&self) -> Vec<u8> {
        let hash = digest::digest(&digest::SHA256, &self.public);
        [&ALG_SHA256.to_be_bytes(), hash.as_ref()].concat()
    }
}

/// A secret that only the TPM with one endorsement key can open, and only for one attestation key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    blob: Vec<u8>,
    secret: Vec<u8>,
}

impl<T: Transport> Tpm<T> {
    /// The TPM at the other end of `transport`.
    pub const fn new(transport: T) -> Self {
        Self(transport)
    }

    /// The attestation key: the same each time.
    ///
    /// # Errors
    /// [`Failed`] for this and all other commands: the transport's failure, or the TPM's.
    pub fn attestation_key(&mut self) -> Result<Key, Failed> {
        self.create_primary(HIERARCHY_OWNER, &ATTESTATION_KEY)
    }

    /// The endorsement key: the one that the maker's certificate is for.
    pub fn endorsement_key(&mut self) -> Result<Key, Failed> {
        self.create_primary(HIERARCHY_ENDORSEMENT, &template::endorsement_key())
    }

    /// Take a key out of the TPM's memory, which has room for three.
    pub fn flush(&mut self, key: &Key) -> Result<(), Failed> {
        let command = Command::new("FlushContext", 0x165).u32(key.handle);
        self.run(command).map(|_| ())
    }

    /// Extend a register: its new value is the hash of the old one and `measurement`.
    pub fn extend(&mut self, register: u8, measurement: &[u8; 32]) -> Result<(), Failed> {
        let command = Command::with_password("PCR_Extend", 0x182, &[register.into()])
            .u32(1)
            .u16(ALG_SHA256)
            .bytes(measurement);
        self.run(command).map(|_| ())
    }

    /// Values of registers in the SHA-256 bank.
    pub fn registers(&mut self, selection: &[u8]) -> Result<BTreeMap<u8, Vec<u8>>, Failed> {
        let mut values = BTreeMap::new();
        for some in selection.chunks(READ_AT_ONCE) {
            let mut sorted = some.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            let command = Command::new("PCR_Read", 0x17e).bytes(&selected(&sorted));
            let mut answer = self.run(command)?;
            let _update_counter = answer.u32()?;
            if answer.take(selected(&sorted).len())? != selected(&sorted) {
                return Err(Failed::Unreadable { what: "PCR_Read" });
            }
            if answer.u32()? as usize != sorted.len() {
                return Err(Failed::Unreadable { what: "PCR_Read" });
            }
            for register in sorted {
                values.insert(register, answer.sized()?.to_vec());
            }
        }
        Ok(values)
    }

    /// A quote over `selection` that carries `challenge`, and the registers it is about.
    pub fn quote(
        &mut self,
        key: &Key,
        selection: &[u8],
        challenge: &[u8],
    ) -> Result<Evidence, Failed> {
        if challenge.len() > CHALLENGE_BYTES_MAX {
            return Err(Failed::TooLong {
                what: "a quote's challenge",
                most: CHALLENGE_BYTES_MAX,
                length: challenge.len(),
            });
        }
        let mut sorted = selection.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let command = Command::with_password("Quote", 0x158, &[key.handle])
            .sized(challenge)
            .u16(ALG_NULL)
            .bytes(&selected(&sorted));
        let mut answer = self.run(command)?;
        answer.parameters()?;
        let attest = answer.sized()?.to_vec();
        // TPMT_SIGNATURE of ECDSA: algorithm, hash, r, s.
        let start = answer.rest();
        answer.take(4)?;
        answer.sized()?;
        answer.sized()?;
        let signature = start[..start.len() - answer.rest().len()].to_vec();
        let pcrs = self.registers(&sorted)?;
        Ok(Evidence::Tpm(TpmQuote {
            attest,
            signature,
            attestation_key: key.spki.clone(),
            pcrs: pcrs.into_iter().map(|(index, value)| (index, ByteBuf::from(value))).collect(),
            ..TpmQuote::default()
        }))
    }

    /// Seal `secret` (at most 32 bytes) to an endorsement key, for the attestation key with this name. A verifier
    /// does this with the public part alone; a TPM can do it, too.
    pub fn make_credential(
        &mut self,
        endorsement: &Key,
        name: &[u8],
        secret: &[u8],
    ) -> Result<Credential, Failed> {
        let command =
            Command::new("MakeCredential", 0x168).u32(endorsement.handle).sized(secret).sized(name);
        let mut answer = self.run(command)?;
        Ok(Credential { blob: answer.sized()?.to_vec(), secret: answer.sized()?.to_vec() })
    }

    /// Open a credential: proves that both keys are of this TPM.
    pub fn activate_credential(
        &mut self,
        attestation: &Key,
        endorsement: &Key,
        credential: &Credential,
    ) -> Result<Vec<u8>, Failed> {
        // The endorsement key's policy: all who may use the endorsement hierarchy.
        let start = Command::new("StartAuthSession", 0x176)
            .u32(HIERARCHY_NULL)
            .u32(HIERARCHY_NULL)
            .sized(&[0; 16])
            .sized(&[])
            .bytes(&[SESSION_POLICY])
            .u16(ALG_NULL)
            .u16(ALG_SHA256);
        let session = self.run(start)?.u32()?;
        let policy =
            Command::with_password("PolicySecret", 0x151, &[HIERARCHY_ENDORSEMENT, session])
                .sized(&[])
                .sized(&[])
                .sized(&[])
                .u32(0);
        self.run(policy)?;
        let command = Command::with_password_and_session(
            "ActivateCredential",
            0x147,
            &[attestation.handle, endorsement.handle],
            session,
        )
        .sized(&credential.blob)
        .sized(&credential.secret);
        let mut answer = self.run(command)?;
        answer.parameters()?;
        Ok(answer.sized()?.to_vec())
    }

    fn create_primary(&mut self, hierarchy: u32, template: &[u8]) -> Result<Key, Failed> {
        let command = Command::with_password("CreatePrimary", 0x131, &[hierarchy])
            // No password and no data of its own.
            .sized(&[0, 0, 0, 0])
            .sized(template)
            .sized(&[])
            .u32(0);
        let mut answer = self.run(command)?;
        let handle = answer.u32()?;
        answer.parameters()?;
        let public = answer.sized()?.to_vec();
        let spki = template::spki(&public)?;
        Ok(Key { handle, public, spki })
    }

    fn run(&mut self, command: Command) -> Result<Answer, Failed> {
        let what = command.name();
        self.0.write_all(&command.to_bytes()).map_err(Failed::io(what))?;
        self.0.flush().map_err(Failed::io(what))?;
        Answer::read(&mut self.0, what)
    }
}

/// `TPML_PCR_SELECTION` of one bank, SHA-256, 24 registers.
fn selected(registers: &[u8]) -> Vec<u8> {
    let mut mask = [0_u8; 3];
    for register in registers {
        if let Some(byte) = mask.get_mut(usize::from(register / 8)) {
            *byte |= 1 << (register % 8);
        }
    }
    [&1_u32.to_be_bytes()[..], &ALG_SHA256.to_be_bytes(), &[3], &mask].concat()
}
