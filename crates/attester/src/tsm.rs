//! Intel TDX and AMD SEV-SNP: the kernel's configfs-tsm, one protocol for both.
//!
//! ```text
//! mkdir report/<name>;  write inblob;  read outblob, auxblob, provider;  rmdir
//! ```
//! The kernel counts writes in `generation`: if another process wrote in between, the blob is not
//! ours, and the request is made anew.
//!
//! Source: Linux, `Documentation/ABI/testing/configfs-tsm` (6.7 and later).

use std::{fs, path::Path};

use attestation::{Collateral, Evidence};
use serde_bytes::ByteBuf;

use crate::Failed;

/// Where the kernel has it.
pub const FOLDER: &str = "/sys/kernel/config/tsm/report";

/// How often a disturbed request is made anew.
const TRIES: u8 = 3;
/// An SNP certificate table (GHCB 2.0 §4.1.8.1) is entries of GUID, offset, length; this GUID is the VCEK's,
/// and this the VLEK's, as their bytes stand in the table.
const GUID_VCEK: [u8; 16] = guid(0x63da_758d, 0xe664, 0x4564, 0xadc5, 0xf4b9_3be8_accd);
const GUID_VLEK: [u8; 16] = guid(0xa807_4bc2, 0xa25a, 0x483e, 0xaae6, 0x39c0_45a0_b8a1);

/// Evidence of this machine over `report_data`; and for SEV-SNP the certificate of the key that signed, if the
/// host passes it on.
///
/// # Errors
/// [`Failed::Io`] where the kernel has no such folder; [`Failed::Provider`] for other hardware.
pub fn report(folder: &Path, report_data: &[u8; 64]) -> Result<(Evidence, Collateral), Failed> {
    let request = folder.join(format!("meshx-{}", std::process::id()));
    fs::create_dir(&request).map_err(Failed::io(request.display().to_string()))?;
    let result = ask(&request, report_data);
    // A request that stays behind would only be a name.
    let _ = fs::remove_dir(&request);
    result
}

fn ask(request: &Path, report_data: &[u8; 64]) -> Result<(Evidence, Collateral), Failed> {
    let read = |name: &str| {
        let place = request.join(name);
        fs::read(&place).map_err(Failed::io(place.display().to_string()))
    };
    for _ in 0..TRIES {
        let place = request.join("inblob");
        fs::write(&place, report_data).map_err(Failed::io(place.display().to_string()))?;
        let before = read("generation")?;
        let report = read("outblob")?;
        if read("generation")? != before {
            continue;
        }
        let provider = String::from_utf8_lossy(&read("provider")?).trim().to_owned();
        return match &*provider {
            "tdx_guest" => Ok((Evidence::Tdx { quote: report }, Collateral::default())),
            "sev_guest" => {
                // Hosts may pass no certificates on; then they are fetched from AMD.
                let table = read("auxblob").unwrap_or_default();
                let certificates =
                    signing_certificate(&table).map(ByteBuf::from).into_iter().collect();
                Ok((
                    Evidence::SevSnp { report },
                    Collateral { certificates, ..Collateral::default() },
                ))
            }
            _ => Err(Failed::Provider { provider }),
        };
    }
    Err(Failed::Unreadable { what: "configfs-tsm" })
}

/// The VLEK of a certificate table, or else its VCEK.
fn signing_certificate(table: &[u8]) -> Option<Vec<u8>> {
    let entry = |wanted: &[u8; 16]| {
        table.chunks_exact(24).take_while(|entry| entry[..16] != [0; 16]).find_map(|entry| {
            let number = |at: usize| {
                usize::try_from(u32::from_le_bytes(entry[at..at + 4].try_into().ok()?)).ok()
            };
            let (offset, length) = (number(16)?, number(20)?);
            let end = offset.checked_add(length)?;
            (entry[..16] == *wanted).then(|| table.get(offset..end).map(<[u8]>::to_vec))?
        })
    };
    entry(&GUID_VLEK).or_else(|| entry(&GUID_VCEK))
}

/// A GUID as its text form names it, in the byte order of the table.
const fn guid(a: u32, b: u16, c: u16, d: u16, e: u64) -> [u8; 16] {
    let (a, b, c) = (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes());
    let (d, e) = (d.to_be_bytes(), e.to_be_bytes());
    [a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d[0], d[1], e[2], e[3], e[4], e[5], e[6], e[7]]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel makes the files of a request when its folder is made; here they lie in a folder beforehand.
    fn asked(provider: &str, table: &[u8]) -> Result<(Evidence, Collateral), Failed> {
        let name = format!("meshx-tsm-{}-{provider}", std::process::id());
        let request = std::env::temp_dir().join(name);
        fs::create_dir_all(&request).unwrap();
        for (file, bytes) in
            [("generation", &b"1\n"[..]), ("outblob", b"a report"), ("auxblob", table)]
        {
            fs::write(request.join(file), bytes).unwrap();
        }
        fs::write(request.join("provider"), format!("{provider}\n")).unwrap();
        let result = ask(&request, &[9; 64]);
        assert_eq!(fs::read(request.join("inblob")).unwrap(), [9; 64]);
        fs::remove_dir_all(&request).unwrap();
        result
    }

    #[test]
    fn the_provider_says_what_the_report_is() {
        let (evidence, _) = asked("tdx_guest", b"").unwrap();
        assert_eq!(evidence, Evidence::Tdx { quote: b"a report".to_vec() });
        assert!(matches!(asked("arm_cca_guest", b""), Err(Failed::Provider { .. })));
    }

    #[test]
    fn the_signing_certificate_is_found_in_the_table() {
        let mut table = Vec::new();
        table.extend(GUID_VCEK);
        table.extend(48_u32.to_le_bytes());
        table.extend(4_u32.to_le_bytes());
        table.extend([0; 24]);
        table.extend(b"cert");
        let (evidence, collateral) = asked("sev_guest", &table).unwrap();
        assert_eq!(evidence, Evidence::SevSnp { report: b"a report".to_vec() });
        assert_eq!(collateral.certificates, [ByteBuf::from(*b"cert")]);
        // A table that points outside itself names nothing.
        table[16] = 255;
        assert_eq!(signing_certificate(&table), None);
        assert_eq!(signing_certificate(&table[..30]), None);
    }
}
