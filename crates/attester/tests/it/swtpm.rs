//! swtpm behind its socket. Passed over where it is not installed.

use std::{
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use attestation::{Class, Collateral, Evidence, Policy, Reject, Statement, UnixSeconds, verify};
use attester::{Failed, tpm::Tpm};

const NOW: UnixSeconds = UnixSeconds::new(1_790_000_000);

/// A TPM in software that ends with the test.
struct Swtpm {
    process: Child,
    folder: PathBuf,
}

impl Swtpm {
    fn start(name: &str) -> Option<Self> {
        let folder =
            std::env::temp_dir().join(format!("meshx-swtpm-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let socket = |name: &str| format!("type=unixio,path={}", folder.join(name).display());
        let process = Command::new("swtpm")
            .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"])
            .args(["--server", &socket("tpm")])
            .args(["--ctrl", &socket("control")])
            .args(["--tpmstate", &format!("dir={}", folder.display())])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match process {
            Ok(process) => Some(Self { process, folder }),
            Err(error) => {
                println!("passed over: swtpm does not start ({error}); Debian has it as swtpm");
                let _ = std::fs::remove_dir_all(&folder);
                None
            }
        }
    }

    fn connect(&self) -> Tpm<UnixStream> {
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            match UnixStream::connect(self.folder.join("tpm")) {
                Ok(stream) => return Tpm::new(stream),
                Err(error) if Instant::now() > patience => panic!("swtpm does not listen: {error}"),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Swtpm {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn statement(nonce: u8) -> Statement {
    Statement {
        code_hash: [1; 32],
        node_key: [2; 32],
        sealing_key_hash: [0; 32],
        timestamp: NOW,
        nonce: [nonce; 32],
        parent: [0; 32],
    }
}

#[test]
fn a_quote_verifies_once_and_for_one_set_of_registers() {
    let Some(swtpm) = Swtpm::start("quote") else { return };
    let mut tpm = swtpm.connect();
    let key = tpm.attestation_key().unwrap();
    tpm.extend(16, &[7; 32]).unwrap();
    let first = statement(1);
    let technology = attestation::Technology::Tpm2;
    let evidence = tpm.quote(&key, &[0, 7, 16], &first.challenge(technology)).unwrap();
    let none = Collateral::default();

    let claims = verify(&evidence, &none, &first.binding(technology), NOW).unwrap();
    assert_eq!(claims.class(), Class::Simulated, "software is never hardware");
    assert!(claims.is_bound());
    let attestation::Details::Tpm(details) = claims.details() else { panic!("it is a TPM's") };
    assert_eq!(details.pcr_selection, [0, 7, 16]);
    let extended = ring::digest::digest(&ring::digest::SHA256, &[[0; 32], [7; 32]].concat());
    assert_eq!(details.pcr16.as_deref(), Some(&*hex::encode(extended)));
    assert_eq!(
        Policy::strict().appraise(&claims, NOW),
        Err(Reject::ClassNotAccepted { class: Class::Simulated })
    );

    // The same quote in answer to the next question.
    let next = statement(2).binding(technology);
    assert_eq!(verify(&evidence, &none, &next, NOW), Err(Reject::WrongChallenge));

    // Other registers than those that were quoted.
    let Evidence::Tpm(mut changed) = evidence.clone() else { panic!("it is a TPM's") };
    changed.pcrs.insert(16, serde_bytes::ByteBuf::from([0; 32]));
    let refused = verify(&Evidence::Tpm(changed), &none, &first.binding(technology), NOW);
    assert_eq!(
        refused,
        Err(Reject::Mismatch { what: "the registers", other: "the quoted digest" })
    );

    // A register extended again gives another quote, which is the new truth.
    tpm.extend(16, &[8; 32]).unwrap();
    let later = tpm.quote(&key, &[0, 7, 16], &first.challenge(technology)).unwrap();
    let after = verify(&later, &none, &first.binding(technology), NOW).unwrap();
    assert_ne!(after.measurement(), claims.measurement());
    assert_eq!(after.device_key(), claims.device_key(), "the key follows from the TPM's seed");
}

#[test]
fn a_credential_opens_in_the_tpm_that_has_both_keys() {
    let (Some(one), Some(two)) = (Swtpm::start("one"), Swtpm::start("two")) else { return };
    let (mut mine, mut theirs) = (one.connect(), two.connect());
    let (key, endorsement) = (mine.attestation_key().unwrap(), mine.endorsement_key().unwrap());
    let credential = mine.make_credential(&endorsement, &key.name(), b"a secret").unwrap();
    assert_eq!(mine.activate_credential(&key, &endorsement, &credential).unwrap(), b"a secret");

    // For a key of another TPM: that TPM cannot open it, nor can this one make it.
    let foreign = theirs.attestation_key().unwrap();
    let for_foreign = mine.make_credential(&endorsement, &foreign.name(), b"a secret").unwrap();
    assert!(matches!(
        mine.activate_credential(&key, &endorsement, &for_foreign),
        Err(Failed::Refused { command: "ActivateCredential", .. })
    ));
    let their_endorsement = theirs.endorsement_key().unwrap();
    assert!(matches!(
        theirs.activate_credential(&foreign, &their_endorsement, &for_foreign),
        Err(Failed::Refused { command: "ActivateCredential", .. })
    ));
}
