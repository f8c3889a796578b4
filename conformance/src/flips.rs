//! Turn over one bit of every byte of a sample: each must be refused, or change nothing.

use attestation::Evidence;
use serde::Serialize;

use crate::case::Inputs;

/// What became of all flips of one sample.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Flips {
    /// How many copies there were, each with one bit turned over.
    pub tried: u64,
    /// How many of these copies the verifier refused.
    pub refused: u64,
    /// Accepted with the very same claims: bytes that nothing signs and nothing reads.
    pub uncovered: Vec<Region>,
    /// Accepted with other claims. There must be none.
    pub changed: Vec<Region>,
}

/// Bytes of one part of the evidence that lie together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Region {
    /// What these bytes are.
    pub part: String,
    /// The first byte, counted from the start of the part.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// How many of them could be turned over.
    pub bytes: usize,
}

impl Region {
    /// As `quote, 9 bytes within 10 to 19`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}, {} bytes within {} to {}", self.part, self.bytes, self.start, self.end - 1)
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
                Ok(claims) => {
                    let regions =
                        if claims == original { &mut flips.uncovered } else { &mut flips.changed };
                    let part = place(&inputs.evidence, &name, offset);
                    grow(regions, &part, offset);
                }
            }
        }
    }
    flips
}

/// Append a byte to the last region if it is of the same place, or begin a new one.
fn grow(regions: &mut Vec<Region>, part: &str, offset: usize) {
    match regions.last_mut() {
        Some(last) if last.part == part => {
            last.end = offset + 1;
            last.bytes += 1;
        }
        _ => {
            let part = part.to_owned();
            regions.push(Region { part, start: offset, end: offset + 1, bytes: 1 });
        }
    }
}

/// What lies at `offset` of a part, where formats have places that nothing signs.
fn place(evidence: &Evidence, part: &str, offset: usize) -> String {
    let after = |bytes: &[u8], mark: &[u8]| {
        bytes.windows(mark.len()).position(|window| window == mark).is_some_and(|at| offset >= at)
    };
    match evidence {
        Evidence::Sgx { quote } | Evidence::Tdx { quote } if after(quote, b"-----BEGIN") => {
            "PEM text of the PCK chain".to_owned()
        }
        // Apple signs its receipt by itself, for its own servers; nothing here reads it.
        Evidence::AppAttest { attestation, .. }
            if part == "attestation" && after(attestation, b"receipt") =>
        {
            "Apple's receipt".to_owned()
        }
        _ => part.to_owned(),
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
