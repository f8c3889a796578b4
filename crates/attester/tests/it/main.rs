//! A software TPM, started here: what it attests is judged by the crate that judges hardware.

#[cfg(feature = "tpm")]
mod swtpm;
