//! Turn over one bit of every byte of a sample: each must be refused, or change nothing.

use attestation::{Claims, Evidence};
use serde::Serialize;

use crate::case::Inputs;

/// What became of all flips of one sample.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Flips {
    pub tried: u64,
    pub refused: u64,
    /// Accepted with the very same claims: bytes that nothing signs and nothing reads.
    pub uncovered: Vec<Region>,
    /// Accepted with other claims. There must be none.
    pub changed: Vec<Region>,
}

/// A run of bytes of one part of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Region {
    pub part: String,
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

impl Region {
    /// As `quote, bytes 10 to 19`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}, bytes {} to {}", self.part, self.start, self.end - 1)
    }
}

/// Flip bit `i mod 8` of every byte `i` of every part of the evidence, one at a time.
#[must_use]
pub fn flips(inputs: &Inputs) -> Flips {
    let mut flips = Flips::default();
    let Ok(original) = inputs.verify() else { return flips };
    let mut trial = inputs.clone();
    for (index, (name, length)) in parts(&mut trial.evidence)
        .into_iter()
        .map(|(name, bytes)| (name, bytes.len()))
        .collect::<Vec<_>>()
        .into_iter()
        .enumerate()
    {
        for offset in 0..length {
            let turn = |trial: &mut Inputs| {
                parts(&mut trial.evidence)[index].1[offset] ^= 1 << (offset % 8);
            };
            turn(&mut trial);
            let result = trial.verify();
            turn(&mut trial);
            flips.tried += 1;
            match result {
                Err(_) => flips.refused += 1,
                Ok(claims) if claims == original => grow(&mut flips.uncovered, &name, offset),
                Ok(claims) => {
                    let _: Claims = claims;
                    grow(&mut flips.changed, &name, offset);
                }
            }
        }
    }
    flips
}

/// Append a byte to the last region, or begin a new one.
fn grow(regions: &mut Vec<Region>, part: &str, offset: usize) {
    match regions.last_mut() {
        Some(last) if last.part == part && last.end == offset => last.end += 1,
        _ => regions.push(Region { part: part.to_owned(), start: offset, end: offset + 1 }),
    }
}

/// The byte strings that evidence consists of, by name.
fn parts(evidence: &mut Evidence) -> Vec<(String, &mut [u8])> {
    match evidence {
        Evidence::Sgx { quote } | Evidence::Tdx { quote } => {
            vec![("quote".to_owned(), quote.as_mut_slice())]
        }
        Evidence::SevSnp { report } => vec![("report".to_owned(), report.as_mut_slice())],
        Evidence::Nitro { document } => vec![("document".to_owned(), document.as_mut_slice())],
        Evidence::AndroidKey { chain } => chain
            .iter_mut()
            .enumerate()
            .map(|(index, der)| (format!("certificate {index}"), der.as_mut_slice()))
            .collect(),
        Evidence::AppAttest { attestation, client_data_hash, .. } => vec![
            ("attestation".to_owned(), attestation.as_mut_slice()),
            ("client data hash".to_owned(), client_data_hash.as_mut_slice()),
        ],
        Evidence::Cca { token } | Evidence::Psa { token } => {
            vec![("token".to_owned(), token.as_mut_slice())]
        }
        Evidence::Tpm(quote) => {
            let mut parts = vec![
                ("quote".to_owned(), quote.attest.as_mut_slice()),
                ("signature".to_owned(), quote.signature.as_mut_slice()),
                ("attestation key".to_owned(), quote.attestation_key.as_mut_slice()),
                ("event log".to_owned(), quote.event_log.as_mut_slice()),
                ("SNP report".to_owned(), quote.snp_report.as_mut_slice()),
                ("runtime data".to_owned(), quote.runtime.as_mut_slice()),
            ];
            for (index, value) in &mut quote.pcrs {
                parts.push((format!("PCR {index}"), value.as_mut_slice()));
            }
            let chains = quote.attestation_chain.iter_mut().chain(&mut quote.endorsement_chain);
            for (index, der) in chains.enumerate() {
                parts.push((format!("certificate {index}"), der.as_mut_slice()));
            }
            parts
        }
    }
}
