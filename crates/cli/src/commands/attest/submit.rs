//! `meshx attest submit`: make evidence for the chain's newest challenge, and send it. `show`: what was proved.

use std::{
    fs::{self, File},
    net::TcpStream,
    os::unix::{fs::FileTypeExt as _, net::UnixStream},
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail};
use api::{AttestationView, Client};
use attestation::{Collateral, Evidence, Statement, Technology, UnixSeconds, evidence_hash};
use attester::tpm::{Tpm, Transport};
use crypto::Role;
use types::{
    Action, Address, Bytes, ChainId, Hash,
    attest::{Attestation, AttestationRecord},
};

use super::verify::{collateral_of, read};
use crate::{
    args::{AttestSource, AttestSubmit},
    settings::Settings,
    submit as tx, wallet,
};

/// The registers a quote covers: 0 to 7 measure firmware and boot loader, 16 is for software to use.
const REGISTERS: [u8; 9] = [0, 1, 2, 3, 4, 5, 6, 7, 16];
/// How long to wait for a chain's first challenge: it makes one at every boundary.
const CHALLENGE_PATIENCE: Duration = Duration::from_secs(60);

pub fn submit(settings: &Settings, args: &AttestSubmit) -> Result<()> {
    let client = tx::client(settings)?;
    let keys = tx::keys(settings, &client)?;
    let key = keys.key(Role::Spend, 0);
    let sealing_key = keys.sealing_key(0).public().to_bytes();
    let (chain, address) = (settings.chain, wallet::address(&key));
    let code_hash = code_hash(args.code.as_deref())?;
    let view = challenge(&client, chain, address)?;
    let parent = parent(&client, args, &view)?;
    let stated = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let statement = Statement {
        code_hash: code_hash.0,
        node_key: key.public(),
        sealing_key_hash: evidence_hash(&sealing_key),
        timestamp: UnixSeconds::new(stated),
        nonce: view.challenges.current.0,
        parent: parent.as_ref().map_or([0; 32], |(_, record)| record.evidence.0),
    };
    let (evidence, mut collateral) = make(&args.source, &statement)?;
    if let Some(file) = &args.collateral {
        collateral = collateral_of(evidence.technology(), Some(read(file)?))?;
    }
    let wire = evidence.to_bytes();
    if let Some(file) = &args.save {
        fs::write(file, &wire).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let attestation = Attestation {
        evidence: Bytes::new(wire).context("the evidence is longer than 64 KiB")?,
        collateral: Bytes::new(collateral.to_bytes())
            .context("the collateral is longer than 64 KiB")?,
        code_hash,
        sealing_key: Bytes::new(sealing_key).expect("a key has a key's length"),
        stated,
        challenge: view.challenges.current,
        parent: parent.map(|(address, _)| address),
    };
    let done = tx::act(&client, &key, chain, Action::Attest(attestation))?;
    let record = client
        .attestation(chain, address)?
        .record
        .context("the chain took the attestation in and does not know it")?;
    if settings.json() {
        println!(
            "{}",
            serde_json::json!({ "tx": done.tx, "height": done.height, "record": record })
        );
    } else {
        println!("attested in block {} of {chain}", done.height.unwrap_or_default());
        print_record(&record);
    }
    Ok(())
}

pub fn show(settings: &Settings, address: Option<Address>) -> Result<()> {
    let client = tx::client(settings)?;
    let address = tx::address_or_own(settings, &client, address)?;
    let view = client.attestation(settings.chain, address)?;
    if settings.json() {
        println!("{}", serde_json::to_string(&view)?);
        return Ok(());
    }
    println!("account      {address} on {}", view.chain);
    println!("challenge    {} of block {}", view.challenges.current, view.challenges.height);
    match &view.record {
        None => println!("nothing was attested"),
        Some(record) => {
            print_record(record);
            if !view.counts {
                println!("it has ended: attest anew");
            }
        }
    }
    Ok(())
}

fn print_record(record: &AttestationRecord) {
    println!("class        {} ({})", record.class.name(), record.technology.name());
    println!("root         {}", record.root);
    println!("TCB          {}", record.tcb_status.name());
    println!("measurement  {}", hex::encode(record.measurement.as_slice()));
    println!("code         {}", record.code_hash);
    println!("evidence     {}", record.evidence);
    match record.sealing_key.as_slice() {
        [] => println!("sealing key  none: no private job can be sent here"),
        key => println!("sealing key  {} (SHA-256)", hex::encode(evidence_hash(key))),
    }
    println!("depth        {}", record.depth);
    println!("until        {} ms since 1970", record.until.get());
}

/// The newest challenge; a chain that is younger than an epoch has none yet.
fn challenge(client: &Client, chain: ChainId, address: Address) -> Result<AttestationView> {
    let patience = Instant::now() + CHALLENGE_PATIENCE;
    loop {
        let view = client.attestation(chain, address)?;
        if view.challenges.current != Hash::ZERO {
            return Ok(view);
        }
        if Instant::now() > patience {
            bail!(
                "{chain} has made no challenge yet\nhint: it makes one at its first boundary; try again"
            );
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn parent(
    client: &Client,
    args: &AttestSubmit,
    own: &AttestationView,
) -> Result<Option<(Address, AttestationRecord)>> {
    if args.root {
        return Ok(None);
    }
    match args.parent {
        Some(address) => {
            let record = client.attestation(own.chain, address)?.record;
            let record = record.with_context(|| format!("{address} has attested nothing"))?;
            Ok(Some((address, record)))
        }
        // A chain that is as long as may be begins anew.
        None => Ok(own
            .record
            .clone()
            .filter(|record| own.counts && record.depth + 1 < types::attest::ATTESTATION_DEPTH_MAX)
            .map(|record| (own.address, record))),
    }
}

fn code_hash(file: Option<&Path>) -> Result<Hash> {
    let file = match file {
        Some(file) => file.to_owned(),
        None => std::env::current_exe().context("this program cannot find itself")?,
    };
    let code = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Hash(evidence_hash(&code)))
}

fn make(source: &AttestSource, statement: &Statement) -> Result<(Evidence, Collateral)> {
    if let Some(place) = &source.tpm {
        return quote(place, &statement.challenge(Technology::Tpm2));
    }
    if source.gramine {
        let folder = Path::new(attester::gramine::FOLDER);
        let evidence = attester::gramine::quote(folder, &statement.report_data()).context(
            "no quote\nhint: run inside Gramine, with sgx.remote_attestation = \"dcap\"",
        )?;
        return Ok((evidence, Collateral::default()));
    }
    let folder = Path::new(attester::tsm::FOLDER);
    attester::tsm::report(folder, &statement.report_data())
        .context("no report\nhint: run inside a TDX or SEV-SNP guest with Linux 6.7 or later")
}

fn quote(place: &str, challenge: &[u8]) -> Result<(Evidence, Collateral)> {
    let opening = || format!("cannot open the TPM at {place}");
    let path = Path::new(place);
    let evidence = match fs::metadata(path) {
        Ok(about) if about.file_type().is_socket() => {
            quote_over(UnixStream::connect(path).with_context(opening)?, challenge)
        }
        Ok(_) => {
            let device = File::options().read(true).write(true).open(path);
            quote_over(device.with_context(opening)?, challenge)
        }
        Err(_) => quote_over(TcpStream::connect(place).with_context(opening)?, challenge),
    }?;
    Ok((evidence, Collateral::default()))
}

fn quote_over(transport: impl Transport, challenge: &[u8]) -> Result<Evidence> {
    let mut tpm = Tpm::new(transport);
    let key = tpm.attestation_key()?;
    let evidence = tpm.quote(&key, &REGISTERS, challenge);
    tpm.flush(&key)?;
    Ok(evidence?)
}
