//! Certificates and keys as people keep them: PEM or DER.

use anyhow::{Context as _, Result, bail};
use x509_parser::pem::Pem;

/// Every block of a PEM file, or the one DER object a file is.
///
/// # Errors
/// If the file begins like PEM and a block of it is damaged.
pub fn certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    let is_pem = bytes.windows(11).any(|window| window == b"-----BEGIN ");
    if !is_pem {
        return Ok(vec![bytes.to_vec()]);
    }
    let blocks = Pem::iter_from_buffer(bytes)
        .map(|block| {
            block.map(|block| block.contents).context("a PEM block of the file is damaged")
        })
        .collect::<Result<Vec<_>>>()?;
    if blocks.is_empty() {
        bail!("the file holds no PEM block: expected certificates or keys in PEM or DER");
    }
    Ok(blocks)
}

/// A `SubjectPublicKeyInfo`, DER, from a PEM or DER file.
///
/// # Errors
/// As [`certificates`].
pub fn key(bytes: &[u8]) -> Result<Vec<u8>> {
    certificates(bytes)?
        .into_iter()
        .next()
        .context("the file holds no key: expected a public key in PEM or DER")
}
