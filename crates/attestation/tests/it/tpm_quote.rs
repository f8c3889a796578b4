//! Quotes signed here, field by field: what no TPM would say can be said, too.

use std::collections::BTreeMap;

use attestation::TpmQuote;
use ring::digest::{SHA256, digest};
use serde_bytes::ByteBuf;

use crate::cose::Key;

/// `TPMS_ATTEST` (TCG, *TPM 2.0 Library* part 2, §10.12.8).
#[derive(Clone)]
pub struct Attest {
    pub magic: u32,
    pub kind: u16,
    pub extra_data: Vec<u8>,
    pub safe: u8,
    /// `TPM_ALG_ID` of a bank, and the bits of its selection.
    pub banks: Vec<(u16, Vec<u8>)>,
    pub digest: Vec<u8>,
}

impl Attest {
    /// Over these registers of the SHA-256 bank.
    pub fn of(registers: &BTreeMap<u8, Vec<u8>>) -> Self {
        let mut bits = vec![0; 3];
        for index in registers.keys() {
            bits[usize::from(index / 8)] |= 1 << (index % 8);
        }
        let values: Vec<u8> = registers.values().flatten().copied().collect();
        Self {
            magic: 0xff54_4347,
            kind: 0x8018,
            extra_data: b"a nonce".to_vec(),
            safe: 1,
            banks: vec![(0x000b, bits)],
            digest: digest(&SHA256, &values).as_ref().to_vec(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_be_bytes().to_vec();
        bytes.extend(self.kind.to_be_bytes());
        bytes.extend(sized(&[0; 34]));
        bytes.extend(sized(&self.extra_data));
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 3, self.safe]);
        bytes.extend([0x20, 0x19, 0x10, 0x23, 0, 0x16, 0x36, 0x36]);
        bytes.extend(u32::try_from(self.banks.len()).expect("few banks").to_be_bytes());
        for (bank, bits) in &self.banks {
            bytes.extend(bank.to_be_bytes());
            bytes.push(u8::try_from(bits.len()).expect("few bits"));
            bytes.extend(bits);
        }
        bytes.extend(sized(&self.digest));
        bytes
    }

    /// Signed by `key`, which nobody vouches for.
    pub fn signed(&self, key: &Key, registers: &BTreeMap<u8, Vec<u8>>) -> TpmQuote {
        signed(self.bytes(), key, registers)
    }
}

pub fn signed(attest: Vec<u8>, key: &Key, registers: &BTreeMap<u8, Vec<u8>>) -> TpmQuote {
    TpmQuote {
        signature: key.sign(&attest),
        attest,
        attestation_key: key.spki(),
        pcrs: registers
            .iter()
            .map(|(index, value)| (*index, ByteBuf::from(value.clone())))
            .collect(),
        ..TpmQuote::default()
    }
}

/// Registers 0, 7 and 16 of the SHA-256 bank.
pub fn registers() -> BTreeMap<u8, Vec<u8>> {
    [(0, vec![1; 32]), (7, vec![2; 32]), (16, vec![3; 32])].into()
}

/// `TPM2B`: a length of two bytes, and the bytes.
pub fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("it is short");
    [&length.to_be_bytes(), bytes].concat()
}
