//! Intel SGX inside Gramine: write the report data, read a quote.
//!
//! Source: Gramine documentation, *Attestation and Secret Provisioning*, "Low-level /dev/attestation
//! interface". The manifest must say `sgx.remote_attestation = "dcap"`.

use std::{fs, path::Path};

use attestation::Evidence;

use crate::Failed;

/// Where Gramine has it.
pub const FOLDER: &str = "/dev/attestation";

/// A quote of this enclave over `report_data`.
///
/// # Errors
/// [`Failed::Io`] outside Gramine, or without remote attestation in the manifest.
pub fn quote(folder: &Path, report_data: &[u8; 64]) -> Result<Evidence, Failed> {
    let place = folder.join("user_report_data");
    fs::write(&place, report_data).map_err(Failed::io(place.display().to_string()))?;
    let place = folder.join("quote");
    let quote = fs::read(&place).map_err(Failed::io(place.display().to_string()))?;
    Ok(Evidence::Sgx { quote })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder in place of the device: what is written stays, and a quote lies ready.
    #[test]
    fn writes_the_report_data_and_reads_the_quote() {
        let folder = std::env::temp_dir().join(format!("meshx-gramine-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("quote"), b"a quote").unwrap();
        let evidence = quote(&folder, &[7; 64]).unwrap();
        assert_eq!(evidence, Evidence::Sgx { quote: b"a quote".to_vec() });
        assert_eq!(fs::read(folder.join("user_report_data")).unwrap(), [7; 64]);
        fs::remove_dir_all(&folder).unwrap();
        let Err(Failed::Io { what, .. }) = quote(&folder, &[7; 64]) else { panic!("it is gone") };
        assert!(what.ends_with("user_report_data"), "{what}");
    }
}
