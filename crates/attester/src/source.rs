//! Where evidence comes from: one of the machine's own attesters.

use crate::{Failed, gramine, tpm, tsm};
use attestation::{Collateral, Evidence, Statement, Technology};
use std::{
    fs::{self, File},
    io,
    net::TcpStream,
    os::unix::{fs::FileTypeExt as _, net::UnixStream},
    path::Path,
};

/// The registers a quote covers: 0 to 7 measure firmware and boot loader, 16 is for software to use.
const REGISTERS: [u8; 9] = [0, 1, 2, 3, 4, 5, 6, 7, 16];

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A TPM 2.0: a device file, swtpm's socket, or HOST:PORT.
    Tpm(String),
    /// Intel SGX, inside Gramine.
    Gramine,
    /// Intel TDX or AMD SEV-SNP, by the kernel's configfs-tsm.
    Tsm,
}

/// Why it gave no evidence.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NoEvidence {
    #[error(
        "there is no TPM at {place}\nhint: a machine with a TPM has /dev/tpmrm0, once it is switched on in the firmware; --tpm also takes swtpm's socket or HOST:PORT"
    )]
    NoTpm { place: String, source: io::Error },
    #[error(
        "cannot open the TPM at {place}\nhint: join the group that owns it (often tss), or run as root"
    )]
    Closed { place: String, source: io::Error },
    #[error("the TPM at {place} does not answer\nhint: check that swtpm listens there")]
    Silent { place: String, source: io::Error },
    #[error(
        "this machine gives no SGX quote\nhint: run inside Gramine, with sgx.remote_attestation = \"dcap\""
    )]
    Gramine(#[source] Failed),
    #[error(
        "this machine gives no TDX or SEV-SNP report\nhint: run inside a TDX or SEV-SNP guest with Linux 6.7 or later"
    )]
    Tsm(#[source] Failed),
    #[error(transparent)]
    Failed(#[from] Failed),
}

impl Source {
    /// Evidence that is bound to `statement`, and the collateral that comes with it.
    ///
    /// # Errors
    /// [`NoEvidence`], for instance because this machine has no such hardware.
    pub fn evidence(&self, statement: &Statement) -> Result<(Evidence, Collateral), NoEvidence> {
        match self {
            Self::Tpm(place) => {
                let evidence = quote(place, &statement.challenge(Technology::Tpm2))?;
                Ok((evidence, Collateral::default()))
            }
            Self::Gramine => {
                let folder = Path::new(gramine::FOLDER);
                let evidence = gramine::quote(folder, &statement.report_data());
                Ok((evidence.map_err(NoEvidence::Gramine)?, Collateral::default()))
            }
            Self::Tsm => tsm::report(Path::new(tsm::FOLDER), &statement.report_data())
                .map_err(NoEvidence::Tsm),
        }
    }
}

fn quote(place: &str, challenge: &[u8]) -> Result<Evidence, NoEvidence> {
    let name = || place.to_owned();
    let silent = |source| NoEvidence::Silent { place: name(), source };
    let path = Path::new(place);
    let evidence = match fs::metadata(path) {
        Ok(about) if about.file_type().is_socket() => {
            over(UnixStream::connect(path).map_err(silent)?, challenge)
        }
        Ok(_) => {
            let device = File::options().read(true).write(true).open(path);
            let closed = |source| NoEvidence::Closed { place: name(), source };
            over(device.map_err(closed)?, challenge)
        }
        // HOST:PORT has no slash.
        Err(source) if place.contains('/') || !place.contains(':') => {
            return Err(NoEvidence::NoTpm { place: name(), source });
        }
        Err(_) => over(TcpStream::connect(place).map_err(silent)?, challenge),
    };
    Ok(evidence?)
}

fn over(transport: impl tpm::Transport, challenge: &[u8]) -> Result<Evidence, Failed> {
    let mut tpm = tpm::Tpm::new(transport);
    let key = tpm.attestation_key()?;
    let evidence = tpm.quote(&key, &REGISTERS, challenge);
    tpm.flush(&key)?;
    evidence
}
