//! Evidence as a user judges it, and as a provider sends it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::User;

fn evidence(case: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/evidence").join(case);
    if folder.is_dir() {
        return Some(folder.display().to_string());
    }
    println!("passed over: ../shared/evidence is not here");
    None
}

#[test]
fn claims_are_printed_or_the_reason() {
    let me = User::new();
    let Some(good) = evidence("intel-sgx/sgx-01-phala-hello") else { return };
    let said = me.meshx(&["attest", "verify", &good], b"").exits(0).json();
    assert_eq!(said["tcb_status"], "ConfigurationAndSWHardeningNeeded");
    assert_eq!(said["class"], "confidential-process");
    // The same parts by name; twenty years later; under a strict policy; in answer to another question.
    let (quote, collateral) = (format!("{good}/quote.bin"), format!("{good}/collateral.json"));
    let parts = [
        "attest",
        "verify",
        "--type",
        "intel-sgx",
        "--evidence",
        &quote,
        "--collateral",
        &collateral,
    ];
    let at =
        |time: &str, more: &[&str]| me.meshx(&[&parts[..], &["--at", time], more].concat(), b"");
    let named = at("2025-06-25T00:00:00Z", &[]).exits(0).json();
    assert_eq!(named["mr_enclave"], said["mr_enclave"]);
    assert_eq!(at("2045-06-25T00:00:00Z", &[]).exits(1).json()["code"], "expired");
    assert_eq!(at("1750809600", &["--challenge", "00ff"]).exits(1).json()["code"], "challenge");
    let policy = me.path("strict.json");
    std::fs::write(&policy, "{}").unwrap();
    let strict = at("1750809600", &["--policy", policy.to_str().unwrap()]).exits(1).json();
    assert_eq!(strict["code"], "tcb-status");
    std::fs::write(&policy, r#"{"require_magic": true}"#).unwrap();
    at("1750809600", &["--policy", policy.to_str().unwrap()]).exits(125);
    me.meshx(&["attest", "verify", "--type", "abacus", "--evidence", &quote], b"").exits(125);
    let wrong = me.meshx(&["attest", "verify", "--type", "aws-nitro", "--evidence", &quote], b"");
    assert_eq!(wrong.exits(1).json()["code"], "malformed");

    let Some(debug) = evidence("intel-tdx/tdx-03-debug-td") else { return };
    assert_eq!(me.meshx(&["attest", "verify", &debug], b"").exits(1).json()["code"], "debug");
    let allowed = me.meshx(&["attest", "verify", &debug, "--allow-debug"], b"").exits(0).json();
    assert_eq!(allowed["debug"], true);
}

/// A TPM in software that ends with the test.
struct Swtpm(Child, PathBuf);

impl Swtpm {
    fn start(folder: &Path) -> Option<Self> {
        let socket = |name: &str| format!("type=unixio,path={}", folder.join(name).display());
        let process = Command::new("swtpm")
            .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"])
            .args(["--server", &socket("tpm"), "--ctrl", &socket("control")])
            .args(["--tpmstate", &format!("dir={}", folder.display())])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = process else {
            println!("passed over: swtpm is not installed");
            return None;
        };
        let (swtpm, patience) =
            (Self(process, folder.join("tpm")), Instant::now() + Duration::from_secs(20));
        while !swtpm.1.exists() {
            assert!(Instant::now() < patience, "swtpm does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(swtpm)
    }
}

impl Drop for Swtpm {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_software_tpm_attests_to_a_live_mesh() {
    let (_mesh, me, address) = User::on_a_quick_mesh();
    let folder = me.path("tpm");
    std::fs::create_dir(&folder).unwrap();
    let saved = me.path("evidence.mxe");
    let saved = saved.to_str().unwrap();
    let submit = |more: &[&str]| -> Option<serde_json::Value> {
        // swtpm serves one connection and ends.
        let swtpm = Swtpm::start(&folder)?;
        let tpm = swtpm.1.display().to_string();
        let sent = me.json(&[&["attest", "submit", "--tpm", &tpm], more].concat());
        std::fs::remove_file(&swtpm.1).ok();
        Some(sent)
    };
    me.meshx(&["faucet"], b"").exits(0);
    let Some(first) = submit(&["--save", saved]) else { return };
    assert_eq!(first["record"]["class"], "simulated", "{first}");
    let sealing_key = first["record"]["sealing_key"].as_str().unwrap();
    let sealing_key = hex::decode(sealing_key).unwrap();
    assert!(crypto::SealingPublicKey::from_bytes(&sealing_key).is_ok());
    let shown = me.json(&["attest", "show", &address]);
    assert_eq!(shown["record"], first["record"]);
    assert_eq!(shown["counts"], true);
    // What was sent is judged alike offline, and answers its own challenge only.
    let offline = me.meshx(&["attest", "verify", "--evidence", saved], b"").exits(0).json();
    assert_eq!(offline["measurement"], first["record"]["measurement"]);

    let second = submit(&[]).expect("swtpm is here");
    assert_eq!(second["record"]["depth"], 1, "a renewal comes after what it renews: {second}");
    assert_eq!(second["record"]["parent"], first["record"]["evidence"]);
}
